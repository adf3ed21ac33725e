//! The progress of a run: one stream of events, from which every view is drawn.
//!
//! A view reads. The one thing it can do is to wish for the end of a trial, which the study then records.

use std::sync::Arc;
use std::time::Duration;

use headsmith_data::Finding;
use headsmith_heads::network::{Layer, NetworkWeights};
use headsmith_heads::params::Params;
use headsmith_heads::{EpochRecord, Event};
use headsmith_kernels::MatRef;
use headsmith_metrics::Metric;
use headsmith_study::{Space, StudyEvent, Trial};
use headsmith_tensorboard::Histogram;

use crate::report::{FitReport, FoldReport, Judgement, Report, Split, StudyReport, TableReport};

/// One step of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A table is about to be read.
    Reading {
        /// What the table is for: `train`, `val`, `test` ..
        role: &'a str,
        /// Its file, or its files as they were named.
        path: &'a std::path::Path,
    },
    /// A table was read.
    Read(&'a TableReport),
    /// A finding of the checks.
    Found(&'a Finding),
    /// The training table was split into training and validation rows.
    Split(&'a Split),
    /// A head is about to be fitted.
    Fitting {
        /// The head's name.
        head: &'static str,
        /// The purpose of the fit: `baseline`, `final fit`, `fold 2 of 5`, or empty if there is only one.
        purpose: &'a str,
        /// The metric that chooses its epoch, where it has epochs.
        metric: Metric,
    },
    /// The parameters of the head that is about to be fitted.
    Parameters(&'a Params),
    /// An event of the current fit.
    Fit(&'a Event),
    /// A network's weights after an epoch, before the epoch's event.
    Weights {
        /// The epoch, from 0.
        epoch: usize,
        /// The weights.
        weights: &'a (dyn NetworkWeights + 'a),
    },
    /// The head that was fitted has judged the validation rows.
    Judged(Judged<'a>),
    /// A head was fitted on all folds but one, and that was scored.
    Fold {
        /// The fold that was scored.
        fold: &'a FoldReport,
        /// How many there are.
        n_folds: usize,
        /// The metric that chooses.
        metric: Metric,
    },
    /// A head was fitted and judged.
    Fitted(&'a FitReport),
    /// A study is about to search.
    Searching {
        /// Its name.
        study: &'a str,
        /// Where it searches.
        space: &'a Space,
        /// Its trials in all, if there is an end.
        n_trials: Option<u64>,
        /// How long it may still search, if there is a limit.
        timeout: Option<Duration>,
        /// Its trials that were finished before.
        n_finished: usize,
        /// Its trials so far, in the order of their numbers.
        trials: &'a [Arc<Trial>],
        /// How many trials run at once here.
        n_jobs: usize,
        /// The reports of a trial at most: its epochs.
        n_steps: Option<u64>,
        /// Its pruner, as it was asked for.
        pruner: &'a str,
        /// The metric that is the value of a trial.
        metric: Metric,
    },
    /// An event of a trial of the study.
    Trial(&'a StudyEvent),
    /// A trial's network was trained for an epoch, which the trial reports next.
    TrialEpoch(&'a TrialEpoch),
    /// The study has ended here.
    Searched,
    /// The results of a study.
    Studied(&'a StudyReport),
    /// A file was written.
    Wrote(&'a std::path::Path),
    /// The report of a run, after its file was written.
    Reported(&'a Report),
    /// Something failed that the work continues without.
    Warning(&'a str),
    /// The run was asked to stop and skips what is named.
    Skipped(&'a str),
    /// The command has done what it was to do.
    Ended {
        /// Whether it was asked to stop before its end.
        interrupted: bool,
    },
}

/// The validation rows as a fitted head sees them.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The classes' names.
    pub classes: &'a [String],
    /// The rows' classes.
    pub y: &'a [u32],
    /// The probabilities, `n_samples x n_classes`.
    pub proba: MatRef<'a>,
    /// The scores.
    pub judgement: &'a Judgement,
    /// The epoch, from 0, whose weights the head has.
    pub epoch: Option<usize>,
}

/// An epoch of a trial.
#[derive(Debug, Clone)]
pub struct TrialEpoch {
    /// The trial's number.
    pub number: u64,
    /// The layers, where the head is a network.
    pub network: Option<NetworkLayers>,
    /// The epoch's figures.
    pub record: EpochRecord,
    /// The weights after the epoch by name (`dense/kernel` ..), where the view asked for them: [`View::histograms`].
    pub histograms: Vec<(String, Histogram)>,
}

/// The layers of a network, without their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkLayers {
    /// The width of a row of input.
    pub n_features: usize,
    /// The layers with their names, first to last.
    pub layers: Vec<(String, Layer)>,
}

impl NetworkLayers {
    /// Those of `network`.
    pub fn of(network: &dyn NetworkWeights) -> NetworkLayers {
        NetworkLayers { n_features: network.n_features(), layers: network.layers() }
    }
}

/// A request of a user who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wish {
    /// A trial under way here is to end, as if the pruner had said so. It is recorded with the trial.
    Prune {
        /// The trial's number.
        trial: u64,
    },
}

/// Sees the progress of a run. Any `FnMut(&Progress)` is a view.
pub trait View {
    /// Sees one step.
    fn see(&mut self, progress: &Progress<'_>);

    /// What is wanted, if anything is: a study asks again and again.
    fn wish(&mut self) -> Option<Wish> {
        None
    }

    /// Every how many epochs a trial counts its weights into histograms for the view; 0: never. A study asks once, when
    /// it begins.
    fn histograms(&self) -> usize {
        0
    }

    /// What the view could not do, once each: the views around it keep it.
    fn trouble(&mut self) -> Option<String> {
        None
    }
}

impl<F: FnMut(&Progress<'_>)> View for F {
    fn see(&mut self, progress: &Progress<'_>) {
        self(progress);
    }
}
