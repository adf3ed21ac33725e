//! Patience around another pruner: that one is asked only when the trial no longer gets better. Optuna's
//! `PatientPruner`; without another pruner it is early stopping.
//!
//! With `best_before` the best value but for the last `patience + 1` reports, and `best_after` the best of these, the
//! other pruner is asked when
//!
//! ```text
//! best_after > best_before + min_delta      does not hold  (maximising; the meaning of Keras' EarlyStopping)
//! best_before - min_delta > best_after      holds          (`faithful`: Optuna 5)
//! ```
//!
//! In Optuna a trial that stays exactly where it is, or gets worse by less than `min_delta`, is never handed on. NaN
//! is left out; while one side is nothing but NaN, the other pruner is not asked by Optuna, and is asked by ours when
//! there was a value before and none since.

use super::steps::{best, require};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::{Direction, Trial};

/// Asks another pruner only once a trial has stopped getting better.
#[derive(Debug)]
pub struct Patient {
    wrapped: Option<Box<dyn Pruner>>,
    patience: usize,
    min_delta: f64,
    faithful: bool,
}

impl Patient {
    /// Around `wrapped`, or early stopping without one. `patience` is how many reports may bring nothing better by
    /// more than `min_delta`; `faithful` is Optuna's meaning of that.
    ///
    /// # Errors
    /// When `min_delta` is below 0 or NaN.
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
            _ if !self.has_run_out(peers.direction, trial) => Verdict::go_on(),
            Some(wrapped) => wrapped.judge(peers, trial),
            None => Verdict::of(true),
        }
    }
}
