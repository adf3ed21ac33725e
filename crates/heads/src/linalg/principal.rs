//! Principal axes of rows: from the matrix of their features, or, where there are fewer rows than features, from that of the rows.

use faer::linalg::matmul::matmul;
use faer::{Accum, Par};
use headsmith_kernels::{MatRef, Pool};

use super::eigen::with_sign;
use super::{Eigen, Products, symmetric};
use crate::error::Result;
use crate::samples::Samples;

/// Rows that can be read in blocks, more than once.
pub(crate) trait RowBlocks: Sync {
    /// The rows.
    fn n_rows(&self) -> usize;

    /// The features of a row.
    fn n_cols(&self) -> usize;

    /// The rows `start .. end`, in place or in `buffer`.
    fn block<'b>(&'b self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b>;

    /// The weight of row `i`.
    fn weight(&self, i: usize) -> f64 {
        let _ = i;
        1.0
    }
}

/// Rows of a block.
const BLOCK: usize = 1024;
/// Columns whose sums are one piece of work.
const COLUMNS: usize = 64;
/// Axes that are one piece of work.
const TILE: usize = 128;
/// Values of a block of few, long rows.
const MOST_VALUES: usize = 1 << 21;

impl RowBlocks for Samples<'_> {
    fn n_rows(&self) -> usize {
        self.n_samples()
    }

    fn n_cols(&self) -> usize {
        self.n_features()
    }

    fn block<'b>(&'b self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b> {
        self.rows(start, end, buffer, pool)
    }

    fn weight(&self, i: usize) -> f64 {
        Samples::weight(*self, i)
    }
}

/// Samples whose rows weigh other than by their own weights: times those of their classes.
pub(crate) struct Weighted<'a, W> {
    pub(crate) samples: Samples<'a>,
    /// The weight of a row.
    pub(crate) weight: W,
}

impl<W: Fn(usize) -> f64 + Sync> RowBlocks for Weighted<'_, W> {
    fn n_rows(&self) -> usize {
        self.samples.n_samples()
    }

    fn n_cols(&self) -> usize {
        self.samples.n_features()
    }

    fn block<'b>(&'b self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b> {
        self.samples.rows(start, end, buffer, pool)
    }

    fn weight(&self, i: usize) -> f64 {
        (self.weight)(i)
    }
}

impl RowBlocks for MatRef<'_> {
    fn n_rows(&self) -> usize {
        MatRef::n_rows(*self)
    }

    fn n_cols(&self) -> usize {
        MatRef::n_cols(*self)
    }

    fn block<'b>(&'b self, start: usize, end: usize, _: &'b mut Vec<f32>, _: &Pool) -> MatRef<'b> {
        self.rows(start, end)
    }
}

/// The principal axes of rows around their mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Principal {
    /// The mean of each feature.
    pub(crate) mean: Vec<f64>,
    /// The sum of the weights of the rows.
    pub(crate) weight: f64,
    /// The sums of squares along the axes (variances times [`weight`](Principal::weight)), the largest first.
    pub(crate) squares: Vec<f64>,
    /// The axes as unit vectors, one a row: `squares.len() x n_features`. Each has the sign that makes its largest value positive.
    pub(crate) axes: Vec<f64>,
}

impl Principal {
    /// The axes along which the rows vary by more than `smallest` of the largest variance: at most as many as features, and as rows less
    /// one.
    ///
    /// # Errors
    /// When features are so large that their products are not finite.
    pub(crate) fn of(rows: &dyn RowBlocks, smallest: f64, pool: &Pool) -> Result<Principal> {
        let (mean, weight) = means(rows, pool);
        let (n_rows, n_cols) = (rows.n_rows(), rows.n_cols());
        if n_cols > n_rows {
            let (squares, axes) = of_rows(rows, &mean, smallest, pool)?;
            return Ok(Principal { mean, weight, squares, axes });
        }
        let Eigen { values: mut squares, vectors: mut axes } =
            symmetric(&centred_products(rows, &mean, pool), n_cols)?;
        let n = n_large(&squares, smallest, n_rows.saturating_sub(1));
        squares.truncate(n);
        axes.truncate(n * n_cols);
        Ok(Principal { mean, weight, squares, axes })
    }
}

/// The rows of a block: fewer of long rows.
fn rows_a_block(n_cols: usize) -> usize {
    (MOST_VALUES / n_cols.max(1)).clamp(1, BLOCK)
}

