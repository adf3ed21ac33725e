//! Rows through the network when nothing is learnt: no noise, no dropout.

use headsmith_kernels::gemm::Workspace;
use headsmith_kernels::layer_norm::Moments;
use headsmith_kernels::{MatRef, Pool};

use super::layers::random::Random;
use super::layers::{dense, layer_normalization};
use super::network::{Map, Network};

/// Rows that go through at a time. A row's result does not depend on it: see [`gemm`].
pub(super) const BLOCK_ROWS: usize = 512;

/// The buffers of a block of rows beside a workspace.
#[derive(Debug)]
pub(super) struct Inference {
    moments: Vec<Moments>,
}

impl Inference {
    /// For at most `n_rows` rows at a time, and no more than [`BLOCK_ROWS`].
    pub(super) fn new(n_rows: usize) -> Inference {
        Inference { moments: vec![Moments::default(); n_rows.min(BLOCK_ROWS)] }
    }

    /// The logits of a block of rows, `n_rows x n_classes`. The workspace is that of the training, which rests
    /// meanwhile.
    pub(super) fn logits<'w>(
        &mut self,
        network: &Network,
        weights: &[f32],
        x: MatRef<'_>,
        workspace: &'w mut Workspace,
        pool: &Pool,
    ) -> &'w mut [f32] {
        let n_rows = x.n_rows();
        let mut n_outputs = 0;
        let [mut now, mut next] = workspace.spare();
        for (i, stage) in network.stages.iter().enumerate() {
            let x =
                if i == 0 { x } else { MatRef::new(&now[..n_rows * stage.n_inputs], n_rows, stage.n_inputs) };
            let y = next.first(n_rows * stage.n_outputs);
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
            std::mem::swap(&mut now, &mut next);
            n_outputs = stage.n_outputs;
        }
        now.first(n_rows * n_outputs)
    }
}
