//! The layers' arithmetic, each in both directions, on slices: `n_rows` rows of a batch, row-major.

pub(super) mod dense;
pub(super) mod dropout;
pub(super) mod gaussian_noise;
pub(super) mod layer_normalization;

/// Rows that make a piece of element-wise work, whatever the number of threads.
const PIECE_ROWS: usize = 64;
