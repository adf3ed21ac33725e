//! The architecture made ready to compute: every layer with its widths and its place in one vector of weights.

use std::ops::Range;

use headsmith_kernels::Philox;

use super::architecture::{Architecture, Layer};
use super::layers::{dense, layer_normalization};
use super::streams;

/// The stages of a network and the vector its weights stand in: the layers one after another, each with its kernel
/// before its bias, or its gain before its offset.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) stages: Vec<Stage>,
    pub(super) n_weights: usize,
}

/// A layer in its place.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) layer: Layer,
    pub(super) n_inputs: usize,
    pub(super) n_outputs: usize,
    pub(super) weights: Range<usize>,
}

impl Network {
    pub(super) fn new(architecture: &Architecture) -> Network {
        let (mut n_inputs, mut n_weights) = (architecture.n_features, 0);
        let stages = architecture.layers.iter().map(|layer| {
            let (n_outputs, first) = (layer.output_width(n_inputs), n_weights);
            n_weights += layer.n_params(n_inputs);
            let stage = Stage { layer: layer.clone(), n_inputs, n_outputs, weights: first..n_weights };
            n_inputs = n_outputs;
            stage
        });
        Network { stages: stages.collect(), n_weights }
    }

    /// Fresh weights: Keras's defaults for every layer.
    pub(super) fn initial_weights(&self, seed: u64, trial: u32) -> Vec<f32> {
        let mut weights = vec![0.0; self.n_weights];
        let philox = Philox::new(seed, trial, streams::WEIGHTS);
        for (i, stage) in self.stages.iter().enumerate() {
            let of_stage = &mut weights[stage.weights.clone()];
            match stage.layer {
                Layer::Dense { units, .. } => {
                    dense::initialise(of_stage, stage.n_inputs, units, philox.sequence(0, i as u32));
                }
                Layer::LayerNormalization { .. } => layer_normalization::initialise(of_stage),
                Layer::GaussianNoise { .. } | Layer::Dropout { .. } => (),
            }
        }
        weights
    }

    /// The width of the widest output.
    pub(super) fn max_width(&self) -> usize {
        self.stages.iter().map(|stage| stage.n_outputs).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::TABLE;

    #[test]
    fn kernels_are_glorot_uniform_and_the_rest_is_keras_default() {
        let params = TABLE.resolve([("layer_norms", crate::params::Value::Int(1))]).unwrap();
        let network = Network::new(&Architecture::new(512, 3, &params).unwrap());
        let weights = network.initial_weights(1, 0);
        let kernel = &weights[..512 * 642];
        let limit = (6.0f64 / (512.0 + 642.0)).sqrt();
        assert!(kernel.iter().all(|w| f64::from(w.abs()) <= limit));
        let n = kernel.len() as f64;
        let mean = kernel.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
        let variance = kernel.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 * (limit * limit / 3.0 / n).sqrt());
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 5.0 * (0.8 / n).sqrt());
        assert!(weights[512 * 642..513 * 642].iter().all(|w| *w == 0.0));
        let norm = &weights[network.stages[2].weights.clone()];
        assert!(norm[..642].iter().all(|w| *w == 1.0) && norm[642..].iter().all(|w| *w == 0.0));
        assert_ne!(weights, network.initial_weights(2, 0));
        assert_ne!(weights, network.initial_weights(1, 1));
    }
}
