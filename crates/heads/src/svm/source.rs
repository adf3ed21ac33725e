//! The RBF kernel of the rows of a fit: all values at once, or, where they would take too much memory, those of a row when they are asked for.

use std::ops::Range;

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use crate::affine::transposed;
use crate::kernel_function::{Evaluate, Function, squared_norms};

/// `exp(-|x - z|^2)`: rows are scaled by the square root of gamma.
pub(super) const RBF: Function = Function::Exponential { exponent: 2.0, gamma: 1.0 };

/// The most bytes of all values at once: those of 20,000 rows.
pub(super) const MOST_BYTES: u64 = 1_600_000_000;
/// Rows and columns of a tile of values: it stays in a second-level cache.
const TILE: usize = 384;
/// Places that follow one another are copied together where so many do, on average.
const RANGE: usize = 16;
/// Rows and columns that are turned together: both sides stay in a first-level cache.
const TURNED: usize = 16;

/// The kernel of `n` rows.
#[derive(Debug)]
pub(super) struct Source {
    /// The rows, and their squared norms.
    pub(super) x: Matrix,
    norms: Vec<f32>,
    /// All values, `n x n`, if they are at hand.
    values: Option<Matrix>,
}

/// Rows whose kernel values are asked for together.
#[derive(Debug)]
pub(super) enum Columns {
    /// Their places in the whole matrix, where few follow one another.
    Places(Vec<u32>),
    /// Their places as ranges.
    Ranges(Vec<Range<usize>>),
    /// The rows, transposed and packed, and their squared norms.
    Rows(Buffer, Vec<f32>),
}

impl Source {
    /// The kernel of the rows of `x`, all values at once where they take at most `most_bytes`.
    pub(super) fn new(x: Matrix, most_bytes: u64, pool: &Pool) -> Source {
        let norms = squared_norms(x.view());
        let is_whole = n_bytes(x.n_rows() as u64) <= most_bytes;
        let values = is_whole.then(|| whole(x.view(), &norms, pool));
        Source { x, norms, values }
    }

    /// Whether all values are at hand.
    pub(super) fn is_whole(&self) -> bool {
        self.values.is_some()
    }

    /// Prepares to give the values of `rows`.
    pub(super) fn columns(&self, rows: impl Iterator<Item = u32>) -> Columns {
        let rows: Vec<u32> = rows.collect();
        if self.is_whole() {
            let ranges = ranges(&rows);
            let is_worth_it = RANGE * ranges.len() <= rows.len();
            return if is_worth_it { Columns::Ranges(ranges) } else { Columns::Places(rows) };
        }
        let panels = packed(transposed(picked(&self.x, &rows).view()).view());
        Columns::Rows(panels, rows.iter().map(|&row| self.norms[row as usize]).collect())
    }

    /// Puts the values of each of `rows` with those of `columns` into `to`, `stride` a row; what is past the columns stays.
    pub(super) fn fill(&self, rows: &[u32], columns: &Columns, to: &mut [f32], stride: usize) {
        let to = to.chunks_exact_mut(stride.max(1));
        match (&self.values, columns) {
            (Some(values), Columns::Places(places)) => {
                for (row, to) in rows.iter().zip(to) {
                    let values = values.row(*row as usize);
                    to.iter_mut().zip(places).for_each(|(to, &place)| *to = values[place as usize]);
                }
            }
            (Some(values), Columns::Ranges(ranges)) => {
                for (row, to) in rows.iter().zip(to) {
                    let (values, mut start) = (values.row(*row as usize), 0);
                    for range in ranges {
                        to[start..start + range.len()].copy_from_slice(&values[range.clone()]);
                        start += range.len();
                    }
                }
            }
            (_, Columns::Rows(panels, norms)) => {
                let mut values = Matrix::zeros(rows.len(), norms.len());
                let (left, panels) =
                    (picked(&self.x, rows), Panels::new(panels, self.x.n_cols(), norms.len()));
                matmul(values.view_mut(), &mut [], left.view(), panels, &Pool::inline(), |_| ());
                for (at, (row, to)) in rows.iter().zip(to).enumerate() {
                    f32::evaluate(RBF, values.row_mut(at), self.norms[*row as usize], norms);
                    to[..norms.len()].copy_from_slice(values.row(at));
                }
            }
            (None, _) => unreachable!("columns of another source"),
        }
    }
}

/// The bytes of all values of `n` rows.
pub(super) fn n_bytes(n: u64) -> u64 {
    n.saturating_mul(n).saturating_mul(4)
}

