//! A joint density: one product kernel for each trial, and a prior.
//!
//! log p(x) = logsumexp over kernels k of (log w_k + sum over parameters d of log p_kd(x_d)). p_kd is a truncated
//! normal's density, or its mass on x_d -+ step/2 if there is a step, or a choice's probability. Optuna 5.0.0,
//! `samplers/_tpe/probability_distributions.py`.

use headsmith_kernels::philox::Sequence;

use super::kernels::Kernels;
use super::terms::{Terms, UNSEEN, VisibleTerms};

/// A joint density of several parameters.
#[derive(Debug, Clone)]
pub struct Density {
    /// The kernels' weights in the order of the trials, the prior last; they sum to 1.
    pub weights: Vec<f64>,
    /// The kernels of each parameter.
    pub kernels: Vec<Kernels>,
}

impl Density {
    /// The density of these kernels: one for each trial, and the prior's.
    pub(super) fn of(kernels: Vec<Kernels>, n_trials: usize) -> Density {
        Density { weights: weights(n_trials), kernels }
    }

    /// Draws a point: one internal value for each parameter.
    pub fn draw(&self, draws: &mut Sequence) -> Vec<f64> {
        let uniform = draws.uniform();
        let mut sum = 0.0;
        let k = self.weights.iter().position(|weight| {
            sum += weight;
            uniform < sum
        });
        let k = k.unwrap_or(self.weights.len() - 1);
        self.kernels.iter().map(|kernels| kernels.draw(k, draws)).collect()
    }

    /// The log density at each point; `points[d][i]` is the value of parameter `d` at point `i`.
    pub fn log_pdf(&self, points: &[Vec<f64>]) -> Vec<f64> {
        let n_points = points.first().map_or(0, Vec::len);
        let mut terms = Terms::new(&self.kernels, self.constant(), points, self.far());
        let mut visible = VisibleTerms::default();
        (0..n_points).map(|point| log_sum(terms.visible(point, &mut visible))).collect()
    }

    /// The part that does not depend on the point: the log weight of each kernel, and the norms of its parameters.
    fn constant(&self) -> Vec<f64> {
        let mut constant: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        for kernels in &self.kernels {
            if let Kernels::Numbers(numbers) = kernels {
                constant.iter_mut().zip(&numbers.norms).for_each(|(sum, norm)| *sum -= norm);
            }
        }
        constant
    }

    /// The distance, in kernel widths, beyond which a kernel is negligible beside the prior, whatever its other
    /// parameters contribute: a number gains at most a factor of 130 (e^5) on the prior, and a choice at most the
    /// number of choices.
    fn far(&self) -> f64 {
        let gain = |kernels: &Kernels| match kernels {
            Kernels::Numbers(_) => 5.0,
            Kernels::Choices(choices) => (choices.n_choices as f64).ln(),
        };
        let most: f64 = self.kernels.iter().map(gain).sum();
        (2.0 * (most + UNSEEN)).sqrt()
    }
}

/// Optuna's weights in the order of the trials, normalised: the last 25 have full weight, earlier ones less, on a
/// ramp; the prior weighs 1.
fn weights(n: usize) -> Vec<f64> {
    let n_ramp = n.saturating_sub(25);
    let first = 1.0 / n as f64;
    let slope = if n_ramp > 1 { (1.0 - first) / (n_ramp - 1) as f64 } else { 0.0 };
    let mut weights: Vec<f64> = (0..n_ramp).map(|i| first + i as f64 * slope).collect();
    weights.resize(n + 1, 1.0);
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// The logarithm of a sum of exponentials.
fn log_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().fold(f64::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.iter().map(|t| t - largest).filter(|&t| t > -UNSEEN).map(f64::exp).sum::<f64>().ln()
}
