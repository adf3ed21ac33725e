//! The progress of a run: one stream of events, from which every view is drawn.
//!
//! A view only reads. Its one request may be to end a trial, which the study then records.

use std::sync::Arc;
use std::time::Duration;

use headsmith_data::Finding;
use headsmith_heads::network::{Layer, NetworkWeights};
use headsmith_heads::params::Params;
use headsmith_heads::{EpochRecord, Event};
use headsmith_kernels::MatRef;
use headsmith_metrics::{Metric, SetScores};
use headsmith_study::{Space, StudyEvent, Trial};
use headsmith_tensorboard::Histogram;

use crate::report::{
    CandidateReport, FitReport, FoldReport, Judgement, Report, Split, StudyReport, TableReport,
};

/// One step of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A table is about to be read.
    Reading {
        /// The role of the table: `train`, `val`, `test` ..
        role: &'a str,
        /// Its file, or its files as they were given.
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
        /// The metric that selects its epoch, if it has epochs.
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
    /// The fitted head's predictions of the validation rows were scored.
    Judged(Judged<'a>),
    /// A head was fitted on all folds but one, and scored on that one.
    Fold {
        /// The fold that was scored.
        fold: &'a FoldReport,
        /// The number of folds.
        n_folds: usize,
        /// The metric for selection.
        metric: Metric,
    },
    /// Rows of a table of any size were predicted; they are not written yet.
    Predicted {
        /// The number of rows so far.
        n_rows: usize,
    },
    /// A search resumes: the candidates that an earlier process kept in this folder are not fitted again.
    Resuming(&'a std::path::Path),
    /// A head of a search was tried.
    Candidate(&'a CandidateReport),
    /// A head was fitted and evaluated.
    Fitted(&'a FitReport),
    /// A study is about to search.
    Searching {
        /// Its name.
        study: &'a str,
        /// Its search space.
        space: &'a Space,
        /// Its total number of trials, if limited.
        n_trials: Option<u64>,
        /// The remaining time of the search, if limited.
        timeout: Option<Duration>,
        /// The number of trials finished before.
        n_finished: usize,
        /// Its trials so far, in the order of their numbers.
        trials: &'a [Arc<Trial>],
        /// The number of trials that run at once here.
        n_jobs: usize,
        /// The maximum number of a trial's reports: its epochs.
        n_steps: Option<u64>,
        /// Its pruner, as requested.
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
    /// Something failed, but the work continues.
    Warning(&'a str),
    /// The run was asked to stop and skips the named step.
    Skipped(&'a str),
    /// The command has completed its work.
    Ended {
        /// Whether it was asked to stop early.
        interrupted: bool,
    },
}

/// The validation rows, as predicted by a fitted head.
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
    /// The scores of the prediction sets, if the head has them.
    pub sets: Option<&'a SetScores>,
    /// The epoch, from 0, whose weights the head has.
    pub epoch: Option<usize>,
}

/// An epoch of a trial.
#[derive(Debug, Clone)]
pub struct TrialEpoch {
    /// The trial's number.
    pub number: u64,
    /// The layers, if the head is a network.
    pub network: Option<NetworkLayers>,
    /// The epoch's figures.
    pub record: EpochRecord,
    /// Histograms of the weights after the epoch by name (`dense/kernel` ..), if the view requests them:
    /// [`View::histograms`].
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
    /// The layers of `network`.
    pub fn of(network: &dyn NetworkWeights) -> NetworkLayers {
        NetworkLayers { n_features: network.n_features(), layers: network.layers() }
    }
}

/// A request of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserRequest {
    /// End a running trial, as if the pruner had decided it. The request is recorded with the trial.
    Prune {
        /// The trial's number.
        trial: u64,
    },
}

/// Receives the progress of a run. Any `FnMut(&Progress)` is a view.
pub trait View {
    /// Handles one step.
    fn see(&mut self, progress: &Progress<'_>);

    /// The user's request, if there is one; a study polls it.
    fn request(&mut self) -> Option<UserRequest> {
        None
    }

    /// The number of epochs between histograms of a trial's weights for the view; 0 for none. A study reads it once,
    /// when it starts.
    fn histograms(&self) -> usize {
        0
    }

    /// A failure of the view, once each: the views around it record it.
    fn trouble(&mut self) -> Option<String> {
        None
    }
}

impl<F: FnMut(&Progress<'_>)> View for F {
    fn see(&mut self, progress: &Progress<'_>) {
        self(progress);
    }
}
