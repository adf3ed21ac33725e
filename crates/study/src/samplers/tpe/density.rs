//! A joint density: kernels that are products over the parameters, one a trial, and a prior.
//!
//! log p(x) = logsumexp over kernels k of log w_k + sum over parameters d of log p_kd(x_d), where p_kd is a truncated
//! normal's density, its mass on x_d -+ step/2 if there is a step, or a choice's probability. Optuna 5.0.0,
//! `samplers/_tpe/probability_distributions.py`.

use std::f64::consts::FRAC_1_SQRT_2;

use headsmith_kernels::philox::Sequence;

use super::kernels::{Choices, Kernels, Numbers};
use super::normal::{LN_SQRT_2PI, Narrow, log_mass};
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
        let far = self.far();
        let mut constant: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        let terms: Vec<Term<'_>> = self
            .kernels
            .iter()
            .zip(points)
            .map(|(kernels, x)| Term::new(kernels, x, far, &mut constant))
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

    /// So many widths from its middle a kernel is nothing beside the prior, whatever its other parameters do: at its
    /// best a number gains a factor of 130 (e^5) on the prior, and a choice as many as there are choices.
    fn far(&self) -> f64 {
        let gain = |kernels: &Kernels| match kernels {
            Kernels::Numbers(_) => 5.0,
            Kernels::Choices(choices) => (choices.n_choices as f64).ln(),
        };
        let most: f64 = self.kernels.iter().map(gain).sum();
        (2.0 * (most + UNSEEN)).sqrt()
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
        let largest = self.largest.max(largest(terms));
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

/// The largest of some numbers, eight at a time.
fn largest(numbers: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let mut lanes = [f64::NEG_INFINITY; 8];
    let (chunks, rest) = numbers.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, x);
        }
    }
    lanes.iter().chain(rest).fold(f64::NEG_INFINITY, |a, &b| larger(a, b))
}

/// What one parameter adds to the logarithm, for all kernels and points.
enum Term<'d> {
    /// The square of (x - mu) times the scale, which is 1 / (sqrt(2) sigma).
    Dense { x: Vec<f64>, inside: Vec<bool>, mus: &'d [f64], scales: Vec<f64> },
    /// `table[row_of_point][group_of_kernel]`.
    Table { rows: Vec<u32>, groups: Vec<u32>, table: Vec<Vec<f64>> },
    /// Logarithms of the probabilities of an observed, another and any choice.
    Choices { x: &'d [f64], observed: &'d [u32], hit: f64, miss: f64, prior: f64 },
}

impl<'d> Term<'d> {
    /// What does not depend on the point is added to the kernels' `constant`.
    fn new(kernels: &'d Kernels, points: &'d [f64], far: f64, constant: &mut [f64]) -> Term<'d> {
        match kernels {
            Kernels::Choices(choices) => Term::choices(choices, points),
            Kernels::Numbers(numbers) => match numbers.step {
                None => Term::dense(numbers, points, constant),
                Some(step) => Term::table(numbers, step, points, far, constant),
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
        // Most kernels have the least width.
        let (mut width, mut log_width) = (f64::NAN, 0.0);
        for ((sum, mu), inverse) in constant.iter_mut().zip(&numbers.mus).zip(&inverse_sigmas) {
            if *inverse != width {
                (width, log_width) = (*inverse, LN_SQRT_2PI - inverse.ln());
            }
            *sum -= log_mass((low - mu) * inverse, (high - mu) * inverse) + log_width;
        }
        let scales = inverse_sigmas.into_iter().map(|inverse| inverse * FRAC_1_SQRT_2).collect();
        Term::Dense { x, inside, mus: &numbers.mus, scales }
    }

    fn table(numbers: &Numbers, step: f64, points: &[f64], far: f64, constant: &mut [f64]) -> Term<'d> {
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
        let table = if numbers.log {
            values.iter().map(|x| on_logarithms(*x, step, &different, far)).collect()
        } else {
            on_grid(&values, step, &different, far)
        };
        Term::Table { rows, groups, table }
    }

    /// Adds the kernels `start ..` at one point to `row`.
    fn add(&self, point: usize, start: usize, row: &mut [f64]) {
        let end = start + row.len();
        match self {
            Term::Dense { inside, .. } if !inside[point] => row.fill(f64::NEG_INFINITY),
            Term::Dense { x, mus, scales, .. } => {
                let x = x[point];
                let (mus, scales) = (&mus[start..end], &scales[start..end]);
                for ((sum, mu), scale) in row.iter_mut().zip(mus).zip(scales) {
                    let distance = (x - mu) * scale;
                    *sum -= distance * distance;
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

/// The logarithms of the masses that normals of logarithms have on the value `x`.
fn on_logarithms(x: f64, step: f64, normals: &[(f64, f64)], far: f64) -> Vec<f64> {
    let (left, right) = ((x - step / 2.0).ln(), (x + step / 2.0).ln());
    let (width, middle) = (right - left, 0.5 * (left + right));
    let masses = Masses::new(width, normals, far);
    normals.iter().map(|&(mu, sigma)| masses.at(middle - mu, sigma)).collect()
}

/// The logarithms of the masses that normals have on the values: one row a value. Most normals have the same width, and
/// then the mass depends on the distance alone, of which there are few.
fn on_grid(values: &[f64], step: f64, normals: &[(f64, f64)], far: f64) -> Vec<Vec<f64>> {
    const MOST: usize = 1 << 12;
    let masses = Masses::new(step, normals, far);
    let mut known = [f64::NAN; MOST];
    let mut mass = |x: f64, &(mu, sigma): &(f64, f64)| {
        let distance = (x - mu).abs();
        let steps = (distance / step + 0.5) as usize;
        let on_grid = (distance - steps as f64 * step).abs() < 1e-12 * (step + distance);
        let place = if sigma == masses.least && on_grid { known.get_mut(steps) } else { None };
        match place {
            Some(known) if !known.is_nan() => *known,
            place => {
                let mass = masses.at(distance, sigma);
                place.map_or(mass, |known| {
                    *known = mass;
                    mass
                })
            }
        }
    };
    values.iter().map(|&x| normals.iter().map(|normal| mass(x, normal)).collect()).collect()
}

/// Masses of intervals of one width.
struct Masses {
    width: f64,
    /// The width of most normals, and the series for it.
    least: f64,
    narrow: Narrow,
    far: f64,
}

impl Masses {
    fn new(width: f64, normals: &[(f64, f64)], far: f64) -> Masses {
        let least = normals.iter().fold(f64::INFINITY, |least, (_, sigma)| least.min(*sigma));
        Masses { width, least, narrow: Narrow::new(width / least, far + 1.0), far }
    }

    /// The logarithm of the mass of an interval whose middle lies at `distance` from that of a normal.
    #[inline]
    fn at(&self, distance: f64, sigma: f64) -> f64 {
        let (w, m) = (self.width / sigma, distance / sigma);
        let near = m.abs() - 0.5 * w;
        if near > self.far {
            // More than there is, and too little to be seen.
            -0.5 * near * near
        } else if Narrow::covers(w, m) {
            if sigma == self.least { self.narrow.log_mass(m) } else { Narrow::new(w, m).log_mass(m) }
        } else {
            log_mass(m - 0.5 * w, m + 0.5 * w)
        }
    }
}
