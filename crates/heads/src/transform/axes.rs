//! The principal axes of the training rows: what `pca`, `whiten` and `spectrum` turn rows to.
//!
//! Rows around their mean m have the covariance S = sum (x - m)(x - m)' / n. Its eigenvectors are the axes, its eigenvalues the variances
//! along them. Where there are more features than rows, the same axes come from the products of the rows with one another, an
//! `n_samples x n_samples` matrix: the other one may not fit into memory.

use headsmith_kernels::Pool;

use super::TrainingRows;
use super::standardise::means;
use crate::error::{Error, Result};
use crate::linalg::Principal;

/// The largest matrix whose eigenvectors are computed: that takes some ten times its cube of operations.
pub(super) const MAX_SIDE: usize = 8192;
/// Axes with a smaller share of the largest variance are rounding errors.
const NOISE: f64 = 1e-13;
/// Axes with a smaller share of the largest variance are dropped by transforms that scale them: training rows hardly vary along them, and
/// scaling would blow up what only new rows have there.
pub(super) const SMALLEST: f64 = 1e-6;

/// The axes along which the training rows vary, the largest variance first.
///
/// # Errors
/// When there are too many rows and features, or values are not finite.
pub(super) fn principal(what: &str, rows: &TrainingRows<'_>, pool: &Pool) -> Result<Principal> {
    let (n, n_features) = (rows.n_samples(), rows.n_features());
    if n.min(n_features) > MAX_SIDE {
        return Err(Error::parameter(format!(
            "{what} of {n} rows of {n_features} features: expected at most {MAX_SIDE} of one or the other"
        )));
    }
    Principal::of(rows, NOISE, pool).or_else(|error| {
        means(rows, "it has no principal components", pool)?;
        Err(error)
    })
}

/// The mean and the first axes, scaled by `factors`; the others are dropped. Where there are no factors, because all training rows are the
/// same, one axis of zeros is left: a head then sees rows that are the same, as of features that are constant.
///
/// # Errors
/// When there are no features.
pub(super) fn scaled(what: &str, principal: Principal, factors: &[f64]) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mean, mut axes) = (principal.mean, principal.axes);
    if mean.is_empty() {
        return Err(Error::samples(format!("{what} needs features; the training rows have none")));
    }
    axes.truncate(factors.len() * mean.len());
    for (axis, factor) in axes.chunks_exact_mut(mean.len()).zip(factors) {
        axis.iter_mut().for_each(|v| *v *= factor);
    }
    axes.resize(factors.len().max(1) * mean.len(), 0.0);
    Ok((mean, axes))
}

/// The variances of the axes that have at least [`SMALLEST`] of the first one.
pub(super) fn large_variances(principal: &Principal) -> Vec<f64> {
    let bound = SMALLEST * principal.squares.first().copied().unwrap_or(0.0);
    let large = principal.squares.iter().take_while(|square| **square >= bound);
    large.map(|square| square / principal.weight).collect()
}
