//! Products of row-major matrices, on the register kernels of the `gemm` crates (AVX-512 or AVX2 with FMA, found
//! at run time) or a portable one.
//!
//! The loops around the register kernel are our own, for three reasons. An element of the product is one chain of
//! fused multiply-adds along the sum, cut at multiples of [`K_BLOCK`]: it does not depend on how many rows or
//! columns stand around it, on cache sizes or on threads, so one row predicted alone gets the same bytes as
//! within a batch. The buffers are the caller's ([`Workspace`]), so that nothing is allocated once they have
//! grown. And a piece of the product is handed to an epilogue while it is still in the cache.
//!
//! Layout: the right operand is packed into panels of as many columns as the register kernel is wide, each panel
//! holding its rows one after another; the left one is read in place, or, if it is transposed, packed likewise
//! into panels of the kernel's height (Goto and van de Geijn, "Anatomy of high-performance matrix
//! multiplication", ACM TOMS 34, 2008).

#![allow(unsafe_code)]

mod kernel;
mod pack;

use crate::{MatMut, MatRef, Pool};
use kernel::{HEIGHT, Kernel};
use pack::{Line, Operand};

/// The length of the stretches into which every sum is cut. A panel of the right operand of this length fits the
/// first-level cache.
pub const K_BLOCK: usize = 256;
/// The fewest rows of the product that make a piece of work: with fewer, reading the right operand again for each
/// piece costs more than computing.
const MIN_PIECE_ROWS: usize = 8 * HEIGHT;
/// Multiply-adds below which handing a piece to another thread does not pay.
const MIN_PIECE_WORK: usize = 1 << 20;
/// With at most this many rows the right operand is read in place: packing it would cost more than it saves.
const MAX_UNPACKED_ROWS: usize = 4 * HEIGHT;

/// Buffers for packed operands. They grow to what the largest product needs and are then reused.
#[derive(Debug, Default)]
pub struct Workspace {
    left: Vec<Line>,
    right: Vec<Line>,
}

/// `c = a b` for `a` of `m x k`, `b` of `k x n`. Then, piece by piece, `finish(first_row, rows)` is called for
/// whole rows of `c`.
///
/// # Panics
/// When the shapes do not fit.
pub fn matmul(
    c: MatMut<'_>,
    a: MatRef<'_>,
    b: MatRef<'_>,
    workspace: &mut Workspace,
    pool: &Pool,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) {
    assert_eq!((a.n_rows(), b.n_cols()), (c.n_rows(), c.n_cols()), "the shape of the product");
    assert_eq!(a.n_cols(), b.n_rows(), "the length of the sum");
    let k = a.n_cols();
    product(Kernel::best(), c, Operand::rows(a), Operand::columns(b), k, workspace, pool, finish);
}

/// `c = aᵀ b` for `a` of `k x m`, `b` of `k x n`. Then, piece by piece, `finish(first_row, rows)` is called for
/// whole rows of `c`.
///
/// # Panics
/// When the shapes do not fit.
pub fn matmul_tn(
    c: MatMut<'_>,
    a: MatRef<'_>,
    b: MatRef<'_>,
    workspace: &mut Workspace,
    pool: &Pool,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) {
    assert_eq!((a.n_cols(), b.n_cols()), (c.n_rows(), c.n_cols()), "the shape of the product");
    assert_eq!(a.n_rows(), b.n_rows(), "the length of the sum");
    let k = a.n_rows();
    product(Kernel::best(), c, Operand::columns(a), Operand::columns(b), k, workspace, pool, finish);
}

/// `c = a bᵀ` for `a` of `m x k`, `b` of `n x k`. Then, piece by piece, `finish(first_row, rows)` is called for
/// whole rows of `c`.
///
/// # Panics
/// When the shapes do not fit.
pub fn matmul_nt(
    c: MatMut<'_>,
    a: MatRef<'_>,
    b: MatRef<'_>,
    workspace: &mut Workspace,
    pool: &Pool,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) {
    assert_eq!((a.n_rows(), b.n_rows()), (c.n_rows(), c.n_cols()), "the shape of the product");
    assert_eq!(a.n_cols(), b.n_cols(), "the length of the sum");
    let k = a.n_cols();
    product(Kernel::best(), c, Operand::rows(a), Operand::rows(b), k, workspace, pool, finish);
}

/// Rows of an `m x n` product over `k` that make a piece of work: by shape alone.
fn piece_rows(n: usize, k: usize) -> usize {
    (MIN_PIECE_WORK / (n * k).max(1)).next_multiple_of(HEIGHT).max(MIN_PIECE_ROWS)
}

