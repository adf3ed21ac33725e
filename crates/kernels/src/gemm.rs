//! Products of matrices for dense layers, on register kernels of our own (AVX-512, or AVX2 with FMA, found at run
//! time, or a portable one).
//! The right operand of every product is stored in panels as wide as the register kernel, each with its rows one after
//! another (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34, 2008). Weights
//! are always stored like this ([`Panels`]): the forward pass packs nothing, and the gradient of the weights has the
//! same order, so the optimizer processes each part of it while that is in the cache.
//!
//! An element of a product is one chain of multiply-adds along the sum, cut at multiples of 1,024: it does not depend
//! on the number of other rows or columns, on cache sizes or on threads, so one row predicted alone gets the same
//! bytes as within a batch. Each block of the product is passed to an epilogue while it is in the cache.

#![allow(unsafe_code)]

mod block;
mod gradient;
mod kernel;
mod pack;
mod product;

pub use block::Block;

use crate::buffer::Buffer;
use crate::{MatMut, MatRef, Pool};
use gradient::transposed_product;
use kernel::Kernel;
use product::product;

/// The number of columns of an epilogue's block; the last block may have fewer.
pub const BLOCK_COLUMNS: usize = 64;
/// The number of pieces of a product, if enough threads may be idle.
const N_PIECES: usize = 8;
/// The number of multiply-adds below which a piece is not worth another thread.
const MIN_PIECE_WORK: usize = 1 << 18;

/// A matrix of `k x n` in panels.
#[derive(Debug, Clone, Copy)]
pub struct Panels<'a> {
    values: &'a [f32],
    k: usize,
    n: usize,
}

/// The number of values of a `k x n` matrix in panels, on this machine.
pub fn packed_len(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(Kernel::best().width)
}

/// Puts a matrix into panels.
///
/// # Panics
/// If `packed` has the wrong length.
pub fn pack(packed: &mut [f32], matrix: MatRef<'_>) {
    assert_eq!(packed.len(), packed_len(matrix.n_rows(), matrix.n_cols()));
    pack::columns(packed, matrix, Kernel::best().width, &Pool::inline());
}

/// A matrix in panels of its own.
pub fn packed(matrix: MatRef<'_>) -> Buffer {
    let mut panels = Buffer::zeros(packed_len(matrix.n_rows(), matrix.n_cols()));
    pack(&mut panels, matrix);
    panels
}

/// Copies a matrix of `k x n` from its panels to `values`, row by row.
///
/// # Panics
/// If `values` has the wrong length.
pub fn unpack(values: &mut [f32], panels: Panels<'_>) {
    assert_eq!(values.len(), panels.k * panels.n);
    pack::unpacked(values, panels.values, (panels.k, panels.n), Kernel::best().width);
}

impl<'a> Panels<'a> {
    /// A `k x n` matrix that [`pack`] has packed.
    ///
    /// # Panics
    /// If there are not [`packed_len`] values.
    pub fn new(values: &'a [f32], k: usize, n: usize) -> Panels<'a> {
        assert_eq!(values.len(), packed_len(k, n));
        Panels { values, k, n }
    }
}

/// Buffers for packed operands. They grow to the size of the largest product and are then reused.
#[derive(Debug, Default)]
pub struct Workspace {
    left: Buffer,
    right: Buffer,
    turned: Buffer,
}

impl Workspace {
    /// Two buffers that are free outside of [`matmul_tn`], for temporary use.
    pub fn spare(&mut self) -> [&mut Buffer; 2] {
        [&mut self.left, &mut self.right]
    }
}

/// The transpose of a matrix, in panels, as [`turn`] leaves it in a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Turned {
    k: usize,
    n: usize,
}

/// Puts `bᵀ` into the workspace, for [`matmul_turned`]; `b` may change afterwards.
pub fn turn(b: Panels<'_>, workspace: &mut Workspace, pool: &Pool) -> Turned {
    let kernel = Kernel::best();
    let turned = workspace.turned.first(b.k.next_multiple_of(kernel.width) * b.n);
    pack::transposed(turned, b.values, (b.k, b.n), kernel.width, pool);
    Turned { k: b.k, n: b.n }
}

