//! The traits that every head implements, and the list of heads.
//!
//! A [`Head`] declares its parameters and begins fits; a [`Fitting`] is a fit under way, which [`training::run`] and a
//! study's trials drive step by step; a [`Fitted`] predicts. Nobody outside a head's folder names it: commands, files and
//! pages read [`HEADS`].
//!
//! [`training::run`]: crate::training::run

use std::fmt::Debug;
use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use headsmith_metrics::Metric;
use serde_json::{Map, Value};

use crate::description::Description;
use crate::error::{Error, Result};
use crate::event::{EpochRecord, StopReason};
use crate::graph::{Graph, Prediction, Rows};
use crate::network::NetworkWeights;
use crate::params::{self, Params, Table};
use crate::samples::Samples;
use crate::tensors::Tensors;
use crate::{centroid, forest, gaussian, kernel, knn, linear, mlp, ridge, svm};

/// All heads, in the order in which they are listed to users.
pub static HEADS: &[&dyn Head] = &[
    &forest::HEAD,
    &forest::EXTRA,
    &mlp::HEAD,
    &linear::HEAD,
    &ridge::HEAD,
    &kernel::HEAD,
    &svm::HEAD,
    &gaussian::HEAD,
    &knn::HEAD,
    &centroid::HEAD,
];

/// The head called `name`.
///
/// # Errors
/// When there is none: those that there are.
pub fn find(name: &str) -> Result<&'static dyn Head> {
    HEADS.iter().copied().find(|head| head.name() == name).ok_or_else(|| {
        let known: Vec<&str> = HEADS.iter().map(|head| head.name()).collect();
        Error::parameter(format!("there is no head `{name}`; there are {}", known.join(", ")))
    })
}

/// A kind of head.
pub trait Head: Debug + Sync {
    /// Name, parameters, search space, presets and portfolio.
    fn table(&self) -> &'static Table;

    /// The properties of its fits that callers depend on.
    fn traits(&self) -> Traits;

    /// The choices of the validation rows during a fit with `params`: `epoch`, `learning_rate`. Empty: such a fit has no use for
    /// them.
    fn chosen_on_val(&self, params: &Params) -> Vec<&'static str> {
        let _ = params;
        Vec::new()
    }

    /// The memory and work of a fit, before anything is allocated.
    ///
    /// # Errors
    /// When `params` are of another head, or describe nothing that can be fitted to rows of this shape.
    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost>;

    /// Begins a fit, or resumes one.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, the parameters are of another head or contradict one another, or `resume` is
    /// damaged or of another fit.
    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>>;

    /// Restores a fitted head from the results of [`Fitted::config`] and [`Fitted::tensors`]. Both may be damaged or hostile.
    ///
    /// # Errors
    /// When a key or tensor is missing, unknown, of the wrong shape or inconsistent.
    fn restore(&self, config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>>;

    /// The head's name.
    fn name(&self) -> &'static str {
        self.table().head
    }
}

/// The properties of a head's fits that callers depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// Whether a fit reads every feature many times. It then begins with rows that are transformed already
    /// ([`Samples::transformed_once`]); other heads transform the rows of a large table as they read them.
    pub rescans: bool,
    /// Whether a fit with a row of weight 2 is the one with two such rows. Other heads take sample weights too, but draw rows, or
    /// take them in batches.
    pub weights: bool,
    /// Whether fits may give [out-of-fold predictions](Fitting::out_of_fold); with some parameters they may give none.
    pub out_of_fold: bool,
    /// Whether fits leave rows out to choose parameters: those of one [unit](crate::Samples::in_units) together.
    pub leaves_out: bool,
    /// Whether fits decide classes that may differ from the most probable ones ([`Fitted::predict`]).
    pub decides: bool,
    /// Whether the fit is a closed formula of sums over the rows: their order changes nothing but rounding.
    pub closed_form: bool,
}

impl Traits {
    /// Whether a fit looks at the units of its rows: to choose, or for out-of-fold predictions.
    pub fn leaves_rows_out(self) -> bool {
        self.leaves_out || self.out_of_fold
    }
}

/// The size of the samples of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows to learn from.
    pub n_samples: usize,
    /// Validation rows.
    pub n_val: usize,
    /// Features of a row.
    pub n_features: usize,
    /// Classes.
    pub n_classes: usize,
}

