//! The kernels of one parameter: a truncated normal around each observed value, or a vector of choice probabilities.
//!
//! For a number (in log space on a logarithmic scale, with bounds half a step wider if it has a step), the width of a
//! kernel is the larger of the gaps to its neighbours, bounds included, clipped to between range / min(100, n + 2)
//! ("magic clip") and the range. The first and the last of several use only their inner gap. The last kernel is the
//! prior: in the middle, as wide as the range. A choice has the weight 1/(n + 1), the observed one 1 more. After
//! Bergstra et al., "Algorithms for hyper-parameter optimization" (NIPS 2011), and Optuna 5.0.0,
//! `samplers/_tpe/parzen_estimator.py`.

use headsmith_kernels::philox::Sequence;

use super::normal::{LN_SQRT_2PI, log_mass, truncated_quantile};
use crate::distribution::Distribution;

/// The kernels of one parameter, in the order of the trials, the prior last.
#[derive(Debug, Clone)]
pub enum Kernels {
    /// Kernels of a float or an integer.
    Numbers(Numbers),
    /// Kernels of a categorical parameter.
    Choices(Choices),
}

/// Truncated normals.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// The means, on the scale on which values are drawn.
    pub mus: Vec<f64>,
    /// The widths.
    pub sigmas: Vec<f64>,
    /// Logarithms of the kernels' masses in the range; without a step, of the factors that normalise the densities.
    pub(super) norms: Vec<f64>,
    /// The bounds, half a step wider, on that scale.
    pub(super) ends: (f64, f64),
    /// The bounds and the step as the user sees them.
    pub(super) outside: (f64, f64),
    pub(super) step: Option<f64>,
    pub(super) log: bool,
}

/// Vectors of choice probabilities.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The number of choices.
    pub n_choices: usize,
    /// The observed choices.
    pub observed: Vec<u32>,
}

/// Observed values of one parameter, in the order of their trials, on the scale on which values are drawn.
pub(super) struct Values<'v> {
    pub values: Vec<f64>,
    /// Their indices sorted by value; of equal values the smaller index comes first.
    pub order: Vec<u32>,
    /// Cached width and norm of the kernel at each row of the table, from earlier densities.
    pub known: &'v mut [(f64, f64)],
    /// The values' rows in the table.
    pub rows: &'v [u32],
}

impl Kernels {
    /// The kernels around these values.
    pub(super) fn around(observed: Values<'_>, distribution: &Distribution) -> Kernels {
        let (low, high) = match *distribution {
            Distribution::Float { low, high, .. } => (low, high),
            Distribution::Int { low, high, .. } => (low as f64, high as f64),
            Distribution::Categorical { ref choices } => {
                let observed = observed.values.into_iter().map(|index| index as u32).collect();
                return Kernels::Choices(Choices { n_choices: choices.len(), observed });
            }
        };
        Kernels::Numbers(Numbers::around(observed, (low, high), distribution.step(), distribution.is_log()))
    }

    /// Draws an internal value from kernel `k`.
    pub(super) fn draw(&self, k: usize, draws: &mut Sequence) -> f64 {
        match self {
            Kernels::Numbers(numbers) => numbers.draw(k, draws.uniform()),
            Kernels::Choices(choices) => choices.draw(k, draws.uniform()),
        }
    }
}

impl Numbers {
    fn around(observed: Values<'_>, outside: (f64, f64), step: Option<f64>, log: bool) -> Numbers {
        let half = step.map_or(0.0, |step| step / 2.0);
        let mut ends = (outside.0 - half, outside.1 + half);
        if log {
            ends = (ends.0.ln(), ends.1.ln());
        }
        let Values { values: mut mus, order, known, rows } = observed;
        let mut sigmas = widths(&mus, &order, ends);
        let norm = |mu: f64, sigma: f64| {
            let mass = log_mass((ends.0 - mu) / sigma, (ends.1 - mu) / sigma);
            if step.is_some() { mass } else { mass + LN_SQRT_2PI + sigma.ln() }
        };
        let mut norms = Vec::with_capacity(mus.len() + 1);
        for ((&mu, &sigma), &row) in mus.iter().zip(&sigmas).zip(rows) {
            let known = &mut known[row as usize];
            if known.0 != sigma {
                *known = (sigma, norm(mu, sigma));
            }
            norms.push(known.1);
        }
        mus.push(0.5 * (ends.0 + ends.1));
        sigmas.push(ends.1 - ends.0);
        norms.push(norm(0.5 * (ends.0 + ends.1), ends.1 - ends.0));
        Numbers { mus, sigmas, norms, ends, outside, step, log }
    }

    fn draw(&self, k: usize, uniform: f64) -> f64 {
        let (mu, sigma, (low, high)) = (self.mus[k], self.sigmas[k], self.ends);
        let x = mu + sigma * truncated_quantile(uniform, (low - mu) / sigma, (high - mu) / sigma);
        let x = if self.log { x.exp() } else { x };
        let (low, high) = self.outside;
        let on_grid = self.step.map_or(x, |step| low + ((x - low) / step).round_ties_even() * step);
        on_grid.clamp(low, high)
    }
}

impl Choices {
    /// The probabilities of the observed choice and of each other one.
    pub(super) fn hit_and_miss(&self) -> (f64, f64) {
        let prior = 1.0 / (self.observed.len() + 1) as f64;
        let sum = prior * self.n_choices as f64 + 1.0;
        ((prior + 1.0) / sum, prior / sum)
    }

    /// The probabilities of all choices in kernel `k`; the last kernel is the prior.
    pub fn probabilities(&self, k: usize) -> Vec<f64> {
        let Some(&observed) = self.observed.get(k) else {
            return vec![1.0 / self.n_choices as f64; self.n_choices];
        };
        let (hit, miss) = self.hit_and_miss();
        (0..self.n_choices).map(|choice| if choice == observed as usize { hit } else { miss }).collect()
    }

    fn draw(&self, k: usize, uniform: f64) -> f64 {
        let n = self.n_choices as f64;
        let even = |uniform: f64| (uniform * n).floor().min(n - 1.0);
        let Some(&observed) = self.observed.get(k) else { return even(uniform) };
        // The observed choice has an even share, and its extra probability besides.
        let (hit, miss) = self.hit_and_miss();
        if uniform < hit - miss { f64::from(observed) } else { even((uniform - (hit - miss)) / (miss * n)) }
    }
}

fn widths(mus: &[f64], order: &[u32], (low, high): (f64, f64)) -> Vec<f64> {
    let n = mus.len();
    let range = high - low;
    let least = range / f64::min(100.0, (n + 2) as f64);
    let mut sigmas = Vec::with_capacity(n + 1);
    sigmas.resize(n, 0.0);
    let (mut here, mut left) = (low, f64::NEG_INFINITY);
    for (rank, &i) in order.iter().enumerate() {
        let mu = mus[i as usize];
        // The first of several has no gap to the left, and the last none to the right.
        if rank > 0 {
            let gap = mu - here;
            sigmas[order[rank - 1] as usize] = left.max(gap).max(least).min(range);
            left = gap;
        } else if n == 1 {
            left = mu - low;
        }
        here = mu;
    }
    if let Some(&last) = order.last() {
        let right = if n == 1 { high - here } else { f64::NEG_INFINITY };
        sigmas[last as usize] = left.max(right).max(least).min(range);
    }
    sigmas
}
