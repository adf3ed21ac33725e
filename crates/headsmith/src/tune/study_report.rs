//! What a study comes to, as `report.json` and `--json` tell it.

use std::sync::Arc;

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::Selection;
use headsmith_study::storages::{StudyRecord, without_password};
use headsmith_study::{Trial, best_trial, importance, summary};
use serde::Serialize;

use super::by_hand;
use crate::hold_back::HeldBack;
use crate::studies::{TrialRow, Words, words_of};

/// A study, its best trial, and how much to believe of it.
#[derive(Debug, Clone, Serialize)]
pub struct StudyReport {
    /// Its name.
    pub name: String,
    /// Where it is remembered.
    pub storage: String,
    /// The metric that is the value of its trials; `null` in a study that another program began.
    pub metric: Option<Metric>,
    /// Its trials in all.
    pub n_trials: usize,
    /// Those that are finished: complete, pruned or failed.
    pub n_finished: usize,
    /// What became of them, and where the time went: a line for each state that occurs.
    pub states: Vec<StateLine>,
    /// The seconds that pruned trials would have taken beyond what they took, had they run as long as complete ones;
    /// `null` while none is complete.
    pub saved_seconds: Option<f64>,
    /// The trials that somebody pruned by hand: nobody can do such a study again. Only where there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_pruned_by_hand: usize,
    /// The best trial; `null` without a complete one.
    pub best: Option<TrialRow>,
    /// The best trial's score, and the score corrected for its having been chosen; `null` when the trials' predictions
    /// are not there.
    pub selection: Option<Selection>,
    /// The best trial's scores on the validation rows that were held back; only with such rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
    /// How much each parameter decided (PED-ANOVA), the most important first, summing to 1; empty with too few trials.
    pub importance: Vec<Importance>,
    /// The seconds that this command spent on it.
    pub seconds: f64,
}

/// The trials of one state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateLine {
    /// The state.
    pub state: &'static str,
    /// How many trials.
    pub n_trials: usize,
    /// How many epochs they reported.
    pub n_epochs: usize,
    /// The seconds from their beginning to their end.
    pub seconds: f64,
}

/// How much a parameter decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// The parameter.
    pub param: String,
    /// Its share.
    pub share: f64,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl StudyReport {
    /// What the trials of a study tell.
    pub(crate) fn new(
        record: &StudyRecord,
        storage: &str,
        trials: &[Arc<Trial>],
        words: &Words,
    ) -> StudyReport {
        let summed = summary(record.direction, trials);
        let lines = headsmith_study::STATES.into_iter().zip(summed.spent).flat_map(|(state, spent)| {
            let seconds = spent.seconds;
            words_of(state).iter().map(move |&word| (word, seconds))
        });
        let line = |(state, seconds)| {
            let of_state = || trials.iter().filter(|trial| words.of(trial) == state);
            let n_epochs = of_state().map(|trial| trial.intermediate.len()).sum();
            StateLine { state, n_trials: of_state().count(), n_epochs, seconds }
        };
        let states = lines.map(line).filter(|line| line.n_trials > 0).collect();
        let mut importance = importance(record.direction, trials);
        // All are equal when nothing can be told: then nothing is said.
        if importance.windows(2).all(|pair| pair[0].1 == pair[1].1) {
            importance.clear();
        }
        StudyReport {
            name: record.name.clone(),
            storage: without_password(storage),
            metric: super::plan_of(record).ok().map(|plan| plan.metric),
            n_trials: trials.len(),
            n_finished: trials.iter().filter(|trial| trial.state.is_finished()).count(),
            states,
            saved_seconds: summed.saved_seconds,
            n_pruned_by_hand: by_hand::count(trials),
            best: best_trial(record.direction, trials).map(|trial| TrialRow::new(trial, words)),
            selection: None,
            held_back: None,
            importance: importance.into_iter().map(|(param, share)| Importance { param, share }).collect(),
            seconds: 0.0,
        }
    }
}
