//! A cross-validation.

use headsmith_metrics::{ByMetric, Metric, Scores};
use serde::{Deserialize, Serialize};

use super::Judgement;

/// The report of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldsReport {
    /// How many folds.
    pub n_folds: usize,
    /// The seed that they were drawn with.
    pub seed: u64,
    /// The share of the rows of the other folds that chooses the epoch; 0 for a head without epochs.
    pub val_share: f64,
    /// The groups that are in one fold each; only with a group column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<FoldGroups>,
    /// The scores of all rows together, each predicted by the head that did not see it.
    pub out_of_fold: Judgement,
    /// The folds.
    pub folds: Vec<FoldReport>,
    /// The means over the folds.
    pub mean: FoldScores,
    /// The standard deviations between the folds, with one degree of freedom less than folds.
    pub std: FoldScores,
    /// The meaning of the scores, as text.
    pub note: String,
    /// The seconds that it all took.
    pub seconds: f64,
}

/// Groups of rows that are in one fold each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldGroups {
    /// The column whose values they are.
    pub column: String,
    /// How many there are.
    pub n_groups: usize,
}

/// A fold, and the head that was fitted on the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldReport {
    /// Its number, from 1.
    pub fold: usize,
    /// Its rows.
    pub n_samples: usize,
    /// The rows that the head was trained on.
    pub n_train: usize,
    /// The rows of the other folds that chose the epoch.
    pub n_val: usize,
    /// The epochs that were trained; 0 for a head without epochs.
    pub epochs: usize,
    /// The epoch, from 0, whose weights predicted; `null` for a head without epochs.
    pub best_epoch: Option<usize>,
    /// The seconds that scaling and training took.
    pub fit_seconds: f64,
    /// The seconds that the head then took to calibrate its probabilities; only of heads with such a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_seconds: Option<f64>,
    /// Its scores.
    #[serde(flatten)]
    pub scores: FoldScores,
}

/// The scores of a fold, or their means or standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoldScores {
    /// Those that can choose.
    #[serde(flatten)]
    pub by_metric: ByMetric<f64>,
    /// The Brier score.
    pub brier: f64,
    /// The expected calibration error.
    pub ece: f64,
}

impl FoldScores {
    /// Those of all scores that a fold has.
    pub fn of(scores: &Scores) -> FoldScores {
        FoldScores {
            by_metric: ByMetric::from_fn(|metric| metric.of(scores)),
            brier: scores.brier,
            ece: scores.ece,
        }
    }

    /// The value of `metric`.
    pub fn get(&self, metric: Metric) -> f64 {
        *self.by_metric.get(metric)
    }
}