/// The weighted means of the features, and the sum of the weights.
pub(crate) fn means(rows: &dyn RowBlocks, pool: &Pool) -> (Vec<f64>, f64) {
    let (n_rows, n_cols) = (rows.n_rows(), rows.n_cols());
    let (mut sums, mut weight, mut buffer) = (vec![0.0; n_cols], 0.0, Vec::new());
    for start in (0..n_rows).step_by(rows_a_block(n_cols)) {
        let end = n_rows.min(start + rows_a_block(n_cols));
        let block = rows.block(start, end, &mut buffer, pool);
        let weights: Vec<f64> = (start..end).map(|i| rows.weight(i)).collect();
        // By columns, since a sum must not depend on the number of threads.
        pool.for_each_chunk(&mut sums, COLUMNS, |piece, sums| {
            for (i, w) in weights.iter().enumerate() {
                let row = &block.row(i)[piece * COLUMNS..];
                sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += w * f64::from(*v));
            }
        });
        weight += weights.iter().sum::<f64>();
    }
    sums.iter_mut().for_each(|sum| *sum /= weight);
    (sums, weight)
}

/// The weighted sums of squares of the features around `mean`.
pub(crate) fn squares(rows: &dyn RowBlocks, mean: &[f64], pool: &Pool) -> Vec<f64> {
    let (mut sums, mut buffer) = (vec![0.0; mean.len()], Vec::new());
    let len = rows_a_block(mean.len());
    for start in (0..rows.n_rows()).step_by(len) {
        let end = rows.n_rows().min(start + len);
        let block = rows.block(start, end, &mut buffer, pool);
        let weights: Vec<f64> = (start..end).map(|i| rows.weight(i)).collect();
        pool.for_each_chunk(&mut sums, COLUMNS, |piece, sums| {
            let columns = piece * COLUMNS;
            for (i, weight) in weights.iter().enumerate() {
                let row = block.row(i)[columns..].iter().zip(&mean[columns..]);
                sums.iter_mut().zip(row).for_each(|(sum, (v, m))| {
                    let difference = f64::from(*v) - m;
                    *sum += weight * difference * difference;
                });
            }
        });
    }
    sums
}

/// The weighted sums of products of the features around `mean`, `n_cols x n_cols`.
pub(crate) fn centred_products(rows: &dyn RowBlocks, mean: &[f64], pool: &Pool) -> Vec<f64> {
    let (n_rows, n_cols) = (rows.n_rows(), rows.n_cols());
    let (mut products, mut buffer) = (Products::new(n_cols), Vec::new());
    for start in (0..n_rows).step_by(rows_a_block(n_cols)) {
        let end = n_rows.min(start + rows_a_block(n_cols));
        let block = rows.block(start, end, &mut buffer, pool);
        let centred = |i: usize, to: &mut [f64]| {
            let root = rows.weight(start + i).sqrt();
            for ((to, v), m) in to.iter_mut().zip(block.row(i)).zip(mean) {
                *to = root * (f64::from(*v) - m);
            }
        };
        products.add_rows(end - start, centred, pool);
    }
    products.into_matrix(pool)
}

/// Few rows of many features, some columns at a time.
struct Columns<'r> {
    x: MatRef<'r>,
    mean: &'r [f64],
    /// The square roots of the weights of the rows.
    roots: Vec<f64>,
}

