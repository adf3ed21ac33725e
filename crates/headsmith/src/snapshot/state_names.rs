//! The names of trials' states. A trial that is running in the storage may have no worker.

use std::time::Duration;

use headsmith_study::storages::Storage;
use headsmith_study::{State, Trial, is_interrupted};

use crate::error::Result;

/// The time between the heartbeats of running trials.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

/// A trial that the next worker resumes: its own worker released it, died, or sent no heartbeats.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// Names the states of trials.
#[derive(Debug)]
pub(crate) struct StateNames {
    silent: Vec<i64>,
}

impl StateNames {
    /// Reads from the storage which trials' workers sent no heartbeats.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub(crate) fn new(storage: &mut dyn Storage, study_id: i64) -> Result<StateNames> {
        Ok(StateNames { silent: storage.silent(study_id, GRACE)? })
    }

    pub(crate) fn of(&self, trial: &Trial) -> &'static str {
        match names_of(trial.state) {
            [_, interrupted] if self.silent.contains(&trial.id) || is_interrupted(trial) => interrupted,
            names => names[0],
        }
    }
}

/// A worker loses its trials after this time without heartbeats: twice the time between them.
const GRACE: Duration = HEARTBEAT.saturating_mul(2);

/// The names of a state in the storage, the usual one first.
pub(crate) fn names_of(state: State) -> &'static [&'static str] {
    match state {
        State::Complete => &["complete"],
        State::Pruned => &["pruned"],
        State::Fail => &["failed"],
        State::Running => &["running", INTERRUPTED],
        State::Waiting => &["waiting"],
    }
}
