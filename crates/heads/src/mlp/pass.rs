//! One batch forwards and backwards through the network in training.

use headsmith_kernels::draws::Draws;
use headsmith_kernels::layer_norm::Moments;
use headsmith_kernels::{MatMut, MatRef, Philox, Pool, gemm};

use super::architecture::Layer;
use super::layers::{dense, dropout, gaussian_noise, layer_normalization};
use super::network::{Network, Stage};
use super::streams;
use crate::loss::categorical_crossentropy;

/// What a batch needs on its way: allocated once, for the largest batch.
#[derive(Debug)]
pub(super) struct Pass {
    /// The outputs of each stage, `n_rows x n_outputs`.
    outputs: Vec<Vec<f32>>,
    /// For each layer normalisation the moments of its rows; empty for other stages.
    moments: Vec<Vec<Moments>>,
    /// The gradient of the present stage's output and that of the stage before.
    deltas: [Vec<f32>; 2],
    gradients: Vec<f32>,
    gemm: gemm::Workspace,
}

/// The random numbers of a training step.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepDraws {
    pub(super) seed: u64,
    pub(super) trial: u32,
    pub(super) epoch: u32,
    pub(super) step: u32,
}

impl StepDraws {
    fn of_stage(self, stage: usize) -> Draws {
        let philox = Philox::new(self.seed, self.trial, streams::LAYERS + stage as u32);
        Draws { philox, epoch: self.epoch, step: self.step, first_row: 0 }
    }
}

impl Pass {
    pub(super) fn new(network: &Network, max_rows: usize) -> Pass {
        let rows_of = |stage: &Stage| match stage.layer {
            Layer::LayerNormalization { .. } => vec![Moments::default(); max_rows],
            _ => Vec::new(),
        };
        let delta = || vec![0.0; max_rows * network.max_width()];
        Pass {
            outputs: network.stages.iter().map(|stage| vec![0.0; max_rows * stage.n_outputs]).collect(),
            moments: network.stages.iter().map(rows_of).collect(),
            deltas: [delta(), delta()],
            gradients: vec![0.0; network.n_weights],
            gemm: gemm::Workspace::default(),
        }
    }

    /// Sends a batch through the network and gives the logits, `n_rows x n_classes`, which the loss is to turn
    /// into probabilities before [`backward`](Pass::backward).
    pub(super) fn forward(
        &mut self,
        network: &Network,
        weights: &[f32],
        x: MatRef<'_>,
        draws: StepDraws,
        pool: &Pool,
    ) -> &mut [f32] {
        let n_rows = x.n_rows();
        for (i, stage) in network.stages.iter().enumerate() {
            let (before, rest) = self.outputs.split_at_mut(i);
            let x = input(before, stage, x);
            let y = &mut rest[0][..n_rows * stage.n_outputs];
            let of_stage = &weights[stage.weights.clone()];
            match stage.layer {
                Layer::Dense { activation, .. } => {
                    dense::forward(y, x, of_stage, activation, &mut self.gemm, pool);
                }
                Layer::GaussianNoise { stddev } => {
                    gaussian_noise::forward(y, x.as_slice(), stage.n_inputs, stddev, draws.of_stage(i), pool);
                }
                Layer::LayerNormalization { epsilon } => {
                    let moments = &mut self.moments[i][..n_rows];
                    layer_normalization::forward(y, moments, x.as_slice(), of_stage, epsilon, pool);
                }
                Layer::Dropout { rate } => {
                    y.copy_from_slice(x.as_slice());
                    dropout::apply(y, stage.n_inputs, rate, draws.of_stage(i), pool);
                }
            }
        }
        let n_values = network.stages.last().map_or(0, |stage| n_rows * stage.n_outputs);
        self.outputs.last_mut().map_or(&mut [], |last| &mut last[..n_values])
    }

