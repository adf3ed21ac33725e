//! Trials as they are remembered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::distribution::Distribution;

/// Attributes by key: JSON, as Optuna stores it.
pub type Attributes = BTreeMap<String, Value>;

/// A trial's parameters by name: each with the distribution it was drawn from and its value inside (the number
/// itself, or the index of the choice).
pub type Params = BTreeMap<String, (Distribution, f64)>;

/// Whether small or large values are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest value is the best.
    Minimize,
    /// The largest value is the best.
    Maximize,
}

/// How far a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// A worker is on it, or died on it.
    Running,
    /// It ran to its end.
    Complete,
    /// It was not worth going on.
    Pruned,
    /// It broke, or its value was not a number.
    Fail,
    /// It is asked for and not begun.
    Waiting,
}

impl State {
    /// Whether the trial will not change any more.
    pub fn is_finished(self) -> bool {
        matches!(self, State::Complete | State::Pruned | State::Fail)
    }
}

/// A trial as it stands in the storage.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its key in the storage.
    pub id: i64,
    /// Its number in the study, from 0 without gaps.
    pub number: u64,
    /// How far it is.
    pub state: State,
    /// Its value, once it is complete; that of a pruned trial is its last report.
    pub value: Option<f64>,
    /// Its parameters.
    pub params: Params,
    /// What it reported, by step; NaN and infinities included.
    pub intermediate: BTreeMap<i64, f64>,
    /// Attributes for people.
    pub user_attrs: Attributes,
    /// Attributes of samplers, pruners and workers.
    pub system_attrs: Attributes,
    /// When it was begun, UTC.
    pub started: Option<Timestamp>,
    /// When it ended, UTC.
    pub completed: Option<Timestamp>,
}

impl Trial {
    /// How many seconds it took; never less than none, whatever the clock did.
    pub fn seconds(&self) -> Option<f64> {
        let (started, completed) = (self.started?, self.completed?);
        Some(completed.duration_since(started).as_secs_f64().max(0.0))
    }
}
