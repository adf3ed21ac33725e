//! LayerNormalization: each row to zero mean and unit variance, then a gain and an offset a column (Keras's
//! `gamma` and `beta`). Formulas: [`headsmith_kernels::layer_norm`].

use headsmith_kernels::dense::apply_mask;
use headsmith_kernels::gemm::Block;
use headsmith_kernels::layer_norm::{Moments, layer_norm, layer_norm_backward, layer_norm_weights_backward};
use headsmith_kernels::{MatMut, Pool};

use super::random::{Gate, Random};
use super::{PIECE_ROWS, piece_columns};

/// The initial gain. The initial offset is zero.
pub(crate) const INITIAL_GAIN: f32 = 1.0;

/// Normalises the rows of `x` into `y` and notes their moments; then what follows. `mask` has a byte for each value
/// of `y`, zero where the gradient will not pass; it may be empty if nothing follows.
#[allow(clippy::too_many_arguments)] // a layer's operands and where it runs
pub(crate) fn forward(
    y: &mut [f32],
    mask: &mut [u8],
    moments: &mut [Moments],
    x: &[f32],
    gain: &[f32],
    offset: &[f32],
    epsilon: f64,
    random: Random,
    pool: &Pool,
) {
    let piece = PIECE_ROWS * gain.len();
    pool.for_each_chunk2((&mut *y, piece), (moments, PIECE_ROWS), |i, y, moments| {
        layer_norm(y, moments, &x[i * piece..][..y.len()], gain, offset, epsilon as f32);
    });
    if !random.is_none() {
        pool.for_each_chunk2((y, piece), (mask, piece), |i, y, mask| {
            mask.fill(1);
            random.apply(&mut Block::of_rows(y, mask, gain.len(), i * PIECE_ROWS));
        });
    }
}

/// Turns `x` into its gradient, from that of `y`, through the gate of what gave `x`.
pub(crate) fn backward_input(
    mut x: MatMut<'_>,
    gradient: &[f32],
    moments: &[Moments],
    gain: &[f32],
    gate: Option<Gate<'_>>,
    pool: &Pool,
) {
    let piece = PIECE_ROWS * gain.len();
    pool.for_each_chunk(x.as_mut_slice(), piece, |i, x| {
        let of_rows = &moments[i * PIECE_ROWS..];
        layer_norm_backward(x, &gradient[i * piece..][..x.len()], of_rows, gain);
        if let Some(gate) = gate {
            let mut block = Block::of_rows(x, &mut [], gain.len(), i * PIECE_ROWS);
            apply_mask(&mut block, gate.mask, gate.scale);
        }
    });
}

/// The gradients of gain and offset, from that of `y`, one after the other into `sums`.
pub(crate) fn gradients(
    sums: &mut [f32],
    gradient: &[f32],
    moments: &[Moments],
    x: &[f32],
    width: usize,
    pool: &Pool,
) {
    let (d_gain, d_offset) = sums[..2 * width].split_at_mut(width);
    let piece = piece_columns(moments.len());
    pool.for_each_chunk2((d_gain, piece), (d_offset, piece), |i, d_gain, d_offset| {
        layer_norm_weights_backward(d_gain, d_offset, gradient, x, moments, i * piece, width);
    });
}
