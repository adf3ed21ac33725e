//! Inspecting the studies of a storage, and changing them.

mod export;
mod objective;
mod rows;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use headsmith_data::Files;
use headsmith_study::storages::{self, Options, Storage, StudyRecord};
use headsmith_study::{Attributes, Direction, Trial, best_trial, pareto_front};
use serde::Serialize;
use serde_json::Value;

pub use export::export;
pub use objective::in_words;
pub(crate) use objective::objectives;
pub(crate) use rows::trial_row;
pub use rows::{Order, TrialFilter, choice};
pub(crate) use words::{INTERRUPTED, Words, words_of};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitOptions};
use crate::hold_back;
use crate::model_file;
use crate::report::{FitReport, Objective, StudyReport, TrialRow};
use crate::tune;

/// Where a study is.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its storage.
    pub storage: String,
    /// Its name; `None`: the only one there is.
    pub name: Option<String>,
}

/// A study in a list.
#[derive(Debug, Clone, Serialize)]
pub struct StudyLine {
    /// Its name.
    pub name: String,
    /// Its objectives.
    pub objectives: Vec<Objective>,
    /// Its trials.
    pub n_trials: usize,
    /// Those that ran to their end.
    pub n_complete: usize,
    /// Those that were pruned.
    pub n_pruned: usize,
    /// Those that failed.
    pub n_failed: usize,
    /// Those that a worker runs.
    pub n_running: usize,
    /// Those whose worker has stopped or died: the next worker resumes them.
    pub n_interrupted: usize,
    /// The best value; `null` without a complete trial, and with several objectives.
    pub best_value: Option<f64>,
    /// The trials of the Pareto front; only with several objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_pareto: Option<usize>,
}

/// Trials, and what their values are of.
#[derive(Debug, Clone, Serialize)]
pub struct Rows {
    /// The study's objectives.
    pub objectives: Vec<Objective>,
    /// The trials.
    pub trials: Vec<TrialRow>,
}

/// The options of the final fit of a study's best trial.
#[derive(Debug, Clone)]
pub struct FitBest {
    /// The tables, if they have moved since the study began.
    pub train: Option<Files>,
    /// See `train`.
    pub val: Option<Files>,
    /// The folder for cache files of the tables.
    pub cache: Option<PathBuf>,
    /// Where the model goes.
    pub model: PathBuf,
}

/// The studies of a storage; of one name, if `place` has one.
///
/// # Errors
/// When the storage cannot be read.
pub fn list(place: &Place) -> Result<Vec<StudyLine>> {
    let mut storage = existing(&place.storage)?;
    let mut lines = Vec::new();
    for record in storage.studies()? {
        if place.name.as_ref().is_none_or(|name| *name == record.name) {
            lines.push(line(Look::at(storage.as_mut(), record)?));
        }
    }
    Ok(lines)
}

/// The study in one line.
///
/// # Errors
/// When there is no such study.
pub fn find(place: &Place) -> Result<StudyLine> {
    Look::new(place).map(line)
}

/// Counts, best trial, importance of parameters, and where the time went.
///
/// # Errors
/// When there is no such study.
pub fn show(place: &Place) -> Result<StudyReport> {
    show_with_trials(place).map(|(report, _)| report)
}

/// The same, and every trial.
///
/// # Errors
/// When there is no such study.
pub fn show_with_trials(place: &Place) -> Result<(StudyReport, Vec<TrialRow>)> {
    let look = Look::new(place)?;
    Ok((look.report(&place.storage), look.rows()))
}

/// The best trial; of a study with several objectives, its Pareto front.
///
/// # Errors
/// When there is no such study, or no complete trial in it.
pub fn best(place: &Place) -> Result<Rows> {
    let look = Look::new(place)?;
    let trials = match look.is_single() {
        true => vec![look.best()?],
        false => look.front()?,
    };
    let trials = trials.into_iter().map(|trial| trial_row(trial, &look.words)).collect();
    Ok(Rows { objectives: look.objectives(), trials })
}

/// The trials that pass the filter, in its order.
///
/// # Errors
/// When there is no such study, or no such column.
pub fn trials(place: &Place, filter: &TrialFilter) -> Result<Rows> {
    let look = Look::new(place)?;
    let objectives = look.objectives();
    Ok(Rows { trials: filter.apply(look.rows(), &objectives)?, objectives })
}

/// Adds a trial with these values, as they are typed, that waits for a worker. Gives its number.
///
/// # Errors
/// When there is no such study, or a value does not lie in its space.
pub fn enqueue(place: &Place, values: &[(String, String)]) -> Result<u64> {
    let (mut storage, record) = open(place)?;
    let plan = tune::plan_of(&record)?;
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
        param.distribution.internal(name, &choice)?;
        fixed.insert(name.clone(), serde_json::to_value(choice).unwrap_or(Value::Null));
    }
    Ok(storage.enqueue(record.id, &fixed, &Attributes::new())?)
}

