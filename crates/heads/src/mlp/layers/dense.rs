//! Dense: `y = activation(x W + b)`, with `W` of `n_inputs x n_units` in panels and `b` of `n_units`. The softmax is
//! left to the loss, which needs the logits.
//!
//! With `dz` the gradient of `z = x W + b`: `dW = xᵀ dz`, `db = sum(dz)` over the rows, `dx = dz Wᵀ`.

use headsmith_kernels::dense::{add_bias, add_bias_relu, apply_mask, column_sums};
use headsmith_kernels::gemm::{Panels, Turned, Workspace, matmul, matmul_tn, matmul_turned};
use headsmith_kernels::{MatMut, MatRef, Matrix, Pool, Sequence};

use super::piece_columns;
use super::random::{Gate, Random};
use crate::network::Activation;
use crate::optim::adam::Step;

/// Glorot and Bengio's uniform weights ("Understanding the difficulty of training deep feedforward neural
/// networks", 2010), within `sqrt(6 / (n_inputs + n_units))` of zero. The bias begins as zero.
pub(crate) fn initial_kernel(n_inputs: usize, n_units: usize, mut draws: Sequence) -> Matrix {
    let limit = (6.0 / (n_inputs + n_units) as f64).sqrt();
    let mut kernel = Matrix::zeros(n_inputs, n_units);
    kernel.as_mut_slice().fill_with(|| ((2.0 * draws.uniform() - 1.0) * limit) as f32);
    kernel
}

/// `y = activation(x W + b)`, logits in place of a softmax; then what follows. `mask` has a byte for each value of
/// `y`, zero where the gradient will not pass, or is empty.
#[allow(clippy::too_many_arguments)] // a layer's operands and where it runs
pub(crate) fn forward(
    y: &mut [f32],
    mask: &mut [u8],
    x: MatRef<'_>,
    kernel: Panels<'_>,
    bias: &[f32],
    activation: Activation,
    random: Random,
    pool: &Pool,
) {
    let y = MatMut::new(y, x.n_rows(), bias.len());
    matmul(y, mask, x, kernel, pool, |block| {
        match activation {
            Activation::Relu => add_bias_relu(block, bias),
            Activation::Softmax => add_bias(block, bias),
        }
        random.apply(block);
    });
}

/// The gradient of `x` from that of `z`, through the gate of what gave `x`, with the kernel as it was turned.
pub(crate) fn backward_input(
    dx: MatMut<'_>,
    dz: MatRef<'_>,
    kernel: Turned,
    gate: Option<Gate<'_>>,
    workspace: &Workspace,
    pool: &Pool,
) {
    matmul_turned(dx, dz, kernel, workspace, pool, |block| {
        if let Some(gate) = gate {
            apply_mask(block, gate.mask, gate.scale);
        }
    });
}

/// Steps down the gradient of the kernel, stretch by stretch as it is computed.
pub(crate) fn update(
    kernel: [&mut [f32]; 3],
    dz: MatRef<'_>,
    x: MatRef<'_>,
    step: Step,
    workspace: &mut Workspace,
    pool: &Pool,
) {
    matmul_tn(kernel, x, dz, workspace, pool, |stretch, gradient| step.apply(stretch, gradient));
}

/// Steps down the gradient of the bias. `sums` has room for it.
pub(crate) fn update_bias(bias: [&mut [f32]; 3], dz: MatRef<'_>, step: Step, sums: &mut [f32], pool: &Pool) {
    let (sums, piece) = (&mut sums[..dz.n_cols()], piece_columns(dz.n_rows()));
    pool.for_each_chunk(sums, piece, |i, sums| {
        column_sums(sums, dz.as_slice(), i * piece, dz.n_cols());
    });
    step.apply(bias, sums);
}