/// Places as ranges of those that follow one another.
fn ranges(places: &[u32]) -> Vec<Range<usize>> {
    let runs = places.chunk_by(|a, b| a + 1 == *b);
    runs.map(|run| run[0] as usize..run[0] as usize + run.len()).collect()
}

/// Some of the rows of `x`.
fn picked(x: &Matrix, rows: &[u32]) -> Matrix {
    x.view().gather(&rows.iter().map(|&row| row as usize).collect::<Vec<usize>>())
}

/// All values, `n x n`: tiles on the diagonal and right of it are computed, the others are their transposes.
fn whole(x: MatRef<'_>, norms: &[f32], pool: &Pool) -> Matrix {
    let n = x.n_rows();
    let range = |block: usize| block * TILE..n.min((block + 1) * TILE);
    let rows = |block: usize| x.rows(range(block).start, range(block).end);
    let n_blocks = n.div_ceil(TILE);
    let panels = pool.map(n_blocks, |block| packed(transposed(rows(block)).view()));
    let places: Vec<(usize, usize)> =
        (0..n_blocks).flat_map(|row| (row..n_blocks).map(move |column| (row, column))).collect();
    let tiles = pool.map(places.len(), |at| {
        let (row, column) = places[at];
        let width = range(column).len();
        let mut tile = Matrix::zeros(range(row).len(), width);
        let right = Panels::new(&panels[column], x.n_cols(), width);
        matmul(tile.view_mut(), &mut [], rows(row), right, &Pool::inline(), |_| ());
        for (i, norm) in norms[range(row)].iter().enumerate() {
            f32::evaluate(RBF, tile.row_mut(i), *norm, &norms[range(column)]);
            if row == column {
                // A row is at no distance from itself, whatever rounding makes of it.
                tile.row_mut(i)[i] = 1.0;
            }
        }
        tile
    });
    // Rows of tiles above this one have one tile fewer each.
    let tile = |row: usize, column: usize| &tiles[row * n_blocks - row * (row + 1) / 2 + column];
    let mut values = Matrix::zeros(n, n);
    pool.for_each_chunk(values.as_mut_slice(), (TILE * n).max(1), |row, to| {
        for column in 0..n_blocks {
            let start = range(column).start;
            if column < row {
                put_turned(tile(column, row), to, (start, n));
            } else {
                let tile = tile(row, column);
                for (to, i) in to.chunks_exact_mut(n).zip(0..) {
                    to[range(column)].copy_from_slice(tile.row(i));
                }
            }
        }
    });
    values
}

/// Puts the transpose of `tile` into rows of `n` values, from column `start` on.
fn put_turned(tile: &Matrix, to: &mut [f32], (start, n): (usize, usize)) {
    let (values, width) = (tile.as_slice(), tile.n_cols());
    for first in (0..tile.n_rows()).step_by(TURNED) {
        let last = tile.n_rows().min(first + TURNED);
        for (i, to) in to.chunks_exact_mut(n).enumerate() {
            let column = values[first * width + i..].iter().step_by(width);
            to[start + first..start + last].iter_mut().zip(column).for_each(|(to, v)| *to = *v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Philox;

    #[test]
    fn values_are_those_of_the_formula_at_once_and_row_by_row() {
        let (n, d) = (2 * TILE + 37, 5);
        let mut draws = Philox::new(3, 0, 0).sequence(0, 0);
        let x = Matrix::new((0..n * d).map(|_| draws.uniform() as f32).collect(), n, d);
        let formula = |i: usize, j: usize| {
            let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
            (-x.row(i).iter().zip(x.row(j)).map(square).sum::<f64>()).exp()
        };
        let pool = Pool::new(3).unwrap();
        let sources = [MOST_BYTES, 100].map(|most| Source::new(x.clone(), most, &pool));
        assert_eq!(sources.each_ref().map(Source::is_whole), [true, false]);
        let scattered: Vec<u32> = (0..n as u32).rev().step_by(3).collect();
        let together: Vec<u32> = (5..80).chain(300..700).collect();
        for (source, places) in sources.iter().flat_map(|source| [(source, &scattered), (source, &together)])
        {
            let columns = source.columns(places.iter().copied());
            assert_eq!(matches!(columns, Columns::Ranges(_)), source.is_whole() && places == &together);
            let (rows, stride) = ([700, 3, 400], places.len() + 2);
            let mut values = vec![7.0; 3 * stride];
            source.fill(&rows, &columns, &mut values, stride);
            for (row, values) in rows.iter().zip(values.chunks(stride)) {
                assert_eq!(values[places.len()..], [7.0; 2]);
                for (value, &place) in values.iter().zip(places) {
                    assert!((f64::from(*value) - formula(*row as usize, place as usize)).abs() < 2e-6);
                }
            }
        }
    }
}
