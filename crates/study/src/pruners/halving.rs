//! Asynchronous successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
//! optimization", AISTATS 2016; Li et al., "A system for massively parallel hyperparameter tuning", MLSys 2020), as in
//! Optuna's `SuccessiveHalvingPruner`.
//!
//! Rung `r` is at step `min_resource * reduction_factor ^ (min_early_stopping_rate + r)`. A trial that reaches it
//! continues if it is within the best
//!
//! ```text
//! max(1, floor(n / reduction_factor))        n: trials that have reached the rung, this one included
//! ```
//!
//! and is pruned otherwise, or if its last value is NaN. With `bootstrap_count`, the first so many trials at a rung
//! end there. Without `min_resource`, it is a hundredth of the steps of the first complete trial, and until there is
//! one nothing is pruned.
//!
//! **`faithful`.** Optuna ranks trials by the value at the step at which the pruner was called. If it is called late
//! (under a patient pruner, or after a pause), it fills all rungs up to there with that one late value, and later
//! trials are compared at rung 0 with a value reached much later; trials that ran under another pruner are ignored.
//! Without `faithful`, the score at a rung is the trial's best value up to the first report at the rung, whenever the
//! pruner was called and whichever pruner the peers had.

use super::rungs::{Ladder, RungScore, SmallRung};
use super::scoreboard::Scoreboard;
use super::steps::first_complete_step;
use super::{Peers, Pruner, Verdict};
use crate::error::{Error, Kind, Result};
use crate::trial::Trial;

/// Prunes trials at rungs unless they are among the best that reached the rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccessiveHalving {
    ladder: Ladder,
    is_auto: bool,
}

/// Options of [`SuccessiveHalving`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// The step of the first rung; `None`: see the module's page.
    pub(super) min_resource: Option<i64>,
    /// One trial in so many continues.
    pub(super) reduction_factor: i64,
    /// The number of rungs to leave out at the bottom.
    pub(super) min_early_stopping_rate: u32,
    /// The number of trials that end at a rung before any continues.
    pub(super) bootstrap_count: usize,
    /// Whether to behave exactly as Optuna does.
    pub(super) faithful: bool,
}

impl SuccessiveHalving {
    pub(super) fn new(options: Options) -> Result<SuccessiveHalving> {
        if options.bootstrap_count > 0 && options.min_resource.is_none() {
            let message = "bootstrap_count needs a min_resource: with `auto` the rungs are not known in time";
            return Err(Error::new(Kind::Configuration, message));
        }
        let ladder = ladder(options);
        ladder.check()?;
        Ok(SuccessiveHalving { ladder, is_auto: options.min_resource.is_none() })
    }
}

/// Optuna's ladder.
pub(super) fn ladder(options: Options) -> Ladder {
    Ladder {
        min_resource: options.min_resource.unwrap_or(1),
        reduction_factor: options.reduction_factor,
        rate: options.min_early_stopping_rate,
        bootstrap_count: options.bootstrap_count,
        at_step_0: 0,
        scores: if options.faithful { RungScore::AtCall } else { RungScore::Curve },
        small_rung: SmallRung::ContinueBest,
        scoreboard: Scoreboard::default(),
    }
}

impl Pruner for SuccessiveHalving {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        if !self.is_auto {
            return self.ladder.judge(peers, |_| true, trial);
        }
        match first_complete_step(peers.trials) {
            Some(step) => {
                let ladder = Ladder { min_resource: (step / 100).max(1), ..self.ladder.clone() };
                ladder.judge(peers, |_| true, trial)
            }
            None => Verdict::keep_running(),
        }
    }
}
