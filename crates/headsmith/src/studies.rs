//! Inspects and changes the studies of a storage.

mod export;

use std::path::PathBuf;

use headsmith_data::Files;
use headsmith_study::Attributes;
use serde::Serialize;
use serde_json::Value;

pub use export::export;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitOptions};
use crate::hold_back;
use crate::model_file;
use crate::plan::plan_of;
use crate::report::{FitReport, Objective, StudyReport, TrialRow};
use crate::snapshot::{INTERRUPTED, StudySnapshot, existing, open, trial_row};
use crate::tune;

pub use crate::plan::in_words;
pub use crate::snapshot::{Order, StudyLocation, TrialFilter, choice};

/// A study in a list.
#[derive(Debug, Clone, Serialize)]
pub struct StudySummary {
    /// Its name.
    pub name: String,
    /// Its objectives.
    pub objectives: Vec<Objective>,
    /// The number of its trials.
    pub n_trials: usize,
    /// The number of complete trials.
    pub n_complete: usize,
    /// The number of pruned trials.
    pub n_pruned: usize,
    /// The number of failed trials.
    pub n_failed: usize,
    /// The number of trials that a worker runs.
    pub n_running: usize,
    /// The number of trials whose worker has stopped or died: the next worker resumes them.
    pub n_interrupted: usize,
    /// The number of enqueued trials that no worker has begun.
    pub n_waiting: usize,
    /// The best value; `null` without a complete trial, and with several objectives.
    pub best_value: Option<f64>,
    /// The number of trials in the Pareto front; only with several objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_pareto: Option<usize>,
}

/// Trials, and the objectives of their values.
#[derive(Debug, Clone, Serialize)]
pub struct TrialRows {
    /// The study's objectives.
    pub objectives: Vec<Objective>,
    /// The trials.
    pub trials: Vec<TrialRow>,
}

/// The options of the final fit of a study's best trial.
#[derive(Debug, Clone)]
pub struct FitBest {
    /// The training table, if it has moved since the study began.
    pub train: Option<Files>,
    /// The validation table, likewise.
    pub val: Option<Files>,
    /// The folder for cache files of the tables.
    pub cache: Option<PathBuf>,
    /// The output path of the model.
    pub model: PathBuf,
}

/// The studies of a storage; only the one with the name in `location`, if given.
///
/// # Errors
/// If the storage cannot be read.
pub fn list(location: &StudyLocation) -> Result<Vec<StudySummary>> {
    let mut storage = existing(&location.storage)?;
    let mut lines = Vec::new();
    for record in storage.studies()? {
        if location.name.as_ref().is_none_or(|name| *name == record.name) {
            lines.push(summarise(StudySnapshot::at(storage.as_mut(), record)?));
        }
    }
    Ok(lines)
}

/// A summary of the study.
///
/// # Errors
/// If there is no such study.
pub fn find(location: &StudyLocation) -> Result<StudySummary> {
    StudySnapshot::new(location).map(summarise)
}

/// The study's report: counts, best trial, importance of parameters, and times.
///
/// # Errors
/// If there is no such study.
pub fn show(location: &StudyLocation) -> Result<StudyReport> {
    show_with_trials(location).map(|(report, _)| report)
}

/// The study's report, and every trial.
///
/// # Errors
/// If there is no such study.
pub fn show_with_trials(location: &StudyLocation) -> Result<(StudyReport, Vec<TrialRow>)> {
    let snapshot = StudySnapshot::new(location)?;
    Ok((snapshot.report(&location.storage), snapshot.rows()))
}

/// The best trial; with several objectives, the Pareto front.
///
/// # Errors
/// If there is no such study, or no complete trial in it.
pub fn best(location: &StudyLocation) -> Result<TrialRows> {
    let snapshot = StudySnapshot::new(location)?;
    let trials = match snapshot.is_single() {
        true => vec![snapshot.best()?],
        false => snapshot.front()?,
    };
    let trials = trials.into_iter().map(|trial| trial_row(trial, &snapshot.state_names)).collect();
    Ok(TrialRows { objectives: snapshot.objectives(), trials })
}

/// The trials that match the filter, in its order.
///
/// # Errors
/// If there is no such study, or no such column.
pub fn trials(location: &StudyLocation, filter: &TrialFilter) -> Result<TrialRows> {
    let snapshot = StudySnapshot::new(location)?;
    let objectives = snapshot.objectives();
    Ok(TrialRows { trials: filter.apply(snapshot.rows(), &objectives)?, objectives })
}

