//! A fitted network.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::architecture::{Architecture, LayerSummary};
use crate::error::Result;
use crate::tensors::Tensors;

/// A multilayer perceptron that predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    architecture: Architecture,
    weights: Vec<f32>,
}

impl Mlp {
    /// What the network is made of.
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
        self.weights.len()
    }

    /// One line a layer, as Keras's `model.summary()` shows them.
    pub fn layers(&self) -> Vec<LayerSummary> {
        self.architecture.summary()
    }

    /// The probabilities of the classes, `n_rows x n_classes`.
    ///
    /// # Panics
    /// When `x` is not `n_rows x n_features`.
    pub fn predict_proba(&self, _x: MatRef<'_>, _pool: &Pool) -> Matrix {
        unimplemented!()
    }

    /// The weights by Keras's names, a dense layer's `dense/kernel` as `[n_inputs, n_units]`.
    pub fn tensors(&self) -> Tensors {
        unimplemented!()
    }

    /// The network of stored weights.
    ///
    /// # Errors
    /// When the architecture is not one, or a tensor is missing, too many, of another shape, or not finite.
    pub fn from_tensors(_architecture: &Architecture, _tensors: Tensors) -> Result<Mlp> {
        unimplemented!()
    }
}
