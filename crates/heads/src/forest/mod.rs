//! Random forest: the mean of decision trees, each grown on a bootstrap sample with random features at each split
//! (Breiman, "Random forests", Machine Learning 45, 2001), in the meaning of scikit-learn's
//! `RandomForestClassifier` 1.9.
//!
//! What a tree draws depends on the seed and its number alone, and every tree is grown by one thread: the forest is
//! the same for any number of threads. Split search is exact: all cuts between different values are compared.
//! Unlike scikit-learn's, the forest takes no missing values, has no `max_leaf_nodes`, `min_weight_fraction_leaf`,
//! `ccp_alpha` or `monotonic_cst`, and does not look at further features once a split leaves one class on each
//! side, which cannot be surpassed.

mod block;
mod bootstrap;
mod buckets;
mod columns;
mod criterion;
mod entry;
mod features;
mod grow;
mod importances;
mod lanes;
mod oob;
mod order;
mod params;
mod predict;
mod split;
mod stored;
mod tree;

use headsmith_kernels::{MatRef, Matrix, Philox, Pool};

use crate::error::{Error, Result};
use crate::event::{Control, Event, Observer, StopReason};
use crate::params::Params;
use crate::samples::Samples;
use crate::tensors::Tensors;

use bootstrap::Classes;
use columns::{Columns, Position};
use oob::InBag;
use params::Settings;
use tree::Tree;

pub use oob::OobScore;
pub use params::TABLE;

/// A fitted random forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    n_features: usize,
    n_classes: usize,
    trees: Vec<Tree>,
    importances: Vec<f64>,
    oob: Option<OobScore>,
    packed: predict::Packed,
}

/// The random streams of a tree, by purpose; the tree's number is the epoch.
const STREAM: u32 = 0x666f_7265;
const BOOTSTRAP: u32 = 0;
const FEATURES: u32 = 1;

/// Fits a forest with parameters of [`TABLE`].
///
/// Emits [`Event::Started`], then [`Event::Trees`] after every batch of trees, whose size depends on the shape of
/// the samples alone; after [`Control::Stop`] the forest is the trees grown so far.
///
/// # Errors
/// When parameters contradict one another, when there are no rows or features, or a feature is not finite.
pub fn fit(
    samples: Samples<'_>,
    params: &Params,
    seed: u64,
    pool: &Pool,
    observer: &mut dyn Observer,
) -> Result<Forest> {
    let mut copy = Matrix::default();
    let samples = samples.scaled_once(&mut copy, pool);
    check(samples)?;
    let settings = Settings::new(params, samples.n_samples(), samples.n_features())?;
    if samples.n_samples() <= 1 << 16 {
        fit_with::<u16>(samples, &settings, seed, pool, observer)
    } else {
        fit_with::<u32>(samples, &settings, seed, pool, observer)
    }
}

fn check(samples: Samples<'_>) -> Result<()> {
    let (n_samples, n_features) = (samples.n_samples(), samples.n_features());
    if n_samples == 0 || n_features == 0 {
        return Err(Error::samples(format!(
            "a forest needs rows and features; there are {n_samples} rows of {n_features} features"
        )));
    }
    if n_samples > u32::MAX as usize / 4 {
        return Err(Error::samples(format!("a forest takes up to 2^30 rows; there are {n_samples}")));
    }
    match samples.x().as_slice().iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::samples(format!(
            "feature {} of row {} is {}, expected a finite number",
            i % n_features,
            i / n_features,
            samples.x().as_slice()[i]
        ))),
    }
}

fn fit_with<P: Position>(
    samples: Samples<'_>,
    settings: &Settings,
    seed: u64,
    pool: &Pool,
    observer: &mut dyn Observer,
) -> Result<Forest> {
    let total = settings.n_trees;
    let mut stopped = observer.on_event(&Event::Started { total, unit: "tree" }) == Control::Stop;
    let (n_samples, n_features) = (samples.n_samples(), samples.n_features());
    let most_block_rows = block::most_rows::<P>(n_samples, n_features, settings.max_features);
    let columns = Columns::<P>::new(samples.x(), most_block_rows, pool);
    let classes = Classes::new(samples.y(), samples.n_classes(), settings);
    let (mut trees, mut of_trees, mut in_bags) = (Vec::new(), Vec::new(), Vec::new());
    while trees.len() < total && (!stopped || trees.is_empty()) {
        let first = trees.len();
        let batch = trees_a_batch(samples, settings).min(total - first);
        let grown = pool.map(batch, |i| grow_tree(&columns, &classes, samples, settings, seed, first + i));
        for (tree, importances, in_bag) in grown {
            trees.push(tree);
            of_trees.extend(importances);
            in_bags.extend(in_bag);
        }
        let done = trees.len();
        stopped |= observer.on_event(&Event::Trees { done, total }) == Control::Stop;
    }
    if trees.len() < total {
        observer.on_event(&Event::Stopped { step: trees.len() - 1, reason: StopReason::Asked });
    }
    let oob = settings.oob_score.then(|| oob::score(&trees, &in_bags, samples, pool));
    let importances = importances::mean(&of_trees, samples.n_features());
    let (n_features, n_classes) = (samples.n_features(), samples.n_classes());
    Ok(Forest { n_features, n_classes, trees, importances, oob, packed: predict::Packed::default() })
}

/// Trees between two events: enough for many threads, few enough to hear of progress every few seconds.
fn trees_a_batch(samples: Samples<'_>, settings: &Settings) -> usize {
    let work = samples.n_samples() as f64 * settings.max_features as f64 * 16.0;
    ((2e9 / work) as usize).clamp(16, 64)
}

fn grow_tree<P: Position>(
    columns: &Columns<'_, P>,
    classes: &Classes<'_>,
    samples: Samples<'_>,
    settings: &Settings,
    seed: u64,
    t: usize,
) -> (Tree, Option<Vec<f64>>, Option<InBag>) {
    let random = Philox::new(seed, 0, STREAM);
    let sample = classes.sample(settings, &mut random.sequence(t as u32, BOOTSTRAP));
    let in_bag = settings.oob_score.then(|| InBag::new(&sample.rows, samples.n_samples()));
    let mut features = random.sequence(t as u32, FEATURES);
    let grown = grow::grow(columns, samples.y(), &sample, settings, &mut features);
    let importances = importances::of_tree(&grown, samples.n_features());
    (grown.tree.breadth_first(), importances, in_bag)
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

    /// Restores a forest from its arrays.
    ///
    /// # Errors
    /// When arrays are missing, of the wrong shape or inconsistent.
    pub fn from_tensors(tensors: Tensors) -> Result<Forest> {
        stored::from_tensors(tensors)
    }
}
