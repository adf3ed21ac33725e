//! GaussianNoise: `y = x + stddev * normal` in training. The gradient passes unchanged.

use headsmith_kernels::Pool;
use headsmith_kernels::draws::{Draws, add_normals};

use super::PIECE_ROWS;

/// Writes `x`, rows of `width`, with noise into `y`.
pub(crate) fn forward(y: &mut [f32], x: &[f32], width: usize, stddev: f64, draws: Draws, pool: &Pool) {
    let piece = PIECE_ROWS * width;
    pool.for_each_chunk(y, piece, |i, y| {
        let draws = Draws { first_row: i * PIECE_ROWS, ..draws };
        add_normals(y, &x[i * piece..][..y.len()], width, stddev as f32, draws);
    });
}
