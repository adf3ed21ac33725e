//! Dense: `y = activation(x W + b)`, with `W` of `n_inputs x n_units` before `b` of `n_units` in the layer's
//! weights. The softmax is left to the loss, which needs the logits.
//!
//! With `dz` the gradient of `z = x W + b`: `dW = xᵀ dz`, `db = sum(dz)` over the rows, `dx = dz Wᵀ`.

use headsmith_kernels::dense::{add_bias, add_bias_relu, column_sums, relu_backward};
use headsmith_kernels::gemm::{Workspace, matmul, matmul_nt, matmul_tn};
use headsmith_kernels::{MatMut, MatRef, Pool, Sequence};

use super::PIECE_ROWS;
use crate::mlp::Activation;

/// Glorot and Bengio's uniform weights ("Understanding the difficulty of training deep feedforward neural
/// networks", 2010), within `sqrt(6 / (n_inputs + n_units))` of zero, and no bias.
pub(crate) fn initialise(weights: &mut [f32], n_inputs: usize, n_units: usize, mut draws: Sequence) {
    let limit = (6.0 / (n_inputs + n_units) as f64).sqrt();
    let (kernel, bias) = weights.split_at_mut(n_inputs * n_units);
    kernel.fill_with(|| ((2.0 * draws.uniform() - 1.0) * limit) as f32);
    bias.fill(0.0);
}

/// `y = activation(x W + b)`; logits in place of a softmax.
pub(crate) fn forward(
    y: &mut [f32],
    x: MatRef<'_>,
    weights: &[f32],
    activation: Activation,
    workspace: &mut Workspace,
    pool: &Pool,
) {
    let n_units = y.len() / x.n_rows();
    let (kernel, bias) = weights.split_at(x.n_cols() * n_units);
    let y = MatMut::new(y, x.n_rows(), n_units);
    matmul(y, x, MatRef::new(kernel, x.n_cols(), n_units), workspace, pool, |_, rows| match activation {
        Activation::Relu => add_bias_relu(rows, bias),
        Activation::Softmax => add_bias(rows, bias),
    });
}

/// Turns the gradient of `y` (of the logits for a softmax) into that of the weights.
pub(crate) fn backward(
    d_weights: &mut [f32],
    dy: &mut [f32],
    y: &[f32],
    x: MatRef<'_>,
    activation: Activation,
    workspace: &mut Workspace,
    pool: &Pool,
) {
    let n_units = dy.len() / x.n_rows();
    if activation == Activation::Relu {
        let piece = PIECE_ROWS * n_units;
        pool.for_each_chunk(dy, piece, |i, dy| relu_backward(dy, &y[i * piece..][..dy.len()]));
    }
    let (d_kernel, d_bias) = d_weights.split_at_mut(x.n_cols() * n_units);
    column_sums(d_bias, dy);
    let d_kernel = MatMut::new(d_kernel, x.n_cols(), n_units);
    matmul_tn(d_kernel, x, MatRef::new(dy, x.n_rows(), n_units), workspace, pool, |_, _| ());
}

/// The gradient of `x`, after [`backward`] has turned that of `y` into that of `z`.
pub(crate) fn backward_input(
    dx: MatMut<'_>,
    dz: &[f32],
    weights: &[f32],
    workspace: &mut Workspace,
    pool: &Pool,
) {
    let (n_rows, n_inputs) = (dx.n_rows(), dx.n_cols());
    let n_units = dz.len() / n_rows;
    let kernel = MatRef::new(&weights[..n_inputs * n_units], n_inputs, n_units);
    matmul_nt(dx, MatRef::new(dz, n_rows, n_units), kernel, workspace, pool, |_, _| ());
}
