//! A variance for each feature and class: Gaussian naive Bayes, as scikit-learn's `GaussianNB`.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::groups::{Group, NEVER, Priors, groups, logarithms, softmax};
use super::params::Options;
use crate::error::{Error, Result};
use crate::head::{Folds, Job};
use crate::samples::Samples;

/// The share of the largest variance that a variance is set to where it would be 0.
const FLOOR: f64 = 1e-9;
/// Rows that one thread predicts at a time.
const PIECE: usize = 16;

/// The distributions of the classes, without smoothing.
pub(super) struct Moments<'a> {
    samples: Samples<'a>,
    priors: Priors,
    counts: Vec<f64>,
    /// `n_classes x n_features`.
    means: Vec<f64>,
    /// The sums of squares around them.
    squares: Vec<f64>,
    smoothing: Smoothing,
}

/// The amount that is added to variances, and the one that replaces those of 0.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Smoothing {
    added: f64,
    floor: f64,
}

impl Smoothing {
    fn of(self, square: f64, n: f64) -> f64 {
        let variance = (square / n).max(0.0) + self.added;
        if variance > 0.0 { variance } else { self.floor }
    }
}

/// The fitted distributions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Diagonal {
    pub(super) means: Vec<f64>,
    pub(super) variances: Vec<f64>,
    pub(super) log_priors: Vec<f64>,
    /// `-sum ln(2 pi variance) / 2 + log_prior` of each class.
    pub(super) constants: Vec<f64>,
}

impl Diagonal {
    pub(super) fn new(means: Vec<f64>, variances: Vec<f64>, log_priors: Vec<f64>) -> Diagonal {
        let d = means.len() / log_priors.len();
        let constants = variances.chunks_exact(d).zip(&log_priors).map(|(v, ln)| constant(v) + ln).collect();
        Diagonal { means, variances, log_priors, constants }
    }

    pub(super) fn n_features(&self) -> usize {
        self.means.len() / self.log_priors.len()
    }

    /// The scores of a row.
    fn scores(&self, row: &[f32]) -> Vec<f64> {
        let d = row.len();
        let score = |k: usize| match self.log_priors[k] {
            NEVER => NEVER,
            _ => self.constants[k] - 0.5 * distance(row, &self.means[k * d..], &self.variances[k * d..]),
        };
        (0..self.log_priors.len()).map(score).collect()
    }

    pub(super) fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let n_classes = self.log_priors.len();
        let mut proba = Matrix::zeros(x.n_rows(), n_classes);
        pool.for_each_chunk(proba.as_mut_slice(), PIECE * n_classes, |piece, proba| {
            for (i, proba) in proba.chunks_exact_mut(n_classes).enumerate() {
                softmax(&self.scores(x.row(piece * PIECE + i)), proba);
            }
        });
        proba
    }
}

/// The sum of `(x - mean)^2 / variance`.
fn distance(row: &[f32], means: &[f64], variances: &[f64]) -> f64 {
    let parts = row.iter().zip(means.iter().zip(variances));
    parts.map(|(v, (m, variance))| (f64::from(*v) - m).powi(2) / variance).sum()
}

fn constant(variances: &[f64]) -> f64 {
    -0.5 * variances.iter().map(|v| (TAU * v).ln()).sum::<f64>()
}

