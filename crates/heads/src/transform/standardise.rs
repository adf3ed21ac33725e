//! `standardise`: every feature with mean 0 and standard deviation 1 over the training rows, as scikit-learn's
//! `StandardScaler`.
//!
//! With mean m and variance v of a feature over the n training rows (divided by n), in f64: x' = (x - m) / s, where
//! s = sqrt(v), but 1 for a feature that is constant up to rounding: v <= n eps v + (n m eps)^2 (scikit-learn's
//! `_is_constant_feature`, from the error bound of Chan, Golub and LeVeque, "Algorithms for computing the sample variance",
//! 1983).

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::rows::not_finite;
use super::scaler::Scaler;
use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::Result;
use crate::tensors::Tensors;

/// Standardisation.
#[derive(Debug)]
pub(super) struct Standardise;

impl TransformKind for Standardise {
    fn name(&self) -> &'static str {
        "standardise"
    }

    fn help(&self) -> &'static str {
        "Gives every feature mean 0 and standard deviation 1"
    }

    fn fit(&self, _: Option<&str>, rows: &TrainingRows<'_>, pool: &Pool) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(fit(rows, pool)?))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(Scaler::restore("mean", tensors)?))
    }
}

/// The means of the features.
///
/// # Errors
/// When one is not finite: a value of the feature is not.
pub(super) fn means(rows: &TrainingRows<'_>, why: &str, pool: &Pool) -> Result<Vec<f64>> {
    let (n, n_features) = (rows.n_samples() as f64, rows.n_features());
    let mut mean = rows.sums(
        n_features,
        |sums, rows| {
            for row in rows.chunks_exact(n_features.max(1)) {
                sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
            }
        },
        pool,
    );
    mean.iter_mut().for_each(|m| *m /= n);
    match mean.iter().position(|m| !m.is_finite()) {
        None => Ok(mean),
        Some(column) => Err(not_finite(column, why)),
    }
}

fn fit(rows: &TrainingRows<'_>, pool: &Pool) -> Result<Scaler> {
    let (n, n_features) = (rows.n_samples() as f64, rows.n_features());
    let mean = means(rows, "it cannot be standardised", pool)?;
    // The sum of differences would be zero but for the rounding of the mean, which it corrects.
    let sums = rows.sums(
        2 * n_features,
        |sums, rows| {
            let (squares, rests) = sums.split_at_mut(n_features);
            for row in rows.chunks_exact(n_features.max(1)) {
                for (((square, rest), &v), mean) in
                    squares.iter_mut().zip(rests.iter_mut()).zip(row).zip(&mean)
                {
                    let difference = f64::from(v) - mean;
                    *square += difference * difference;
                    *rest += difference;
                }
            }
        },
        pool,
    );
    let (squares, rests) = sums.split_at(n_features);
    let scale = squares.iter().zip(rests).zip(&mean).map(|((square, rest), mean)| {
        let variance = (square - rest * rest / n) / n;
        if is_constant(variance, *mean, n) { 1.0 } else { variance.sqrt() }
    });
    Ok(Scaler { name: "mean", scale: scale.collect(), centre: mean })
}

/// Whether a feature varies by no more than rounding makes of a constant.
pub(super) fn is_constant(variance: f64, mean: f64, n: f64) -> bool {
    variance <= n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2)
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Matrix;

    use super::*;

    #[test]
    fn a_constant_feature_has_scale_one() {
        let row = [0.1f32, -1e6, 3.7];
        let x = Matrix::new(row.repeat(1000), 1000, 3);
        let scaler = fit(&TrainingRows::new(x.view(), &[]), &Pool::inline()).unwrap();
        assert_eq!(scaler.scale, [1.0; 3]);
    }
}
