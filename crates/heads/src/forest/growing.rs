//! A forest under way: trees grown batch by batch.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Philox, Pool};

use super::bootstrap::Classes;
use super::columns::{Columns, Position};
use super::cuts::Cuts;
use super::grow::Draws;
use super::oob::{self, InBag, OobScore};
use super::params::Settings;
use super::tree::Tree;
use super::{Forest, block, grow, importances, predict};
use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Job, Step};
use crate::samples::Samples;

/// The random streams of a tree, by purpose; the tree's number is the epoch.
const STREAM: u32 = 0x666f_7265;
const BOOTSTRAP: u32 = 0;
const FEATURES: u32 = 1;
const THRESHOLDS: u32 = 2;

/// The most rows whose places in a sorted column fit into 16 bits.
pub(super) const MAX_SHORT_ROWS: usize = 1 << 16;

/// The trees grown so far, and the input of the others.
#[derive(Debug)]
pub(super) struct Growing<'a, P> {
    job: Job<'a>,
    settings: Settings,
    columns: Columns<'a, P>,
    classes: Classes<'a>,
    trees: Vec<Tree>,
    /// The importances of each tree that has a split.
    importances: Vec<Vec<f64>>,
    in_bags: Vec<InBag>,
}

/// A fit of a forest under way, whatever its columns.
pub(super) trait GrowingForest: Fitting {
    /// The forest of the trees so far.
    ///
    /// # Errors
    /// When there is none.
    fn into_forest(self: Box<Self>) -> Result<Forest>;
}

/// Begins the forest whose parameters the job has.
///
/// # Errors
/// When parameters contradict one another or are of another head, or the samples cannot be learnt from.
pub(super) fn begin(job: Job<'_>) -> Result<Box<dyn GrowingForest + '_>> {
    Ok(match Cuts::of(job.params)? {
        Cuts::Drawn => {
            let weights = job.train.weights();
            Box::new(Growing::with(job, |x, _, pool| Columns::unsorted(x, weights, pool))?)
        }
        Cuts::All if job.train.n_samples() <= MAX_SHORT_ROWS => {
            Box::new(Growing::with(job, Columns::<u16>::new)?)
        }
        Cuts::All => Box::new(Growing::with(job, Columns::<u32>::new)?),
    })
}

impl<'a, P: Position> Growing<'a, P> {
    fn with(
        job: Job<'a>,
        columns: impl FnOnce(MatRef<'a>, usize, &Pool) -> Columns<'a, P>,
    ) -> Result<Growing<'a, P>> {
        let (samples, params) = (job.train, job.params);
        check(samples, job.pool)?;
        let (n_samples, n_features) = (samples.n_samples(), samples.n_features());
        let settings = Settings::new(params, n_samples, n_features)?;
        let most_block_rows = block::most_rows::<P>(n_samples, n_features, settings.max_features);
        let columns = columns(samples.x(), most_block_rows, job.pool);
        let classes = Classes::new(samples, params, &settings)?;
        let (trees, importances, in_bags) = Default::default();
        Ok(Growing { job, settings, columns, classes, trees, importances, in_bags })
    }

    fn forest(&self, trees: Vec<Tree>, oob: Option<OobScore>) -> Forest {
        let samples = self.job.train;
        Forest {
            cuts: self.settings.cuts,
            n_features: samples.n_features(),
            n_classes: samples.n_classes(),
            importances: importances::mean(&self.importances, samples.n_features()),
            oob,
            packed: predict::Packed::default(),
            trees,
        }
    }

    fn grow_tree(&self, t: usize) -> (Tree, Option<Vec<f64>>, Option<InBag>) {
        let (samples, settings) = (self.job.train, &self.settings);
        let random = Philox::new(self.job.seed, 0, STREAM);
        let sample = self.classes.sample(settings, &mut random.sequence(t as u32, BOOTSTRAP));
        let in_bag = settings.oob_score.then(|| InBag::new(&sample.rows, samples.n_samples()));
        let draws = Draws {
            features: random.sequence(t as u32, FEATURES),
            thresholds: random.lane_sequence(t as u32, THRESHOLDS),
        };
        let grown = grow::grow(&self.columns, samples.y(), &sample, (settings, self.job.pool), draws);
        let importances = importances::of_tree(&grown, samples.n_features());
        (grown.tree.breadth_first(), importances, in_bag)
    }
}

impl<P: Position> Fitting for Growing<'_, P> {
    fn unit(&self) -> &'static str {
        "tree"
    }

    fn total(&self) -> usize {
        self.settings.n_trees
    }

    fn done(&self) -> usize {
        self.trees.len()
    }

    fn step(&mut self) -> Result<Step> {
        let first = self.trees.len();
        let batch = trees_a_batch(self.job.train, &self.settings).min(self.total() - first);
        let grown = self.job.pool.map(batch, |i| self.grow_tree(first + i));
        for (tree, importances, in_bag) in grown {
            self.trees.push(tree);
            self.importances.extend(importances);
            self.in_bags.extend(in_bag);
        }
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        let forest = || Arc::new(self.forest(self.trees.clone(), None)) as Arc<dyn Fitted>;
        (!self.trees.is_empty()).then(forest)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        Ok(Arc::new(self.into_forest()?))
    }
}

impl<P: Position> GrowingForest for Growing<'_, P> {
    fn into_forest(mut self: Box<Self>) -> Result<Forest> {
        if self.trees.is_empty() {
            return Err(Error::samples("the fit was stopped before its first tree"));
        }
        let oob = || oob::score(&self.trees, &self.in_bags, self.job.train, self.job.pool);
        let oob = self.settings.oob_score.then(oob);
        let trees = std::mem::take(&mut self.trees);
        Ok(self.forest(trees, oob))
    }
}

fn check(samples: Samples<'_>, pool: &Pool) -> Result<()> {
    samples.check_shape("a forest")?;
    let n_samples = samples.n_samples();
    if n_samples > u32::MAX as usize / 4 {
        return Err(Error::samples(format!("a forest takes up to 2^30 rows; there are {n_samples}")));
    }
    if samples.is_transformed_on_access() {
        return Err(Error::samples(
            "a forest needs rows that are transformed once, as Samples::transformed_once does",
        ));
    }
    samples.check_finite("", pool)
}

/// Trees between two events: enough for many threads, few enough for progress every few seconds.
fn trees_a_batch(samples: Samples<'_>, settings: &Settings) -> usize {
    let work = samples.n_samples() as f64 * settings.max_features as f64 * 16.0;
    ((2e9 / work) as usize).clamp(16, 64)
}
