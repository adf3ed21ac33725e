//! Pruners: which trials to end early.
//!
//! A pruner is a pure function of the trials it sees, and follows Optuna 5: on recorded studies the decisions are
//! Optuna's, step by step. Where Optuna's behaviour is a problem, a pruner has an option `faithful`; without it, the
//! pruner does what its page describes instead. [`parse`] creates pruners from command-line text.

mod asha;
mod halving;
mod hyperband;
mod nop;
mod one_epoch;
mod parse;
mod patient;
mod percentile;
mod replay;
mod rungs;
mod scoreboard;
mod steps;
mod threshold;
mod wilcoxon;

use std::sync::Arc;

use crate::trial::{Attributes, Direction, Trial};

pub use asha::Asha;
pub use halving::SuccessiveHalving;
pub use hyperband::Hyperband;
pub use nop::Nop;
pub use one_epoch::OneEpoch;
pub use parse::{NAMES, parse};
pub use patient::Patient;
pub use percentile::Percentile;
pub use replay::{Curve, Replay, replay};
pub use threshold::Threshold;
pub use wilcoxon::Wilcoxon;

/// The study around the trial that a pruner judges.
#[derive(Debug, Clone, Copy)]
pub struct Peers<'p> {
    /// The study's name: Hyperband's brackets depend on it.
    pub study_name: &'p str,
    /// Whether smaller or larger values are better.
    pub direction: Direction,
    /// The other trials that the judged one may see, in the order of their numbers.
    pub trials: &'p [Arc<Trial>],
}

/// A pruner's decision after a report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Whether the trial should end now.
    pub prune: bool,
    /// System attributes to store with the trial (`completed_rung_0` ..), whether it is pruned or not.
    pub remember: Attributes,
}

impl Verdict {
    /// Continue, without attributes.
    pub fn keep_running() -> Verdict {
        Verdict::default()
    }

    /// Prune or continue, without attributes.
    pub fn of(prune: bool) -> Verdict {
        Verdict { prune, ..Verdict::default() }
    }
}

/// Decides after each report whether the trial continues: a function of its arguments alone.
pub trait Pruner: std::fmt::Debug + Send + Sync {
    /// Judges `trial`, whose last report is its largest step.
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict;
}
