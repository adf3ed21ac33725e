//! The rows of each class, their means and variances, and the priors of the classes.

use headsmith_kernels::softmax::softmax_f64;
use headsmith_kernels::{MatRef, Pool};

use super::params::{CLASS_WEIGHT, Options};
use crate::class_weight::class_weights;
use crate::error::Result;
use crate::linalg::{RowBlocks, means, squares};
use crate::params::Params;
use crate::samples::Samples;

/// Rows that one thread copies at a time.
const PIECE: usize = 64;
/// Values of a block of rows, and the most rows of one.
const BLOCK_VALUES: usize = 1 << 20;
const BLOCK: usize = 1024;

/// The rows of a class that weigh anything.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    pub(super) samples: Samples<'a>,
    pub(super) rows: Vec<usize>,
    /// The sum of their weights.
    pub(super) total: f64,
}

impl RowBlocks for Group<'_> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn n_cols(&self) -> usize {
        self.samples.n_features()
    }

    fn block<'b>(&'b self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b> {
        let n_features = self.n_cols();
        buffer.resize((end - start) * n_features, 0.0);
        pool.for_each_chunk(buffer, PIECE * n_features, |piece, chunk| {
            self.samples.copy_rows(self.rows[start + piece * PIECE..end].iter().copied(), chunk);
        });
        MatRef::new(buffer, end - start, n_features)
    }

    fn weight(&self, i: usize) -> f64 {
        self.samples.weight(self.rows[i])
    }
}

/// The rows of a block of `n_cols` values each.
pub(super) fn rows_a_block(n_cols: usize) -> usize {
    (BLOCK_VALUES / n_cols.max(1)).clamp(1, BLOCK)
}

impl<'a> Group<'a> {
    pub(super) fn new(samples: Samples<'a>, rows: Vec<usize>) -> Group<'a> {
        let total = rows.iter().map(|&i| samples.weight(i)).sum();
        Group { samples, rows, total }
    }

    /// Calls `visit(first, rows)` for blocks of rows.
    pub(super) fn each_block(&self, pool: &Pool, mut visit: impl FnMut(usize, MatRef<'_>)) {
        let (mut buffer, len) = (Vec::new(), rows_a_block(self.n_cols()));
        for start in (0..self.rows.len()).step_by(len) {
            visit(start, self.block(start, self.rows.len().min(start + len), &mut buffer, pool));
        }
    }

    /// The mean of each feature; zeros without rows.
    pub(super) fn mean(&self, pool: &Pool) -> Vec<f64> {
        if self.rows.is_empty() { vec![0.0; self.n_cols()] } else { means(self, pool).0 }
    }

    /// The weighted sum of squares of each feature around `mean`.
    pub(super) fn squares(&self, mean: &[f64], pool: &Pool) -> Vec<f64> {
        squares(self, mean, pool)
    }
}

/// The rows of every class.
pub(super) fn groups(samples: Samples<'_>) -> Vec<Group<'_>> {
    let mut rows = vec![Vec::new(); samples.n_classes()];
    for (i, &class) in samples.y().iter().enumerate().filter(|(i, _)| samples.weight(*i) > 0.0) {
        rows[class as usize].push(i);
    }
    rows.into_iter().map(|rows| Group::new(samples, rows)).collect()
}

/// The priors, as a function of the rows of each class.
#[derive(Debug, Clone)]
pub(super) struct Priors {
    class_weights: Vec<f64>,
    uniform: bool,
}

impl Priors {
    pub(super) fn new(options: Options, params: &Params, samples: Samples<'_>) -> Result<Priors> {
        let weights = class_weights(params.word(CLASS_WEIGHT)?, samples)?;
        let class_weights = weights.unwrap_or_else(|| vec![1.0; samples.n_classes()]);
        Ok(Priors {
            class_weights: class_weights.into_iter().map(f64::from).collect(),
            uniform: options.uniform_priors,
        })
    }

    /// The priors of classes with so many rows: 0 for a class without.
    pub(super) fn of(&self, counts: &[f64]) -> Vec<f64> {
        let parts = counts.iter().zip(&self.class_weights).map(|(&n, w)| match self.uniform {
            true => w * f64::from(n > 0.0),
            false => w * n.max(0.0),
        });
        let parts: Vec<f64> = parts.collect();
        let sum: f64 = parts.iter().sum();
        // Classes of no weight may be all that is left without a fold.
        let equal = 1.0 / parts.len().max(1) as f64;
        parts.into_iter().map(|part| if sum > 0.0 { part / sum } else { equal }).collect()
    }
}

/// The score of a class that is never predicted.
pub(super) const NEVER: f64 = -1e30;

/// The logarithms of priors.
pub(super) fn logarithms(priors: &[f64]) -> Vec<f64> {
    priors.iter().map(|p| if *p > 0.0 { p.ln() } else { NEVER }).collect()
}

/// The softmax of scores.
pub(super) fn softmax(scores: &[f64], proba: &mut [f32]) {
    let mut p = scores.to_vec();
    softmax_f64(&mut p);
    proba.iter_mut().zip(p).for_each(|(to, p)| *to = p as f32);
}
