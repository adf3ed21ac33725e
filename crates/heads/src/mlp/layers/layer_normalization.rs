//! LayerNormalization: each row to zero mean and unit variance, then a gain and an offset a column (Keras's
//! `gamma` before `beta` in the layer's weights). Formulas: [`headsmith_kernels::layer_norm`].

use headsmith_kernels::Pool;
use headsmith_kernels::layer_norm::{Moments, layer_norm, layer_norm_backward, layer_norm_weights_backward};

use super::PIECE_ROWS;

/// A gain of one and no offset.
pub(crate) fn initialise(weights: &mut [f32]) {
    let (gain, offset) = weights.split_at_mut(weights.len() / 2);
    gain.fill(1.0);
    offset.fill(0.0);
}

/// Normalises the rows of `x` into `y` and notes their moments.
pub(crate) fn forward(
    y: &mut [f32],
    moments: &mut [Moments],
    x: &[f32],
    weights: &[f32],
    epsilon: f64,
    pool: &Pool,
) {
    let (gain, offset) = weights.split_at(weights.len() / 2);
    let piece = PIECE_ROWS * gain.len();
    pool.for_each_chunk2((y, piece), (moments, PIECE_ROWS), |i, y, moments| {
        layer_norm(y, moments, &x[i * piece..][..y.len()], gain, offset, epsilon as f32);
    });
}

/// Turns the gradient of `y` into that of `x`, in place, and gives that of the weights.
pub(crate) fn backward(
    d_weights: &mut [f32],
    gradient: &mut [f32],
    moments: &[Moments],
    x: &[f32],
    weights: &[f32],
    pool: &Pool,
) {
    let gain = &weights[..weights.len() / 2];
    let (d_gain, d_offset) = d_weights.split_at_mut(gain.len());
    layer_norm_weights_backward(d_gain, d_offset, gradient, x, moments);
    let piece = PIECE_ROWS * gain.len();
    pool.for_each_chunk(gradient, piece, |i, gradient| {
        let of_rows = &moments[i * PIECE_ROWS..];
        layer_norm_backward(gradient, &x[i * piece..][..gradient.len()], of_rows, gain);
    });
}
