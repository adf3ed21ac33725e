//! Looking at the studies of a storage, and changing them.

mod export;
mod rows;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use headsmith_data::Files;
use headsmith_metrics::Metric;
use headsmith_study::storages::{self, Options, Storage, StudyRecord};
use headsmith_study::{Attributes, Trial, best_trial};
use serde::Serialize;
use serde_json::Value;

pub use export::export;
pub use rows::{Order, TrialFilter, TrialRow};
pub(crate) use words::{INTERRUPTED, Words, words_of};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitOptions};
use crate::hold_back;
use crate::model_file;
use crate::report::FitReport;
use crate::tune::{self, StudyReport};

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
    /// Its trials.
    pub n_trials: usize,
    /// Those that ran to their end.
    pub n_complete: usize,
    /// Those that were pruned.
    pub n_pruned: usize,
    /// Those that broke.
    pub n_failed: usize,
    /// Those that somebody is on.
    pub n_running: usize,
    /// Those that nobody is on any more: they go on with the next worker.
    pub n_interrupted: usize,
    /// The best value; `null` without a complete trial.
    pub best_value: Option<f64>,
}

/// What the final fit of a study's best trial is told.
#[derive(Debug, Clone)]
pub struct FitBest {
    /// The tables, where they stand elsewhere than the study says.
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

/// The best trial, and the metric that is its value; `None` where another program began the study.
///
/// # Errors
/// When there is no such study, or no complete trial in it.
pub fn best(place: &Place) -> Result<(TrialRow, Option<Metric>)> {
    let look = Look::new(place)?;
    let metric = tune::plan_of(&look.record).ok().map(|plan| plan.metric);
    Ok((TrialRow::new(look.best()?, &look.words), metric))
}

/// The trials that pass the filter, in its order.
///
/// # Errors
/// When there is no such study, or no such column.
pub fn trials(place: &Place, filter: &TrialFilter) -> Result<Vec<TrialRow>> {
    filter.apply(Look::new(place)?.rows())
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
    let (plan, best) = (tune::plan_of(&look.record)?, look.best()?);
    (context.seed, context.metric) = (plan.seed, plan.metric);
    let head = tune::final_head(&plan.base()?, &TrialRow::new(best, &look.words))?;
    let own = [config.train.as_ref(), config.val.as_ref()];
    let data = tune::tables_of(&plan, &look.record.name, own, config.cache.clone(), context)?;
    let options = FitOptions {
        purpose: "final fit",
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

/// A study as it stands in its storage.
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

    /// What its trials come to.
    pub(crate) fn report(&self, storage: &str) -> StudyReport {
        StudyReport::new(&self.record, storage, &self.trials, &self.words)
    }

    /// Every trial.
    fn rows(&self) -> Vec<TrialRow> {
        self.trials.iter().map(|trial| TrialRow::new(trial, &self.words)).collect()
    }

    fn best(&self) -> Result<&Trial> {
        let best = best_trial(self.record.direction, &self.trials);
        best.map(AsRef::as_ref)
            .ok_or_else(|| Error::data(format!("study {} has no complete trial yet", self.record.name)))
    }
}

fn line(look: Look) -> StudyLine {
    let Look { record, trials, words } = look;
    let count = |word: &str| trials.iter().filter(|trial| words.of(trial) == word).count();
    StudyLine {
        n_trials: trials.len(),
        n_complete: count("complete"),
        n_pruned: count("pruned"),
        n_failed: count("failed"),
        n_running: count("running"),
        n_interrupted: count(INTERRUPTED),
        best_value: best_trial(record.direction, &trials).and_then(|trial| trial.value),
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

/// A storage to look at: it is not made by looking.
fn existing(url: &str) -> Result<Box<dyn Storage>> {
    Ok(storages::open(url, &Options { must_exist: true, ..Options::default() })?)
}
