//! No pruning: every trial runs to its end. Optuna's `NopPruner`.

use super::{Peers, Pruner, Verdict};
use crate::trial::Trial;

/// Prunes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nop;

impl Pruner for Nop {
    fn judge(&self, _: Peers<'_>, _: &Trial) -> Verdict {
        Verdict::keep_running()
    }
}
