//! Pruners: which trials are not worth going on with.
//!
//! Each is a function of what it is shown, with Optuna 5's meaning: on recorded studies the decisions are Optuna's,
//! step by step. Where Optuna's behaviour does not serve, a pruner has an option `faithful`, and without it does what
//! its page says instead. [`parse`] makes them of the text of a command line.

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

/// What a pruner may look at beside the trial in question.
#[derive(Debug, Clone, Copy)]
pub struct Peers<'p> {
    /// The study's name: Hyperband's brackets are a function of it.
    pub study_name: &'p str,
    /// Whether small or large values are good.
    pub direction: Direction,
    /// The other trials that the one in question may see, in the order of their numbers.
    pub trials: &'p [Arc<Trial>],
}

/// What a pruner says after a report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Whether the trial should end now.
    pub prune: bool,
    /// System attributes that the trial is to remember (`completed_rung_0` ..), whether pruned or not.
    pub remember: Attributes,
}

impl Verdict {
    /// Go on, with nothing to remember.
    pub fn go_on() -> Verdict {
        Verdict::default()
    }

    /// Prune or not, with nothing to remember.
    pub fn of(prune: bool) -> Verdict {
        Verdict { prune, ..Verdict::default() }
    }
}

/// Says after each report whether to go on: a function of its arguments alone.
pub trait Pruner: std::fmt::Debug + Send + Sync {
    /// Judges `trial`, whose last report is its largest step.
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict;
}
