//! `a b`, for a right operand in panels: pieces for threads, each computed block by block, each block tile by tile.

use std::mem::MaybeUninit;

use super::kernel::{Kernel, MAX_TILE};
use super::{BLOCK_COLUMNS, Block, MIN_PIECE_WORK, N_PIECES, Panels};
use crate::{MatMut, MatRef, Pool};

/// The number of values of the left operand that one piece of work reads repeatedly: half of a second-level cache.
const LEFT_VALUES: usize = 1 << 16;

/// The division of a product into pieces, by its shape alone.
struct Partition {
    /// The rows and columns of a piece.
    rows: usize,
    columns: usize,
    /// The number of pieces in a column, and in a row.
    n_down: usize,
    n_across: usize,
    /// Whether pieces are numbered down the columns first: then a thread's share of them has its own columns.
    by_columns: bool,
}

impl Partition {
    fn new((m, n, k): (usize, usize, usize)) -> Partition {
        let most_rows = (LEFT_VALUES / k.max(1)).clamp(48, 240);
        let n_down = m.div_ceil(most_rows);
        // As equal as possible, because threads wait for the last piece.
        let rows = m.div_ceil(n_down);
        // The larger operand should not be read by all threads: a thread's optimizer has just written the columns of
        // the weights that are also the thread's share of the product.
        let by_columns = n > m;
        let wanted = N_PIECES.div_ceil(n_down).max(1 + usize::from(by_columns));
        let columns = n.div_ceil(wanted).max(MIN_PIECE_WORK / (rows * k).max(1));
        let columns = columns.next_multiple_of(BLOCK_COLUMNS);
        Partition { rows, columns, n_down, n_across: n.div_ceil(columns), by_columns }
    }

    fn n_pieces(&self) -> usize {
        self.n_down * self.n_across
    }

    /// The first row and the first column of a piece.
    fn first(&self, piece: usize) -> (usize, usize) {
        let (down, across) = match self.by_columns {
            true => (piece % self.n_down, piece / self.n_down),
            false => (piece / self.n_across, piece % self.n_across),
        };
        (down * self.rows, across * self.columns)
    }
}

/// The output of a product's pieces.
struct Output {
    values: *mut f32,
    mask: *mut u8,
}

// SAFETY: each piece writes to its own rows and columns.
unsafe impl Sync for Output {}

pub(super) fn product(
    kernel: Kernel,
    mut c: MatMut<'_>,
    mask: &mut [u8],
    a: MatRef<'_>,
    b: Panels<'_>,
    pool: &Pool,
    finish: impl Fn(&mut Block<'_>) + Sync,
) {
    assert_eq!((a.n_rows(), b.n), (c.n_rows(), c.n_cols()), "the shape of the product");
    assert_eq!(a.n_cols(), b.k, "the length of the sum");
    assert!(b.values.len() >= b.k * b.n.next_multiple_of(kernel.width));
    let (m, n, k) = (a.n_rows(), b.n, b.k);
    assert!(mask.is_empty() || mask.len() == m * n, "the length of the mask");
    if m == 0 || n == 0 {
        return;
    }
    let cut = Partition::new((m, n, k));
    let mask = if mask.is_empty() { std::ptr::null_mut() } else { mask.as_mut_ptr() };
    let target = Output { values: c.as_mut_slice().as_mut_ptr(), mask };
    pool.for_each(cut.n_pieces(), |piece| {
        let target = &target;
        let (first_row, first_column) = cut.first(piece);
        let n_rows = cut.rows.min(m - first_row);
        for column in (first_column..n.min(first_column + cut.columns)).step_by(BLOCK_COLUMNS) {
            let n_columns = BLOCK_COLUMNS.min(n - column);
            let at = first_row * n + column;
            let values = target.values.wrapping_add(at);
            // SAFETY: the block lies within the product, and no other piece has its rows and columns.
            unsafe { block_of_product(kernel, values, (n_rows, n_columns), a, first_row, b, column) };
            let mask = if target.mask.is_null() { target.mask } else { target.mask.wrapping_add(at) };
            // SAFETY: as above; and the mask is as large as the product.
            finish(&mut unsafe { Block::new((values, mask, n), (first_row, n_rows), (column, n_columns)) });
        }
    });
}

/// Computes a block, tile by tile.
///
/// # Safety
/// `values` points to the block's first value, in a matrix as wide as `b`; the block is the caller's alone.
unsafe fn block_of_product(
    kernel: Kernel,
    values: *mut f32,
    (n_rows, n_columns): (usize, usize),
    a: MatRef<'_>,
    first_row: usize,
    b: Panels<'_>,
    first_column: usize,
) {
    // Not initialised: it would take as long as the product of a small batch.
    let mut edge = MaybeUninit::<[f32; MAX_TILE]>::uninit();
    for column in (0..n_columns).step_by(kernel.width) {
        let right = &b.values[(first_column + column) * b.k..];
        let width = kernel.width.min(n_columns - column);
        let n_tiles = n_rows.div_ceil(kernel.height);
        for tile in 0..n_tiles {
            // Tiles are as equal as possible: one with few rows would take nearly as long as one with many.
            let row = tile * n_rows / n_tiles;
            let height = (tile + 1) * n_rows / n_tiles - row;
            let left = (&a.as_slice()[(first_row + row) * b.k..], 1, b.k);
            let to = values.wrapping_add(row * b.n + column);
            if kernel.is_exact(width) {
                // SAFETY: the tile lies within the block, and is written in whole registers.
                unsafe { kernel.tile((height, width, b.k), left, right, to, b.n) };
                continue;
            }
            let edge = edge.as_mut_ptr().cast::<f32>();
            // SAFETY: `edge` has room for the largest tile.
            unsafe { kernel.tile((height, width, b.k), left, right, edge, kernel.width) };
            for i in 0..height {
                // SAFETY: the row of the tile has been written, and lies within the block.
                unsafe {
                    to.wrapping_add(i * b.n).copy_from_nonoverlapping(edge.add(i * kernel.width), width)
                };
            }
        }
    }
}
