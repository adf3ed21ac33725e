//! The path of strengths, and the leave-one-out outputs of all of them.

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::folds;
use crate::error::Result;
use crate::linalg::{Principal, Projection, Weighted};
use crate::one_hot::OneHot;
use crate::samples::Samples;

/// Strengths of a path, and the smallest as a share of the largest sum of squares along an axis.
const N_ALPHAS: usize = 20;
const SMALLEST: f64 = 1e-6;
/// Axes along which rows vary by less than this share of the largest variance are rounding errors.
const NO_VARIANCE: f64 = 1e-12;
/// Rows whose outputs are computed together.
const BLOCK: usize = 512;

/// The sums that all strengths share.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) principal: Principal,
    /// The weighted means of the targets.
    pub(super) target_means: Vec<f64>,
    /// `Z' W Y`, axis after axis.
    pub(super) products: Vec<f64>,
    pub(super) alphas: Vec<f64>,
}

/// The mean squared error of each strength, and the outputs of the best for rows that are left out.
#[derive(Debug, Clone)]
pub(super) struct LeftOut {
    /// The mean squared errors of all strengths.
    pub(super) errors: Vec<f64>,
    /// The position of the best one.
    pub(super) best: usize,
    /// Its outputs, `n_samples x n_targets`.
    pub(super) outputs: Vec<f64>,
    /// The units of more than one row that were left out as a whole.
    pub(super) units: Vec<Vec<usize>>,
}

impl Path {
    /// The path of `alpha`, or of all strengths that are compared.
    ///
    /// # Errors
    /// When features are too large.
    pub(super) fn new(
        samples: Samples<'_>,
        targets: &OneHot,
        alpha: Option<f64>,
        pool: &Pool,
    ) -> Result<Path> {
        let weighted = Weighted { samples, weight: |i| targets.weights[i] };
        let principal = Principal::of(&weighted, NO_VARIANCE, pool)?;
        let k = targets.width();
        let mut target_means = vec![0.0; k];
        for (row, w) in targets.values.chunks_exact(k).zip(&targets.weights) {
            target_means.iter_mut().zip(row).for_each(|(to, y)| *to += w * y / principal.weight);
        }
        let by_feature = feature_products(samples, targets, &principal.mean, pool);
        let n_cols = principal.mean.len();
        let along = |axis: usize| {
            let axis = &principal.axes[axis * n_cols..(axis + 1) * n_cols];
            let mut sums = vec![0.0; k];
            for (v, row) in axis.iter().zip(by_feature.chunks_exact(k)) {
                sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += v * p);
            }
            sums
        };
        let products = pool.map(principal.squares.len(), along).concat();
        let largest = principal.squares.first().copied().unwrap_or(1.0);
        let step = |i: usize| largest * SMALLEST.powf(i as f64 / (N_ALPHAS - 1) as f64);
        let alphas = alpha.map_or_else(|| (0..N_ALPHAS).map(step).collect(), |alpha| vec![alpha]);
        Ok(Path { principal, target_means, products, alphas })
    }

    /// The coefficients along the axes, axis after axis, for the strength `alpha`.
    pub(super) fn along_axes(&self, alpha: f64) -> Vec<f64> {
        let k = self.target_means.len();
        let axes = self.products.chunks_exact(k).zip(&self.principal.squares);
        axes.flat_map(|(row, square)| row.iter().map(move |p| p / (square + alpha))).collect()
    }

    /// The coefficients, `n_targets x n_features`, and intercepts for the strength `alpha`.
    pub(super) fn coefficients(&self, alpha: f64) -> (Matrix, Vec<f32>) {
        let (k, n_cols) = (self.target_means.len(), self.principal.mean.len());
        let mut coef = vec![0.0; k * n_cols];
        let along = self.along_axes(alpha);
        for (row, axis) in along.chunks_exact(k).zip(self.principal.axes.chunks_exact(n_cols.max(1))) {
            for (c, coef) in row.iter().zip(coef.chunks_exact_mut(n_cols)) {
                coef.iter_mut().zip(axis).for_each(|(to, v)| *to += c * v);
            }
        }
        let intercepts = coef.chunks_exact(n_cols).zip(&self.target_means).map(|(coef, mean)| {
            (mean - coef.iter().zip(&self.principal.mean).map(|(c, m)| c * m).sum::<f64>()) as f32
        });
        let intercepts = intercepts.collect();
        (Matrix::new(coef.iter().map(|v| *v as f32).collect(), k, n_cols), intercepts)
    }

    /// Compares the strengths by rows that are left out, those of one unit together.
    pub(super) fn leave_out(&self, samples: Samples<'_>, targets: &OneHot, pool: &Pool) -> LeftOut {
        let sets = samples.larger_units();
        let of_sets = folds::squared_errors(self, samples, targets, &sets, pool);
        let mut is_single = vec![true; samples.n_samples()];
        // Where a unit leaves no rows, each row is left out by itself.
        let sets = if of_sets.is_some() { sets } else { Vec::new() };
        sets.iter().flatten().for_each(|&i| is_single[i] = false);
        let axes = Axes::new(self, &self.alphas);
        let of_rows = axes.for_blocks(samples, targets, (&is_single, pool), |out| out.errors.clone());
        let mut errors = vec![0.0; self.alphas.len()];
        for of_part in of_rows.into_iter().chain(of_sets) {
            errors.iter_mut().zip(of_part).for_each(|(to, v)| *to += v / self.principal.weight);
        }
        let best = (0..errors.len()).min_by(|&a, &b| errors[a].total_cmp(&errors[b])).unwrap_or(0);
        let alpha = self.alphas[best];
        let only = Axes::new(self, &[alpha]);
        let of_rows = only.for_blocks(samples, targets, (&is_single, pool), |out| out.outputs.clone());
        let mut outputs = of_rows.concat();
        folds::replace_sets(self, alpha, samples, targets, (&sets, &mut outputs), pool);
        LeftOut { errors, best, outputs, units: sets }
    }
}

