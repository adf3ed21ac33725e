//! The fitted form of `pca`, `whiten` and `spectrum`: every row minus a mean, then its products with some axes.

use super::FittedTransform;
use crate::error::Result;
use crate::linalg::Projection;
use crate::tensors::{Tensors, Values};

/// Takes the tensors of a projection, `mean` and `axes`.
///
/// # Errors
/// When one is missing or of another shape.
pub(super) fn restore(tensors: &mut Tensors) -> Result<Projection> {
    let [n_axes, n_features] = tensors.matrix_shape("axes")?;
    let axes = tensors.take_f32("axes", &[n_axes, n_features])?;
    let mean = tensors.take_f64("mean", &[n_features])?;
    Ok(Projection::new(mean, axes))
}

impl FittedTransform for Projection {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.mean().len())
    }

    fn n_outputs(&self) -> Option<usize> {
        Some(self.n_axes())
    }

    fn project(&self, rows: &[f32], n_features: usize, to: &mut [f32]) {
        assert_eq!(n_features, self.mean().len(), "columns of rows to project");
        Projection::project(self, rows, to);
    }

    fn tensors(&self) -> Tensors {
        let (mut tensors, n_features) = (Tensors::new(), self.mean().len());
        tensors.insert("mean", &[n_features], Values::F64(self.mean().to_vec()));
        tensors.insert("axes", &[self.n_axes(), n_features], Values::F32(self.axes()));
        tensors
    }
}
