//! A fitted network.

use headsmith_kernels::gemm::Workspace;
use headsmith_kernels::softmax::softmax;
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::architecture::Architecture;
use super::inference::{BLOCK_ROWS, Inference};
use super::network::Network;
use crate::error::{Error, Result};
use crate::network::LayerSummary;
use crate::tensors::{Tensors, Values};

/// A multilayer perceptron that predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    architecture: Architecture,
    /// As [`Network`] stores them.
    weights: Buffer,
}

impl Mlp {
    /// A network with weights as [`Network`] stores them.
    pub(super) fn new(architecture: Architecture, weights: Buffer) -> Mlp {
        Mlp { architecture, weights }
    }

    /// The network whose logits are `slope` times these: it multiplies the weights of the last layer. A slope of 1 changes no byte.
    pub(super) fn sharpened(mut self, slope: f64) -> Mlp {
        let network = Network::new(&self.architecture);
        if let Some(last) = network.stages.last() {
            for range in [last.first.clone(), last.second.clone()] {
                self.weights[range].iter_mut().for_each(|weight| *weight *= slope as f32);
            }
        }
        self
    }

    /// The layers of the network.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The width of a row of input.
    pub fn n_features(&self) -> usize {
        self.architecture.n_features
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.architecture.n_classes()
    }

    /// The number of weights.
    pub fn n_params(&self) -> usize {
        self.architecture.n_params()
    }

    /// One line a layer, as Keras's `model.summary()` shows them.
    pub fn layers(&self) -> Vec<LayerSummary> {
        self.architecture.summary()
    }

    /// The probabilities of the classes, `n_rows x n_classes`. A row's bytes are the same whatever rows are
    /// around it and however many threads there are.
    ///
    /// # Panics
    /// When `x` is not `n_rows x n_features`.
    pub fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.n_features(), "the width of a row");
        let n_classes = self.n_classes();
        let network = Network::new(&self.architecture);
        let (mut inference, mut workspace) = (Inference::new(x.n_rows()), Workspace::default());
        let mut probabilities = Matrix::zeros(x.n_rows(), n_classes);
        let mut log_sums = vec![0.0; BLOCK_ROWS.min(x.n_rows())];
        for start in (0..x.n_rows()).step_by(BLOCK_ROWS) {
            let rows = x.rows(start, x.n_rows().min(start + BLOCK_ROWS));
            let block = inference.logits(&network, &self.weights, rows, &mut workspace, pool);
            softmax(block, &mut log_sums, n_classes);
            probabilities.as_mut_slice()[start * n_classes..][..block.len()].copy_from_slice(block);
        }
        probabilities
    }

    /// The weights by Keras's names: `dense/kernel` as `[n_inputs, n_units]`, `dense/bias`,
    /// `layer_normalization/gamma`, `layer_normalization/beta` ..
    pub fn tensors(&self) -> Tensors {
        tensors(&self.architecture, &self.weights)
    }

    /// The network of stored weights.
    ///
    /// # Errors
    /// When the architecture is not one, or a tensor is missing, too many, of another shape, or not finite.
    pub fn from_tensors(architecture: &Architecture, tensors: Tensors) -> Result<Mlp> {
        architecture.check()?;
        Ok(Mlp { architecture: architecture.clone(), weights: weights(architecture, tensors)? })
    }
}

/// The tensors of a network in the order of its weights: names and shapes.
fn layout(architecture: &Architecture) -> Vec<(String, Vec<usize>)> {
    let mut n_inputs = architecture.n_features;
    let of_layer = architecture.summary().into_iter().flat_map(|line| {
        let (name, n_outputs) = (|part: &str| format!("{}/{part}", line.name), line.output_width);
        let tensors = match line.kind {
            "Dense" => vec![(name("kernel"), vec![n_inputs, n_outputs]), (name("bias"), vec![n_outputs])],
            "LayerNormalization" => vec![(name("gamma"), vec![n_inputs]), (name("beta"), vec![n_inputs])],
            _ => Vec::new(),
        };
        n_inputs = n_outputs;
        tensors
    });
    of_layer.collect()
}

/// A vector of a network's weights, or of values that belong to them, as named tensors.
pub(super) fn tensors(architecture: &Architecture, weights: &[f32]) -> Tensors {
    let mut tensors = Tensors::new();
    each(architecture, &Network::new(architecture), weights, |name, shape, values| {
        tensors.insert(name, shape, Values::F32(values.to_vec()));
    });
    tensors
}

/// Shows a vector of a network's weights one tensor after another: name, shape and values.
pub(super) fn each(
    architecture: &Architecture,
    network: &Network,
    weights: &[f32],
    mut see: impl FnMut(String, &[usize], &[f32]),
) {
    let values = network.values(weights);
    let mut rest = &values[..];
    for (name, shape) in layout(architecture) {
        let (values, after) = rest.split_at(shape.iter().product());
        see(name, &shape, values);
        rest = after;
    }
}

/// The vector that [`tensors`] was given. The shapes of the tensors are checked before anything is allocated, so
/// the architecture cannot claim more than there is.
pub(super) fn weights(architecture: &Architecture, mut tensors: Tensors) -> Result<Buffer> {
    let mut weights = Vec::new();
    for (name, shape) in layout(architecture) {
        weights.extend(tensors.take_finite(&name, &shape)?);
    }
    match tensors.names().next() {
        Some(name) => Err(Error::stored(format!("tensor `{name}` belongs to no layer of the network"))),
        None => Ok(Network::new(architecture).stored(&weights)),
    }
}
