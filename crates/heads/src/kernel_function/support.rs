//! Rows of a fit that predictions are sums over.

use headsmith_kernels::gemm::{Panels, matmul, packed, unpack};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::{Evaluate, Function, squared_norms};
use crate::affine::transposed;

/// Training rows of a part, and rows that are predicted together: their products stay in a second-level cache.
const PART: usize = 1024;
pub(crate) const BLOCK: usize = 128;

/// The training rows as predictions read them, with their coefficients.
#[derive(Debug, Clone)]
pub(crate) struct Support {
    pub(crate) n_rows: usize,
    pub(crate) n_cols: usize,
    pub(crate) n_outputs: usize,
    parts: Vec<Part>,
}

/// Some training rows, transposed and packed.
#[derive(Debug, Clone)]
struct Part {
    rows: Buffer,
    norms: Vec<f32>,
    alpha: Buffer,
}

impl Support {
    /// The rows `x` with coefficients `alpha`.
    pub(crate) fn new(x: MatRef<'_>, alpha: MatRef<'_>, pool: &Pool) -> Support {
        let (n_rows, n_cols, n_outputs) = (x.n_rows(), x.n_cols(), alpha.n_cols());
        let parts = pool.map(n_rows.div_ceil(PART), |part| {
            let (start, end) = (part * PART, n_rows.min((part + 1) * PART));
            let rows = x.rows(start, end);
            Part {
                rows: packed(transposed(rows).view()),
                norms: squared_norms(rows),
                alpha: packed(alpha.rows(start, end)),
            }
        });
        Support { n_rows, n_cols, n_outputs, parts }
    }

    /// Adds `sum_i alpha_i k(x, x_i)` to the outputs of each row of `x`.
    pub(crate) fn add(&self, function: Function, x: MatRef<'_>, outputs: &mut [f64]) {
        let (inline, norms) = (Pool::inline(), squared_norms(x));
        for part in &self.parts {
            let n = part.norms.len();
            let mut values = Matrix::zeros(x.n_rows(), n);
            let rows = Panels::new(&part.rows, self.n_cols, n);
            matmul(values.view_mut(), &mut [], x, rows, &inline, |_| ());
            for (i, norm) in norms.iter().enumerate() {
                f32::evaluate(function, values.row_mut(i), *norm, &part.norms);
            }
            let mut sums = Matrix::zeros(x.n_rows(), self.n_outputs);
            let alpha = Panels::new(&part.alpha, n, self.n_outputs);
            matmul(sums.view_mut(), &mut [], values.view(), alpha, &inline, |_| ());
            outputs.iter_mut().zip(sums.as_slice()).for_each(|(to, v)| *to += f64::from(*v));
        }
    }

    /// The rows, and their coefficients.
    pub(crate) fn unpacked(&self) -> (Vec<f32>, Vec<f32>) {
        let (mut rows, mut alphas) = (Vec::new(), Vec::new());
        for part in &self.parts {
            let n = part.norms.len();
            let mut turned = Matrix::zeros(self.n_cols, n);
            unpack(turned.as_mut_slice(), Panels::new(&part.rows, self.n_cols, n));
            rows.extend(transposed(turned.view()).into_vec());
            let mut alpha = vec![0.0; n * self.n_outputs];
            unpack(&mut alpha, Panels::new(&part.alpha, n, self.n_outputs));
            alphas.extend(alpha);
        }
        (rows, alphas)
    }
}
