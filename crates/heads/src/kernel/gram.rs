//! The inner products of all rows with one another, from which come the matrices of every kernel function.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use headsmith_kernels::Pool;

use crate::kernel_function::{Evaluate, Function};
use crate::linalg::tiles::Tiles;

/// The inner products of `n` rows in tiles, and the rows' squared norms.
#[derive(Debug)]
pub(super) struct Gram<T> {
    products: Tiles<T>,
    norms: Vec<T>,
}

impl<T: Evaluate> Gram<T> {
    /// Of the rows of `x`.
    pub(super) fn new(x: headsmith_kernels::MatRef<'_>, pool: &Pool) -> Gram<T> {
        let (n, width) = (x.n_rows(), x.n_cols());
        let mut rows = vec![T::ZERO; n * width];
        pool.for_each_chunk(&mut rows, width.max(1), |i, row| {
            row.iter_mut().zip(x.row(i)).for_each(|(to, v)| *to = T::from_f64(f64::from(*v)));
        });
        let rows = MatRef::from_row_major_slice(&rows, n, width);
        let products = Tiles::build(n, pool, |row, column, height, tile| {
            let n_columns = tile.len() / height;
            let tile = MatMut::from_column_major_slice_mut(tile, height, n_columns);
            let right = rows.subrows(column, n_columns).transpose();
            matmul(tile, Accum::Replace, rows.subrows(row, height), right, T::ONE, Par::Seq);
        });
        let square = |i: usize| x.row(i).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        Gram { products, norms: (0..n).map(|i| T::from_f64(square(i))).collect() }
    }

    /// The matrix of `function`, with `ridge(i)` added on the diagonal.
    pub(super) fn matrix(
        &self,
        function: Function,
        ridge: impl Fn(usize) -> f64 + Sync,
        pool: &Pool,
    ) -> Tiles<T> {
        self.products.map(pool, |row, column, height, tile| {
            let norms = &self.norms[row..row + height];
            for (j, values) in tile.chunks_exact_mut(height).enumerate() {
                T::evaluate(function, values, self.norms[column + j], norms);
            }
            if row == column {
                for i in 0..height {
                    let own = &mut tile[i * height + i];
                    // A row is at no distance from itself, whatever rounding makes of it.
                    *own = self.norms[row + i];
                    T::evaluate(function, std::slice::from_mut(own), self.norms[row + i], &norms[i..=i]);
                    *own = T::from_f64(own.to_f64() + ridge(row + i));
                }
            }
        })
    }
}
