//! Sums of products of columns.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular};
use faer::{Accum, MatMut, MatRef, Par};
use headsmith_kernels::Pool;

/// Columns of a tile.
const TILE: usize = 128;
/// Values of a line of a cache.
const LINE: usize = 8;
/// Rows whose products are summed at a time: those of 32 columns, which a product takes together, stay in a first-level cache.
const DEPTH: usize = 96;
/// Rows that are copied as one piece of work.
const ROWS: usize = 32;

/// The matrix `sum a' a` over blocks `a` of rows, in double precision.
#[derive(Debug)]
pub(crate) struct Products {
    n: usize,
    /// The tiles on and below the diagonal, row after row, each by columns.
    tiles: Vec<Vec<f64>>,
    /// The rows that are added.
    spread: [Vec<f64>; 2],
}

impl Products {
    /// Zeros for `n` columns.
    pub(crate) fn new(n: usize) -> Products {
        let tiles = places(n).map(|(i, j)| vec![0.0; width(n, i) * width(n, j)]).collect();
        Products { n, tiles, spread: [Vec::new(), Vec::new()] }
    }

    /// Adds `a' a`, for rows `a` of `n` values each. The blocks in which rows are added are part of the result's last digits.
    ///
    /// # Panics
    /// When `a` has no whole number of rows.
    pub(crate) fn add(&mut self, a: &[f64], pool: &Pool) {
        self.copy(0, a, pool);
        self.add_spread([0, 0], a.len() / self.n.max(1), pool);
    }

    /// Adds `a' a`, for `n_rows` rows `a` that `fill(i, row)` writes.
    pub(crate) fn add_rows(&mut self, n_rows: usize, fill: impl Fn(usize, &mut [f64]) + Sync, pool: &Pool) {
        self.spread(0, n_rows, fill, pool);
        self.add_spread([0, 0], n_rows, pool);
    }

    /// Adds `a' b`, where that is symmetric: `b` has the rows of `a`, each times a number.
    ///
    /// # Panics
    /// When `a` and `b` have no whole number of rows, or not the same.
    pub(crate) fn add_between(&mut self, a: &[f64], b: &[f64], pool: &Pool) {
        assert_eq!(a.len(), b.len(), "as many rows");
        self.copy(0, a, pool);
        self.copy(1, b, pool);
        self.add_spread([0, 1], a.len() / self.n.max(1), pool);
    }

    fn copy(&mut self, to: usize, rows: &[f64], pool: &Pool) {
        let n = self.n;
        let n_rows = rows.len() / n.max(1);
        assert_eq!(rows.len(), n_rows * n, "whole rows");
        self.spread(to, n_rows, |i, to| to.copy_from_slice(&rows[i * n..(i + 1) * n]), pool);
    }

    /// Writes rows that begin [`stride`] values apart.
    fn spread(&mut self, to: usize, n_rows: usize, fill: impl Fn(usize, &mut [f64]) + Sync, pool: &Pool) {
        let (n, stride) = (self.n, stride(self.n));
        let to = &mut self.spread[to];
        to.resize(to.len().max(n_rows * stride), 0.0);
        pool.for_each_chunk(&mut to[..n_rows * stride], ROWS * stride, |piece, to| {
            for (i, to) in to.chunks_exact_mut(stride).enumerate() {
                fill(piece * ROWS + i, &mut to[..n]);
            }
        });
    }

    fn add_spread(&mut self, which: [usize; 2], n_rows: usize, pool: &Pool) {
        let (n, stride) = (self.n, stride(self.n));
        if n == 0 {
            return;
        }
        let [a, b] = which.map(|i| {
            MatRef::from_row_major_slice_with_stride(&self.spread[i][..n_rows * stride], n_rows, n, stride)
        });
        let places: Vec<(usize, usize)> = places(n).collect();
        pool.for_each_chunk(&mut self.tiles, 1, |at, tile| {
            let (i, j) = places[at];
            let mut to = MatMut::from_column_major_slice_mut(&mut tile[0], width(n, i), width(n, j));
            for first in (0..n_rows).step_by(DEPTH) {
                let depth = DEPTH.min(n_rows - first);
                let left = a.submatrix(first, i * TILE, depth, width(n, i)).transpose();
                let right = b.submatrix(first, j * TILE, depth, width(n, j));
                if i == j {
                    let (lower, all) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
                    triangular(to.as_mut(), lower, Accum::Add, left, all, right, all, 1.0, Par::Seq);
                } else {
                    matmul(to.as_mut(), Accum::Add, left, right, 1.0, Par::Seq);
                }
            }
        });
    }

    /// The sums, a symmetric `n x n` matrix.
    pub(crate) fn into_matrix(self, pool: &Pool) -> Vec<f64> {
        let n = self.n;
        let mut matrix = vec![0.0; n * n];
        let tile = |i: usize, j: usize| &self.tiles[i * (i + 1) / 2 + j];
        pool.for_each_chunk(&mut matrix, (ROWS * n).max(1), |piece, rows| {
            for (row, to) in (piece * ROWS..).zip(rows.chunks_exact_mut(n)) {
                let (own, at) = (row / TILE, row % TILE);
                for (j, to) in to.chunks_mut(TILE).enumerate() {
                    // Of a tile on the diagonal only the lower half was summed.
                    let n_below = if j < own {
                        to.len()
                    } else if j == own {
                        at + 1
                    } else {
                        0
                    };
                    let (below, above) = to.split_at_mut(n_below);
                    if !below.is_empty() {
                        let column = tile(own, j).iter().skip(at).step_by(width(n, own));
                        below.iter_mut().zip(column).for_each(|(to, v)| *to = *v);
                    }
                    if !above.is_empty() {
                        let column = &tile(j, own)[at * width(n, j)..][..width(n, j)];
                        above.copy_from_slice(&column[n_below..]);
                    }
                }
            }
        });
        matrix
    }
}

/// How far apart rows of `n` values are kept: an odd number of lines. Rows whose distance is a multiple of 4096 bytes, as those of 512
/// columns, share the same few places of a cache.
fn stride(n: usize) -> usize {
    let lines = n.div_ceil(LINE);
    LINE * (lines + 1 - lines % 2)
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
                products.add_rows(20, |i, to| to.copy_from_slice(&a[(40 + i) * n..(41 + i) * n]), pool);
                let half: Vec<f64> = a[60 * n..].iter().map(|v| 0.5 * v).collect();
                products.add_between(&a[60 * n..], &half, pool);
                products.add_between(&half, &a[60 * n..], pool);
                products.into_matrix(pool)
            };
            let inline = sums(&Pool::inline());
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let sum: f64 = (0..70).map(|row| a[row * n + i] * a[row * n + j]).sum();
                assert_eq!(inline[i * n + j], sum);
            }
            assert_eq!(inline, sums(&Pool::new(3).unwrap()));
        }
    }
}
