//! The inverse Hessian that a descent begins with: that of a [point](super::hessian), or that of Böhning's bound, in which every class has the
//! curvature h of the loss.
//!
//! On the principal axes of the rows the Hessian of the bound is diagonal, `h variance_j + ridge`, and the squared penalty is the same as on
//! the features, since the axes are orthonormal. So a gradient is projected on the axes, divided, and projected back: a table of rows is never
//! rotated. Without axes (too many, or with an L1 term, which they would change) the features' own variances serve.
//!
//! The intercepts belong to centred features: with m the means, the intercepts of the features as they are are `b - W m`.

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{Buffer, Matrix, Pool};

use super::hessian::Inverse;
use super::targets::Targets;
use crate::affine::transposed;
use crate::error::Result;
use crate::linalg::{Principal, Weighted, means, squares};
use crate::optim::descent::Penalty;
use crate::samples::Samples;

/// The curvature of the logistic loss: at most a quarter; that of the softmax may be half, and seldom is.
const CURVATURE: f64 = 0.25;
/// Axes along which rows vary by less than this share of the largest variance are left out.
const SMALLEST: f64 = 1e-6;
/// The most axes, and values of them.
const MOST_AXES: usize = 3000;
const MOST_VALUES: usize = 1 << 23;
/// Evaluations of a path, whose work an eigendecomposition must not exceed.
const EVALUATIONS: f64 = 300.0;
/// Rows that are read together.
const BLOCK: usize = 1024;

/// The metric.
pub(super) struct Metric {
    mean: Vec<f64>,
    kind: Kind,
}

/// Where the curvature comes from.
enum Kind {
    /// The variances of the features.
    Features(Vec<f64>),
    /// Böhning's bound.
    Bound(Axes),
    /// A Hessian with the ridge of one strength.
    Hessian(Inverse),
}

/// Principal axes in panels.
struct Axes {
    /// Along the axes.
    variances: Vec<f64>,
    /// Of directions that are no axis.
    rest: f64,
    n_features: usize,
    /// `n_axes x n_features`.
    back: Buffer,
    /// `n_features x n_axes`.
    along: Buffer,
}

/// A vector that the metric is applied to.
pub(super) struct Task<'v> {
    /// Coefficients, `n_scores x n_features`, and one intercept for each, or none.
    pub(super) vector: &'v mut [f64],
    /// The weights that may move; `None`: all.
    pub(super) free: Option<Vec<bool>>,
    pub(super) penalty: Penalty,
}

/// Whether principal axes of such rows cost less than they save with `n_outputs` scores a row.
pub(super) fn has_axes(n_samples: usize, n_features: usize, n_outputs: usize) -> bool {
    let n_axes = n_samples.min(n_features);
    let [n, f, k, axes] = [n_samples, n_features, n_outputs, n_axes].map(|n| n as f64);
    let work = 2.0 * axes * axes * n.max(f) + 12.0 * axes.powi(3);
    n_axes <= MOST_AXES
        && n_axes.saturating_mul(n_features) <= MOST_VALUES
        && work <= 4.0 * EVALUATIONS * n * f * k
}

/// The bytes of a metric, and of what it is computed with.
pub(super) fn n_bytes(n_samples: u64, n_features: u64, n_outputs: u64, lasso: bool) -> u64 {
    let features = n_features.saturating_mul(8 * 6 + 8 * BLOCK.min(n_samples as usize) as u64);
    if lasso || !has_axes(n_samples as usize, n_features as usize, n_outputs as usize) {
        return features;
    }
    let n_axes = n_samples.min(n_features);
    // The matrix, its tiles, eigenvectors twice and workspaces; axes, and two packed copies.
    let matrix = n_axes.saturating_add(128).saturating_pow(2).saturating_mul(8 * 8);
    let axes = n_axes.saturating_mul(n_features + 64).saturating_mul(8 + 3 * 4);
    let blocks = n_axes.saturating_mul(1024).saturating_mul(3 * 8);
    let stacked = n_outputs.saturating_mul(n_features + n_axes).saturating_mul(4 * 4);
    [matrix, axes, blocks, stacked].into_iter().fold(features, u64::saturating_add)
}

impl Metric {
    /// The metric of the rows; `axes`: on principal axes.
    pub(super) fn new(samples: Samples<'_>, targets: &Targets, axes: bool, pool: &Pool) -> Result<Metric> {
        let rows = Weighted { samples, weight: |i| targets.of(samples, i).weight };
        if axes {
            let principal = Principal::of(&rows, SMALLEST, pool)?;
            if principal.squares.is_empty() {
                return Metric::new(samples, targets, false, pool);
            }
            let variances: Vec<f64> = principal.squares.iter().map(|s| s / principal.weight).collect();
            let axes = Axes::new(&principal.axes, variances, samples.n_features());
            return Ok(Metric { mean: principal.mean, kind: Kind::Bound(axes) });
        }
        let (mean, weight) = means(&rows, pool);
        let variances = squares(&rows, &mean, pool).into_iter().map(|square| square / weight).collect();
        Ok(Metric { mean, kind: Kind::Features(variances) })
    }

