//! Parameter importance: PED-ANOVA (Watanabe, Bansal and Hutter, "PED-ANOVA: efficiently quantifying hyperparameter
//! importance in arbitrary subspaces", IJCAI 2023, arXiv:2304.10255), with conditional parameters as in "Conditional
//! PED-ANOVA" (arXiv:2601.20800): Optuna 5's default.
//!
//! A parameter is important if its values in the best tenth of the trials are distributed differently than in all
//! trials:
//!
//! ```text
//! importance = q^2 sum over regimes i of  (a_i^2 / b_i)  sum over the grid of  p_all (p_best / p_all - 1)^2
//! ```
//!
//! with `q` the share of the best among all, `a_i` and `b_i` the shares of regime `i` among the best and among all,
//! and `p` Parzen estimates on a grid of at most 50 values with Scott's bandwidth and a prior that weighs as much as
//! one trial. A regime is a set of trials in which the parameter has the same distribution; trials without the
//! parameter form a regime that adds nothing. Regimes of a single trial are left out.

use std::sync::Arc;

use crate::distribution::Distribution;
use crate::samplers::tpe::log_mass;
use crate::trial::{Direction, State, Trial};

/// The share of the trials that counts as best.
const BEST: f64 = 0.1;

/// The maximum number of grid points.
const N_STEPS: usize = 50;

/// Keeps densities above 0.
const TINY: f64 = 1e-12;

/// The importance of each parameter of the complete trials, the most important first; they sum to 1. All are equal if
/// the trials show no difference.
pub fn importance(direction: Direction, trials: &[Arc<Trial>]) -> Vec<(String, f64)> {
    let complete: Vec<&Trial> =
        trials.iter().filter(|t| t.state == State::Complete).map(AsRef::as_ref).collect();
    let mut names: Vec<&str> = complete.iter().flat_map(|t| t.params.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    let loss = |t: &Trial| {
        let value = t.value.filter(|value| value.is_finite())?;
        Some(if direction == Direction::Maximize { -value } else { value })
    };
    let scored: Vec<(f64, &Trial)> = complete.into_iter().filter_map(|t| Some((loss(t)?, t))).collect();
    let raw: Vec<f64> = match best_of(&scored) {
        Some(best) => names.iter().map(|name| importance_of(name, &scored, &best)).collect(),
        None => vec![0.0; names.len()],
    };
    let sum: f64 = raw.iter().sum();
    let share = |raw: f64| if sum == 0.0 { 1.0 / names.len() as f64 } else { raw / sum };
    let mut shares: Vec<(String, f64)> =
        names.iter().zip(raw).map(|(name, raw)| ((*name).to_owned(), share(raw))).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

/// Whether each trial is among the best; `None` for fewer than two trials.
fn best_of(scored: &[(f64, &Trial)]) -> Option<Vec<bool>> {
    if scored.len() < 2 {
        return None;
    }
    let mut losses: Vec<f64> = scored.iter().map(|(loss, _)| *loss).collect();
    let last = (BEST * losses.len() as f64).ceil() as usize - 1;
    let (_, &mut cutoff, _) = losses.select_nth_unstable_by(last, f64::total_cmp);
    Some(scored.iter().map(|(loss, _)| *loss <= cutoff).collect())
}

/// Trials in which a parameter has the same distribution: its values in all of them, and in the best.
struct Regime<'t> {
    distribution: &'t Distribution,
    all: Vec<f64>,
    best: Vec<f64>,
}

fn importance_of(name: &str, scored: &[(f64, &Trial)], best: &[bool]) -> f64 {
    let n_best = best.iter().filter(|b| **b).count() as f64;
    let n_all = scored.len() as f64;
    let regimes = regimes(name, scored, best).into_iter();
    let informative =
        regimes.filter(|r| r.all.len() >= 2 && !r.best.is_empty() && !r.distribution.is_single());
    let raw = informative.map(|regime| {
        let (a, b) = (regime.best.len() as f64 / n_best, regime.all.len() as f64 / n_all);
        a * a / b * divergence(regime.distribution, &regime.best, &regime.all)
    });
    raw.sum::<f64>() * (n_best / n_all).powi(2)
}

fn regimes<'t>(name: &str, scored: &[(f64, &'t Trial)], best: &[bool]) -> Vec<Regime<'t>> {
    let mut regimes: Vec<Regime<'t>> = Vec::new();
    for ((_, trial), &is_best) in scored.iter().zip(best) {
        let Some((distribution, value)) = trial.params.get(name) else { continue };
        let at = regimes.iter().position(|r| r.distribution.same(distribution)).unwrap_or_else(|| {
            regimes.push(Regime { distribution, all: Vec::new(), best: Vec::new() });
            regimes.len() - 1
        });
        regimes[at].all.push(*value);
        regimes[at].best.extend(is_best.then_some(*value));
    }
    regimes
}

