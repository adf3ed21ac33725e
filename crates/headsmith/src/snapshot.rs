//! A study as it is in its storage: its trials, the names of their states, and the report of its results.

mod rows;
mod state_names;
mod study_report;

use std::sync::Arc;

use headsmith_study::storages::{self, Options, Storage, StudyRecord};
use headsmith_study::{Direction, Trial, best_trial, pareto_front};

pub(crate) use rows::trial_row;
pub use rows::{Order, TrialFilter, choice};
pub(crate) use state_names::{HEARTBEAT, INTERRUPTED, StateNames, names_of};
pub use study_report::MIN_FOR_IMPORTANCE;
pub(crate) use study_report::PRUNED_BY_HAND;
use study_report::study_report;

use crate::error::{Error, Result};
use crate::plan::{find, in_words, names, objectives};
use crate::report::{Objective, StudyReport, TrialRow};

/// The location of a study.
#[derive(Debug, Clone)]
pub struct StudyLocation {
    /// Its storage.
    pub storage: String,
    /// Its name; `None` if it is the only one.
    pub name: Option<String>,
}

/// A study with its trials, as read from its storage.
pub(crate) struct StudySnapshot {
    pub(crate) record: StudyRecord,
    pub(crate) trials: Vec<Arc<Trial>>,
    pub(crate) state_names: StateNames,
}

impl StudySnapshot {
    /// Opens the storage and reads the study.
    pub(crate) fn new(location: &StudyLocation) -> Result<StudySnapshot> {
        let (mut storage, record) = open(location)?;
        StudySnapshot::at(storage.as_mut(), record)
    }

    /// Reads a study from an open storage.
    pub(crate) fn at(storage: &mut dyn Storage, record: StudyRecord) -> Result<StudySnapshot> {
        let trials = storage.trials(record.id)?;
        let state_names = StateNames::new(storage, record.id)?;
        Ok(StudySnapshot { record, trials, state_names })
    }

    /// Its results.
    pub(crate) fn report(&self, storage: &str) -> StudyReport {
        study_report(&self.record, storage, &self.trials, &self.state_names)
    }

    /// Every trial.
    pub(crate) fn rows(&self) -> Vec<TrialRow> {
        self.trials.iter().map(|trial| trial_row(trial, &self.state_names)).collect()
    }

    pub(crate) fn objectives(&self) -> Vec<Objective> {
        objectives(&self.record)
    }

    pub(crate) fn is_single(&self) -> bool {
        self.record.further_directions.is_empty()
    }

    pub(crate) fn best(&self) -> Result<&Trial> {
        if !self.is_single() {
            return Err(Error::usage(format!(
                "study {} has {}: no single trial is the best; `headsmith study best` without --fit lists its Pareto front",
                self.record.name,
                in_words(&self.objectives())
            )));
        }
        best_trial(self.record.direction, &self.trials).map(AsRef::as_ref).ok_or_else(|| self.none_complete())
    }

    pub(crate) fn front(&self) -> Result<Vec<&Trial>> {
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

/// Opens the storage of a study and finds it.
///
/// # Errors
/// If the storage cannot be read, there is no such study, or none is named and there are several.
pub(crate) fn open(location: &StudyLocation) -> Result<(Box<dyn Storage>, StudyRecord)> {
    let mut storage = existing(&location.storage)?;
    if let Some(name) = &location.name {
        let record = find(storage.as_mut(), name, &location.storage)?;
        return Ok((storage, record));
    }
    let mut studies = storage.studies()?;
    if studies.len() == 1 {
        return Ok((storage, studies.remove(0)));
    }
    Err(Error::usage(format!("{} has {}: name one with --study", location.storage, names(&studies))))
}

/// Opens an existing storage: inspecting does not create one.
pub(crate) fn existing(url: &str) -> Result<Box<dyn Storage>> {
    Ok(storages::open(url, &Options { must_exist: true, ..Options::default() })?)
}
