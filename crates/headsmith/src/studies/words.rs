//! The states of trials in words. A trial that is running in the storage may have no worker.

use std::time::Duration;

use headsmith_study::storages::Storage;
use headsmith_study::{State, Trial, is_interrupted};

use crate::error::Result;
use crate::tune::HEARTBEAT;

/// A trial that goes on with the next worker that asks for work: its own gave it back, died, or was not heard of.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// What a trial's state is called.
#[derive(Debug)]
pub(crate) struct Words {
    silent: Vec<i64>,
}

impl Words {
    /// Asks the storage for which trials' workers were not heard of.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub(crate) fn new(storage: &mut dyn Storage, study_id: i64) -> Result<Words> {
        Ok(Words { silent: storage.silent(study_id, GRACE)? })
    }

    pub(crate) fn of(&self, trial: &Trial) -> &'static str {
        match words_of(trial.state) {
            [_, interrupted] if self.silent.contains(&trial.id) || is_interrupted(trial) => interrupted,
            words => words[0],
        }
    }
}

/// A worker that is silent for longer has lost its trials: twice the time between its heartbeats.
const GRACE: Duration = HEARTBEAT.saturating_mul(2);

/// What trials of a state are called, usually first.
pub(crate) fn words_of(state: State) -> &'static [&'static str] {
    match state {
        State::Complete => &["complete"],
        State::Pruned => &["pruned"],
        State::Fail => &["failed"],
        State::Running => &["running", INTERRUPTED],
        State::Waiting => &["waiting"],
    }
}
