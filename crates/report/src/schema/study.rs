//! The results of a study.

use std::collections::BTreeMap;

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::Selection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HeldBack;

/// A study, its best trial, and how much to believe of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyReport {
    /// Its name.
    pub name: String,
    /// Its storage.
    pub storage: String,
    /// The metric that is the value of its trials; `null` in a study that another program began.
    pub metric: Option<Metric>,
    /// Its objectives: one, or several in a study that Optuna began.
    pub objectives: Vec<Objective>,
    /// Its trials in all.
    pub n_trials: usize,
    /// Those that are finished: complete, pruned or failed.
    pub n_finished: usize,
    /// How its trials ended, and where the time went: a line for each state that occurs.
    pub states: Vec<StateLine>,
    /// The seconds that pruned trials would have taken beyond what they took, had they run as long as complete ones;
    /// `null` while none is complete.
    pub saved_seconds: Option<f64>,
    /// The trials that were pruned by hand: such a study is not reproducible. Only if there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_pruned_by_hand: usize,
    /// The best trial; `null` without a complete one, and with several objectives.
    pub best: Option<TrialRow>,
    /// The trials that no other one dominates; only with several objectives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pareto_front: Option<Vec<TrialRow>>,
    /// The best trial's score, and the score corrected for its having been chosen; `null` when the trials' predictions
    /// are missing.
    pub selection: Option<Selection>,
    /// The best trial's scores on the validation rows that were held back; only with such rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
    /// How much each parameter decided (PED-ANOVA), the most important first, summing to 1; empty with too few complete
    /// trials, where all are equal, and with several objectives.
    pub importance: Vec<Importance>,
    /// The seconds that this command spent on it.
    pub seconds: f64,
}

/// An objective of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// The metric's name: a score's key in the report, or the name that Optuna's `set_metric_names` gave it; `value` where
    /// it has none.
    pub name: String,
    /// `minimize` or `maximize`.
    pub direction: String,
}

/// The trials of one state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateLine {
    /// The state.
    pub state: String,
    /// How many trials.
    pub n_trials: usize,
    /// How many epochs they reported.
    pub n_epochs: usize,
    /// The seconds that their workers spent on them.
    pub seconds: f64,
}

/// A trial as its user sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    /// Its number.
    pub number: u64,
    /// Its state in a word.
    pub state: String,
    /// Its value; `null` before there is one, and with several objectives.
    pub value: Option<f64>,
    /// Its values, one for each of several objectives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
    /// Its parameters.
    pub params: BTreeMap<String, Value>,
    /// How many epochs it reported.
    pub epochs: usize,
    /// The epoch, from 0, of its value; `null` when it is not known.
    pub best_epoch: Option<u64>,
    /// The seconds that its workers spent on it.
    pub seconds: Option<f64>,
    /// Why it failed, or was pruned by something else than the pruner.
    pub reason: Option<String>,
}

/// How much a parameter decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The parameter.
    pub param: String,
    /// Its share.
    pub share: f64,
    /// The complete trials that have it: fewer than all for a parameter that depends on another. Only they count. 0 in
    /// reports of versions that did not count them.
    #[serde(default)]
    pub n_trials: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl StudyReport {
    /// How many trials are in `state`.
    pub fn n_in(&self, state: &str) -> usize {
        self.states.iter().find(|line| line.state == state).map_or(0, |line| line.n_trials)
    }
}

impl Objective {
    /// The metric as people write it.
    pub fn label(&self) -> &str {
        self.name.parse::<Metric>().map_or(self.name.as_str(), |metric| metric.label())
    }

    /// Whether `value` is better than `than`; no value is better than NaN, nor is NaN better.
    pub fn is_better(&self, value: f64, than: f64) -> bool {
        if self.direction == "minimize" { value < than } else { value > than }
    }
}
