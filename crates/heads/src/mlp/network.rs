//! The architecture made ready to compute: dense layers and normalisations with their widths, their place in one
//! vector of weights, and the noise and dropout that follow them.

use std::ops::Range;

use headsmith_kernels::buffer::{Buffer, LINE};
use headsmith_kernels::gemm::{self, Panels};
use headsmith_kernels::{MatRef, Philox};

use super::architecture::Architecture;
use super::layers::{dense, layer_normalization};
use super::streams;
use crate::network::{Activation, Layer};

/// The stages of a network and the vector of its weights, in the order of computation: one stage after another,
/// each with its kernel in panels before its bias, or its gain before its offset, all at the beginning of a cache
/// line. Where there is padding, it is zero.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) stages: Vec<Stage>,
    /// In training: the number and the standard deviation of a layer of noise on the inputs.
    pub(super) input_noise: Option<(usize, f64)>,
    /// The length of the vector.
    pub(super) n_stored: usize,
}

/// Multiply-adds that take as long as Adam for one weight.
const WORK_OF_ADAM: usize = 40;

/// A layer with weights in its place, and what follows it.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    /// Its number among all layers of the architecture.
    layer: usize,
    pub(super) map: Map,
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    /// The position of kernel or gain.
    pub(super) first: Range<usize>,
    /// The position of bias or offset.
    pub(super) second: Range<usize>,
    /// In training: the number and the standard deviation of a layer of noise.
    pub(super) noise: Option<(usize, f64)>,
    /// In training: the number and the rate of a dropout, after the noise.
    pub(super) dropout: Option<(usize, f64)>,
}

/// The operation of a stage.
#[derive(Debug, Clone, Copy)]
pub(super) enum Map {
    Dense(Activation),
    LayerNormalization { epsilon: f64 },
}

impl Network {
    /// Dropout before the first layer with weights is left out, and the order of noise and dropout between two such layers is
    /// not kept: neither is in a network of the parameter table, and those alone are trained.
    pub(super) fn new(architecture: &Architecture) -> Network {
        let mut network = Network { stages: Vec::new(), input_noise: None, n_stored: 0 };
        let mut n_inputs = architecture.n_features;
        for (i, layer) in architecture.layers.iter().enumerate() {
            let n_outputs = layer.output_width(n_inputs);
            match (layer, network.stages.last_mut()) {
                (Layer::Dense { activation, .. }, _) => {
                    let shape = (n_inputs, n_outputs);
                    network.push(i, Map::Dense(*activation), shape, gemm::packed_len(n_inputs, n_outputs));
                }
                (Layer::LayerNormalization { epsilon }, _) => {
                    let map = Map::LayerNormalization { epsilon: *epsilon };
                    network.push(i, map, (n_inputs, n_outputs), n_outputs);
                }
                (Layer::GaussianNoise { stddev }, Some(stage)) => stage.noise = Some((i, *stddev)),
                (Layer::Dropout { rate }, Some(stage)) => stage.dropout = Some((i, *rate)),
                (Layer::GaussianNoise { stddev }, None) => network.input_noise = Some((i, *stddev)),
                (Layer::Dropout { .. }, None) => (),
            }
            n_inputs = n_outputs;
        }
        network
    }

    fn push(&mut self, layer: usize, map: Map, (n_inputs, n_outputs): (usize, usize), n_first: usize) {
        let begin = self.n_stored;
        let second = begin + n_first.next_multiple_of(LINE);
        self.n_stored = second + n_outputs.next_multiple_of(LINE);
        let (first, second) = (begin..begin + n_first, second..second + n_outputs);
        let stage = Stage { layer, map, n_inputs, n_outputs, first, second, noise: None, dropout: None };
        self.stages.push(stage);
    }

    /// Fresh weights: Keras's defaults for every layer.
    pub(super) fn initial_weights(&self, seed: u64, trial: u32) -> Buffer {
        let mut weights = Buffer::zeros(self.n_stored);
        let philox = Philox::new(seed, trial, streams::WEIGHTS);
        for stage in &self.stages {
            match stage.map {
                Map::Dense(_) => {
                    let draws = philox.sequence(0, stage.layer as u32);
                    let kernel = dense::initial_kernel(stage.n_inputs, stage.n_outputs, draws);
                    gemm::pack(&mut weights[stage.first.clone()], kernel.view());
                }
                Map::LayerNormalization { .. } => {
                    weights[stage.first.clone()].fill(layer_normalization::INITIAL_GAIN);
                }
            }
        }
        weights
    }

