//! Dropout (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014), inverted:
//! in training each value is zeroed with probability `rate` and otherwise divided by `1 - rate`, so that nothing
//! needs scaling later. The gradient goes through the same mask, which is drawn again rather than kept.

use headsmith_kernels::Pool;
use headsmith_kernels::draws::{Draws, dropout};

use super::PIECE_ROWS;

/// Drops from `values`, rows of `width`: outputs on the way forward, their gradients on the way back.
pub(crate) fn apply(values: &mut [f32], width: usize, rate: f64, draws: Draws, pool: &Pool) {
    pool.for_each_chunk(values, PIECE_ROWS * width, |i, values| {
        dropout(values, width, rate, Draws { first_row: i * PIECE_ROWS, ..draws });
    });
}
