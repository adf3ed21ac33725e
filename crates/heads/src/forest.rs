//! Forests. A random forest is the mean of decision trees, each grown on a bootstrap sample with random features at each split
//! (Breiman, "Random forests", Machine Learning 45, 2001), in the meaning of scikit-learn's
//! `RandomForestClassifier` 1.9.
//!
//! Extremely randomised trees ([`EXTRA`]; Geurts, Ernst and Wehenkel, Machine Learning 63, 2006) are grown on all samples and cut each feature once, at a
//! random threshold, in the meaning of `ExtraTreesClassifier`.
//!
//! The draws of a tree depend on the seed and its number alone, and every tree is grown by one thread: the forest is
//! the same for any number of threads. The split search of a random forest is exact: all cuts between different values are compared.
//! Unlike scikit-learn's, the forest takes no missing values, has no `max_leaf_nodes`, `min_weight_fraction_leaf`,
//! `ccp_alpha` or `monotonic_cst`, and stops drawing features once a split leaves one class on each
//! side, which cannot be surpassed.

mod block;
mod bootstrap;
mod buckets;
mod columns;
mod criterion;
mod cuts;
mod drawn;
mod entry;
mod features;
mod graph;
mod grow;
mod growing;
mod head;
mod importances;
mod lanes;
mod oob;
mod order;
mod params;
mod predict;
mod split;
mod stored;
mod tree;

use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::error::Result;
use crate::event::Observer;
use crate::head::Job;
use crate::params::Params;
use crate::samples::Samples;
use crate::tensors::Tensors;
use crate::training;

use cuts::Cuts;
use tree::Tree;

pub use oob::OobScore;
pub use params::{EXTRA_TABLE, TABLE};

/// A fitted forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    cuts: Cuts,
    n_features: usize,
    n_classes: usize,
    trees: Vec<Tree>,
    importances: Vec<f64>,
    oob: Option<OobScore>,
    packed: predict::Packed,
}

/// The random forest as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: head::ForestHead = head::ForestHead { cuts: Cuts::All };

/// Extremely randomised trees as one of the [`HEADS`](crate::head::HEADS).
pub static EXTRA: head::ForestHead = head::ForestHead { cuts: Cuts::Drawn };

/// Fits a forest with parameters of [`TABLE`], or extremely randomised trees with those of [`EXTRA_TABLE`].
///
/// Emits [`Event::Started`](crate::Event::Started), then [`Event::Steps`](crate::Event::Steps) after every batch of trees,
/// whose size depends on the shape of the samples alone; after [`Control::Stop`](crate::Control::Stop) the forest is the
/// trees grown so far.
///
/// # Errors
/// When parameters contradict one another or are of another head, when there are no rows or features, or a feature is not
/// finite.
pub fn fit(
    samples: Samples<'_>,
    params: &Params,
    seed: u64,
    pool: &Pool,
    observer: &mut dyn Observer,
) -> Result<Forest> {
    let mut copy = Matrix::default();
    let samples = samples.transformed_once(&mut copy, pool);
    let job = Job::new(samples, params, seed, pool);
    let mut growing = growing::begin(job)?;
    training::run(growing.as_mut(), observer, None)?;
    growing.into_forest()
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
        self.trees.len()
    }

    /// The number of nodes of all trees, leaves included.
    pub fn n_nodes(&self) -> usize {
        self.trees.iter().map(|tree| tree.nodes().len()).sum()
    }

    /// The most splits on a way from a root to a leaf.
    pub fn max_depth(&self) -> usize {
        self.trees.iter().map(Tree::depth).max().unwrap_or(0)
    }

    /// The class probabilities of each row of `x`: an `n_rows x n_classes` matrix. A NaN goes left at every split.
    ///
    /// # Panics
    /// When `x` has not [`n_features`](Forest::n_features) columns.
    pub fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.n_features, "columns of x");
        predict::predict_proba(self, x, pool)
    }

    /// The mean decrease in impurity that each feature brought, summing to 1 (or all 0 when no tree has a split).
    pub fn feature_importances(&self) -> Vec<f64> {
        self.importances.clone()
    }

    /// How well samples are predicted by the trees that were grown without them; `None` unless `oob_score` was set,
    /// and of a forest that was restored from tensors.
    pub fn oob(&self) -> Option<OobScore> {
        self.oob.clone()
    }

    /// The forest as named arrays; their list is at the head of `stored.rs`.
    pub fn tensors(&self) -> Tensors {
        stored::to_tensors(self)
    }

    /// Restores a random forest from its arrays.
    ///
    /// # Errors
    /// When arrays are missing, of the wrong shape or inconsistent.
    pub fn from_tensors(tensors: Tensors) -> Result<Forest> {
        stored::from_tensors(Cuts::All, tensors)
    }
}
