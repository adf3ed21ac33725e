//! Random forest: the mean of decision trees, each grown on a bootstrap sample with random features at each split
//! (Breiman, "Random forests", Machine Learning 45, 2001), in the meaning of scikit-learn's
//! `RandomForestClassifier`.

mod criterion;
mod params;
mod predict;

use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::error::{Error, Result};
use crate::event::Observer;
use crate::params::Params;
use crate::samples::Samples;
use crate::tensors::Tensors;

pub use params::TABLE;
pub use predict::OobScore;

/// A fitted random forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    n_features: usize,
    n_classes: usize,
}

/// Fits a forest.
///
/// # Errors
/// When parameters contradict one another or the samples cannot be learnt from.
pub fn fit(
    samples: Samples<'_>,
    params: &Params,
    _seed: u64,
    _pool: &Pool,
    _observer: &mut dyn Observer,
) -> Result<Forest> {
    params::Settings::new(params, samples.n_samples(), samples.n_features())?;
    Err(Error::samples("the forest is still being built"))
}

impl Forest {
    /// The number of features of a row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The number of trees.
    pub fn n_trees(&self) -> usize {
        0
    }

    /// The number of nodes of all trees, leaves included.
    pub fn n_nodes(&self) -> usize {
        0
    }

    /// The most splits on a way from a root to a leaf.
    pub fn max_depth(&self) -> usize {
        0
    }

    /// The class probabilities of each row of `x`: an `n_rows x n_classes` matrix.
    ///
    /// # Panics
    /// When `x` has not `n_features` columns.
    pub fn predict_proba(&self, x: MatRef<'_>, _pool: &Pool) -> Matrix {
        Matrix::zeros(x.n_rows(), self.n_classes)
    }

    /// The mean decrease in impurity that each feature brought, summing to 1 (or all 0 when no tree has a split).
    pub fn feature_importances(&self) -> Vec<f64> {
        vec![0.0; self.n_features]
    }

    /// How well samples are predicted by the trees that were grown without them; `None` unless `oob_score` was set,
    /// and of a forest that was restored from tensors.
    pub fn oob(&self) -> Option<OobScore> {
        None
    }

    /// The forest as named arrays.
    pub fn tensors(&self) -> Tensors {
        Tensors::new()
    }

    /// Restores a forest from its arrays.
    ///
    /// # Errors
    /// When arrays are missing, of the wrong shape or inconsistent.
    pub fn from_tensors(_tensors: Tensors) -> Result<Forest> {
        Err(Error::stored("the forest is still being built"))
    }
}
