//! The layers' arithmetic, each in both directions, on slices: `n_rows` rows of a batch, row-major.

pub(super) mod dense;
pub(super) mod layer_normalization;
pub(super) mod random;

use headsmith_kernels::pool::MIN_PIECE;

/// Rows that make a piece of element-wise work, whatever the number of threads.
const PIECE_ROWS: usize = 64;

/// Columns that make a piece of sums down `n_rows` rows: enough to be worth handing to another thread.
fn piece_columns(n_rows: usize) -> usize {
    (MIN_PIECE / n_rows.max(1)).max(128)
}