/// The Pearson divergence between the values in the best trials and in all trials.
fn divergence(distribution: &Distribution, best: &[f64], all: &[f64]) -> f64 {
    let (best, all) = (density(distribution, best), density(distribution, all));
    best.iter().zip(&all).map(|(best, all)| all * (best / all - 1.0).powi(2)).sum()
}

/// The density of values at each point of the grid.
fn density(distribution: &Distribution, values: &[f64]) -> Vec<f64> {
    let counts = counts(distribution, values);
    let sum = values.len() as f64;
    let is_categorical = matches!(distribution, Distribution::Categorical { .. });
    let mut density = if is_categorical { of_choices(&counts) } else { of_numbers(&counts) };
    density.iter_mut().for_each(|p| *p = *p / (sum + 1.0) + TINY);
    density
}

/// The number of values at each point of the grid.
fn counts(distribution: &Distribution, values: &[f64]) -> Vec<f64> {
    let (n_points, index): (usize, Box<dyn Fn(f64) -> f64>) = match *distribution {
        Distribution::Categorical { ref choices } => (choices.len(), Box::new(|value| value)),
        Distribution::Int { low, high, log, step } => {
            let (low, high) = (low as f64, high as f64);
            let n = if log {
                ((high - low + 1.0).ln() / 2f64.ln()).ceil() + 1.0
            } else {
                ((high - low) / step as f64).round_ties_even() + 1.0
            };
            numbers(low, high, log, n)
        }
        Distribution::Float { low, high, log, step } => {
            let n = step.map_or(f64::INFINITY, |step| ((high - low) / step).round_ties_even() + 1.0);
            numbers(low, high, log, n)
        }
    };
    let mut counts = vec![0.0; n_points];
    for &value in values {
        let place = (index(value).max(0.0) as usize).min(n_points.saturating_sub(1));
        if let Some(count) = counts.get_mut(place) {
            *count += 1.0;
        }
    }
    counts
}

/// A grid over numbers: the number of points, and a function from a value to its point. A value halfway between two
/// points gets the lower one.
fn numbers(low: f64, high: f64, log: bool, n: f64) -> (usize, Box<dyn Fn(f64) -> f64>) {
    let n = (n as usize).min(N_STEPS);
    let scale = move |value: f64| if log { value.ln() } else { value };
    let step = (scale(high) - scale(low)) / (n as f64 - 1.0);
    (n, Box::new(move |value| ((scale(value) - scale(low)) / step - 0.5).ceil()))
}

/// The density over choices: a weighted sum of kernels, and the prior.
fn of_choices(counts: &[f64]) -> Vec<f64> {
    let n_kernels = counts.iter().filter(|count| **count > 0.0).count() as f64 + 1.0;
    let n_choices = counts.len() as f64;
    let everywhere = 1.0 / n_kernels;
    let row = n_choices * everywhere + 1.0;
    let sum: f64 = counts.iter().sum();
    let prior = 1.0 / n_choices;
    counts.iter().map(|count| sum * everywhere / row + count / row + prior).collect()
}

/// The density over grid points: a weighted sum of kernels, and the prior.
fn of_numbers(counts: &[f64]) -> Vec<f64> {
    let points: Vec<(f64, f64)> =
        (0..).map(f64::from).zip(counts.iter().copied()).filter(|(_, count)| *count > 0.0).collect();
    let high = counts.len() as f64 - 1.0;
    let sigma = bandwidth(&points).max(0.5 / 1.64);
    let kernel = |x: f64, mu: f64, sigma: f64| {
        let within = log_mass((-0.5 - mu) / sigma, (high + 0.5 - mu) / sigma);
        (log_mass((x - 0.5 - mu) / sigma, (x + 0.5 - mu) / sigma) - within).exp()
    };
    let at = |x: f64| {
        let prior = kernel(x, high / 2.0, high + 1.0);
        points.iter().map(|(mu, count)| count * kernel(x, *mu, sigma)).sum::<f64>() + prior
    };
    (0..counts.len()).map(|x| at(x as f64)).collect()
}

/// Scott's rule with the smaller of the standard deviation and the interquartile range.
fn bandwidth(points: &[(f64, f64)]) -> f64 {
    let mut sum = 0.0;
    let sums: Vec<f64> = points
        .iter()
        .map(|(_, count)| {
            sum += count;
            sum
        })
        .collect();
    let mean = points.iter().map(|(x, count)| x * count).sum::<f64>() / sum;
    let squares: f64 = points.iter().map(|(x, count)| (x - mean).powi(2) * count).sum();
    let deviation = (squares / (sum - 1.0).max(1.0)).sqrt();
    let first = sums.partition_point(|s| *s < (sum / 4.0).floor());
    let third = sums.partition_point(|s| *s <= (sum * 3.0 / 4.0).floor());
    let at = |i: usize| points.get(i.min(points.len() - 1)).map_or(0.0, |(x, _)| *x);
    1.059 * ((at(third) - at(first)) / 1.34).min(deviation) * sum.powf(-0.2)
}
