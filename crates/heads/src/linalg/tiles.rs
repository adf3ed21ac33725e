//! Large symmetric positive definite matrices in tiles: Cholesky factor, solutions, and the inverse of the factor.
//!
//! A tile is a piece of work, and so is a column of tiles of the inverse. The factor is computed column by column, each from
//! those on its left (left-looking; Golub and Van Loan, "Matrix Computations", 4th edition, 2013, section 4.2.8), so that tiles of a
//! column depend on none of the same column but the diagonal's.

mod scalar;

use faer::linalg::matmul::matmul;
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, MatMut, MatRef, Par};
use headsmith_kernels::{Pool, sums};

pub(crate) use scalar::Scalar;

/// Rows and columns of a tile; the last one may have fewer.
pub(crate) const TILE: usize = 256;

/// The tiles on and below the diagonal of an `n x n` matrix: of a symmetric matrix, or of a lower triangular one.
#[derive(Debug, Clone)]
pub(crate) struct Tiles<T> {
    n: usize,
    /// Column after column from the diagonal down; a tile is stored by columns.
    columns: Vec<Vec<Vec<T>>>,
}

/// The number of tiles on an edge.
fn n_tiles(n: usize) -> usize {
    n.div_ceil(TILE)
}

/// The rows of tile row `i`.
fn height(n: usize, i: usize) -> usize {
    TILE.min(n - i * TILE)
}

/// The bytes of the tiles of an `n x n` matrix of `size` bytes a value.
pub(crate) fn n_bytes(n: u64, size: u64) -> u64 {
    let edge = n.div_ceil(TILE as u64);
    edge.saturating_mul(edge + 1) / 2 * (TILE * TILE) as u64 * size
}

impl<T: Scalar> Tiles<T> {
    /// Computes each tile by `fill(first_row, first_column, height, tile)`; the values of a tile are stored by columns.
    pub(crate) fn build(n: usize, pool: &Pool, fill: impl Fn(usize, usize, usize, &mut [T]) + Sync) -> Self {
        let places: Vec<(usize, usize)> =
            (0..n_tiles(n)).flat_map(|j| (j..n_tiles(n)).map(move |i| (i, j))).collect();
        let tiles = pool.map(places.len(), |at| {
            let (i, j) = places[at];
            let mut tile = vec![T::ZERO; height(n, i) * height(n, j)];
            fill(i * TILE, j * TILE, height(n, i), &mut tile);
            tile
        });
        let mut tiles = tiles.into_iter();
        let columns = (0..n_tiles(n)).map(|j| tiles.by_ref().take(n_tiles(n) - j).collect()).collect();
        Tiles { n, columns }
    }

    /// A copy of which each tile is changed by `change(first_row, first_column, height, tile)`.
    pub(crate) fn map(&self, pool: &Pool, change: impl Fn(usize, usize, usize, &mut [T]) + Sync) -> Self {
        Tiles::build(self.n, pool, |row, column, height, tile| {
            tile.copy_from_slice(self.tile(row / TILE, column / TILE));
            change(row, column, height, tile);
        })
    }

    /// `A x` for the symmetric matrix A of these tiles and `x` of `n x width`, row after row, summed in double precision.
    pub(crate) fn symmetric_product(&self, x: &[f64], width: usize, pool: &Pool) -> Vec<f64> {
        let mut product = vec![0.0; self.n * width];
        pool.for_each_chunk(&mut product, (TILE * width).max(1), |i, to| {
            for j in 0..n_tiles(self.n) {
                let (tile, turned) = if i >= j { (self.tile(i, j), false) } else { (self.tile(j, i), true) };
                let (rows, columns) = (height(self.n, i), height(self.n, j));
                for c in 0..columns {
                    let of = &x[(j * TILE + c) * width..][..width];
                    for (r, to) in to.chunks_exact_mut(width).enumerate() {
                        let v = if turned || i == j && r < c {
                            tile[r * columns + c]
                        } else {
                            tile[c * rows + r]
                        };
                        sums::add_scaled(to, v.to_f64(), of);
                    }
                }
            }
        });
        product
    }

    /// The tile of the row and column of tiles `i >= j`, by columns.
    pub(crate) fn tile(&self, i: usize, j: usize) -> &[T] {
        &self.columns[j][i - j]
    }

    fn view(&self, i: usize, j: usize) -> MatRef<'_, T> {
        MatRef::from_column_major_slice(self.tile(i, j), height(self.n, i), height(self.n, j))
    }
}

/// The lower triangular L with `L L' = A`.
#[derive(Debug)]
pub(crate) struct Factor<T> {
    lower: Tiles<T>,
}