/// Adds a waiting trial with these values, as typed. Returns its number.
///
/// # Errors
/// If there is no such study, or a value is not in its space.
pub fn enqueue(location: &StudyLocation, values: &[(String, String)]) -> Result<u64> {
    let (mut storage, record) = open(location)?;
    let plan = plan_of(&record)?;
    let space = plan.space()?;
    let mut fixed = Attributes::new();
    for (name, text) in values {
        let Some(param) = space.params.iter().find(|param| param.name == *name) else {
            let names: Vec<&str> = space.params.iter().map(|param| param.name.as_str()).collect();
            return Err(Error::usage(format!(
                "the study does not search {name}; it searches {}",
                names.join(", ")
            )));
        };
        let choice =
            serde_json::from_str(text).unwrap_or_else(|_| headsmith_study::Choice::Text(text.clone()));
        if matches!(choice, headsmith_study::Choice::Bool(_))
            && !matches!(param.distribution, headsmith_study::Distribution::Categorical { .. })
        {
            return Err(Error::usage(format!("{name} is {text}, expected a number")));
        }
        param.distribution.internal(name, &choice)?;
        fixed.insert(name.clone(), serde_json::to_value(choice).unwrap_or(Value::Null));
    }
    Ok(storage.enqueue(record.id, &fixed, &Attributes::new())?)
}

/// Deletes the study.
///
/// # Errors
/// If there is no such study.
pub fn delete(location: &StudyLocation) -> Result<()> {
    let (mut storage, record) = open(location)?;
    Ok(storage.delete_study(record.id)?)
}

/// Renames the study to `to`, and returns its old name.
///
/// # Errors
/// If there is no such study, or the name is taken.
pub fn rename(location: &StudyLocation, to: &str) -> Result<String> {
    let (mut storage, record) = open(location)?;
    storage.rename_study(record.id, to)?;
    Ok(record.name)
}

/// Fits a head with the best trial's parameters and writes the model. Returns the fit's report and the classes.
///
/// # Errors
/// If there is no complete trial, the tables are not the study's, or the model cannot be written.
pub fn fit_best(
    location: &StudyLocation,
    config: &FitBest,
    context: &mut Context<'_>,
) -> Result<(FitReport, Vec<String>)> {
    let snapshot = StudySnapshot::new(location)?;
    let (best, plan) = (snapshot.best()?, plan_of(&snapshot.record)?);
    (context.seed, context.metric) = (plan.seed, plan.metric);
    let head = tune::final_head(&plan.base()?, &trial_row(best, &snapshot.state_names))?;
    let own = [config.train.as_ref(), config.val.as_ref()];
    let data = tune::tables_of(&plan, &snapshot.record.name, own, config.cache.clone(), context)?;
    let options = FitOptions {
        purpose: "final fit".to_owned(),
        checkpoint: Some(model_file::checkpoint_beside(&config.model)),
        chosen_on_val: vec![tune::TRIAL],
        trial: best.number as u32,
        ..FitOptions::default()
    };
    let mut fitted = fit::fit(&head, &data, &options, context)?;
    model_file::save_final(&fitted.model, &config.model, context)?;
    fitted.report.held_back = hold_back::judge(&fitted.model, &data, context)?;
    fitted.report.model = Some(config.model.display().to_string());
    Ok((fitted.report, data.train.classes.names().to_vec()))
}

fn summarise(snapshot: StudySnapshot) -> StudySummary {
    let objectives = snapshot.objectives();
    let n_pareto = (!snapshot.is_single()).then(|| snapshot.front().map_or(0, |front| front.len()));
    let best_value = snapshot.best().ok().and_then(|trial| trial.value);
    let StudySnapshot { record, trials, state_names } = snapshot;
    let count = |word: &str| trials.iter().filter(|trial| state_names.of(trial) == word).count();
    StudySummary {
        objectives,
        n_trials: trials.len(),
        n_complete: count("complete"),
        n_pruned: count("pruned"),
        n_failed: count("failed"),
        n_running: count("running"),
        n_interrupted: count(INTERRUPTED),
        n_waiting: count("waiting"),
        best_value,
        n_pareto,
        name: record.name,
    }
}