impl<'a> Moments<'a> {
    pub(super) fn new(job: Job<'a>) -> Result<Moments<'a>> {
        let (samples, pool, options) = (job.train, job.pool, Options::new(job.params)?);
        let (groups, d) = (groups(samples), samples.n_features());
        let all =
            Group::new(samples, (0..samples.n_samples()).filter(|&i| samples.weight(i) > 0.0).collect());
        let of_all = all.squares(&all.mean(pool), pool);
        let largest = of_all.iter().map(|square| square / all.total).fold(0.0, f64::max);
        if !largest.is_finite() {
            return Err(Error::samples("the features are too large for their variances; scale them"));
        }
        let floor = if largest > 0.0 { FLOOR * largest } else { 1.0 };
        let smoothing = Smoothing { added: options.var_smoothing * largest, floor };
        let (mut means, mut squares) =
            (Vec::with_capacity(groups.len() * d), Vec::with_capacity(groups.len() * d));
        for group in &groups {
            let mean = group.mean(pool);
            squares.extend(group.squares(&mean, pool));
            means.extend(mean);
        }
        let counts = groups.iter().map(|group| group.total).collect();
        let priors = Priors::new(options, job.params, samples)?;
        Ok(Moments { samples, priors, counts, means, squares, smoothing })
    }

    pub(super) fn fitted(&self) -> Diagonal {
        let d = self.samples.n_features();
        let variances = self.squares.chunks_exact(d).zip(&self.counts);
        let variances = variances.flat_map(|(squares, n)| {
            squares
                .iter()
                .map(|s| if *n > 0.0 { self.smoothing.of(*s, *n) } else { 1.0 })
                .collect::<Vec<f64>>()
        });
        let variances = variances.collect();
        Diagonal::new(self.means.clone(), variances, logarithms(&self.priors.of(&self.counts)))
    }

    /// The probabilities of all rows, each without its fold; what smoothing adds stays. `None` where a fold has all rows.
    pub(super) fn out_of_fold(&self, fitted: &Diagonal, folds: Folds<'_>, pool: &Pool) -> Option<Matrix> {
        let n = self.samples.n_samples();
        let members = folds.sets(n);
        let total: f64 = self.counts.iter().sum();
        let weight = |rows: &[usize]| rows.iter().map(|&i| self.samples.weight(i)).sum::<f64>();
        if members.iter().any(|rows| weight(rows) >= total * (1.0 - 1e-12)) {
            return None;
        }
        let scores = pool.map(members.len(), |fold| self.without_fold(fitted, &members[fold]));
        let mut proba = Matrix::zeros(n, self.counts.len());
        for (rows, scores) in members.iter().zip(scores) {
            for (i, scores) in rows.iter().zip(scores) {
                softmax(&scores, proba.row_mut(*i));
            }
        }
        Some(proba)
    }

    /// The scores of rows without them: only their own classes change.
    fn without_fold(&self, fitted: &Diagonal, rows: &[usize]) -> Vec<Vec<f64>> {
        let (samples, d) = (self.samples, self.samples.n_features());
        let mut x = vec![0.0; rows.len() * d];
        samples.copy_rows(rows.iter().copied(), &mut x);
        let mut counts = self.counts.clone();
        // The sums, and those of squares, of the fold's rows around the means of their classes.
        let mut sums: BTreeMap<usize, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for (row, &i) in x.chunks_exact(d).zip(rows) {
            let (class, weight) = (samples.y()[i] as usize, samples.weight(i));
            counts[class] -= weight;
            let (sum, squares) = sums.entry(class).or_insert_with(|| (vec![0.0; d], vec![0.0; d]));
            for (j, v) in row.iter().enumerate() {
                let difference = f64::from(*v) - self.means[class * d + j];
                sum[j] += weight * difference;
                squares[j] += weight * difference * difference;
            }
        }
        let mut changed = BTreeMap::new();
        for (class, (sum, squares)) in sums {
            if counts[class] <= 1e-9 * self.counts[class] {
                counts[class] = 0.0;
                continue;
            }
            let n = counts[class];
            let means: Vec<f64> = (0..d).map(|j| self.means[class * d + j] - sum[j] / n).collect();
            let left = (0..d).map(|j| self.squares[class * d + j] - squares[j] - sum[j] * sum[j] / n);
            let variances: Vec<f64> = left.map(|square| self.smoothing.of(square, n)).collect();
            changed.insert(class, (constant(&variances), means, variances));
        }
        let logarithms = logarithms(&self.priors.of(&counts));
        let score = |row: &[f32], k: usize| match (logarithms[k], changed.get(&k)) {
            (NEVER, _) => NEVER,
            (ln, Some((constant, means, variances))) => ln + constant - 0.5 * distance(row, means, variances),
            (ln, None) => {
                let at = k * d..(k + 1) * d;
                let distance = distance(row, &fitted.means[at.clone()], &fitted.variances[at]);
                ln + fitted.constants[k] - fitted.log_priors[k] - 0.5 * distance
            }
        };
        x.chunks_exact(d).map(|row| (0..counts.len()).map(|k| score(row, k)).collect()).collect()
    }
}
