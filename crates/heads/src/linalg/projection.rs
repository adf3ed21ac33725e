//! Rows along axes.

use headsmith_kernels::gemm::{Panels, matmul, packed, unpack};
use headsmith_kernels::{Buffer, MatMut, MatRef, Matrix, Pool};

use super::Principal;
use crate::affine::transposed;

/// `x' = A (x - mean)`: the mean is subtracted in f64, the sums of products are f32. A row's bytes do not depend on the other rows.
#[derive(Debug)]
pub(crate) struct Projection {
    mean: Vec<f64>,
    n_axes: usize,
    /// The axes, `n_features x n_axes`, as products take them.
    panels: Buffer,
}

/// Rows that one thread projects at a time.
const PIECE: usize = 128;

impl Projection {
    /// The products with `axes`, `n_axes x n_features`.
    ///
    /// # Panics
    /// When `mean` is empty or `axes` has no whole number of rows.
    pub(crate) fn new(mean: Vec<f64>, axes: Vec<f32>) -> Projection {
        let n_axes = axes.len() / mean.len();
        let panels = packed(transposed(MatRef::new(&axes, n_axes, mean.len())).view());
        Projection { mean, n_axes, panels }
    }

    /// The same for axes of f64.
    pub(crate) fn from_f64(mean: Vec<f64>, axes: &[f64]) -> Projection {
        Projection::new(mean, axes.iter().map(|v| *v as f32).collect())
    }

    /// The projection to principal axes.
    pub(crate) fn of(principal: &Principal) -> Projection {
        Projection::from_f64(principal.mean.clone(), &principal.axes)
    }

    /// The mean of each feature.
    pub(crate) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The axes.
    pub(crate) fn n_axes(&self) -> usize {
        self.n_axes
    }

    /// The axes, `n_axes x n_features`.
    pub(crate) fn axes(&self) -> Vec<f32> {
        let mut turned = Matrix::zeros(self.mean.len(), self.n_axes);
        unpack(turned.as_mut_slice(), self.panels());
        transposed(turned.view()).into_vec()
    }

    /// Projects `rows` to `to`, rows of [`n_axes`](Projection::n_axes) values.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub(crate) fn project(&self, rows: &[f32], to: &mut [f32]) {
        if self.n_axes == 0 {
            return;
        }
        let (mut centred, n_features) = (rows.to_vec(), self.mean.len());
        for row in centred.chunks_exact_mut(n_features) {
            row.iter_mut().zip(&self.mean).for_each(|(v, m)| *v = (f64::from(*v) - m) as f32);
        }
        let n_rows = rows.len() / n_features;
        let centred = MatRef::new(&centred, n_rows, n_features);
        let to = MatMut::new(to, n_rows, self.n_axes);
        // The caller spreads the rows.
        matmul(to, &mut [], centred, self.panels(), &Pool::inline(), |_| ());
    }

    /// The rows of `x` along the axes.
    ///
    /// # Panics
    /// When `x` has another number of columns.
    pub(crate) fn apply(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let mut to = Matrix::zeros(x.n_rows(), self.n_axes);
        pool.for_each_chunk(to.as_mut_slice(), (PIECE * self.n_axes).max(1), |piece, to| {
            let start = piece * PIECE;
            self.project(x.rows(start, start + to.len() / self.n_axes).as_slice(), to);
        });
        to
    }

    fn panels(&self) -> Panels<'_> {
        Panels::new(&self.panels, self.mean.len(), self.n_axes)
    }
}
