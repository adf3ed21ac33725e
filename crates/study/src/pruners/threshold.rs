//! Fixed bounds: a trial whose last value is below `lower`, above `upper` or NaN is pruned. Optuna's
//! `ThresholdPruner`.

use super::steps::{Checks, last_report, require};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::Trial;

/// Prunes trials whose value is out of bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    lower: f64,
    upper: f64,
    checks: Checks,
}

impl Threshold {
    /// Bounds for the last value (infinite for none), checked every `interval_steps` from step `n_warmup_steps`.
    ///
    /// # Errors
    /// If the bounds are the wrong way round or both infinite, or a number is too small.
    pub fn new(lower: f64, upper: f64, n_warmup_steps: i64, interval_steps: i64) -> Result<Threshold> {
        require(
            lower.is_finite() || upper.is_finite(),
            "threshold",
            "without bounds",
            "`lower`, `upper` or both",
        )?;
        require(lower <= upper, "lower", lower, &format!("at most upper, {upper}"))?;
        let checks = Checks { n_warmup_steps, interval_steps };
        checks.check()?;
        Ok(Threshold { lower, upper, checks })
    }
}

impl Pruner for Threshold {
    fn judge(&self, _: Peers<'_>, trial: &Trial) -> Verdict {
        let Some((step, value)) = last_report(trial) else { return Verdict::keep_running() };
        let outside = value.is_nan() || value < self.lower || value > self.upper;
        Verdict::of(outside && self.checks.are_due(trial, step))
    }
}
