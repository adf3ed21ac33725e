//! What trials scored at rungs. A finished trial does not change, so it is looked at once a rung, and not again for each
//! verdict: with 10,000 trials in sight that would take milliseconds. What is said is a function of the trials alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::trial::{Direction, Trial};

/// The scores of the trials seen last; copies share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Scoreboard(Arc<Mutex<Kept>>);

/// What is kept is of no account.
impl PartialEq for Scoreboard {
    fn eq(&self, _: &Scoreboard) -> bool {
        true
    }
}

impl Eq for Scoreboard {}

#[derive(Debug, Default)]
struct Kept {
    direction: Option<Direction>,
    trials: Vec<Arc<Trial>>,
    /// By the rung's step, the scores of the first so many of the trials.
    rungs: BTreeMap<i64, Vec<Option<f64>>>,
}

impl Scoreboard {
    /// Calls `visit` with each trial that has a score at the rung of this step. `score` says it of a trial that was not
    /// asked about before.
    pub(super) fn each(
        &self,
        direction: Direction,
        trials: &[Arc<Trial>],
        step: i64,
        score: impl Fn(&Trial) -> Option<f64>,
        mut visit: impl FnMut(&Trial, f64),
    ) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.show(direction, trials);
        let scores = kept.rungs.entry(step).or_default();
        let n_known = scores.len();
        scores.extend(trials.iter().skip(n_known).map(|trial| score(trial)));
        for (trial, score) in trials.iter().zip(scores.iter()) {
            if let Some(score) = score {
                visit(trial, *score);
            }
        }
    }
}

impl Kept {
    /// Trials under way at the same time see more or fewer of the same trials; anything else begins anew.
    fn show(&mut self, direction: Direction, trials: &[Arc<Trial>]) {
        let same = self.trials.iter().zip(trials).all(|(a, b)| Arc::ptr_eq(a, b));
        if self.direction != Some(direction) || !same {
            *self = Kept { direction: Some(direction), ..Kept::default() };
        }
        if trials.len() > self.trials.len() {
            self.trials.extend_from_slice(&trials[self.trials.len()..]);
        }
    }
}