impl<T: Scalar> Factor<T> {
    /// Factors `matrix`; `None` when it is not positive definite to the precision of its values.
    pub(crate) fn new(mut matrix: Tiles<T>, pool: &Pool) -> Option<Factor<T>> {
        let n = matrix.n;
        for k in 0..n_tiles(n) {
            let (left, right) = matrix.columns.split_at_mut(k);
            let column = &mut right[0];
            pool.for_each_chunk(column, 1, |at, tile| {
                let (i, to) = (k + at, &mut tile[0]);
                for (j, column) in left.iter().enumerate() {
                    let of = |i: usize| {
                        MatRef::from_column_major_slice(&column[i - j], height(n, i), height(n, j))
                    };
                    let to = MatMut::from_column_major_slice_mut(to, height(n, i), height(n, k));
                    matmul(to, Accum::Add, of(i), of(k).transpose(), -T::ONE, Par::Seq);
                }
            });
            let (diagonal, below) = column.split_first_mut()?;
            T::cholesky_in_place(diagonal, height(n, k)).then_some(())?;
            let diagonal = MatRef::from_column_major_slice(diagonal, height(n, k), height(n, k));
            pool.for_each_chunk(below, 1, |at, tile| {
                let tile =
                    MatMut::from_column_major_slice_mut(&mut tile[0], height(n, k + 1 + at), height(n, k));
                solve_lower_triangular_in_place(diagonal, tile.transpose_mut(), Par::Seq);
            });
        }
        Some(Factor { lower: matrix })
    }

    /// Replaces `rhs`, `n x k` row after row, by the solution X of `A X = rhs`.
    ///
    /// # Panics
    /// When `rhs` has no whole number of columns.
    pub(crate) fn solve(&self, rhs: &mut [T], pool: &Pool) {
        self.solve_lower(rhs, pool);
        let (n, width) = self.shape(rhs);
        for k in (0..n_tiles(n)).rev() {
            let (above, below) = rhs.split_at_mut(((k + 1) * TILE).min(n) * width);
            let parts = pool.map(n_tiles(n) - k - 1, |at| {
                let i = k + 1 + at;
                let mut part = vec![T::ZERO; height(n, k) * width];
                let to = MatMut::from_row_major_slice_mut(&mut part, height(n, k), width);
                let of = &below[at * TILE * width..][..height(n, i) * width];
                let of = MatRef::from_row_major_slice(of, height(n, i), width);
                matmul(to, Accum::Replace, self.lower.view(i, k).transpose(), of, T::ONE, Par::Seq);
                part
            });
            let own = &mut above[k * TILE * width..];
            for part in parts {
                own.iter_mut().zip(part).for_each(|(to, v)| *to -= v);
            }
            let own = MatMut::from_row_major_slice_mut(own, height(n, k), width);
            solve_upper_triangular_in_place(self.lower.view(k, k).transpose(), own, Par::Seq);
        }
    }

    /// Replaces `rhs`, `n x k` row after row, by `L^-1 rhs`.
    fn solve_lower(&self, rhs: &mut [T], pool: &Pool) {
        let (n, width) = self.shape(rhs);
        for k in 0..n_tiles(n) {
            let (above, below) = rhs.split_at_mut(((k + 1) * TILE).min(n) * width);
            let own = &mut above[k * TILE * width..];
            let solution = MatMut::from_row_major_slice_mut(own, height(n, k), width);
            solve_lower_triangular_in_place(self.lower.view(k, k), solution, Par::Seq);
            let own = MatRef::from_row_major_slice(own, height(n, k), width);
            pool.for_each_chunk(below, (TILE * width).max(1), |at, to| {
                let i = k + 1 + at;
                let to = MatMut::from_row_major_slice_mut(to, height(n, i), width);
                matmul(to, Accum::Add, self.lower.view(i, k), own, -T::ONE, Par::Seq);
            });
        }
    }

    /// The diagonal of `A^-1`: the sums of squares of the columns of `L^-1`.
    pub(crate) fn inverse_diagonal(&self, pool: &Pool) -> Vec<f64> {
        let n = self.lower.n;
        let squares = |column: Vec<Vec<T>>, j: usize| {
            let mut sums = vec![0.0; height(n, j)];
            for (at, tile) in column.iter().enumerate() {
                for (sum, values) in sums.iter_mut().zip(tile.chunks_exact(height(n, j + at))) {
                    *sum += values.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>();
                }
            }
            sums
        };
        pool.map(n_tiles(n), |j| squares(self.inverse_column(j), j)).concat()
    }

    /// `L^-1`.
    pub(crate) fn inverse(&self, pool: &Pool) -> Inverse<T> {
        let columns = pool.map(n_tiles(self.lower.n), |j| self.inverse_column(j));
        Inverse { lower: Tiles { n: self.lower.n, columns } }
    }

    /// A column of tiles of `L^-1`.
    fn inverse_column(&self, j: usize) -> Vec<Vec<T>> {
        let (n, width) = (self.lower.n, height(self.lower.n, j));
        let mut column: Vec<Vec<T>> = Vec::new();
        for i in j..n_tiles(n) {
            let mut tile = vec![T::ZERO; height(n, i) * width];
            let mut to = MatMut::from_column_major_slice_mut(&mut tile, height(n, i), width);
            for (at, above) in column.iter().enumerate() {
                let above = MatRef::from_column_major_slice(above, height(n, j + at), width);
                matmul(to.as_mut(), Accum::Add, self.lower.view(i, j + at), above, -T::ONE, Par::Seq);
            }
            match i == j {
                true => invert_lower_triangular(to, self.lower.view(j, j), Par::Seq),
                false => solve_lower_triangular_in_place(self.lower.view(i, i), to, Par::Seq),
            }
            column.push(tile);
        }
        column
    }

