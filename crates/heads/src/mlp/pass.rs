//! One batch forwards and backwards through the network in training.

use headsmith_kernels::draws::Draws;
use headsmith_kernels::layer_norm::Moments;
use headsmith_kernels::{Buffer, MatMut, MatRef, Philox, Pool, Sequence, gemm};

use super::layers::random::{Gate, Random};
use super::layers::{dense, layer_normalization};
use super::network::{Map, Network, Stage};
use super::streams;
use crate::loss::categorical_crossentropy::{self, Targets};
use crate::optim::adam::{Adam, Step};

/// The buffers of a batch, allocated once for the largest.
#[derive(Debug)]
pub(super) struct Pass {
    records: Vec<Record>,
    /// Gradients of biases, or of gains and offsets.
    sums: Vec<f32>,
    gemm: gemm::Workspace,
}

/// The values of a stage's forward pass that its backward pass needs.
#[derive(Debug)]
struct Record {
    /// `n_rows x n_outputs`; on the way back the gradient of the output takes its place, as soon as nothing needs the
    /// output any more.
    output: Buffer,
    /// A byte for each value of the output, zero where rectifier or dropout stop the gradient; empty where neither
    /// is.
    mask: Vec<u8>,
    /// Of the rows of a layer normalisation; else empty.
    moments: Vec<Moments>,
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
    /// The random numbers of layer `layer`.
    pub(super) fn of_layer(self, layer: usize) -> Draws {
        let philox = Philox::new(self.seed, self.trial, streams::LAYERS + layer as u32);
        Draws { philox, epoch: self.epoch, step: self.step }
    }

    fn of_stage(self, stage: &Stage) -> Random {
        Random {
            noise: stage.noise.map(|(layer, stddev)| (stddev as f32, self.of_layer(layer))),
            dropout: stage.dropout.map(|(layer, rate)| (rate, self.of_layer(layer))),
        }
    }

    /// The random numbers of mixup.
    pub(super) fn of_mixup(self) -> Sequence {
        Philox::new(self.seed, self.trial, streams::MIXUP).sequence(self.epoch, self.step)
    }
}

impl Record {
    fn new(stage: &Stage, max_rows: usize, is_last: bool) -> Record {
        let n_values = max_rows * stage.n_outputs;
        let (is_masked, n_moments) = match stage.map {
            Map::Dense(_) => (!is_last, 0),
            Map::LayerNormalization { .. } => (stage.noise.is_some() || stage.dropout.is_some(), max_rows),
        };
        Record {
            output: Buffer::zeros(n_values),
            mask: vec![0; if is_masked { n_values } else { 0 }],
            moments: vec![Moments::default(); n_moments],
        }
    }

    /// The rows of the output.
    fn rows(&self, n_rows: usize, stage: &Stage) -> MatRef<'_> {
        MatRef::new(&self.output[..n_rows * stage.n_outputs], n_rows, stage.n_outputs)
    }

    /// The buffer for the gradient of the output, and the gate through which it becomes the gradient before rectifier
    /// and dropout.
    fn gradient(&mut self, n_rows: usize, stage: &Stage) -> (MatMut<'_>, Option<Gate<'_>>) {
        let scale = stage.dropout.map_or(1.0, |(_, rate)| (1.0 / (1.0 - rate)) as f32);
        let gate = (!self.mask.is_empty()).then_some(Gate { mask: &self.mask, scale });
        let output = &mut self.output[..n_rows * stage.n_outputs];
        (MatMut::new(output, n_rows, stage.n_outputs), gate)
    }
}

impl Pass {
    pub(super) fn new(network: &Network, max_rows: usize) -> Pass {
        let n_stages = network.stages.len();
        let records = network.stages.iter().zip(1..);
        Pass {
            records: records.map(|(stage, nth)| Record::new(stage, max_rows, nth == n_stages)).collect(),
            sums: vec![0.0; 2 * network.max_width()],
            gemm: gemm::Workspace::default(),
        }
    }

    /// The workspace of products; it is free between batches.
    pub(super) fn workspace(&mut self) -> &mut gemm::Workspace {
        &mut self.gemm
    }

