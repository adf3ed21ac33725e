//! The data of the views.

use std::collections::BTreeMap;

use headsmith_heads::EpochRecord;
use headsmith_metrics::Metric;
use serde_json::Value;

pub(crate) use crate::schema::OUT_OF_FOLD;
use crate::schema::{ConformalReport, FitReport, Judgement, Report, TableReport};

/// The contents of a run's output folder.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The report; of a run that did not end, as much of it as there is.
    pub report: Report,
    /// The trials of its study, by number.
    pub trials: Vec<Trial>,
    /// The fit in which the run was killed.
    pub fitting: Option<Fitting>,
    /// Why this is not all, of a run that did not end.
    pub unfinished: Option<String>,
}

/// A fit that began and did not end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitting {
    /// The head's name for people.
    pub title: String,
    /// Its epochs so far.
    pub history: Vec<EpochRecord>,
}

/// A trial of the study.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trial {
    /// Its number.
    pub number: u64,
    /// One of `complete`, `pruned`, `failed`, `running`, `interrupted` and `waiting`.
    pub state: String,
    /// Its value; of a pruned trial, its last report.
    pub value: Option<f64>,
    /// Its parameters.
    pub params: BTreeMap<String, Value>,
    /// The epoch, from 0, of its value.
    pub best_epoch: Option<u64>,
    /// Why it failed, or was pruned by something else than the pruner.
    pub reason: Option<String>,
    /// When it began, in seconds since the first trial did.
    pub began: Option<f64>,
    /// When it ended, or was last heard of.
    pub ended: Option<f64>,
    /// The seconds that its workers spent on it, without the time between an interruption and its resumption.
    pub seconds: Option<f64>,
    /// Epoch, from 0, and value of each report.
    pub reports: Vec<(i64, f64)>,
}

impl Trial {
    /// Whether it ran to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.state == "complete"
    }
}

/// Up to `n` of `n_classes` classes: those with the most rows, in their order.
pub(crate) fn largest(n_classes: usize, n: usize, n_rows: impl Fn(usize) -> u64) -> Vec<usize> {
    let mut largest: Vec<usize> = (0..n_classes).collect();
    largest.sort_by_key(|&class| std::cmp::Reverse(n_rows(class)));
    largest.truncate(n);
    largest.sort_unstable();
    largest
}

/// The scores that a head is known by, and what their rows are called.
pub(crate) type Judged<'f> = (&'f Judgement, &'static str);

impl Facts {
    /// The head that predicts, or the last that was fitted; `None` before any was.
    pub(crate) fn chosen(&self) -> Option<&FitReport> {
        self.report.chosen_head()
    }

    /// The metric that chose epochs, trials and the head.
    pub(crate) fn metric(&self) -> Metric {
        self.report.metric
    }

    /// The scores that the chosen head is known by, and what their rows are called.
    pub(crate) fn scores(&self) -> Option<Judged<'_>> {
        self.chosen()?.known_by()
    }

    /// The prediction sets of the chosen head.
    pub(crate) fn conformal(&self) -> Option<&ConformalReport> {
        self.chosen()?.conformal.as_ref()
    }

    /// The table that was read for `role`.
    pub(crate) fn table(&self, role: &str) -> Option<&TableReport> {
        self.report.tables.iter().find(|table| table.role == role)
    }

    /// The parameters of the trials, the most important first.
    pub(crate) fn searched(&self) -> Vec<&str> {
        let importance = self.report.study.iter().flat_map(|study| &study.importance);
        let mut names: Vec<&str> = importance.map(|line| line.param.as_str()).collect();
        for name in self.trials.iter().flat_map(|trial| trial.params.keys()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

/// Up to `n` of the classes of `judgement`: those with the most rows, in their order.
pub(crate) fn largest_classes(judgement: &Judgement, n: usize) -> Vec<usize> {
    let classes = &judgement.scores.per_class;
    largest(classes.len(), n, |class| classes[class].support)
}