    fn shape(&self, rhs: &[T]) -> (usize, usize) {
        let n = self.lower.n;
        let width = rhs.len() / n.max(1);
        assert_eq!(rhs.len(), n * width, "whole columns");
        (n, width)
    }
}

/// The inverse X of a Cholesky factor: `A^-1 = X' X`.
#[derive(Debug)]
pub(crate) struct Inverse<T> {
    lower: Tiles<T>,
}

impl<T: Scalar> Inverse<T> {
    /// The rows and columns `of` of `A^-1`, a symmetric matrix in double precision.
    pub(crate) fn block(&self, of: &[usize]) -> Vec<f64> {
        let (n, width) = (self.lower.n, of.len());
        let mut products = super::Products::new(width);
        let inline = Pool::inline();
        // The columns `of` of X, some rows at a time; those above the diagonal are zero.
        for i in 0..n_tiles(n) {
            let mut rows = vec![0.0; height(n, i) * width];
            for (at, &column) in of.iter().enumerate().filter(|(_, column)| **column / TILE <= i) {
                let (j, within) = (column / TILE, column % TILE);
                let values = &self.lower.tile(i, j)[within * height(n, i)..][..height(n, i)];
                for (row, v) in rows.chunks_exact_mut(width).zip(values) {
                    row[at] = v.to_f64();
                }
            }
            products.add(&rows, &inline);
        }
        products.into_matrix(&inline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Philox;

    /// A positive definite matrix, row after row.
    fn matrix(n: usize) -> Vec<f64> {
        let mut sequence = Philox::new(3, 0, 0).sequence(n as u32, 1);
        let places: Vec<f64> = (0..n).map(|_| sequence.uniform() * 10.0).collect();
        let value = |i: usize, j: usize| (-(places[i] - places[j]).abs()).exp() + 0.3 * f64::from(i == j);
        (0..n * n).map(|at| value(at / n, at % n)).collect()
    }

    fn tiles<T: Scalar>(matrix: &[f64], n: usize, pool: &Pool) -> Tiles<T> {
        Tiles::build(n, pool, |row, column, height, tile| {
            for (at, v) in tile.iter_mut().enumerate() {
                *v = T::from_f64(matrix[(row + at % height) * n + column + at / height]);
            }
        })
    }

    fn check<T: Scalar + std::fmt::Debug>(n: usize, tolerance: f64) {
        let a = matrix(n);
        let factor = Factor::new(tiles::<T>(&a, n, &Pool::inline()), &Pool::inline()).unwrap();
        let pool = Pool::new(3).unwrap();
        let spread = Factor::new(tiles::<T>(&a, n, &pool), &pool).unwrap();
        let rhs: Vec<T> = (0..2 * n).map(|at| T::from_f64(((at * 7) % 5) as f64 - 2.0)).collect();
        let (mut x, mut other) = (rhs.clone(), rhs.clone());
        factor.solve(&mut x, &Pool::inline());
        spread.solve(&mut other, &pool);
        assert_eq!(x, other);
        for (i, b) in rhs.chunks(2).enumerate() {
            for column in 0..2 {
                let sum: f64 = (0..n).map(|j| a[i * n + j] * x[2 * j + column].to_f64()).sum();
                assert!((sum - b[column].to_f64()).abs() < tolerance);
            }
        }
        let diagonal = factor.inverse_diagonal(&pool);
        assert_eq!(diagonal, spread.inverse_diagonal(&Pool::inline()));
        let solution: Vec<f64> = x.iter().map(|v| v.to_f64()).collect();
        for (product, b) in tiles::<T>(&a, n, &pool).symmetric_product(&solution, 2, &pool).iter().zip(&rhs) {
            assert!((product - b.to_f64()).abs() < tolerance);
        }
        let of = [0, n - 1, n / 2];
        let block = factor.inverse(&pool).block(&of);
        for (at, &i) in of.iter().enumerate() {
            let mut unit = vec![T::ZERO; n];
            unit[i] = T::ONE;
            factor.solve(&mut unit, &pool);
            assert!((diagonal[i] - unit[i].to_f64()).abs() < tolerance);
            for (other, &j) in of.iter().enumerate() {
                assert!((block[at * 3 + other] - unit[j].to_f64()).abs() < tolerance);
            }
        }
    }

    #[test]
    fn factors_solve_and_invert_in_both_precisions() {
        for n in [3, 256, 257, 700] {
            check::<f64>(n, 1e-10);
            check::<f32>(n, 2e-3);
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_factor() {
        let pool = Pool::inline();
        for n in [2, 300] {
            let mut a = matrix(n);
            a[n * n - 1] = -1.0;
            assert!(Factor::new(tiles::<f32>(&a, n, &pool), &pool).is_none());
            a[n * n - 1] = f64::NAN;
            assert!(Factor::new(tiles::<f64>(&a, n, &pool), &pool).is_none());
        }
    }
}
