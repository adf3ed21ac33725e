//! Successive halving, asynchronous (Jamieson and Talwalkar, "Non-stochastic best arm identification and
//! hyperparameter optimization", AISTATS 2016; Li et al., "A system for massively parallel hyperparameter tuning",
//! MLSys 2020), as Optuna's `SuccessiveHalvingPruner` has it.
//!
//! Rung `r` stands at step `min_resource * reduction_factor ^ (min_early_stopping_rate + r)`. A trial that comes there
//! goes on when it is within the best
//!
//! ```text
//! max(1, floor(n / reduction_factor))        n: how many have come to the rung, this one included
//! ```
//!
//! and is pruned otherwise, or when its last value is NaN. With `bootstrap_count`, the first so many at a rung end
//! there. Without `min_resource` it is a hundredth of the steps of the first complete trial, and until there is one
//! nothing is pruned.
//!
//! **Faithful or not.** Optuna ranks by the value at the step at which it was asked. Asked late (under a patient
//! pruner, or after a pause), it fills all rungs up to there with that one late value, and later trials have to beat
//! at rung 0 what another reached much later; trials that ran under another pruner do not count at all. Unless
//! `faithful`, the score at a rung is the trial's best value up to the first report at the rung, whenever it was
//! asked and whichever pruner the peers had.

use super::rungs::{Few, Ladder, Scores};
use super::scoreboard::Scoreboard;
use super::steps::first_complete_step;
use super::{Peers, Pruner, Verdict};
use crate::error::{Error, Kind, Result};
use crate::trial::Trial;

/// Prunes at rungs what is not among the best that came there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuccessiveHalving {
    ladder: Ladder,
    is_auto: bool,
}

/// Options of [`SuccessiveHalving`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// The step of the first rung; `None`: see above.
    pub(super) min_resource: Option<i64>,
    /// One in so many goes on.
    pub(super) reduction_factor: i64,
    /// How many rungs to leave out at the bottom.
    pub(super) min_early_stopping_rate: u32,
    /// How many trials end at a rung before any goes on.
    pub(super) bootstrap_count: usize,
    /// Whether to do as Optuna does.
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
        scores: if options.faithful { Scores::Remembered } else { Scores::Curve },
        few: Few::BestGoesOn,
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
            None => Verdict::go_on(),
        }
    }
}