    /// The metric of a Hessian of features with these means.
    pub(super) fn of_hessian(mean: Vec<f64>, inverse: Inverse) -> Metric {
        Metric { mean, kind: Kind::Hessian(inverse) }
    }

    /// Whether it knows the curvature in every direction, and not along the features alone.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self.kind, Kind::Features(_))
    }

    /// Applies the inverse Hessian to each vector.
    pub(super) fn apply(&self, tasks: &mut [Task<'_>], n_scores: usize, pool: &Pool) {
        let n_features = self.mean.len();
        for task in tasks.iter_mut() {
            let (coef, intercept) = task.vector.split_at_mut(n_scores * n_features);
            for (row, b) in coef.chunks_exact_mut(n_features).zip(&*intercept) {
                row.iter_mut().zip(&self.mean).for_each(|(g, m)| *g -= b * m);
            }
        }
        match &self.kind {
            Kind::Features(variances) => divide(variances, tasks, n_scores),
            Kind::Bound(axes) => axes.divide(tasks, n_scores, pool),
            Kind::Hessian(inverse) => tasks.iter_mut().for_each(|task| inverse.apply(task.vector, pool)),
        }
        let of_intercept = if matches!(self.kind, Kind::Hessian(_)) { 1.0 } else { CURVATURE };
        for task in tasks {
            let (coef, intercept) = task.vector.split_at_mut(n_scores * n_features);
            if let Some(free) = &task.free {
                coef.iter_mut().zip(free).filter(|(_, free)| !**free).for_each(|(d, _)| *d = 0.0);
            }
            for (row, b) in coef.chunks_exact(n_features).zip(intercept) {
                let moved: f64 = row.iter().zip(&self.mean).map(|(d, m)| d * m).sum();
                *b = *b / of_intercept - moved;
            }
        }
    }
}

/// Divides by the curvature of the features.
fn divide(variances: &[f64], tasks: &mut [Task<'_>], n_scores: usize) {
    let n_features = variances.len();
    // A feature that does not vary has no curvature of its own; without a ridge it must not be divided by 0.
    let largest = match variances.iter().copied().fold(0.0, f64::max) {
        0.0 => 1.0,
        largest => largest,
    };
    for task in tasks {
        let ridge = task.penalty.ridge;
        for row in task.vector[..n_scores * n_features].chunks_exact_mut(n_features) {
            for (g, v) in row.iter_mut().zip(variances) {
                *g /= CURVATURE * v.max(SMALLEST * largest) + ridge;
            }
        }
    }
}

impl Axes {
    fn new(axes: &[f64], variances: Vec<f64>, n_features: usize) -> Axes {
        let rows = Matrix::new(axes.iter().map(|v| *v as f32).collect(), variances.len(), n_features);
        let rest = variances.iter().sum::<f64>() / n_features as f64;
        let (back, along) = (packed(rows.view()), packed(transposed(rows.view()).view()));
        Axes { variances, rest, n_features, back, along }
    }

    /// Divides by the curvature along the axes.
    fn divide(&self, tasks: &mut [Task<'_>], n_scores: usize, pool: &Pool) {
        let (n_features, n_axes) = (self.n_features, self.variances.len());
        let coefs = tasks.iter().flat_map(|task| &task.vector[..n_scores * n_features]);
        let stacked = Matrix::new(coefs.map(|g| *g as f32).collect(), tasks.len() * n_scores, n_features);
        let mut along = Matrix::zeros(stacked.n_rows(), n_axes);
        let panels = Panels::new(&self.along, n_features, n_axes);
        matmul(along.view_mut(), &mut [], stacked.view(), panels, pool, |_| ());
        for (i, task) in tasks.iter().enumerate() {
            let inverse = |v: f64| 1.0 / (CURVATURE * v + task.penalty.ridge);
            let rest = inverse(self.rest);
            for k in 0..n_scores {
                let row = along.row_mut(i * n_scores + k).iter_mut();
                row.zip(&self.variances)
                    .for_each(|(g, v)| *g = (f64::from(*g) * (inverse(*v) - rest)) as f32);
            }
        }
        let mut back = Matrix::zeros(stacked.n_rows(), n_features);
        let panels = Panels::new(&self.back, n_axes, n_features);
        matmul(back.view_mut(), &mut [], along.view(), panels, pool, |_| ());
        for (task, back) in tasks.iter_mut().zip(back.as_slice().chunks_exact(n_scores * n_features)) {
            let rest = 1.0 / (CURVATURE * self.rest + task.penalty.ridge);
            task.vector.iter_mut().zip(back).for_each(|(g, b)| *g = *g * rest + f64::from(*b));
        }
    }
}
