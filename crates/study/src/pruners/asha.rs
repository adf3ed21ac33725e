//! ASHA: asynchronous successive halving for trials that are judged while they run (Li et al., "A system for
//! massively parallel hyperparameter tuning", MLSys 2020, arXiv:1810.05934).
//!
//! In the paper a worker that is free first looks, from the top rung down, for a trial among the best
//! `floor(n / reduction_factor)` of the `n` that came to its rung that has not been promoted yet; only when there is
//! none does it begin another. Trials wait at their rung, and may be promoted late, when worse ones have come. Here a
//! trial that comes to a rung is judged at once, as in the stopping variant of the paper's authors' own later
//! systems:
//!
//! - It goes on when it is within the best `floor(n / reduction_factor)` so far, itself included. While `n` is below
//!   `reduction_factor`, it goes on: nothing can be said yet, and what a list of good configurations begins with is
//!   worth running. In the paper such trials wait; Optuna's [`SuccessiveHalving`](super::SuccessiveHalving) lets only
//!   the best of them go on.
//! - What is pruned stays pruned. [`Asha::late_promotions`] says which the paper would take up again by now; a study
//!   may enqueue their parameters.
//! - Its score at a rung is its best value up to there, since a trial's own value is its best. A trial whose last
//!   value is NaN is pruned.
//! - Step `s` has used `s + 1` epochs when steps count from 0, as Keras' do (`first_step` says if not): rung `r`
//!   stands at the `min_resource * reduction_factor ^ r`-th epoch. Optuna takes the step itself for the resource, so
//!   there each rung is an epoch later.

use super::rungs::{Few, Ladder, Scores, key};
use super::scoreboard::Scoreboard;
use super::steps::{better, last_report};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::{State, Trial};

/// Asynchronous successive halving that lets the first few go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asha {
    ladder: Ladder,
}

impl Asha {
    /// With the first rung at the `min_resource`-th epoch, from which one in `reduction_factor` goes on; the first
    /// epoch of a trial is `first_step`.
    ///
    /// # Errors
    /// When `min_resource` is below 1, or `reduction_factor` below 2.
    pub fn new(min_resource: i64, reduction_factor: i64, first_step: i64) -> Result<Asha> {
        let ladder = Ladder {
            min_resource,
            reduction_factor,
            rate: 0,
            bootstrap_count: 0,
            at_step_0: 1i64.saturating_sub(first_step),
            scores: Scores::Curve,
            few: Few::AllGoOn,
            scoreboard: Scoreboard::default(),
        };
        ladder.check()?;
        Ok(Asha { ladder })
    }

    /// The numbers of pruned trials that, by now, are within the best of the rung they ended at, from the top rung
    /// down and the best first: what the paper would promote late.
    pub fn late_promotions(&self, peers: Peers<'_>) -> Vec<u64> {
        let trials = || peers.trials.iter().map(AsRef::as_ref);
        let longest = trials().filter_map(last_report).map(|(step, _)| step).max();
        let n_rungs =
            (0..).take_while(|&r| longest.is_some_and(|longest| self.ladder.is_at(longest, r))).count();
        (0..n_rungs as u32).rev().flat_map(|rung| self.late_at(peers, rung)).collect()
    }

    fn late_at(&self, peers: Peers<'_>, rung: u32) -> Vec<u64> {
        let key = key(rung);
        let score = |t: &Trial| self.ladder.score(peers.direction, t, rung, &key);
        let mut came: Vec<(f64, &Trial)> =
            peers.trials.iter().filter_map(|t| Some((score(t)?, t.as_ref()))).collect();
        came.sort_by(|(a, _), (b, _)| match (better(peers.direction, *a, *b), a == b) {
            (true, _) => std::cmp::Ordering::Less,
            (_, true) => std::cmp::Ordering::Equal,
            _ => std::cmp::Ordering::Greater,
        });
        let ended_here = |t: &Trial| {
            t.state == State::Pruned
                && last_report(t)
                    .is_some_and(|(step, value)| !self.ladder.is_at(step, rung + 1) && !value.is_nan())
        };
        came.truncate(self.ladder.n_that_go_on(came.len()));
        came.into_iter().filter(|(_, t)| ended_here(t)).map(|(_, t)| t.number).collect()
    }
}

impl Pruner for Asha {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        self.ladder.judge(peers, |_| true, trial)
    }
}
