//! What the views are drawn from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::metric::Metric;

/// A run as its output folder tells it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What `report.json` holds (`docs/formats/report.md`); of a run that did not end, as much of it as there is.
    pub report: Value,
    /// The trials of its study, by number.
    pub trials: Vec<Trial>,
    /// Why this is not all, of a run that did not end.
    pub unfinished: Option<String>,
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

static NOTHING: Value = Value::Null;

/// Reading of JSON of which any part may be missing.
pub(crate) trait Look {
    /// The value at a path such as `/val/weighted_f1`; null if there is none.
    fn at(&self, path: &str) -> &Value;
    /// The elements of a list; none of anything else.
    fn all(&self) -> &[Value];
    /// A text; empty of anything else.
    fn text(&self) -> &str;
    /// A number.
    fn number(&self) -> Option<f64>;
    /// A whole number; 0 of anything else.
    fn count(&self) -> u64;
}

impl Look for Value {
    fn at(&self, path: &str) -> &Value {
        self.pointer(path).unwrap_or(&NOTHING)
    }

    fn all(&self) -> &[Value] {
        self.as_array().map_or(&[], Vec::as_slice)
    }

    fn text(&self) -> &str {
        self.as_str().unwrap_or_default()
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn count(&self) -> u64 {
        self.as_u64().unwrap_or_default()
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

impl Facts {
    /// The head that predicts, or the last that was fitted.
    pub(crate) fn chosen(&self) -> &Value {
        let heads = self.report.at("/heads").all();
        let chosen = self.report.at("/chosen").text();
        heads.iter().rfind(|head| head.at("/head").text() == chosen).or(heads.last()).unwrap_or(&NOTHING)
    }

    /// The metric that chose epochs, trials and the head.
    pub(crate) fn metric(&self) -> Metric {
        Metric::of(self)
    }

    /// The scores that the chosen head is known by, and what their rows are called.
    pub(crate) fn scores(&self) -> (&Value, &'static str) {
        let chosen = self.chosen();
        match (chosen.at("/val"), chosen.at("/folds/out_of_fold")) {
            (Value::Null, Value::Null) => (chosen.at("/train"), "training"),
            (Value::Null, out_of_fold) => (out_of_fold, "out-of-fold"),
            (val, _) => (val, "validation"),
        }
    }

    /// The evidence of the chosen head: curves, bins, mistakes.
    pub(crate) fn evidence(&self) -> &Value {
        self.chosen().at("/evidence")
    }

    /// The names of the classes.
    pub(crate) fn classes(&self) -> Vec<&str> {
        self.report.at("/classes").all().iter().map(Look::text).collect()
    }

    /// Up to `n` of the classes by which the chosen head is judged: those with the most rows, in their order.
    pub(crate) fn largest_classes(&self, n: usize) -> Vec<usize> {
        let classes = self.scores().0.at("/per_class").all();
        largest(classes.len(), n, |class| classes[class].at("/support").count())
    }

    /// The table that was read for `role`.
    pub(crate) fn table(&self, role: &str) -> Option<&Value> {
        self.report.at("/tables").all().iter().find(|table| table.at("/role").text() == role)
    }

    /// The parameters of the trials, the most important first.
    pub(crate) fn searched(&self) -> Vec<&str> {
        let importance = self.report.at("/study/importance").all();
        let mut names: Vec<&str> = importance.iter().map(|line| line.at("/param").text()).collect();
        for name in self.trials.iter().flat_map(|trial| trial.params.keys()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}
