//! A cache of the scores at rungs. A finished trial does not change, so its score at a rung is computed once and not
//! for each verdict: with 10,000 trials that would take milliseconds. Verdicts do not depend on the cache.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::trial::{Direction, Trial};

/// The scores of the trials seen last; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Scoreboard(Arc<Mutex<ScoreCache>>);

/// The cache does not affect equality.
impl PartialEq for Scoreboard {
    fn eq(&self, _: &Scoreboard) -> bool {
        true
    }
}

impl Eq for Scoreboard {}

#[derive(Debug, Default)]
struct ScoreCache {
    direction: Option<Direction>,
    trials: Vec<Arc<Trial>>,
    /// By the rung's step, the scores of the first trials.
    rungs: BTreeMap<i64, Vec<Option<f64>>>,
}

impl Scoreboard {
    /// Calls `visit` with each trial that has a score at the rung of this step. `score` computes the score of a trial
    /// that is not in the cache.
    pub(super) fn each(
        &self,
        direction: Direction,
        trials: &[Arc<Trial>],
        step: i64,
        score: impl Fn(&Trial) -> Option<f64>,
        mut visit: impl FnMut(&Trial, f64),
    ) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.sync(direction, trials);
        let scores = cache.rungs.entry(step).or_default();
        let n_known = scores.len();
        scores.extend(trials.iter().skip(n_known).map(|trial| score(trial)));
        for (trial, score) in trials.iter().zip(scores.iter()) {
            if let Some(score) = score {
                visit(trial, *score);
            }
        }
    }
}

impl ScoreCache {
    /// Trials that run at the same time see more or fewer of the same trials; for other trials the cache is cleared.
    fn sync(&mut self, direction: Direction, trials: &[Arc<Trial>]) {
        let same = self.trials.iter().zip(trials).all(|(a, b)| Arc::ptr_eq(a, b));
        if self.direction != Some(direction) || !same {
            *self = ScoreCache { direction: Some(direction), ..ScoreCache::default() };
        }
        if trials.len() > self.trials.len() {
            self.trials.extend_from_slice(&trials[self.trials.len()..]);
        }
    }
}
