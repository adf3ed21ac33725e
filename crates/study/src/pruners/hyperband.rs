//! Hyperband (Li et al., "Hyperband: a novel bandit-based approach to hyperparameter optimization", JMLR 2018), as in
//! Optuna's `HyperbandPruner`: several [successive halvings](super::SuccessiveHalving), the brackets, that differ in
//! how early they start to prune.
//!
//! ```text
//! B = floor(log(max_resource / min_resource) / log(reduction_factor)) + 1      in floating point
//! share of bracket b = ceil(B reduction_factor^s / (s + 1)),  s = B - 1 - b
//! bracket of a trial: by crc32("{study name}_{number}") mod the sum of the shares
//! ```
//!
//! Bracket `b` leaves out `b` rungs at the bottom, and its trials are compared only with each other. The bracket is a
//! function of the study's name and the trial's number, so renaming a study changes its pruning. Without
//! `max_resource`, it is one more than the last step of the first complete trial. `faithful` is explained at
//! successive halving; it matters most under a patient pruner.

use std::fmt::Write;

use super::halving::{self, ladder};
use super::rungs::Ladder;
use super::steps::{first_complete_step, require};
use super::{Peers, Pruner, Verdict};
use crate::error::{Error, Kind, Result};
use crate::trial::Trial;

/// Successive halving in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hyperband {
    /// The ladder of bracket 0.
    ladder: Ladder,
    max_resource: Option<i64>,
}

/// Options of [`Hyperband`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    /// The step of the first rung in bracket 0.
    pub(super) min_resource: i64,
    /// The number of steps of a trial; `None`: see the module's page.
    pub(super) max_resource: Option<i64>,
    /// One trial in so many continues.
    pub(super) reduction_factor: i64,
    /// The number of trials that end at a rung before any continues.
    pub(super) bootstrap_count: usize,
    /// Whether to behave exactly as Optuna does.
    pub(super) faithful: bool,
}

impl Hyperband {
    pub(super) fn new(options: Options) -> Result<Hyperband> {
        let Options { min_resource, max_resource, reduction_factor, bootstrap_count, faithful } = options;
        if bootstrap_count > 0 && max_resource.is_none() {
            let message = "bootstrap_count needs a max_resource: with `auto` the rungs are not known in time";
            return Err(Error::new(Kind::Configuration, message));
        }
        let ladder = ladder(halving::Options {
            min_resource: Some(min_resource),
            reduction_factor,
            min_early_stopping_rate: 0,
            bootstrap_count,
            faithful,
        });
        ladder.check()?;
        if let Some(max) = max_resource {
            let expected = format!("at least min_resource, {min_resource}");
            require(max >= min_resource, "max_resource", max, &expected)?;
        }
        Ok(Hyperband { ladder, max_resource })
    }

    /// The bracket of trial `number` of the study `study_name`, if trials run for `max_resource` steps.
    pub fn bracket(&self, max_resource: i64, study_name: &str, number: u64) -> u32 {
        let shares = self.shares(max_resource);
        BracketDraw::new(study_name, &shares).bracket(number)
    }

    /// The share of each bracket: its trials per `sum of the shares` trials.
    fn shares(&self, max_resource: i64) -> Vec<u64> {
        let Ladder { min_resource, reduction_factor, .. } = self.ladder;
        let eta = reduction_factor as f64;
        let n_brackets = (max_resource as f64 / min_resource as f64).log(eta).floor() as i64 + 1;
        let share = |s: i64| (n_brackets as f64 * eta.powi(s as i32) / (s + 1) as f64).ceil() as u64;
        (0..n_brackets).map(|bracket| share(n_brackets - 1 - bracket)).collect()
    }
}

/// Assigns brackets to trials.
struct BracketDraw<'s> {
    /// The checksum of the part that all trials' names share.
    beginning: crc32fast::Hasher,
    shares: &'s [u64],
    sum: u64,
}

impl BracketDraw<'_> {
    fn new<'s>(study_name: &str, shares: &'s [u64]) -> BracketDraw<'s> {
        let mut beginning = crc32fast::Hasher::new();
        beginning.update(study_name.as_bytes());
        beginning.update(b"_");
        BracketDraw { beginning, shares, sum: shares.iter().fold(0u64, |a, b| a.saturating_add(*b)).max(1) }
    }

    fn bracket(&self, number: u64) -> u32 {
        let mut digits = DigitBuffer { buffer: [0; 20], len: 0 };
        // Cannot fail: any u64 fits in twenty digits.
        let _ = write!(digits, "{number}");
        let mut hasher = self.beginning.clone();
        hasher.update(&digits.buffer[..digits.len]);
        let mut lot = u64::from(hasher.finalize()) % self.sum;
        for (bracket, &share) in (0..).zip(self.shares) {
            match lot.checked_sub(share) {
                Some(rest) => lot = rest,
                None => return bracket,
            }
        }
        0
    }
}

/// A number's digits without an allocation: one verdict formats thousands of numbers.
struct DigitBuffer {
    buffer: [u8; 20],
    len: usize,
}

impl Write for DigitBuffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.buffer.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl Pruner for Hyperband {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        let auto = || first_complete_step(peers.trials).map(|step| step.saturating_add(1));
        let Some(max_resource) = self.max_resource.or_else(auto) else { return Verdict::keep_running() };
        let shares = self.shares(max_resource);
        if shares.is_empty() {
            return Verdict::keep_running();
        }
        let draw = BracketDraw::new(peers.study_name, &shares);
        let bracket = draw.bracket(trial.number);
        let ladder = Ladder { rate: bracket, ..self.ladder.clone() };
        ladder.judge(peers, |t| draw.bracket(t.number) == bracket, trial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_of_the_usual_setting() {
        let options = Options {
            min_resource: 1,
            max_resource: None,
            reduction_factor: 3,
            bootstrap_count: 0,
            faithful: true,
        };
        let hyperband = Hyperband::new(options).unwrap();
        assert_eq!(hyperband.shares(100), [81, 34, 15, 8, 5]);
        // log(243) / log(3) is 4.999.. in floating point: Optuna has five brackets as well, not six.
        assert_eq!(hyperband.shares(243).len(), 5);
        let mut counts = [0; 5];
        (0..1430).for_each(|number| counts[hyperband.bracket(100, "study", number) as usize] += 1);
        assert!(
            counts.iter().zip([810, 340, 150, 80, 50]).all(|(n, e)| i32::abs(n - e) < e / 3),
            "{counts:?}"
        );
    }
}