#[allow(clippy::too_many_arguments)] // the operands of a product and where it runs
fn product(
    kernel: Kernel,
    mut c: MatMut<'_>,
    a: Operand<'_>,
    b: Operand<'_>,
    k: usize,
    workspace: &mut Workspace,
    pool: &Pool,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) {
    let (m, n) = (c.n_rows(), c.n_cols());
    if m == 0 || n == 0 {
        return;
    }
    // Reading in place needs rows of the panel's columns one after another, and whole panels.
    let n_in_place =
        if m <= MAX_UNPACKED_ROWS && b.stride == 1 { n / kernel.width * kernel.width } else { 0 };
    let right = pack::panels(&mut workspace.right, b, n_in_place..n, k, kernel.width, pool);
    let left = (a.stride == 1).then(|| pack::panels(&mut workspace.left, a, 0..m, k, HEIGHT, pool));
    let piece_rows = piece_rows(n, k);
    pool.for_each_chunk(c.as_mut_slice(), piece_rows * n, |piece, rows| {
        let first_row = piece * piece_rows;
        let left = |row: usize| match left {
            Some(packed) => (&packed[row * k..], HEIGHT, 1),
            None => (&a.data[row * a.stride..], 1, a.stride),
        };
        let right = |column: usize| match column.checked_sub(n_in_place) {
            Some(packed) => (&right[packed * k..], kernel.width),
            None => (&b.data[column..], b.k_stride),
        };
        kernel.piece(rows, n, k, |row| left(first_row + row), right);
        finish(first_row, rows);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, Philox};

    fn random(n_rows: usize, n_cols: usize, stream: u32) -> Matrix {
        let mut sequence = Philox::new(7, 0, stream).sequence(n_rows as u32, n_cols as u32);
        Matrix::new((0..n_rows * n_cols).map(|_| sequence.uniform() as f32 - 0.5).collect(), n_rows, n_cols)
    }

    fn transposed(a: &Matrix) -> Matrix {
        let values = (0..a.n_cols()).flat_map(|j| (0..a.n_rows()).map(move |i| a.row(i)[j]));
        Matrix::new(values.collect(), a.n_cols(), a.n_rows())
    }

    /// The naive twin, in double precision.
    fn naive(a: &Matrix, b: &Matrix) -> Vec<f64> {
        let element = |i: usize, j: usize| {
            (0..a.n_cols()).map(|p| f64::from(a.row(i)[p]) * f64::from(b.row(p)[j])).sum::<f64>()
        };
        (0..a.n_rows())
            .flat_map(|i| (0..b.n_cols()).map(move |j| (i, j)))
            .map(|(i, j)| element(i, j))
            .collect()
    }

    const SHAPES: [(usize, usize, usize); 14] = [
        (1, 1, 1),
        (1, 3, 512),
        (6, 16, 256),
        (7, 17, 257),
        (16, 128, 300),
        (24, 65, 31),
        (25, 65, 31),
        (50, 38, 642),
        (97, 33, 5),
        (128, 100, 1),
        (3, 200, 513),
        (61, 2, 700),
        (200, 64, 64),
        (49, 80, 2),
    ];

    #[test]
    fn every_kernel_and_layout_agrees_with_the_naive_twin() {
        let mut workspace = Workspace::default();
        let pool = Pool::new(3).unwrap();
        for (m, n, k) in SHAPES {
            let (a, b) = (random(m, k, 0), random(k, n, 1));
            let (at, bt) = (transposed(&a), transposed(&b));
            let expected = naive(&a, &b);
            for kernel in Kernel::all() {
                for (left, right) in [
                    (Operand::rows(a.view()), Operand::columns(b.view())),
                    (Operand::columns(at.view()), Operand::columns(b.view())),
                    (Operand::rows(a.view()), Operand::rows(bt.view())),
                    (Operand::columns(at.view()), Operand::rows(bt.view())),
                ] {
                    let mut c = Matrix::new(vec![f32::NAN; m * n], m, n);
                    product(kernel, c.view_mut(), left, right, k, &mut workspace, &pool, |_, _| ());
                    for (got, want) in c.as_slice().iter().zip(&expected) {
                        let error = (f64::from(*got) - want).abs();
                        assert!(error < 2e-5, "{m} x {n} over {k}: {got}, expected {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_gets_the_same_bytes_alone_and_in_a_batch() {
        let mut workspace = Workspace::default();
        let (a, b) = (random(130, 600, 2), random(600, 75, 3));
        let mut whole = Matrix::zeros(130, 75);
        matmul(whole.view_mut(), a.view(), b.view(), &mut workspace, &Pool::inline(), |_, _| ());
        for (start, end) in [(0, 1), (129, 130), (3, 10), (64, 90), (100, 130)] {
            let mut part = Matrix::zeros(end - start, 75);
            let rows = a.view().rows(start, end);
            matmul(part.view_mut(), rows, b.view(), &mut workspace, &Pool::inline(), |_, _| ());
            assert_eq!(part.as_slice(), whole.view().rows(start, end).as_slice());
        }
    }

    #[test]
    fn the_epilogue_sees_every_row_once_and_threads_change_nothing() {
        let (a, b) = (random(700, 300, 4), random(300, 50, 5));
        let run = |n_threads| {
            let mut c = Matrix::zeros(700, 50);
            let pool = Pool::new(n_threads).unwrap();
            matmul(c.view_mut(), a.view(), b.view(), &mut Workspace::default(), &pool, |first_row, rows| {
                for (i, row) in rows.chunks_exact_mut(50).enumerate() {
                    row.iter_mut().for_each(|v| *v += (first_row + i) as f32);
                }
            });
            c
        };
        let one = run(1);
        assert_eq!(one, run(2));
        assert_eq!(one, run(3));
        let sum: f32 = (0..300).map(|p| a.row(699)[p] * b.row(p)[49]).sum();
        assert!((one.row(699)[49] - sum - 699.0).abs() < 1e-3);
    }

    #[test]
    #[should_panic(expected = "the length of the sum")]
    fn shapes_that_do_not_fit_are_refused() {
        let (a, b) = (Matrix::zeros(2, 3), Matrix::zeros(4, 2));
        let mut c = Matrix::zeros(2, 2);
        matmul(c.view_mut(), a.view(), b.view(), &mut Workspace::default(), &Pool::inline(), |_, _| ());
    }
}
