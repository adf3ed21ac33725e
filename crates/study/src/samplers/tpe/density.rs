//! A joint density: kernels that are products over the parameters, one a trial, and a prior.
//!
//! log p(x) = logsumexp over kernels k of log w_k + sum over parameters d of log p_kd(x_d), where p_kd is a truncated
//! normal's density, its mass on x_d -+ step/2 if there is a step, or a choice's probability. Optuna 5.0.0,
//! `samplers/_tpe/probability_distributions.py`.

use headsmith_kernels::philox::Sequence;

use super::kernels::{Choices, Kernels, Numbers};
use super::normal::{LN_SQRT_2PI, is_narrow, log_mass, log_mean_narrow};
use crate::distribution::Distribution;

/// A joint density of some parameters.
#[derive(Debug, Clone)]
pub struct Density {
    /// The kernels' weights, in the order of the trials, the prior's last; they sum to 1.
    pub weights: Vec<f64>,
    /// The kernels of each parameter.
    pub kernels: Vec<Kernels>,
}

/// Kernels that are looked at together: what is kept of them fits into the second cache.
const BLOCK: usize = 512;

/// Terms smaller than the largest by this factor's logarithm cannot be seen in the sum, however many there are.
const UNSEEN: f64 = 60.0;

impl Density {
    /// The density around the values of `columns`, one column a parameter, in the order of the trials.
    pub(super) fn around(columns: Vec<Vec<f64>>, distributions: &[&Distribution]) -> Density {
        let n = columns.first().map_or(0, Vec::len);
        let kernels =
            columns.into_iter().zip(distributions).map(|(column, d)| Kernels::around(column, d)).collect();
        Density { weights: weights(n), kernels }
    }

    /// A point of the density, one value a parameter, as they are inside.
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

    /// The density's logarithm at points given by parameter: `points[d][i]` is what point `i` has for parameter `d`.
    pub fn log_pdf(&self, points: &[Vec<f64>]) -> Vec<f64> {
        let n_points = points.first().map_or(0, Vec::len);
        let n_kernels = self.weights.len();
        let mut constant: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        let terms: Vec<Term<'_>> = self
            .kernels
            .iter()
            .zip(points)
            .map(|(kernels, x)| Term::new(kernels, x, &mut constant))
            .collect();
        let mut sums = vec![LogSum::default(); n_points];
        let mut row = [0.0; BLOCK];
        for start in (0..n_kernels).step_by(BLOCK) {
            let block = start..n_kernels.min(start + BLOCK);
            let row = &mut row[..block.len()];
            for (point, sum) in sums.iter_mut().enumerate() {
                row.copy_from_slice(&constant[block.clone()]);
                terms.iter().for_each(|term| term.add(point, block.start, row));
                sum.add(row);
            }
        }
        sums.into_iter().map(LogSum::value).collect()
    }
}

/// Optuna's weights in the order of the trials: the last 25 count in full, those before them less, on a ramp; the
/// prior counts as one. Divided by their sum.
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

/// A sum of exponentials, by its largest term.
#[derive(Debug, Clone, Copy)]
struct LogSum {
    largest: f64,
    sum: f64,
}

impl Default for LogSum {
    fn default() -> LogSum {
        LogSum { largest: f64::NEG_INFINITY, sum: 0.0 }
    }
}

impl LogSum {
    fn add(&mut self, terms: &[f64]) {
        let largest = terms.iter().fold(self.largest, |a, &b| if b > a { b } else { a });
        if largest == f64::NEG_INFINITY {
            return;
        }
        self.sum *= (self.largest - largest).exp();
        self.largest = largest;
        self.sum += terms.iter().map(|t| t - largest).filter(|&t| t > -UNSEEN).map(f64::exp).sum::<f64>();
    }

    fn value(self) -> f64 {
        if self.largest == f64::NEG_INFINITY { self.largest } else { self.largest + self.sum.ln() }
    }
}

/// What one parameter adds to the logarithm, for all kernels and points.
enum Term<'d> {
    /// (x - mu) / sigma for each point and kernel.
    Dense { x: Vec<f64>, inside: Vec<bool>, mus: &'d [f64], inverse_sigmas: Vec<f64> },
    /// `table[row_of_point][group_of_kernel]`.
    Table { rows: Vec<u32>, groups: Vec<u32>, table: Vec<Vec<f64>> },
    /// Logarithms of the probabilities of an observed, another and any choice.
    Choices { x: &'d [f64], observed: &'d [u32], hit: f64, miss: f64, prior: f64 },
}

