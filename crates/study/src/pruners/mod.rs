//! Pruners: which trials are not worth going on with.

use std::sync::Arc;

use crate::trial::{Attributes, Direction, Trial};

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

/// Says after each report whether to go on: a function of its arguments alone.
pub trait Pruner: std::fmt::Debug + Send + Sync {
    /// Judges `trial`, whose last report is its largest step.
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict;
}
