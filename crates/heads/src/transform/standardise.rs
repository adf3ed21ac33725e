//! `standardise`: every feature with mean 0 and standard deviation 1 over the training rows, as scikit-learn's
//! `StandardScaler`.
//!
//! With mean m and variance v of a feature over the n training rows (divided by n), in f64: x' = (x - m) / s, where
//! s = sqrt(v), but 1 for a feature that is constant up to rounding: v <= n eps v + (n m eps)^2 (scikit-learn's
//! `_is_constant_feature`, from the error bound of Chan, Golub and LeVeque, "Algorithms for computing the sample variance",
//! 1983).

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::{Error, Result};
use crate::tensors::{Tensors, Values};

/// Standardisation.
#[derive(Debug)]
pub(super) struct Standardise;

/// Mean and scale of every feature.
#[derive(Debug, Clone, PartialEq)]
struct Moments {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl TransformKind for Standardise {
    fn name(&self) -> &'static str {
        "standardise"
    }

    fn fit(&self, _: Option<&str>, rows: &TrainingRows<'_>, pool: &Pool) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(Moments::fit(rows, pool)?))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        let n_features = tensors.shape("mean")?.iter().product();
        let mean = tensors.take_f64("mean", &[n_features])?;
        let scale = tensors.take_f64("scale", &[n_features])?;
        if let Some(i) = scale.iter().position(|&s| s <= 0.0) {
            return Err(Error::stored(format!(
                "element {i} of tensor `scale` is {:?}, expected a number above zero",
                scale[i]
            )));
        }
        Ok(Arc::new(Moments { mean, scale }))
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
        Some(column) => Err(Error::samples(format!(
            "feature {column} of the training rows has values that are not finite: {why}"
        ))),
    }
}

impl Moments {
    fn fit(rows: &TrainingRows<'_>, pool: &Pool) -> Result<Moments> {
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
        Ok(Moments { scale: scale.collect(), mean })
    }
}

impl FittedTransform for Moments {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.mean.len())
    }

    fn scale(&self, rows: &mut [f32], n_features: usize) {
        assert_eq!(n_features, self.mean.len(), "columns of rows to scale");
        for row in rows.chunks_exact_mut(n_features) {
            for ((v, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *v = ((f64::from(*v) - mean) / scale) as f32;
            }
        }
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        tensors.insert("mean", &[self.mean.len()], Values::F64(self.mean.clone()));
        tensors.insert("scale", &[self.scale.len()], Values::F64(self.scale.clone()));
        tensors
    }
}

/// Whether a feature varies by no more than rounding makes of a constant.
fn is_constant(variance: f64, mean: f64, n: f64) -> bool {
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
        let moments = Moments::fit(&TrainingRows::new(x.view(), &[]), &Pool::inline()).unwrap();
        assert_eq!(moments.scale, [1.0; 3]);
    }
}