/// Deletes the study.
///
/// # Errors
/// When there is no such study.
pub fn delete(place: &Place) -> Result<()> {
    let (mut storage, record) = open(place)?;
    Ok(storage.delete_study(record.id)?)
}

/// Gives the study the name `to`, and gives back the one it had.
///
/// # Errors
/// When there is no such study, or the name is taken.
pub fn rename(place: &Place, to: &str) -> Result<String> {
    let (mut storage, record) = open(place)?;
    storage.rename_study(record.id, to)?;
    Ok(record.name)
}

/// Fits the parameters of the best trial to the end and writes the model. Gives what is said of it, and the classes.
///
/// # Errors
/// When there is no complete trial, the tables are not the study's, or the model cannot be written.
pub fn fit_best(
    place: &Place,
    config: &FitBest,
    context: &mut Context<'_>,
) -> Result<(FitReport, Vec<String>)> {
    let look = Look::new(place)?;
    let (best, plan) = (look.best()?, tune::plan_of(&look.record)?);
    (context.seed, context.metric) = (plan.seed, plan.metric);
    let head = tune::final_head(&plan.base()?, &trial_row(best, &look.words))?;
    let own = [config.train.as_ref(), config.val.as_ref()];
    let data = tune::tables_of(&plan, &look.record.name, own, config.cache.clone(), context)?;
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

/// A study as its storage has it.
pub(crate) struct Look {
    pub(crate) record: StudyRecord,
    pub(crate) trials: Vec<Arc<Trial>>,
    pub(crate) words: Words,
}

impl Look {
    /// Opens the storage and looks.
    pub(crate) fn new(place: &Place) -> Result<Look> {
        let (mut storage, record) = open(place)?;
        Look::at(storage.as_mut(), record)
    }

    /// Looks at a study of an open storage.
    pub(crate) fn at(storage: &mut dyn Storage, record: StudyRecord) -> Result<Look> {
        let trials = storage.trials(record.id)?;
        let words = Words::new(storage, record.id)?;
        Ok(Look { record, trials, words })
    }

    /// Its results.
    pub(crate) fn report(&self, storage: &str) -> StudyReport {
        tune::study_report(&self.record, storage, &self.trials, &self.words)
    }

    /// Every trial.
    fn rows(&self) -> Vec<TrialRow> {
        self.trials.iter().map(|trial| trial_row(trial, &self.words)).collect()
    }

    fn objectives(&self) -> Vec<Objective> {
        objectives(&self.record)
    }

    fn is_single(&self) -> bool {
        self.record.further_directions.is_empty()
    }

    fn best(&self) -> Result<&Trial> {
        if !self.is_single() {
            return Err(Error::usage(format!(
                "study {} has {}: no single trial is the best; `headsmith study best` without --fit lists its Pareto front",
                self.record.name,
                in_words(&self.objectives())
            )));
        }
        best_trial(self.record.direction, &self.trials).map(AsRef::as_ref).ok_or_else(|| self.none_complete())
    }

    fn front(&self) -> Result<Vec<&Trial>> {
        let directions: Vec<Direction> = self.record.directions().collect();
        let front = pareto_front(&directions, &self.trials);
        if front.is_empty() {
            Err(self.none_complete())
        } else {
            Ok(front.into_iter().map(AsRef::as_ref).collect())
        }
    }

    fn none_complete(&self) -> Error {
        Error::data(format!("study {} has no complete trial yet", self.record.name))
    }
}

fn line(look: Look) -> StudyLine {
    let objectives = look.objectives();
    let n_pareto = (!look.is_single()).then(|| look.front().map_or(0, |front| front.len()));
    let best_value = look.best().ok().and_then(|trial| trial.value);
    let Look { record, trials, words } = look;
    let count = |word: &str| trials.iter().filter(|trial| words.of(trial) == word).count();
    StudyLine {
        objectives,
        n_trials: trials.len(),
        n_complete: count("complete"),
        n_pruned: count("pruned"),
        n_failed: count("failed"),
        n_running: count("running"),
        n_interrupted: count(INTERRUPTED),
        best_value,
        n_pareto,
        name: record.name,
    }
}

fn open(place: &Place) -> Result<(Box<dyn Storage>, StudyRecord)> {
    let mut storage = existing(&place.storage)?;
    if let Some(name) = &place.name {
        let record = tune::find(storage.as_mut(), name, &place.storage)?;
        return Ok((storage, record));
    }
    let mut studies = storage.studies()?;
    if studies.len() == 1 {
        return Ok((storage, studies.remove(0)));
    }
    Err(Error::usage(format!("{} has {}: name one with --study", place.storage, tune::names(&studies))))
}

/// An existing storage: inspecting does not create one.
fn existing(url: &str) -> Result<Box<dyn Storage>> {
    Ok(storages::open(url, &Options { must_exist: true, ..Options::default() })?)
}
