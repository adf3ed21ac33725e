//! ASHA: asynchronous successive halving (Li et al., "A system for massively parallel hyperparameter tuning", MLSys
//! 2020, arXiv:1810.05934), judging trials while they run.
//!
//! In the paper an idle worker first looks, from the top rung down, for a trial to promote: one among the best
//! `floor(n / reduction_factor)` of the `n` that reached its rung. Only without one does it start a new trial. So
//! trials wait at their rung, and may be promoted late, after worse ones arrive. Here a trial is judged as soon as it
//! reaches a rung, as in the stopping variant of the authors' later systems:
//!
//! - A trial continues if it is within the best `floor(n / reduction_factor)` so far, itself included. While `n` is
//!   below `reduction_factor`, every trial continues: there is too little to compare with, and a list of good
//!   configurations has its best ones first. In the paper such trials wait; Optuna's
//!   [`SuccessiveHalving`](super::SuccessiveHalving) continues only the best of them.
//! - A pruned trial stays pruned. [`Asha::late_promotions`] lists those that the paper's algorithm would resume by
//!   now; a study may enqueue their parameters.
//! - A trial's score at a rung is its best value up to there. A trial whose last value is NaN is pruned.
//! - Rung `r` is at epoch `min_resource * reduction_factor ^ r`, with epochs counted from 1: if steps start at 0, as
//!   in Keras, step `s` is epoch `s + 1` (`first_step` sets the first step). Optuna uses the step itself as the
//!   resource, so its rungs are one epoch later.

use super::rungs::{Ladder, RungScore, SmallRung, key};
use super::scoreboard::Scoreboard;
use super::steps::{better, last_report};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::{State, Trial};

/// Asynchronous successive halving that continues the first trials of a small rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asha {
    ladder: Ladder,
}

impl Asha {
    /// Puts the first rung at epoch `min_resource`; one trial in `reduction_factor` continues from each rung. The
    /// first epoch of a trial is `first_step`.
    ///
    /// # Errors
    /// If `min_resource` is below 1, or `reduction_factor` below 2.
    pub fn new(min_resource: i64, reduction_factor: i64, first_step: i64) -> Result<Asha> {
        let ladder = Ladder {
            min_resource,
            reduction_factor,
            rate: 0,
            bootstrap_count: 0,
            at_step_0: 1i64.saturating_sub(first_step),
            scores: RungScore::Curve,
            small_rung: SmallRung::ContinueAll,
            scoreboard: Scoreboard::default(),
        };
        ladder.check()?;
        Ok(Asha { ladder })
    }

    /// The numbers of pruned trials that are now within the best of the rung at which they ended, from the top rung
    /// down and the best first: the trials that the paper's algorithm would promote late.
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
        came.truncate(self.ladder.n_continuing(came.len()));
        came.into_iter().filter(|(_, t)| ended_here(t)).map(|(_, t)| t.number).collect()
    }
}

impl Pruner for Asha {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        self.ladder.judge(peers, |_| true, trial)
    }
}