/// The memory and work of a fit, as upper estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of memory beside the samples, at most at once.
    pub bytes: u64,
    /// Arithmetic operations of all steps.
    pub operations: u64,
    /// Advice that makes the head smaller: `fewer neurons or layers`.
    pub hint: &'static str,
}

/// The input of a fit. The same job gives the same bytes, for any number of threads.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The rows to learn from.
    pub train: Samples<'a>,
    /// The rows that choose, for heads that choose by them ([`Head::chosen_on_val`]).
    pub val: Option<Samples<'a>>,
    /// The head's parameters.
    pub params: &'a Params,
    /// The metric on the validation rows that chooses.
    pub metric: Metric,
    /// The source of all random numbers.
    pub seed: u64,
    /// Distinguishes the trials of a study, which share a seed; 0 without one.
    pub trial: u32,
    /// The threads.
    pub pool: &'a Pool,
}

impl<'a> Job<'a> {
    /// A job without validation rows, by the default metric, of trial 0.
    pub fn new(train: Samples<'a>, params: &'a Params, seed: u64, pool: &'a Pool) -> Job<'a> {
        Job { train, val: None, params, metric: Metric::default(), seed, trial: 0, pool }
    }

    /// The shape of its samples.
    pub fn shape(&self) -> Shape {
        Shape {
            n_samples: self.train.n_samples(),
            n_val: self.val.map_or(0, Samples::n_samples),
            n_features: self.train.n_features(),
            n_classes: self.train.n_classes(),
        }
    }
}

/// The point from which an interrupted fit continues.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// The state that [`Fitting::state`] returned.
    pub state: State,
    /// The values of the metric on the validation rows after each epoch so far, with the epoch's number from 0.
    pub values: Vec<(usize, f64)>,
}

/// The state of a fit between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Numbers of the fit as JSON, in the head's own form.
    pub text: String,
    /// Its arrays.
    pub tensors: Tensors,
}

/// A fit under way: steps of one kind, up to a total.
pub trait Fitting {
    /// The name of a step, in the singular: `epoch`, `tree`, `iteration`.
    fn unit(&self) -> &'static str;

    /// How many steps there are at most.
    fn total(&self) -> usize;

    /// How many are done.
    fn done(&self) -> usize;

    /// Why the fit has ended by itself before its last step, if it has.
    fn stopped(&self) -> Option<StopReason> {
        None
    }

    /// Whether the next step changes probabilities alone: what was fitted before predicts, but is not calibrated.
    fn calibrates(&self) -> bool {
        false
    }

    /// Does the next step, or several where one takes no time.
    ///
    /// # Errors
    /// When the fit cannot continue: its loss is not finite. What was best before is then still there.
    fn step(&mut self) -> Result<Step>;

    /// Continues with this learning rate, where there is one.
    fn set_learning_rate(&mut self, learning_rate: f64) {
        let _ = learning_rate;
    }

    /// The best epoch so far on the validation rows, from 0, and its value of the job's metric; `None` where nothing was
    /// validated.
    fn best_epoch(&self) -> Option<(usize, f64)> {
        None
    }

    /// The head as it would be if the fit ended here; `None` while it cannot predict yet.
    fn best(&self) -> Option<Arc<dyn Fitted>>;

    /// The layers and their weights after the last step, where the head is a network.
    fn network(&self) -> Option<Box<dyn NetworkWeights + '_>> {
        None
    }

    /// The state from which a later process can continue, where that is possible.
    fn state(&self) -> Option<State> {
        None
    }

    /// About how many arithmetic operations the next step has, where steps differ; a caller with a deadline multiplies them by the
    /// time of an operation so far.
    fn next_operations(&self) -> Option<u64> {
        None
    }

    /// About how many operations each step has up to the first that leaves something that predicts, where that is known; none if there is something
    /// already.
    fn operations_to_first(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Ends the steps, before the last one too: what is best so far is then ready for [`out_of_fold`](Fitting::out_of_fold) and
    /// [`finish`](Fitting::finish).
    ///
    /// # Errors
    /// When nothing can be fitted.
    fn conclude(&mut self) -> Result<()> {
        Ok(())
    }

    /// The class probabilities of the training rows, each predicted by the same fit without the rows of its fold, `n_samples x n_classes`;
    /// `None` where no closed form gives them. The last step must be done, or the steps [concluded](Fitting::conclude).
    fn out_of_fold(&self, folds: Folds<'_>) -> Option<Matrix> {
        let _ = folds;
        None
    }

    /// Ends the fit.
    ///
    /// # Errors
    /// When nothing was fitted.
    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>>;
}