    /// The gradients of the mean loss with respect to all weights, after [`forward`](Pass::forward) with the same
    /// arguments, its logits turned into probabilities.
    pub(super) fn backward(
        &mut self,
        network: &Network,
        weights: &[f32],
        x: MatRef<'_>,
        y: &[u32],
        draws: StepDraws,
        pool: &Pool,
    ) -> &[f32] {
        let n_rows = x.n_rows();
        let [mut delta, mut delta_before] = self.deltas.each_mut();
        for (i, stage) in network.stages.iter().enumerate().rev() {
            let output = &self.outputs[i][..n_rows * stage.n_outputs];
            let delta_rows = &mut delta[..output.len()];
            if i + 1 == network.stages.len() {
                categorical_crossentropy::gradient(delta_rows, output, y);
            }
            let x = input(&self.outputs[..i], stage, x);
            let of_stage = &weights[stage.weights.clone()];
            let d_weights = &mut self.gradients[stage.weights.clone()];
            match stage.layer {
                Layer::Dense { activation, .. } => {
                    dense::backward(d_weights, delta_rows, output, x, activation, &mut self.gemm, pool);
                    if i > 0 {
                        let dx = &mut delta_before[..n_rows * stage.n_inputs];
                        let dx = MatMut::new(dx, n_rows, stage.n_inputs);
                        dense::backward_input(dx, delta_rows, of_stage, &mut self.gemm, pool);
                        std::mem::swap(&mut delta, &mut delta_before);
                    }
                }
                Layer::GaussianNoise { .. } => (),
                Layer::LayerNormalization { .. } => {
                    let moments = &self.moments[i];
                    layer_normalization::backward(
                        d_weights,
                        delta_rows,
                        moments,
                        x.as_slice(),
                        of_stage,
                        pool,
                    );
                }
                Layer::Dropout { rate } => {
                    dropout::apply(delta_rows, stage.n_inputs, rate, draws.of_stage(i), pool);
                }
            }
        }
        &self.gradients
    }
}

/// What `stage` reads: the output of the stage before it, or the batch.
fn input<'a>(before: &'a [Vec<f32>], stage: &Stage, batch: MatRef<'a>) -> MatRef<'a> {
    match before.last() {
        Some(output) => {
            MatRef::new(&output[..batch.n_rows() * stage.n_inputs], batch.n_rows(), stage.n_inputs)
        }
        None => batch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::scores::Scores;
    use crate::mlp::{Architecture, TABLE};
    use crate::params::Value;

    /// The gradients of a network with noise, both normalisations and dropout, the random numbers held still, by
    /// finite differences of its own loss. Those are in single precision, so this is coarser than the comparison
    /// with a twin in double precision, which knows no random numbers.
    #[test]
    fn noise_and_dropout_have_the_same_mask_in_both_directions() {
        let small =
            [("neurons0", 40), ("neurons1", 30), ("neurons2", 50), ("layers1", 1), ("layer_norms", 2)];
        let small = small.map(|(name, value)| (name, Value::Int(value)));
        let params = TABLE.resolve(small.into_iter().chain([("dropout", Value::Float(0.5))])).unwrap();
        let network = Network::new(&Architecture::new(6, 3, &params).unwrap());
        let weights = network.initial_weights(4, 0);
        let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
        let n_rows = 70;
        let x: Vec<f32> = (0..6 * n_rows).map(|_| 4.0 * draws.uniform() as f32 - 2.0).collect();
        let x = MatRef::new(&x, n_rows, 6);
        let y: Vec<u32> = (0..n_rows).map(|_| draws.below(3)).collect();
        let step = StepDraws { seed: 9, trial: 0, epoch: 1, step: 2 };
        let pool = Pool::new(2).unwrap();
        let mut pass = Pass::new(&network, n_rows + 3);
        let mut loss = |weights: &[f32]| {
            let mut scores = Scores::new(3);
            scores.add(pass.forward(&network, weights, x, step, &pool), &y);
            scores.means().loss
        };
        let mut slopes = Vec::new();
        for i in (0..weights.len()).step_by(7) {
            let mut at = |by: f32| {
                let mut weights = weights.clone();
                weights[i] += by;
                (loss(&weights), f64::from(weights[i]))
            };
            let ((up, above), (down, below)) = (at(1e-3), at(-1e-3));
            slopes.push((i, (up - down) / (above - below)));
        }
        loss(&weights);
        let gradients = pass.backward(&network, &weights, x, &y, step, &pool);
        // A step over a rectifier's kink is wrong by as much as the step is long; most stay on one side.
        let (mut wrong, mut all) = (0.0, 0.0);
        for (i, slope) in slopes {
            wrong += (f64::from(gradients[i]) - slope).abs();
            all += slope.abs();
        }
        assert!(wrong < 0.02 * all, "off by {wrong} of {all}");
        let other = StepDraws { step: 3, ..step };
        let before = pass.forward(&network, &weights, x, step, &pool).to_vec();
        assert_ne!(before, pass.forward(&network, &weights, x, other, &pool));
    }
}