impl<'r> Columns<'r> {
    fn new(rows: &'r dyn RowBlocks, mean: &'r [f64], buffer: &'r mut Vec<f32>, pool: &Pool) -> Columns<'r> {
        let roots = (0..rows.n_rows()).map(|i| rows.weight(i).sqrt()).collect();
        Columns { x: rows.block(0, rows.n_rows(), buffer, pool), mean, roots }
    }

    /// The weighted centred values of the columns from `first` on, at most [`BLOCK`], one column after the other.
    fn read(&self, first: usize, to: &mut Vec<f64>, pool: &Pool) {
        let (n_rows, n) = (self.x.n_rows(), BLOCK.min(self.x.n_cols() - first));
        to.resize(n * n_rows, 0.0);
        pool.for_each_chunk(to, n_rows.max(1), |j, column| {
            let (at, mean) = (first + j, self.mean[first + j]);
            for (i, (to, root)) in column.iter_mut().zip(&self.roots).enumerate() {
                *to = root * (f64::from(self.x.row(i)[at]) - mean);
            }
        });
    }

    fn starts(&self) -> impl Iterator<Item = usize> + use<> {
        (0..self.x.n_cols()).step_by(BLOCK)
    }
}

/// The axes of few rows of many features, from the products of the rows with one another.
fn of_rows(rows: &dyn RowBlocks, mean: &[f64], smallest: f64, pool: &Pool) -> Result<(Vec<f64>, Vec<f64>)> {
    let (n_rows, n_cols) = (rows.n_rows(), rows.n_cols());
    let (mut buffer, mut chunk) = (Vec::new(), Vec::new());
    let columns = Columns::new(rows, mean, &mut buffer, pool);
    let mut products = Products::new(n_rows);
    for first in columns.starts() {
        columns.read(first, &mut chunk, pool);
        products.add(&chunk, pool);
    }
    let eigen = symmetric(&products.into_matrix(pool), n_rows)?;
    let n = n_large(&eigen.values, smallest, n_rows.saturating_sub(1));
    // The axis of the eigenvector u is the sum of the rows, u_i times row i, over the root of the eigenvalue.
    let vectors = faer::MatRef::from_row_major_slice(&eigen.vectors[..n * n_rows], n, n_rows);
    let mut axes = vec![0.0; n * n_cols];
    for first in columns.starts() {
        columns.read(first, &mut chunk, pool);
        let width = chunk.len() / n_rows.max(1);
        let values = faer::MatRef::from_column_major_slice(&chunk, n_rows, width);
        let mut part = vec![0.0; n * width];
        pool.for_each_chunk(&mut part, (TILE * width).max(1), |tile, part| {
            let height = part.len() / width;
            let to = faer::MatMut::from_row_major_slice_mut(part, height, width);
            matmul(to, Accum::Replace, vectors.subrows(tile * TILE, height), values, 1.0, Par::Seq);
        });
        for ((part, axis), square) in
            part.chunks_exact(width).zip(axes.chunks_exact_mut(n_cols)).zip(&eigen.values)
        {
            axis[first..first + width].iter_mut().zip(part).for_each(|(to, v)| *to = v / square.sqrt());
        }
    }
    axes.chunks_exact_mut(n_cols).for_each(with_sign);
    Ok((eigen.values[..n].to_vec(), axes))
}

/// How many of the values, which fall, are above `smallest` of the first, of the first `most`.
fn n_large(values: &[f64], smallest: f64, most: usize) -> usize {
    let bound = smallest * values.first().copied().unwrap_or(0.0);
    values.iter().take(most).take_while(|value| **value > bound && **value > 0.0).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Philox;

    fn rows(n: usize, d: usize) -> Vec<f32> {
        let mut sequence = Philox::new(7, 0, 0).sequence(n as u32, d as u32);
        (0..n * d).map(|at| sequence.uniform() as f32 * (1.0 + (at % d % 5) as f32)).collect()
    }

    #[test]
    fn both_sides_give_the_same_axes_for_any_number_of_threads() {
        for (n, d) in [(40, 12), (12, 40), (30, 30), (9, 2500), (1, 5), (2, 2)] {
            let x = rows(n, d);
            let x = MatRef::new(&x, n, d);
            let principal = Principal::of(&x, 1e-9, &Pool::inline()).unwrap();
            assert_eq!(principal, Principal::of(&x, 1e-9, &Pool::new(3).unwrap()).unwrap());
            let k = principal.squares.len();
            assert_eq!(k, d.min(n - 1));
            // The sums of squares of the rows along the axes are the squares, and the axes are orthonormal.
            let along = |i: usize, axis: usize| -> f64 {
                let centred = x.row(i).iter().zip(&principal.mean).map(|(v, m)| f64::from(*v) - m);
                centred.zip(&principal.axes[axis * d..]).map(|(v, a)| v * a).sum()
            };
            let total: f64 = (0..n)
                .flat_map(|i| x.row(i).iter().zip(&principal.mean).map(|(v, m)| (f64::from(*v) - m).powi(2)))
                .sum();
            let kept: f64 = principal.squares.iter().sum();
            assert!((total - kept).abs() <= 1e-9 * total);
            for axis in 0..k {
                let square: f64 = (0..n).map(|i| along(i, axis).powi(2)).sum();
                assert!((square - principal.squares[axis]).abs() < 1e-9 * principal.squares[0]);
                let axis_of = |k: usize| &principal.axes[k * d..(k + 1) * d];
                let dot: f64 = axis_of(axis).iter().zip(axis_of(0)).map(|(a, b)| a * b).sum();
                assert!((dot - f64::from(axis == 0)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn weights_count_as_repeated_rows() {
        struct Weighted<'a>(MatRef<'a>, Vec<f64>);
        impl RowBlocks for Weighted<'_> {
            fn n_rows(&self) -> usize {
                self.0.n_rows()
            }
            fn n_cols(&self) -> usize {
                self.0.n_cols()
            }
            fn block<'b>(&'b self, start: usize, end: usize, _: &'b mut Vec<f32>, _: &Pool) -> MatRef<'b> {
                self.0.rows(start, end)
            }
            fn weight(&self, i: usize) -> f64 {
                self.1[i]
            }
        }
        for d in [3, 30] {
            let x = rows(8, d);
            let twice: Vec<f32> = x.iter().chain(&x[2 * d..3 * d]).copied().collect();
            let mut weights = vec![1.0; 8];
            weights[2] = 2.0;
            let weighted = Weighted(MatRef::new(&x, 8, d), weights);
            let pool = Pool::inline();
            let (a, b) = (
                Principal::of(&weighted, 1e-9, &pool).unwrap(),
                Principal::of(&MatRef::new(&twice, 9, d), 1e-9, &pool).unwrap(),
            );
            assert_eq!(a.weight, 9.0);
            for (a, b) in a.squares.iter().zip(&b.squares) {
                assert!((a - b).abs() < 1e-9 * b.abs().max(1.0));
            }
        }
    }
}
