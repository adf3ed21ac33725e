//! Percentile stopping, and the median rule (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2), as in Optuna's
//! `PercentilePruner` and `MedianPruner`.
//!
//! At step `s` a trial is pruned if its best value so far is worse than the percentile of the values that the complete
//! trials reported at `s`:
//!
//! ```text
//! best(v_0 .. v_s) < percentile({v_s of each complete trial}, 100 - percentile)      (maximising)
//! ```
//!
//! NaN values of the peers are ignored; a trial with only NaN values is pruned. Only complete trials are peers, and
//! nothing is pruned until `n_startup_trials` are complete. A trial that equals the percentile continues.

use super::steps::{Checks, best, better, last_report, require};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::{Direction, State, Trial};

/// Prunes trials that are not among the best `percentile` percent at their step.
#[derive(Debug, Clone, PartialEq)]
pub struct Percentile {
    percentile: f64,
    n_startup_trials: usize,
    checks: Checks,
    n_min_trials: usize,
}

/// Options of [`Percentile`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Options {
    /// The percentage of trials that continue, 0 to 100.
    pub(super) percentile: f64,
    /// The number of complete trials before any trial is pruned.
    pub(super) n_startup_trials: usize,
    /// The first step at which trials are judged.
    pub(super) n_warmup_steps: i64,
    /// The number of steps between checks.
    pub(super) interval_steps: i64,
    /// The number of complete trials that must have reported at a step for it to be judged.
    pub(super) n_min_trials: usize,
}

impl Percentile {
    /// Prunes trials that are worse than the median: Optuna's `MedianPruner` with its defaults.
    pub fn median() -> Percentile {
        Percentile {
            percentile: 50.0,
            n_startup_trials: 5,
            checks: Checks { n_warmup_steps: 0, interval_steps: 1 },
            n_min_trials: 1,
        }
    }

    pub(super) fn new(options: Options) -> Result<Percentile> {
        let Options { percentile, n_startup_trials, n_warmup_steps, interval_steps, n_min_trials } = options;
        require((0.0..=100.0).contains(&percentile), "percentile", percentile, "a number from 0 to 100")?;
        require(n_min_trials >= 1, "n_min_trials", n_min_trials, "1 or more")?;
        let checks = Checks { n_warmup_steps, interval_steps };
        checks.check()?;
        Ok(Percentile { percentile, n_startup_trials, checks, n_min_trials })
    }
}

impl Pruner for Percentile {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        let Some((step, _)) = last_report(trial) else { return Verdict::keep_running() };
        if !self.checks.are_due(trial, step) {
            return Verdict::keep_running();
        }
        let (mut n_complete, mut n_reports) = (0, 0);
        let mut values = Vec::new();
        for peer in peers.trials.iter().filter(|t| t.state == State::Complete) {
            n_complete += 1;
            if let Some(&value) = peer.intermediate.get(&step) {
                n_reports += 1;
                values.extend((!value.is_nan()).then_some(value));
            }
        }
        if n_complete == 0 || n_complete < self.n_startup_trials {
            return Verdict::keep_running();
        }
        let own = best(peers.direction, trial.intermediate.values().copied());
        if own.is_nan() {
            return Verdict::of(true);
        }
        if n_reports < self.n_min_trials || values.is_empty() {
            return Verdict::keep_running();
        }
        let percent = match peers.direction {
            Direction::Minimize => self.percentile,
            Direction::Maximize => 100.0 - self.percentile,
        };
        Verdict::of(better(peers.direction, percentile(&mut values, percent), own))
    }
}

/// `numpy.percentile` with its linear method, to the last bit. Sorts `values`, which must not be empty.
fn percentile(values: &mut [f64], percent: f64) -> f64 {
    let place = percent / 100.0 * (values.len() - 1) as f64;
    let below = place.floor() as usize;
    if below + 1 >= values.len() {
        return values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    }
    let (_, &mut a, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let b = above.iter().copied().fold(f64::INFINITY, f64::min);
    let part = place - below as f64;
    if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile([3, 1, 4, 1.5, 9.25, 2.6], p)
        let expected = [
            (0.0, 1.0),
            (10.0, 1.25),
            (25.0, 1.775),
            (50.0, 2.8),
            (75.0, 3.75),
            (90.0, 6.625),
            (100.0, 9.25),
        ];
        for (percent, expected) in expected {
            assert_eq!(percentile(&mut [3.0, 1.0, 4.0, 1.5, 9.25, 2.6], percent), expected, "{percent}");
        }
        assert_eq!(percentile(&mut [7.0], 50.0), 7.0);
    }
}
