//! Sums of products of columns.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular};
use faer::{Accum, MatMut, MatRef, Par};
use headsmith_kernels::Pool;

/// Columns of a tile.
const TILE: usize = 128;

/// The matrix `sum a' a` over blocks `a` of rows, in double precision.
#[derive(Debug)]
pub(crate) struct Products {
    n: usize,
    /// The tiles on and below the diagonal, row after row, each by columns.
    tiles: Vec<Vec<f64>>,
}

impl Products {
    /// Zeros for `n` columns.
    pub(crate) fn new(n: usize) -> Products {
        let tiles = places(n).map(|(i, j)| vec![0.0; width(n, i) * width(n, j)]).collect();
        Products { n, tiles }
    }

    /// Adds `a' a`, for rows `a` of `n` values each. The blocks in which rows are added are part of the result's last digits.
    ///
    /// # Panics
    /// When `a` has no whole number of rows.
    pub(crate) fn add(&mut self, a: &[f64], pool: &Pool) {
        self.add_between(a, a, pool);
    }

    /// Adds `a' b`, where that is symmetric: `b` has the rows of `a`, each times a number.
    ///
    /// # Panics
    /// When `a` and `b` have no whole number of rows, or not the same.
    pub(crate) fn add_between(&mut self, a: &[f64], b: &[f64], pool: &Pool) {
        let n = self.n;
        if n == 0 {
            return;
        }
        let [a, b] = [a, b].map(|rows| MatRef::from_row_major_slice(rows, rows.len() / n, n));
        let places: Vec<(usize, usize)> = places(n).collect();
        pool.for_each_chunk(&mut self.tiles, 1, |at, tile| {
            let (i, j) = places[at];
            let to = MatMut::from_column_major_slice_mut(&mut tile[0], width(n, i), width(n, j));
            let left = a.subcols(i * TILE, width(n, i)).transpose();
            let right = b.subcols(j * TILE, width(n, j));
            if i == j {
                let (lower, all) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
                triangular(to, lower, Accum::Add, left, all, right, all, 1.0, Par::Seq);
            } else {
                matmul(to, Accum::Add, left, right, 1.0, Par::Seq);
            }
        });
    }

    /// The sums, a symmetric `n x n` matrix.
    pub(crate) fn into_matrix(self) -> Vec<f64> {
        let n = self.n;
        let mut matrix = vec![0.0; n * n];
        for ((i, j), tile) in places(n).zip(self.tiles) {
            let rows = width(n, i);
            for (at, v) in tile.into_iter().enumerate() {
                let (row, column) = (i * TILE + at % rows, j * TILE + at / rows);
                // Of a tile on the diagonal only the lower half was summed.
                if row >= column {
                    (matrix[row * n + column], matrix[column * n + row]) = (v, v);
                }
            }
        }
        matrix
    }
}

/// The columns of tile `i`.
fn width(n: usize, i: usize) -> usize {
    TILE.min(n - i * TILE)
}

fn places(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n.div_ceil(TILE)).flat_map(|i| (0..=i).map(move |j| (i, j)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_a_plain_loop_for_any_number_of_threads() {
        for n in [1, 5, 128, 300] {
            let a: Vec<f64> = (0..70 * n).map(|v| ((v * 31) % 97) as f64 - 48.0).collect();
            let sums = |pool: &Pool| {
                let mut products = Products::new(n);
                products.add(&a[..40 * n], pool);
                products.add(&a[40 * n..], pool);
                products.into_matrix()
            };
            let inline = sums(&Pool::inline());
            for (i, j) in [(0, 0), (n - 1, 0), (n - 1, n - 1), (n / 2, n / 3), (n / 3, n / 2)] {
                let sum: f64 = (0..70).map(|row| a[row * n + i] * a[row * n + j]).sum();
                assert_eq!(inline[i * n + j], sum);
            }
            assert_eq!(inline, sums(&Pool::new(3).unwrap()));
        }
    }
}