/// `X' W Y` of centred features, feature after feature.
fn feature_products(samples: Samples<'_>, targets: &OneHot, mean: &[f64], pool: &Pool) -> Vec<f64> {
    let (n_cols, k) = (samples.n_features(), targets.width());
    let (mut sums, mut buffer) = (vec![0.0; n_cols * k], Vec::new());
    for start in (0..samples.n_samples()).step_by(BLOCK) {
        let rows = samples.rows(start, samples.n_samples().min(start + BLOCK), &mut buffer, pool);
        // By features: each sum is over the rows in their order.
        pool.for_each_chunk(&mut sums, (64 * k).max(1), |piece, sums| {
            for i in 0..rows.n_rows() {
                let (row, weight) = (&rows.row(i)[piece * 64..], targets.weights[start + i]);
                let y = &targets.values[(start + i) * k..(start + i + 1) * k];
                for ((sums, v), m) in sums.chunks_exact_mut(k).zip(row).zip(&mean[piece * 64..]) {
                    let v = weight * (f64::from(*v) - m);
                    sums.iter_mut().zip(y).for_each(|(sum, y)| *sum += v * y);
                }
            }
        });
    }
    sums
}

/// The axes and the coefficients of some strengths, as products take them.
struct Axes<'p> {
    path: &'p Path,
    projection: Projection,
    /// The coefficients of all strengths, `n_axes x (n_alphas n_targets)`.
    coef: Buffer,
    /// `1 / (s + alpha)`, `n_axes x n_alphas`.
    shares: Buffer,
    n_alphas: usize,
}

/// The results of a block of rows.
struct OfBlock {
    /// The sums of the squared errors of the strengths.
    errors: Vec<f64>,
    /// The leave-one-out outputs of the last strength.
    outputs: Vec<f64>,
}

fn panels(n_rows: usize, n_cols: usize, value: impl Fn(usize, usize) -> f64) -> Buffer {
    let values = (0..n_rows * n_cols).map(|at| value(at / n_cols, at % n_cols) as f32).collect();
    packed(Matrix::new(values, n_rows, n_cols).view())
}

impl<'p> Axes<'p> {
    fn new(path: &'p Path, alphas: &[f64]) -> Axes<'p> {
        let principal = &path.principal;
        let (n_axes, k) = (principal.squares.len(), path.target_means.len());
        let along: Vec<Vec<f64>> = alphas.iter().map(|alpha| path.along_axes(*alpha)).collect();
        Axes {
            path,
            projection: Projection::of(principal),
            coef: panels(n_axes, alphas.len() * k, |axis, at| along[at / k][axis * k + at % k]),
            shares: panels(n_axes, alphas.len(), |axis, at| 1.0 / (principal.squares[axis] + alphas[at])),
            n_alphas: alphas.len(),
        }
    }

    /// The results of `pick` for all blocks of rows; only the errors of those that are left out by themselves are added up.
    fn for_blocks(
        &self,
        samples: Samples<'_>,
        targets: &OneHot,
        (is_single, pool): (&[bool], &Pool),
        pick: impl Fn(&OfBlock) -> Vec<f64> + Sync,
    ) -> Vec<Vec<f64>> {
        pool.map(samples.n_samples().div_ceil(BLOCK), |block| {
            let (inline, mut buffer) = (Pool::inline(), Vec::new());
            let start = block * BLOCK;
            let end = samples.n_samples().min(start + BLOCK);
            let rows = samples.rows(start, end, &mut buffer, &inline);
            pick(&self.block(rows, start, targets, is_single))
        })
    }

    fn block(&self, rows: MatRef<'_>, start: usize, targets: &OneHot, is_single: &[bool]) -> OfBlock {
        let (n, k, principal) = (rows.n_rows(), targets.width(), &self.path.principal);
        let (n_alphas, inline) = (self.n_alphas, Pool::inline());
        let product = |a: MatRef<'_>, panels: &Buffer, n_cols: usize| {
            let mut c = Matrix::zeros(n, n_cols);
            if a.n_cols() == 0 {
                return c;
            }
            let b = Panels::new(panels, a.n_cols(), n_cols);
            matmul(c.view_mut(), &mut [], a, b, &inline, |_| ());
            c
        };
        let mut along = self.projection.apply(rows, &inline);
        let fitted = product(along.view(), &self.coef, n_alphas * k);
        along.as_mut_slice().iter_mut().for_each(|v| *v *= *v);
        let leverage = product(along.view(), &self.shares, n_alphas);
        let mut of_block = OfBlock { errors: vec![0.0; n_alphas], outputs: vec![0.0; n * k] };
        for i in 0..n {
            let (weight, y) = (targets.weights[start + i], &targets.values[(start + i) * k..]);
            for (a, share) in leverage.row(i).iter().enumerate() {
                let left = 1.0 - weight * (1.0 / principal.weight + f64::from(*share));
                // A row that alone decides its output leaves no fit without it; its error is large, not infinite.
                let left = left.max(1e-9);
                for (c, mean) in self.path.target_means.iter().enumerate() {
                    let residual = (y[c] - mean - f64::from(fitted.row(i)[a * k + c])) / left;
                    if is_single[start + i] {
                        of_block.errors[a] += weight * residual * residual;
                    }
                    of_block.outputs[i * k + c] = y[c] - residual;
                }
            }
        }
        of_block
    }
}