/// `c = a b` for `a` of `m x k`, `b` of `k x n`. Then `finish` is called for each block; it also gets its part of
/// `mask`, which has a byte for each value of `c`, or is empty.
///
/// # Panics
/// If the shapes do not fit.
pub fn matmul(
    c: MatMut<'_>,
    mask: &mut [u8],
    a: MatRef<'_>,
    b: Panels<'_>,
    pool: &Pool,
    finish: impl Fn(&mut Block<'_>) + Sync,
) {
    product(Kernel::best(), c, mask, a, b, pool, finish);
}

/// `c = a bᵀ` for `a` of `m x n`, `b` of `k x n` that was [turned](turn) last, then as [`matmul`].
///
/// # Panics
/// If the shapes do not fit.
pub fn matmul_turned(
    c: MatMut<'_>,
    a: MatRef<'_>,
    b: Turned,
    workspace: &Workspace,
    pool: &Pool,
    finish: impl Fn(&mut Block<'_>) + Sync,
) {
    let b = Panels { values: &workspace.turned, k: b.n, n: b.k };
    product(Kernel::best(), c, &mut [], a, b, pool, finish);
}

/// `aᵀ b` for `a` of `m x k`, `b` of `m x n`, stretch by stretch, in the order of a `k x n` matrix in panels:
/// `finish(values, stretch)` gets stretches of `panels`, at least one vector in that order, with the product's.
///
/// # Panics
/// If the shapes do not fit.
pub fn matmul_tn<const N: usize>(
    panels: [&mut [f32]; N],
    a: MatRef<'_>,
    b: MatRef<'_>,
    workspace: &mut Workspace,
    pool: &Pool,
    finish: impl Fn([&mut [f32]; N], &[f32]) + Sync,
) {
    transposed_product(Kernel::best(), panels, a, b, workspace, pool, finish);
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

    const SHAPES: [(usize, usize, usize); 15] = [
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
        (3, 200, 1100),
        (61, 2, 2500),
        (200, 64, 64),
        (49, 80, 2),
        (300, 333, 70),
    ];

    fn packed(kernel: Kernel, b: &Matrix) -> Vec<f32> {
        let mut packed = vec![f32::NAN; b.n_cols().next_multiple_of(kernel.width) * b.n_rows()];
        pack::columns(&mut packed, b.view(), kernel.width, &Pool::inline());
        packed
    }

    fn assert_close(got: &[f32], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (got, want) in got.iter().zip(expected) {
            assert!((f64::from(*got) - want).abs() < 3e-5, "{got}, expected {want}");
        }
    }

    #[test]
    fn every_kernel_and_layout_agrees_with_the_naive_twin() {
        let mut workspace = Workspace::default();
        let pool = Pool::new(3).unwrap();
        for (m, n, k) in SHAPES {
            let (a, b) = (random(m, k, 0), random(k, n, 1));
            let expected = naive(&a, &b);
            for kernel in Kernel::all() {
                let panels = packed(kernel, &b);
                let mut c = Matrix::new(vec![f32::NAN; m * n], m, n);
                let right = Panels { values: &panels, k, n };
                product(kernel, c.view_mut(), &mut [], a.view(), right, &pool, |_| ());
                assert_close(c.as_slice(), &expected);

                let mut turned = vec![f32::NAN; k.next_multiple_of(kernel.width) * n];
                pack::transposed(&mut turned, &panels, (k, n), kernel.width, &pool);
                assert_eq!(turned, packed(kernel, &transposed(&b)));

                let mut outputs = [(); 3].map(|()| vec![f32::NAN; n.next_multiple_of(kernel.width) * m]);
                let outputs_mut = outputs.each_mut().map(|values| &mut values[..]);
                let at = transposed(&a);
                transposed_product(
                    kernel,
                    outputs_mut,
                    at.view(),
                    b.view(),
                    &mut workspace,
                    &pool,
                    |to, sums| {
                        for to in to {
                            to.copy_from_slice(sums);
                        }
                    },
                );
                let mut c = vec![0.0; m * n];
                pack::unpacked(&mut c, &outputs[2], (m, n), kernel.width);
                assert_close(&c, &expected);
                assert_eq!(outputs[0], outputs[2]);
                // Padding is zero.
                assert_eq!(outputs[0], packed(kernel, &Matrix::new(c, m, n)));
            }
        }
    }

    #[test]
    fn public_products_match_the_naive_twin() {
        let (a, b) = (random(20, 30, 0), random(30, 40, 1));
        let mut panels = vec![0.0; packed_len(30, 40)];
        pack(&mut panels, b.view());
        let b = Panels::new(&panels, 30, 40);
        let mut back = Matrix::zeros(30, 40);
        unpack(back.as_mut_slice(), b);
        let mut c = Matrix::zeros(20, 40);
        matmul(c.view_mut(), &mut [], a.view(), b, &Pool::inline(), |_| ());
        assert_close(c.as_slice(), &naive(&a, &back));
        let (mut d, mut workspace) = (Matrix::zeros(20, 30), Workspace::default());
        let turned = turn(b, &mut workspace, &Pool::inline());
        matmul_turned(d.view_mut(), c.view(), turned, &workspace, &Pool::inline(), |_| ());
        assert_close(d.as_slice(), &naive(&c, &transposed(&back)));
        let mut outputs = [(); 3].map(|()| vec![0.0; packed_len(30, 40)]);
        let outputs = outputs.each_mut().map(|values| &mut values[..]);
        matmul_tn(outputs, a.view(), c.view(), &mut workspace, &Pool::inline(), |[to, ..], sums| {
            to.copy_from_slice(sums);
        });
    }

    #[test]
    fn a_row_gets_the_same_bytes_alone_and_in_a_batch() {
        let (a, b) = (random(330, 1600, 2), random(1600, 75, 3));
        for kernel in Kernel::all() {
            let panels = packed(kernel, &b);
            let run = |a: MatRef<'_>| {
                let mut c = Matrix::zeros(a.n_rows(), 75);
                let b = Panels { values: &panels, k: 1600, n: 75 };
                product(kernel, c.view_mut(), &mut [], a, b, &Pool::inline(), |_| ());
                c
            };
            let whole = run(a.view());
            for (start, end) in [(0, 1), (329, 330), (3, 10), (64, 90), (100, 330)] {
                let part = run(a.view().rows(start, end));
                assert_eq!(part.as_slice(), whole.view().rows(start, end).as_slice());
            }
        }
    }

    #[test]
    fn the_epilogue_sees_every_value_once_and_threads_change_nothing() {
        let (a, b) = (random(700, 300, 4), random(300, 150, 5));
        let mut panels = vec![0.0; packed_len(300, 150)];
        pack(&mut panels, b.view());
        let run = |n_threads| {
            let (mut c, mut mask) = (Matrix::zeros(700, 150), vec![0; 700 * 150]);
            let pool = Pool::new(n_threads).unwrap();
            let b = Panels::new(&panels, 300, 150);
            matmul(c.view_mut(), &mut mask, a.view(), b, &pool, |block| {
                let (first_row, first_column) = (block.first_row(), block.first_column());
                for i in 0..block.n_rows() {
                    let (values, mask) = block.row(i);
                    values.iter_mut().for_each(|v| *v += (first_row + i) as f32);
                    mask.iter_mut().zip(first_column..).for_each(|(v, column)| *v += 1 + column as u8 / 75);
                }
            });
            (c, mask)
        };
        let (c, mask) = run(1);
        assert_eq!((c.clone(), mask.clone()), run(2));
        assert_eq!((c.clone(), mask.clone()), run(3));
        let sum: f32 = (0..300).map(|p| a.row(699)[p] * b.row(p)[149]).sum();
        assert!((c.row(699)[149] - sum - 699.0).abs() < 1e-3);
        assert!(
            mask.chunks(150).all(|row| row.iter().enumerate().all(|(j, v)| usize::from(*v) == 1 + j / 75))
        );
    }

    #[test]
    #[should_panic(expected = "the length of the sum")]
    fn shapes_that_do_not_fit_are_refused() {
        let panels = vec![0.0; packed_len(4, 2)];
        let mut c = Matrix::zeros(2, 2);
        let b = Panels::new(&panels, 4, 2);
        matmul(c.view_mut(), &mut [], Matrix::zeros(2, 3).view(), b, &Pool::inline(), |_| ());
    }
}