/// The division of the training rows for [`Fitting::out_of_fold`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folds<'f> {
    /// Every row is a fold.
    LeaveOneOut,
    /// The fold of each row, in any numbers.
    Of(&'f [u32]),
}

impl Folds<'_> {
    /// The rows of each fold of `n_samples` rows, in their order; folds by rising numbers.
    pub fn sets(self, n_samples: usize) -> Vec<Vec<usize>> {
        let Folds::Of(folds) = self else { return (0..n_samples).map(|i| vec![i]).collect() };
        let mut by_fold: Vec<usize> = (0..n_samples).collect();
        by_fold.sort_by_key(|&i| folds[i]);
        by_fold.chunk_by(|a, b| folds[*a] == folds[*b]).map(<[_]>::to_vec).collect()
    }

    /// Whether all rows are in one fold, so that none are left without it.
    pub fn is_one(self) -> bool {
        matches!(self, Folds::Of(folds) if folds.iter().all(|fold| *fold == folds[0]))
    }

    /// The folds that are neither one of `units`, of more than one row each, nor a row that is in none of these: where the outputs without each of those are
    /// known, these are the folds that are not.
    pub(crate) fn sets_other_than(self, units: &[Vec<usize>], n_samples: usize) -> Vec<Vec<usize>> {
        let mut unit_of = vec![None; n_samples];
        units.iter().for_each(|unit| unit.iter().for_each(|&i| unit_of[i] = Some(unit)));
        let mut sets = self.sets(n_samples);
        sets.retain(|set| unit_of[set[0]].map_or(set.len() > 1, |unit| unit != set));
        sets
    }
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// The figures of the epoch, where steps are epochs.
    pub epoch: Option<EpochRecord>,
    /// The learning rate of the epochs that follow, where it was reduced after this one.
    pub reduced: Option<f64>,
}

/// A fitted head. It predicts, and can be written to a file and restored by its [`Head`].
pub trait Fitted: Debug + Send + Sync {
    /// The name of its [`Head`].
    fn head(&self) -> &'static str;

    /// The features of a row.
    fn n_features(&self) -> usize;

    /// The classes.
    fn n_classes(&self) -> usize;

    /// The class probabilities of the rows of `x`, `n_samples x n_classes`. A row's bytes do not depend on the rows around
    /// it, nor on the number of threads.
    ///
    /// # Panics
    /// When `x` has not [`n_features`](Fitted::n_features) columns.
    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix;

    /// The class probabilities of the rows of `x`, and the classes that the head decides for where these may differ from the most probable ones.
    ///
    /// # Panics
    /// When `x` has not [`n_features`](Fitted::n_features) columns.
    fn predict(&self, x: MatRef<'_>, pool: &Pool) -> (Matrix, Option<Vec<u32>>) {
        (self.predict_proba(x, pool), None)
    }

    /// The prediction for `rows` as operations of a graph.
    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction;

    /// The head's part of a model file beside its tensors, as JSON; without the key `kind`.
    fn config(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Its arrays.
    fn tensors(&self) -> Tensors;

    /// Its structure, for reports.
    fn description(&self) -> Description;

    /// The parameters that were left to the fit and took long to choose, as it chose them: a fit with them repeats no search. Empty of a
    /// restored head, and where choosing them again costs little.
    fn chosen(&self) -> Vec<(&'static str, params::Value)> {
        Vec::new()
    }
}

/// Refuses keys of a stored configuration that its head does not know.
///
/// # Errors
/// When there is one.
pub(crate) fn no_keys(config: &Map<String, Value>) -> Result<()> {
    match config.keys().next() {
        Some(key) => Err(Error::stored(format!("the key `{key}` belongs to no head of this kind"))),
        None => Ok(()),
    }
}
