//! The fitted form of `pca`, `whiten` and `spectrum`: every row minus a mean, then its products with some axes.

use headsmith_kernels::gemm::{Panels, matmul, pack, packed_len, unpack};
use headsmith_kernels::{Buffer, MatMut, MatRef, Matrix, Pool};

use super::FittedTransform;
use crate::affine::transposed;
use crate::error::Result;
use crate::tensors::{Tensors, Values};

/// `x' = A (x - mean)`: the mean is subtracted in f64, the sums of products are f32.
#[derive(Debug)]
pub(super) struct Projection {
    mean: Vec<f64>,
    n_axes: usize,
    /// The axes, `n_features x n_axes`, as products take them.
    panels: Buffer,
}

impl Projection {
    /// The products with `axes`, `n_axes x n_features`.
    ///
    /// # Panics
    /// When `mean` is empty or `axes` has no whole number of rows.
    pub(super) fn new(mean: Vec<f64>, axes: Vec<f32>) -> Projection {
        let n_axes = axes.len() / mean.len();
        let turned = transposed(MatRef::new(&axes, n_axes, mean.len()));
        let mut panels = Buffer::zeros(packed_len(mean.len(), n_axes));
        pack(&mut panels, turned.view());
        Projection { mean, n_axes, panels }
    }

    /// The same for axes of f64.
    pub(super) fn from_f64(mean: Vec<f64>, axes: &[f64]) -> Projection {
        Projection::new(mean, axes.iter().map(|v| *v as f32).collect())
    }

    /// Takes its tensors, `mean` and `axes`.
    ///
    /// # Errors
    /// When one is missing or of another shape.
    pub(super) fn restore(tensors: &mut Tensors) -> Result<Projection> {
        let [n_axes, n_features] = tensors.matrix_shape("axes")?;
        let axes = tensors.take_f32("axes", &[n_axes, n_features])?;
        let mean = tensors.take_f64("mean", &[n_features])?;
        Ok(Projection::new(mean, axes))
    }

    /// The mean of each feature.
    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    fn panels(&self) -> Panels<'_> {
        Panels::new(&self.panels, self.mean.len(), self.n_axes)
    }
}

impl FittedTransform for Projection {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.mean.len())
    }

    fn n_outputs(&self) -> Option<usize> {
        Some(self.n_axes)
    }

    fn project(&self, rows: &[f32], n_features: usize, to: &mut [f32]) {
        assert_eq!(n_features, self.mean.len(), "columns of rows to project");
        let mut centred = rows.to_vec();
        for row in centred.chunks_exact_mut(n_features) {
            row.iter_mut().zip(&self.mean).for_each(|(v, m)| *v = (f64::from(*v) - m) as f32);
        }
        let n_rows = rows.len() / n_features;
        let centred = MatRef::new(&centred, n_rows, n_features);
        let to = MatMut::new(to, n_rows, self.n_axes);
        // The caller spreads the rows.
        matmul(to, &mut [], centred, self.panels(), &Pool::inline(), |_| ());
    }

    fn tensors(&self) -> Tensors {
        let (mut tensors, n_features) = (Tensors::new(), self.mean.len());
        let mut turned = Matrix::zeros(n_features, self.n_axes);
        unpack(turned.as_mut_slice(), self.panels());
        let axes = transposed(turned.view()).into_vec();
        tensors.insert("mean", &[n_features], Values::F64(self.mean.clone()));
        tensors.insert("axes", &[self.n_axes, n_features], Values::F32(axes));
        tensors
    }
}