    /// All values that a batch left behind: activations or what took their place, sums, packed operands.
    #[cfg(test)]
    pub(super) fn values(&mut self) -> impl Iterator<Item = f32> {
        let outputs = self.records.iter().flat_map(|record| record.output.iter());
        let packed = self.gemm.spare().into_iter().flat_map(|buffer| buffer.iter());
        outputs.chain(&self.sums).chain(packed).copied()
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
            let (before, rest) = self.records.split_at_mut(i);
            let x = input(before, &network.stages, x);
            let Record { output, mask, moments } = &mut rest[0];
            let y = &mut output[..n_rows * stage.n_outputs];
            let mask = if mask.is_empty() { &mut [] } else { &mut mask[..y.len()] };
            let (second, random) = (&weights[stage.second.clone()], draws.of_stage(stage));
            match stage.map {
                Map::Dense(activation) => {
                    dense::forward(y, mask, x, stage.kernel(weights), second, activation, random, pool);
                }
                Map::LayerNormalization { epsilon } => {
                    let (gain, moments) = (&weights[stage.first.clone()], &mut moments[..n_rows]);
                    layer_normalization::forward(
                        y,
                        mask,
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
        }
        let n_values = network.stages.last().map_or(0, |stage| n_rows * stage.n_outputs);
        self.records.last_mut().map_or(&mut [], |last| &mut last.output[..n_values])
    }

    /// Takes a step down the gradients of the mean loss with respect to all weights, after
    /// [`forward`](Pass::forward) of the same batch, its logits turned into probabilities.
    #[allow(clippy::too_many_arguments)] // network, optimizer, batch, and where it runs
    pub(super) fn backward(
        &mut self,
        network: &Network,
        weights: &mut [f32],
        adam: &mut Adam,
        step: Step,
        x: MatRef<'_>,
        targets: Targets<'_>,
        pool: &Pool,
    ) {
        let n_rows = x.n_rows();
        if let (Some(last), Some(stage)) = (self.records.last_mut(), network.stages.last()) {
            let probabilities = &mut last.output[..n_rows * stage.n_outputs];
            categorical_crossentropy::gradient(probabilities, targets);
        }
        for (i, stage) in network.stages.iter().enumerate().rev() {
            let (before, rest) = self.records.split_at_mut(i);
            let record = &mut rest[0];
            let (first, second) = (stage.first.clone(), stage.second.clone());
            match stage.map {
                Map::Dense(_) => {
                    let dz = record.rows(n_rows, stage);
                    // The gradient of the input asks for the kernel as it was on the way forward, that of the kernel
                    // for the input, whose place the former takes.
                    let turned = (i > 0).then(|| gemm::turn(stage.kernel(weights), &mut self.gemm, pool));
                    let x = input(before, &network.stages, x);
                    dense::update(adam.part(weights, first), dz, x, step, &mut self.gemm, pool);
                    dense::update_bias(adam.part(weights, second), dz, step, &mut self.sums, pool);
                    if let (Some(turned), Some(record)) = (turned, before.last_mut()) {
                        let (dx, gate) = record.gradient(n_rows, &network.stages[i - 1]);
                        dense::backward_input(dx, dz, turned, gate, &self.gemm, pool);
                    }
                }
                Map::LayerNormalization { .. } => {
                    let sums = &mut self.sums[..2 * stage.n_outputs];
                    let dz = &mut record.output[..n_rows * stage.n_outputs];
                    let x = input(before, &network.stages, x).as_slice();
                    layer_normalization::gradients(sums, dz, &record.moments, x, stage.n_outputs, pool);
                    if let Some(before) = before.last_mut() {
                        let gain = &weights[first.clone()];
                        let (x, gate) = before.gradient(n_rows, &network.stages[i - 1]);
                        layer_normalization::backward_input(x, dz, &record.moments, gain, gate, pool);
                    }
                    let (d_gain, d_offset) = sums.split_at(stage.n_outputs);
                    step.apply(adam.part(weights, first), d_gain);
                    step.apply(adam.part(weights, second), d_offset);
                }
            }
        }
    }
}

/// The input of the stage after `before`: the output of the last of them, or the batch.
fn input<'a>(before: &'a [Record], stages: &[Stage], batch: MatRef<'a>) -> MatRef<'a> {
    match before.last() {
        Some(record) => record.rows(batch.n_rows(), &stages[before.len() - 1]),
        None => batch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::scores::Scores;
    use crate::mlp::{Architecture, TABLE};
    use crate::params::Value;

    /// The gradients of a network with noise, both normalisations, dropout and weights of rows, the random numbers held still, by
    /// finite differences of its own loss. Those are in single precision, so this is coarser than the comparison
    /// with a twin in double precision, which knows no random numbers.
    #[test]
    fn noise_and_dropout_have_the_same_mask_in_both_directions() {
        let small =
            [("neurons0", 40), ("neurons1", 30), ("neurons2", 50), ("layers1", 1), ("layer_norms", 2)];
        let small = small.map(|(name, value)| (name, Value::Int(value)));
        let params =
            TABLE.resolve_from("classic", small.into_iter().chain([("dropout", Value::Float(0.5))])).unwrap();
        let network = Network::new(&Architecture::new(6, 3, &params).unwrap());
        let weights = network.values(&network.initial_weights(4, 0));
        let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
        let n_rows = 70;
        let x: Vec<f32> = (0..6 * n_rows).map(|_| 4.0 * draws.uniform() as f32 - 2.0).collect();
        let x = MatRef::new(&x, n_rows, 6);
        let y: Vec<u32> = (0..n_rows).map(|_| draws.below(3)).collect();
        let step = StepDraws { seed: 9, trial: 0, epoch: 1, step: 2 };
        let pool = Pool::new(2).unwrap();
        let row_weights: Vec<f32> = (0..n_rows).map(|i| [0.5, 2.0, 0.0, 1.5][i % 4]).collect();
        let mut pass = Pass::new(&network, n_rows + 3);
        let mut loss = |weights: &[f32]| {
            let mut scores = Scores::new(3);
            scores.add(
                pass.forward(&network, &network.stored(weights), x, step, &pool),
                Targets::Classes(&y, Some(&row_weights)),
            );
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
        // The momentum after a first step is a tenth of the gradient; with no learning rate it changes nothing.
        let mut adam = Adam::new(network.n_stored);
        let first = adam.begin_step(0.0);
        let mut stored = network.stored(&weights);
        let targets = Targets::Classes(&y, Some(&row_weights));
        pass.backward(&network, &mut stored, &mut adam, first, x, targets, &pool);
        assert_eq!(network.values(&stored), weights);
        let gradients = network.values(adam.momentums());
        // A step over a rectifier's kink is wrong by as much as the step is long; most stay on one side.
        let (mut wrong, mut all) = (0.0, 0.0);
        for (i, slope) in slopes {
            wrong += (10.0 * f64::from(gradients[i]) - slope).abs();
            all += slope.abs();
        }
        assert!(wrong < 0.02 * all, "off by {wrong} of {all}");
        let other = StepDraws { step: 3, ..step };
        let before = pass.forward(&network, &stored, x, step, &pool).to_vec();
        assert_ne!(before, pass.forward(&network, &stored, x, other, &pool));
    }
}
