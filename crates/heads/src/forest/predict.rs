//! Prediction.

use headsmith_kernels::Matrix;

/// How well samples are predicted by the trees that were grown without them.
#[derive(Debug, Clone, PartialEq)]
pub struct OobScore {
    /// Mean class probabilities over the trees that did not see the row, `n_samples x n_classes`; zeros where every
    /// tree saw it.
    pub decision_function: Matrix,
    /// The share of samples whose most probable class is the true one.
    pub accuracy: f64,
    /// F1 per class, weighted by the class's share of the samples.
    pub weighted_f1: f64,
    /// How many samples every tree has seen.
    pub n_unjudged: usize,
}
