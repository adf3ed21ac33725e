//! Patience around another pruner, which is called only when the trial has stopped improving. Optuna's
//! `PatientPruner`; without another pruner it is early stopping.
//!
//! With `best_before` the best value before the last `patience + 1` reports, and `best_after` the best of these, the
//! other pruner is called when
//!
//! ```text
//! best_after > best_before + min_delta      does not hold  (maximising; the meaning of Keras' EarlyStopping)
//! best_before - min_delta > best_after      holds          (`faithful`: Optuna 5)
//! ```
//!
//! In Optuna the other pruner is never called for a trial that stays exactly where it is, or gets worse by less than
//! `min_delta`. NaN is ignored. If one side has only NaN, Optuna does not call the other pruner; this one does if
//! there was a value before and none since.

use super::steps::{best, require};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::{Direction, Trial};

/// Calls another pruner only once a trial has stopped improving.
#[derive(Debug)]
pub struct Patient {
    wrapped: Option<Box<dyn Pruner>>,
    patience: usize,
    min_delta: f64,
    faithful: bool,
}

impl Patient {
    /// Wraps `wrapped`, or stops early without one. `patience` is the number of reports that may pass without an
    /// improvement by more than `min_delta`; with `faithful`, as Optuna defines it.
    ///
    /// # Errors
    /// If `min_delta` is below 0 or NaN.
    pub fn new(
        wrapped: Option<Box<dyn Pruner>>,
        patience: usize,
        min_delta: f64,
        faithful: bool,
    ) -> Result<Patient> {
        require(min_delta >= 0.0, "min_delta", min_delta, "0 or more")?;
        Ok(Patient { wrapped, patience, min_delta, faithful })
    }

    fn has_run_out(&self, direction: Direction, trial: &Trial) -> bool {
        let n_before = match trial.intermediate.len().checked_sub(self.patience.saturating_add(1)) {
            None | Some(0) => return false,
            Some(n_before) => n_before,
        };
        let values = || trial.intermediate.values().copied();
        let before = best(direction, values().take(n_before));
        let after = best(direction, values().skip(n_before));
        match (self.faithful, direction) {
            (true, Direction::Minimize) => before + self.min_delta < after,
            (true, Direction::Maximize) => before - self.min_delta > after,
            (false, _) if before.is_nan() => false,
            (false, Direction::Minimize) => after.is_nan() || after >= before - self.min_delta,
            (false, Direction::Maximize) => after.is_nan() || after <= before + self.min_delta,
        }
    }
}

impl Pruner for Patient {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        match &self.wrapped {
            _ if !self.has_run_out(peers.direction, trial) => Verdict::keep_running(),
            Some(wrapped) => wrapped.judge(peers, trial),
            None => Verdict::of(true),
        }
    }
}