    /// The vector of weights from their values layer by layer, row by row, or one of their length.
    pub(super) fn stored(&self, values: &[f32]) -> Buffer {
        let mut weights = Buffer::zeros(self.n_stored);
        let mut rest = values;
        for stage in &self.stages {
            let first;
            (first, rest) = rest.split_at(stage.n_first());
            match stage.map {
                Map::Dense(_) => gemm::pack(
                    &mut weights[stage.first.clone()],
                    MatRef::new(first, stage.n_inputs, stage.n_outputs),
                ),
                Map::LayerNormalization { .. } => weights[stage.first.clone()].copy_from_slice(first),
            }
            let second;
            (second, rest) = rest.split_at(stage.n_outputs);
            weights[stage.second.clone()].copy_from_slice(second);
        }
        weights
    }

    /// Undoes [`stored`](Network::stored).
    pub(super) fn values(&self, weights: &[f32]) -> Vec<f32> {
        let mut values = Vec::new();
        for stage in &self.stages {
            match stage.map {
                Map::Dense(_) => {
                    let from = values.len();
                    values.resize(from + stage.n_first(), 0.0);
                    gemm::unpack(&mut values[from..], stage.kernel(weights));
                }
                Map::LayerNormalization { .. } => values.extend(&weights[stage.first.clone()]),
            }
            values.extend(&weights[stage.second.clone()]);
        }
        values
    }

    /// The work of a training step on `n_rows` rows, in multiply-adds: forwards, backwards but to the features, and for each weight
    /// as many as take as long as Adam's square root and division.
    pub(super) fn work_of_a_step(&self, n_rows: usize) -> usize {
        let dense = self.stages.iter().filter(|stage| matches!(stage.map, Map::Dense(_)));
        let products = |(i, stage): (usize, &Stage)| stage.n_first() * if i == 0 { 2 } else { 3 };
        n_rows * dense.enumerate().map(products).sum::<usize>() + WORK_OF_ADAM * self.n_stored
    }

    /// The width of the widest output.
    pub(super) fn max_width(&self) -> usize {
        self.stages.iter().map(|stage| stage.n_outputs).max().unwrap_or(0)
    }
}

impl Stage {
    /// The kernel of a dense stage.
    pub(super) fn kernel<'w>(&self, weights: &'w [f32]) -> Panels<'w> {
        Panels::new(&weights[self.first.clone()], self.n_inputs, self.n_outputs)
    }

    /// The number of values of kernel or gain, without padding.
    fn n_first(&self) -> usize {
        match self.map {
            Map::Dense(_) => self.n_inputs * self.n_outputs,
            Map::LayerNormalization { .. } => self.n_outputs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::TABLE;

    #[test]
    fn kernels_are_glorot_uniform_and_the_rest_is_keras_default() {
        let params = TABLE.resolve_from("classic", [("layer_norms", crate::params::Value::Int(1))]).unwrap();
        let network = Network::new(&Architecture::new(512, 3, &params).unwrap());
        let stored = network.initial_weights(1, 0);
        let weights = network.values(&stored);
        assert_eq!(network.stored(&weights), stored);
        let kernel = &weights[..512 * 642];
        let limit = (6.0f64 / (512.0 + 642.0)).sqrt();
        assert!(kernel.iter().all(|w| f64::from(w.abs()) <= limit));
        let n = kernel.len() as f64;
        let mean = kernel.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
        let variance = kernel.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 * (limit * limit / 3.0 / n).sqrt());
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 5.0 * (0.8 / n).sqrt());
        assert!(weights[512 * 642..513 * 642].iter().all(|w| *w == 0.0));
        let norm = &weights[513 * 642..515 * 642];
        assert!(norm[..642].iter().all(|w| *w == 1.0) && norm[642..].iter().all(|w| *w == 0.0));
        assert_ne!(stored, network.initial_weights(2, 0));
        assert_ne!(stored, network.initial_weights(1, 1));
    }
}
