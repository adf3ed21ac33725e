//! `pca:K`: the projection of every row to the K directions in which the training rows vary most, as scikit-learn's `PCA` with
//! `svd_solver="covariance_eigh"`: components of the covariance matrix by falling variance, each with the sign that makes its
//! largest value positive.

use std::sync::Arc;

use headsmith_kernels::Pool;
use nalgebra::{DMatrix, SymmetricEigen};

use super::standardise::means;
use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::{Error, Result};
use crate::tensors::{Tensors, Values};

/// Principal component analysis.
#[derive(Debug)]
pub(super) struct Pca;

/// The most features: their covariance matrix takes the square of it, and its components the cube.
const MAX_FEATURES: usize = 4096;

/// Mean and directions.
#[derive(Debug)]
struct Components {
    mean: Vec<f64>,
    /// `n_components x n_features`.
    components: Vec<f64>,
}

fn n_components(argument: Option<&str>) -> Option<usize> {
    argument?.parse().ok().filter(|k| *k >= 1)
}

impl TransformKind for Pca {
    fn name(&self) -> &'static str {
        "pca"
    }

    fn syntax(&self) -> &'static str {
        "pca:K"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        n_components(argument).map(|k| Some(k.to_string()))
    }

    fn fit(
        &self,
        argument: Option<&str>,
        rows: &TrainingRows<'_>,
        pool: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        let (n, n_features) = (rows.n_samples(), rows.n_features());
        let k = n_components(argument).unwrap_or(0);
        if k == 0 || k > n_features.min(n) || n_features > MAX_FEATURES {
            return Err(Error::parameter(format!(
                "pca:{k} of {n} rows of {n_features} features: expected a count of 1 to the smaller of both, and at most \
                 {MAX_FEATURES} features"
            )));
        }
        let mean = means(rows, "it has no principal components", pool)?;
        let covariance = covariance(rows, &mean, pool);
        let components = components(covariance, n_features, k);
        Ok(Arc::new(Components { mean, components }))
    }

    fn restore(&self, argument: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        let k = n_components(argument).unwrap_or(0);
        let n_features = tensors.shape("mean")?.iter().product();
        let mean = tensors.take_f64("mean", &[n_features])?;
        let components = tensors.take_f64("components", &[k, n_features])?;
        Ok(Arc::new(Components { mean, components }))
    }
}

/// The sums of products of centred features, `n_features x n_features`; the upper triangle alone.
fn covariance(rows: &TrainingRows<'_>, mean: &[f64], pool: &Pool) -> Vec<f64> {
    let n_features = rows.n_features();
    rows.sums(
        n_features * n_features,
        |sums, rows| {
            for row in rows.chunks_exact(n_features.max(1)) {
                let centred: Vec<f64> = row.iter().zip(mean).map(|(&v, m)| f64::from(v) - m).collect();
                for (i, &a) in centred.iter().enumerate() {
                    let to = &mut sums[i * n_features + i..(i + 1) * n_features];
                    to.iter_mut().zip(&centred[i..]).for_each(|(sum, b)| *sum += a * b);
                }
            }
        },
        pool,
    )
}

/// The first `k` directions by falling variance, row after row.
fn components(covariance: Vec<f64>, n_features: usize, k: usize) -> Vec<f64> {
    let upper = DMatrix::from_vec(n_features, n_features, covariance);
    // The values of the upper triangle are below the diagonal of a matrix that is stored column by column.
    let symmetric =
        DMatrix::from_fn(n_features, n_features, |i, j| if i >= j { upper[(i, j)] } else { upper[(j, i)] });
    let eigen = SymmetricEigen::new(symmetric);
    let mut order: Vec<usize> = (0..n_features).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]).then(a.cmp(&b)));
    let mut components = Vec::with_capacity(k * n_features);
    for &column in &order[..k] {
        let direction = eigen.eigenvectors.column(column);
        let largest = direction.iter().fold(0.0f64, |best, v| if v.abs() > best.abs() { *v } else { best });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        components.extend(direction.iter().map(|v| sign * v));
    }
    components
}

impl FittedTransform for Components {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.mean.len())
    }

    fn n_outputs(&self) -> Option<usize> {
        Some(self.components.len() / self.mean.len().max(1))
    }

    fn project(&self, rows: &[f32], n_features: usize, to: &mut [f32]) {
        assert_eq!(n_features, self.mean.len(), "columns of rows to project");
        let k = self.components.len() / n_features.max(1);
        for (row, to) in rows.chunks_exact(n_features).zip(to.chunks_exact_mut(k)) {
            let centred: Vec<f64> = row.iter().zip(&self.mean).map(|(&v, m)| f64::from(v) - m).collect();
            for (to, component) in to.iter_mut().zip(self.components.chunks_exact(n_features)) {
                *to = component.iter().zip(&centred).map(|(a, b)| a * b).sum::<f64>() as f32;
            }
        }
    }

    fn tensors(&self) -> Tensors {
        let n_features = self.mean.len();
        let k = self.components.len() / n_features.max(1);
        let mut tensors = Tensors::new();
        tensors.insert("mean", &[n_features], Values::F64(self.mean.clone()));
        tensors.insert("components", &[k, n_features], Values::F64(self.components.clone()));
        tensors
    }
}
