//! The Wilcoxon signed-rank test against the best trial (Wilcoxon, "Individual comparisons by ranking methods", 1945),
//! as in Optuna's `WilcoxonPruner`: for trials whose steps are instances (folds, data sets), so that the values of one
//! step are pairs and later ones are no better than early ones.
//!
//! With `d_i` the differences to the best trial over the steps that both have, and `R+` the sum of the ranks of
//! `|d_i|` with `d_i > 0` (ties get their mean rank, and zeros count half), the trial is pruned when the one-sided
//! p-value of it being worse is below `p_threshold`, unless its mean is no worse than the best trial's. The p-value is
//! that of `scipy.stats.wilcoxon(d, zero_method="zsplit")`: exact with up to 50 pairs without ties or zeros and with
//! up to 13 otherwise, else by the normal approximation with ties corrected for.
//!
//! Trials with NaN or infinite values are not pruned; if the best trial has such values, nothing is.

use super::steps::{better, require};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::objective::best_trial;
use crate::trial::{Direction, Trial};

/// Prunes trials that are significantly worse than the best trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Wilcoxon {
    p_threshold: f64,
    n_startup_steps: usize,
}

impl Wilcoxon {
    /// Prunes at a p-value below `p_threshold` (Optuna: 0.1) with at least `n_startup_steps` pairs (at least 2).
    ///
    /// # Errors
    /// If the p-value is not between 0 and 1.
    pub fn new(p_threshold: f64, n_startup_steps: usize) -> Result<Wilcoxon> {
        require((0.0..=1.0).contains(&p_threshold), "p_threshold", p_threshold, "a number from 0 to 1")?;
        Ok(Wilcoxon { p_threshold, n_startup_steps })
    }
}

impl Pruner for Wilcoxon {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        let comparable =
            |t: &Trial| !t.intermediate.is_empty() && t.intermediate.values().all(|v| v.is_finite());
        let Some(best) = best_trial(peers.direction, peers.trials) else { return Verdict::keep_running() };
        if !comparable(trial) || !comparable(best) {
            return Verdict::keep_running();
        }
        let pair = |(step, value)| best.intermediate.get(step).map(|best: &f64| value - best);
        let differences: Vec<f64> = trial.intermediate.iter().filter_map(pair).collect();
        if differences.len() < self.n_startup_steps.max(2) {
            return Verdict::keep_running();
        }
        let mean = |t: &Trial| t.intermediate.values().sum::<f64>() / t.intermediate.len() as f64;
        let is_surely_worse = p_value(&differences, peers.direction) < self.p_threshold;
        Verdict::of(is_surely_worse && better(peers.direction, mean(best), mean(trial)))
    }
}

/// The p-value of the trial being worse: larger values when minimising, smaller ones when maximising.
fn p_value(differences: &[f64], direction: Direction) -> f64 {
    let n = differences.len();
    let Ranks { twice, ties } = ranks(differences);
    let zeros = differences.iter().filter(|&&d| d == 0.0).count();
    let sign = |d: f64| if d > 0.0 { 2 } else { u64::from(d == 0.0) };
    // Four times R+: ranks may be halves, and a zero counts half.
    let r_plus: u64 = differences.iter().zip(&twice).map(|(&d, &rank)| sign(d) * rank).sum();
    if n <= 13 || (n <= 50 && zeros == 0 && ties == 0) {
        return exact(differences, &twice, r_plus, direction);
    }
    let count = n as f64;
    let mean = count * (count + 1.0) * 0.25;
    let error = ((count * (count + 1.0) * (2.0 * count + 1.0) - ties as f64 / 2.0) / 24.0).sqrt();
    let z = (r_plus as f64 / 4.0 - mean) / error;
    let z = if direction == Direction::Minimize { z } else { -z };
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Twice the rank of the size of each difference, and the sum of `t^3 - t` over groups of `t` ties.
struct Ranks {
    twice: Vec<u64>,
    ties: u64,
}

fn ranks(differences: &[f64]) -> Ranks {
    let size = |i: &usize| differences[*i].abs();
    let mut order: Vec<usize> = (0..differences.len()).collect();
    order.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let (mut twice, mut ties, mut first) = (vec![0; order.len()], 0, 0);
    for group in order.chunk_by(|a, b| size(a) == size(b)) {
        let t = group.len() as u64;
        group.iter().for_each(|&i| twice[i] = 2 * first + t + 1);
        ties += t * t * t - t;
        first += t;
    }
    Ranks { twice, ties }
}

/// The share of sign assignments whose R+ is at least as far on the bad side.
fn exact(differences: &[f64], twice: &[u64], r_plus: u64, direction: Direction) -> f64 {
    // ways[r]: the number of sign assignments of the differences so far whose doubled ranks sum to r.
    let total: u64 = twice.iter().sum();
    let mut ways = vec![0.0; total as usize + 1];
    ways[0] = 1.0;
    let mut zeros = 0;
    let mut all = 1.0;
    for (&d, &rank) in differences.iter().zip(twice) {
        if d == 0.0 {
            zeros += rank;
            continue;
        }
        let rank = rank as usize;
        (rank..ways.len()).rev().for_each(|r| ways[r] += ways[r - rank]);
        all *= 2.0;
    }
    let is_as_far = |r: usize| match direction {
        Direction::Minimize => 2 * r as u64 + zeros >= r_plus,
        Direction::Maximize => 2 * r as u64 + zeros <= r_plus,
    };
    ways.iter().enumerate().filter(|(r, _)| is_as_far(*r)).map(|(_, ways)| ways).sum::<f64>() / all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.wilcoxon(d, zero_method="zsplit", alternative=..)` of SciPy 1.17.1.
    #[test]
    fn p_values_are_scipys() {
        let ties: Vec<f64> = (0..20).map(|i| f64::from((i * 7) % 11 - 4) * 0.5).collect();
        let cases: [(&[f64], f64, f64); 4] = [
            (&[0.3, -0.1, 0.5, 0.7, -0.2], 0.15625, 0.90625),
            (&[0.0, 1.0, 1.0, -1.0, 2.0, 0.0], 0.25, 0.9375),
            (&ties, 0.13462666639438814, 0.8653733336056119),
            (&[0.0; 15], 0.5, 0.5),
        ];
        for (differences, greater, less) in cases {
            assert!((p_value(differences, Direction::Minimize) - greater).abs() < 1e-12, "{differences:?}");
            assert!((p_value(differences, Direction::Maximize) - less).abs() < 1e-12, "{differences:?}");
        }
    }
}
