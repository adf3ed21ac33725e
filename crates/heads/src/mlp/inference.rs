//! Rows through the network when nothing is learnt: no noise, no dropout.

use headsmith_kernels::layer_norm::Moments;
use headsmith_kernels::{MatRef, Pool, gemm};

use super::architecture::Layer;
use super::layers::{dense, layer_normalization};
use super::network::Network;

/// Rows that go through at a time. A row's result does not depend on it: see [`gemm`].
pub(super) const BLOCK_ROWS: usize = 512;

/// Buffers for one block of rows.
#[derive(Debug)]
pub(super) struct Inference {
    now: Vec<f32>,
    next: Vec<f32>,
    moments: Vec<Moments>,
    gemm: gemm::Workspace,
}

impl Inference {
    /// Buffers for at most `n_rows` rows at a time, and no more than [`BLOCK_ROWS`].
    pub(super) fn new(network: &Network, n_rows: usize) -> Inference {
        let n_rows = n_rows.min(BLOCK_ROWS);
        let rows = || vec![0.0; n_rows * network.max_width()];
        Inference {
            now: rows(),
            next: rows(),
            moments: vec![Moments::default(); n_rows],
            gemm: gemm::Workspace::default(),
        }
    }

    /// The logits of a block of rows, `n_rows x n_classes`.
    pub(super) fn logits(
        &mut self,
        network: &Network,
        weights: &[f32],
        x: MatRef<'_>,
        pool: &Pool,
    ) -> &mut [f32] {
        let n_rows = x.n_rows();
        let mut n_outputs = 0;
        for (i, stage) in network.stages.iter().enumerate() {
            let of_stage = &weights[stage.weights.clone()];
            let x = if i == 0 {
                x
            } else {
                MatRef::new(&self.now[..n_rows * stage.n_inputs], n_rows, stage.n_inputs)
            };
            let y = &mut self.next[..n_rows * stage.n_outputs];
            match stage.layer {
                Layer::Dense { activation, .. } => {
                    dense::forward(y, x, of_stage, activation, &mut self.gemm, pool);
                }
                Layer::LayerNormalization { epsilon } => {
                    let moments = &mut self.moments[..n_rows];
                    layer_normalization::forward(y, moments, x.as_slice(), of_stage, epsilon, pool);
                }
                // The identity: before any other layer it would have to copy the batch.
                Layer::GaussianNoise { .. } | Layer::Dropout { .. } if i > 0 => continue,
                Layer::GaussianNoise { .. } | Layer::Dropout { .. } => y.copy_from_slice(x.as_slice()),
            }
            std::mem::swap(&mut self.now, &mut self.next);
            n_outputs = stage.n_outputs;
        }
        &mut self.now[..n_rows * n_outputs]
    }
}
