//! Functions of a trial's reports that several pruners share.

use std::sync::Arc;

use crate::error::{Error, Kind, Result};
use crate::trial::{Direction, State, Trial};

/// Whether `a` is strictly better than `b`; never with NaN.
pub(super) fn better(direction: Direction, a: f64, b: f64) -> bool {
    match direction {
        Direction::Minimize => a < b,
        Direction::Maximize => a > b,
    }
}

/// The best of `values` without NaN; NaN if there is no other. `numpy.nanmin` or `nanmax`.
pub(super) fn best(direction: Direction, values: impl Iterator<Item = f64>) -> f64 {
    let better = |a: f64, b: f64| match direction {
        Direction::Minimize => a.min(b),
        Direction::Maximize => a.max(b),
    };
    values.fold(f64::NAN, better)
}

/// The trial's last report: its step and value.
pub(super) fn last_report(trial: &Trial) -> Option<(i64, f64)> {
    trial.intermediate.last_key_value().map(|(&step, &value)| (step, value))
}

/// The last step of the first complete trial that reported anything.
///
/// Optuna considers all trials that are complete at its first call, and keeps the answer for the life of the process.
/// With one trial at a time that is the first complete trial, which is the same for every worker.
pub(super) fn first_complete_step(trials: &[Arc<Trial>]) -> Option<i64> {
    trials.iter().find_map(|t| if t.state == State::Complete { last_report(t).map(|r| r.0) } else { None })
}

/// Which steps are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checks {
    pub(super) n_warmup_steps: i64,
    pub(super) interval_steps: i64,
}

impl Checks {
    /// Whether to check the trial at `step`, its last one: not during the warm-up, and only at the first report since
    /// the last multiple of the interval.
    pub(super) fn are_due(&self, trial: &Trial, step: i64) -> bool {
        if step < self.n_warmup_steps {
            return false;
        }
        let due =
            (step - self.n_warmup_steps) / self.interval_steps * self.interval_steps + self.n_warmup_steps;
        trial.intermediate.keys().nth_back(1).is_none_or(|&before| before < due)
    }

    pub(super) fn check(&self) -> Result<()> {
        require(self.n_warmup_steps >= 0, "n_warmup_steps", self.n_warmup_steps, "0 or more")?;
        require(self.interval_steps >= 1, "interval_steps", self.interval_steps, "1 or more")
    }
}

/// Returns an error that names the wrong option, unless `holds`.
pub(super) fn require(
    holds: bool,
    option: &str,
    found: impl std::fmt::Display,
    expected: &str,
) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::new(Kind::Configuration, format!("{option} is {found}, expected {expected}")))
}
