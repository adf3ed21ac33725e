//! Trials, as a storage has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::distribution::Distribution;

/// Attributes by key: JSON, as Optuna stores it.
pub type Attributes = BTreeMap<String, Value>;

/// A trial's parameters by name: each with the distribution it was drawn from and its internal value (the number
/// itself, or the index of the choice).
pub type Params = BTreeMap<String, (Distribution, f64)>;

/// The system attribute with the seconds that a trial ran before it was last resumed.
pub(crate) const SPENT: &str = "headsmith:spent";
/// The system attribute with the time at which a trial was last resumed.
pub(crate) const RESUMED: &str = "headsmith:resumed";
/// Optuna's system attribute with a trial's constraints: a list, or one number under each `constraints:NAME`. A trial
/// is feasible if none is above 0.
const CONSTRAINTS: &str = "constraints";

/// Whether smaller or larger values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The smallest value is the best.
    Minimize,
    /// The largest value is the best.
    Maximize,
}

impl Direction {
    /// Whether `value` is better than `other`; comparisons with NaN are false.
    pub fn is_better(self, value: f64, other: f64) -> bool {
        match self {
            Direction::Minimize => value < other,
            Direction::Maximize => value > other,
        }
    }

    /// `minimize` or `maximize`, as Optuna writes it.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Minimize => "minimize",
            Direction::Maximize => "maximize",
        }
    }
}

/// The state of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum State {
    /// A worker runs it, or died while running it.
    Running,
    /// It ran to its end.
    Complete,
    /// The pruner ended it early.
    Pruned,
    /// It failed, or its value was not a number.
    Fail,
    /// It is enqueued and has not started.
    #[default]
    Waiting,
}

impl State {
    /// Whether the trial will not change any more.
    pub fn is_finished(self) -> bool {
        matches!(self, State::Complete | State::Pruned | State::Fail)
    }
}

/// A trial in a storage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trial {
    /// Its key in the storage.
    pub id: i64,
    /// Its number in the study, from 0 without gaps.
    pub number: u64,
    /// Its state.
    pub state: State,
    /// Its value of the first objective, once it is complete; for a pruned trial, its last report.
    pub value: Option<f64>,
    /// Its values of further objectives, in studies with several.
    pub further_values: Vec<f64>,
    /// Its parameters.
    pub params: Params,
    /// Its reports by step; NaN and infinities included.
    pub intermediate: BTreeMap<i64, f64>,
    /// User attributes.
    pub user_attrs: Attributes,
    /// System attributes: of samplers, pruners and workers.
    pub system_attrs: Attributes,
    /// When it started, UTC.
    pub started: Option<Timestamp>,
    /// When it ended, UTC.
    pub completed: Option<Timestamp>,
    /// The last heartbeat of its worker, by the storage's own clock.
    pub heartbeat: Option<Timestamp>,
}

impl Trial {
    /// The seconds that workers spent on it: up to its end or, if unfinished, up to the last heartbeat. The time
    /// between an interruption and the next worker's claim does not count. Never negative, even if the clock went
    /// back; `None` if nothing is known.
    pub fn seconds(&self) -> Option<f64> {
        let spent = self.system_attrs.get(SPENT).and_then(Value::as_f64).unwrap_or(0.0);
        let resumed =
            self.system_attrs.get(RESUMED).and_then(Value::as_str).and_then(|time| time.parse().ok());
        let began: Timestamp = resumed.or(self.started)?;
        let until = self.completed.or(self.heartbeat)?;
        Some(spent + until.duration_since(began).as_secs_f64().max(0.0))
    }

    /// Its values, one for each objective; none before it is complete.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.value.into_iter().chain(self.further_values.iter().copied())
    }

    /// Whether it satisfies Optuna's constraints, if there are any.
    pub fn is_feasible(&self) -> bool {
        let list = self.system_attrs.get(CONSTRAINTS).and_then(Value::as_array).into_iter().flatten();
        let prefix = |key: &str| key.strip_prefix(CONSTRAINTS).is_some_and(|rest| rest.starts_with(':'));
        let named = self.system_attrs.iter().filter(|(key, _)| prefix(key)).map(|(_, value)| value);
        // JSON has no infinities: they are strings.
        list.chain(named).all(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()) <= Some(0.0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_000_000 + second).ok()
    }

    #[test]
    fn seconds_leave_out_the_time_between_interruption_and_resumption() {
        let begun = Trial { started: time(0), ..Trial::default() };
        assert_eq!(begun.seconds(), None);
        let interrupted = Trial { heartbeat: time(40), ..begun.clone() };
        assert_eq!(interrupted.seconds(), Some(40.0));
        let system_attrs: Attributes =
            [(SPENT.to_owned(), json!(40.0)), (RESUMED.to_owned(), json!(time(1000).unwrap().to_string()))]
                .into();
        let resumed = Trial { system_attrs, heartbeat: time(1005), ..begun.clone() };
        assert_eq!(resumed.seconds(), Some(45.0));
        let ended = Trial { completed: time(1010), ..resumed };
        assert_eq!(ended.seconds(), Some(50.0));
        // The clock went back.
        assert_eq!(Trial { completed: time(-5), ..begun }.seconds(), Some(0.0));
        assert_eq!(Trial::default().seconds(), None);
    }

    #[test]
    fn constraints_are_optunas() {
        let with =
            |key: &str, value| Trial { system_attrs: [(key.to_owned(), value)].into(), ..Trial::default() };
        assert!(Trial::default().is_feasible());
        assert!(with("constraints", json!([-1.0, 0.0])).is_feasible());
        assert!(!with("constraints", json!([-1.0, 0.5])).is_feasible());
        assert!(!with("constraints:size", json!(2)).is_feasible());
        assert!(!with("constraints:size", json!("Infinity")).is_feasible());
        assert!(with("constraints_of_mine", json!(2)).is_feasible());
    }
}
