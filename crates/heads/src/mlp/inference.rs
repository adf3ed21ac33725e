//! Rows through the network when nothing is learnt: no noise, no dropout.

use headsmith_kernels::layer_norm::Moments;
use headsmith_kernels::{Buffer, MatRef, Pool};

use super::layers::random::Random;
use super::layers::{dense, layer_normalization};
use super::network::{Map, Network};

/// Rows that go through at a time. A row's result does not depend on it: see [`gemm`].
pub(super) const BLOCK_ROWS: usize = 512;

/// Buffers for one block of rows.
#[derive(Debug)]
pub(super) struct Inference {
    now: Buffer,
    next: Buffer,
    moments: Vec<Moments>,
}

impl Inference {
    /// Buffers for at most `n_rows` rows at a time, and no more than [`BLOCK_ROWS`].
    pub(super) fn new(network: &Network, n_rows: usize) -> Inference {
        let n_rows = n_rows.min(BLOCK_ROWS);
        let rows = || Buffer::zeros(n_rows * network.max_width());
        Inference { now: rows(), next: rows(), moments: vec![Moments::default(); n_rows] }
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
            let x = if i == 0 {
                x
            } else {
                MatRef::new(&self.now[..n_rows * stage.n_inputs], n_rows, stage.n_inputs)
            };
            let y = &mut self.next[..n_rows * stage.n_outputs];
            let (second, random) = (&weights[stage.second.clone()], Random::default());
            match stage.map {
                Map::Dense(activation) => {
                    dense::forward(y, &mut [], x, stage.kernel(weights), second, activation, random, pool);
                }
                Map::LayerNormalization { epsilon } => {
                    let (gain, moments) = (&weights[stage.first.clone()], &mut self.moments[..n_rows]);
                    layer_normalization::forward(
                        y,
                        &mut [],
                        moments,
                        x.as_slice(),
                        gain,
                        second,
                        epsilon,
                        random,
                        pool,
                    );
                }
            }
            std::mem::swap(&mut self.now, &mut self.next);
            n_outputs = stage.n_outputs;
        }
        &mut self.now[..n_rows * n_outputs]
    }
}
