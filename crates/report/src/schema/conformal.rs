//! Conformal prediction sets of a model.

use headsmith_metrics::SetScores;
use serde::{Deserialize, Serialize};

/// The rows that gave the thresholds of prediction sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationRows {
    /// Training rows, each predicted by fits without it.
    OutOfFold,
    /// Validation rows.
    Validation,
    /// Validation rows that were held back from every choice.
    HeldBack,
}

impl CalibrationRows {
    /// Their name in text.
    pub fn name(self) -> &'static str {
        match self {
            CalibrationRows::OutOfFold => "out-of-fold",
            CalibrationRows::Validation => "validation",
            CalibrationRows::HeldBack => "held-back",
        }
    }
}

/// The prediction sets of a model: how they were calibrated, and how they do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConformalReport {
    /// The probability with which a set contains the true class.
    pub level: f64,
    /// Whether each class is covered with the level by itself.
    pub by_class: bool,
    /// The rows that gave the thresholds.
    pub rows: CalibrationRows,
    /// How many there are.
    pub n_rows: usize,
    /// The groups that they are of; only with a group column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_groups: Option<usize>,
    /// The least probability of each class with which it is in a set, in the order of the classes.
    pub thresholds: Vec<f64>,
    /// The classes that are in every set: too few rows for the level, or a few with most of the weight.
    pub always: Vec<String>,
    /// The sets of the rows that gave the thresholds; all classes together are covered by construction.
    pub calibration: SetScores,
    /// The sets of validation rows that had no part in the thresholds; `null` without such rows.
    pub val: Option<SetScores>,
}

impl ConformalReport {
    /// The scores that say most, with the name of their rows: of rows that had no part in the thresholds, if there are any.
    pub fn shown(&self) -> (&SetScores, &'static str) {
        match &self.val {
            Some(val) => (val, CalibrationRows::Validation.name()),
            None => (&self.calibration, self.rows.name()),
        }
    }
}

/// The prediction sets of a stored model on a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatedSets {
    /// The probability with which a set contains the true class of a row like those that gave the thresholds.
    pub level: f64,
    /// Whether each class has a threshold of its own.
    pub by_class: bool,
    /// Coverage and sizes.
    #[serde(flatten)]
    pub scores: SetScores,
}

/// The sizes of the prediction sets of a predicted table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictedSets {
    /// The probability with which a set contains the true class.
    pub level: f64,
    /// The mean number of classes in a set.
    pub mean_size: f64,
    /// The rows with sets of 0, 1, 2 .. classes, up to the largest that occurs.
    pub sizes: Vec<usize>,
}