impl<'d> Term<'d> {
    /// What does not depend on the point is added to the kernels' `constant`.
    fn new(kernels: &'d Kernels, points: &'d [f64], constant: &mut [f64]) -> Term<'d> {
        match kernels {
            Kernels::Choices(choices) => Term::choices(choices, points),
            Kernels::Numbers(numbers) => match numbers.step {
                None => Term::dense(numbers, points, constant),
                Some(step) => Term::table(numbers, step, points, constant),
            },
        }
    }

    fn choices(choices: &'d Choices, x: &'d [f64]) -> Term<'d> {
        let (hit, miss) = choices.hit_and_miss();
        let prior = -(choices.n_choices as f64).ln();
        Term::Choices { x, observed: &choices.observed, hit: hit.ln(), miss: miss.ln(), prior }
    }

    fn dense(numbers: &'d Numbers, points: &[f64], constant: &mut [f64]) -> Term<'d> {
        let (low, high) = numbers.ends;
        let x: Vec<f64> = points.iter().map(|&x| if numbers.log { x.ln() } else { x }).collect();
        let inside = x.iter().map(|&x| low <= x && x <= high).collect();
        let inverse_sigmas: Vec<f64> = numbers.sigmas.iter().map(|sigma| 1.0 / sigma).collect();
        for ((sum, mu), sigma) in constant.iter_mut().zip(&numbers.mus).zip(&numbers.sigmas) {
            *sum -= log_mass((low - mu) / sigma, (high - mu) / sigma) + sigma.ln() + LN_SQRT_2PI;
        }
        Term::Dense { x, inside, mus: &numbers.mus, inverse_sigmas }
    }

    fn table(numbers: &Numbers, step: f64, points: &[f64], constant: &mut [f64]) -> Term<'d> {
        let (low, high) = numbers.ends;
        let (groups, different) = groups(numbers);
        let masses: Vec<f64> =
            different.iter().map(|(mu, sigma)| log_mass((low - mu) / sigma, (high - mu) / sigma)).collect();
        for (sum, &group) in constant.iter_mut().zip(&groups) {
            *sum -= masses[group as usize];
        }
        let mut values = points.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let row = |x: &f64| values.partition_point(|value| value < x) as u32;
        let rows = points.iter().map(row).collect();
        let scale = |x: f64| if numbers.log { x.ln() } else { x };
        let table = values.iter().map(|x| {
            let (left, right) = (scale(x - step / 2.0), scale(x + step / 2.0));
            masses_between(left, right, &different)
        });
        let table = table.collect();
        Term::Table { rows, groups, table }
    }

    /// Adds the kernels `start ..` at one point to `row`.
    fn add(&self, point: usize, start: usize, row: &mut [f64]) {
        let end = start + row.len();
        match self {
            Term::Dense { inside, .. } if !inside[point] => row.fill(f64::NEG_INFINITY),
            Term::Dense { x, mus, inverse_sigmas, .. } => {
                let x = x[point];
                for ((sum, mu), inverse) in
                    row.iter_mut().zip(&mus[start..end]).zip(&inverse_sigmas[start..end])
                {
                    let distance = (x - mu) * inverse;
                    *sum -= 0.5 * distance * distance;
                }
            }
            Term::Table { rows, groups, table } => {
                let table = &table[rows[point] as usize];
                for (sum, &group) in row.iter_mut().zip(&groups[start..end]) {
                    *sum += table[group as usize];
                }
            }
            Term::Choices { x, observed, hit, miss, prior } => {
                let x = x[point] as u32;
                let observed = &observed[start..end.min(observed.len())];
                let (row, last) = row.split_at_mut(observed.len());
                for (sum, &observed) in row.iter_mut().zip(observed) {
                    *sum += if observed == x { *hit } else { *miss };
                }
                last.iter_mut().for_each(|sum| *sum += prior);
            }
        }
    }
}

/// Of kernels on a grid many are the same: the group of each, and the middle and width of each group.
fn groups(numbers: &Numbers) -> (Vec<u32>, Vec<(f64, f64)>) {
    let prior = numbers.order.len();
    let mut groups = vec![0; prior + 1];
    let mut different: Vec<(f64, f64)> = Vec::new();
    for i in numbers.order.iter().map(|&i| i as usize).chain([prior]) {
        let kernel = (numbers.mus[i], numbers.sigmas[i]);
        // Of equal middles the first and the last may be wider than the others.
        let known = different.iter().rev().take(3).position(|&other| other == kernel);
        groups[i] = known.map_or(different.len(), |back| different.len() - 1 - back) as u32;
        if known.is_none() {
            different.push(kernel);
        }
    }
    (groups, different)
}

/// The logarithms of the masses that normals have between `left` and `right`.
fn masses_between(left: f64, right: f64, normals: &[(f64, f64)]) -> Vec<f64> {
    let (width, middle) = (right - left, 0.5 * (left + right));
    let log_width = width.ln();
    let mass = |&(mu, sigma): &(f64, f64)| {
        let (w, m) = (width / sigma, (middle - mu) / sigma);
        if is_narrow(w, m) {
            log_width - sigma.ln() + log_mean_narrow(w, m)
        } else {
            log_mass((left - mu) / sigma, (right - mu) / sigma)
        }
    };
    normals.iter().map(mass).collect()
}
