//! A fitted head.

use headsmith_heads::event::StopReason;
use headsmith_heads::{Description, EpochRecord};
use headsmith_metrics::Metric;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ConformalReport, Evidence, FoldsReport, HeldBack, Judgement};

/// Rows of the training table, each predicted by fits without it.
pub const OUT_OF_FOLD: &str = "out-of-fold";

/// A head that was fitted, and how it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitReport {
    /// The head by its name in commands and files: `forest`, `mlp`.
    pub head: String,
    /// The head's name for people: `random forest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// All its parameters, in the order of its parameter table.
    pub params: Map<String, Value>,
    /// The metric on the validation rows that chose its epoch, where it has epochs.
    #[serde(default)]
    pub metric: Metric,
    /// How features are scaled before the head sees them.
    pub scaling: String,
    /// The seconds that scaling and training took, without reading or judging; 0 where they are unknown.
    pub fit_seconds: f64,
    /// The seconds that the head then took to calibrate its probabilities by fits of folds; absent for heads without such a step, and in reports of
    /// versions that had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_seconds: Option<f64>,
    /// The number of epochs trained; 0 for a head without epochs.
    pub epochs: usize,
    /// The seconds of each epoch, training and validation together.
    pub epoch_seconds: Vec<f64>,
    /// The epoch, from 0, whose weights the model has; `null` for a head without epochs.
    pub best_epoch: Option<usize>,
    /// Why the fit ended before its last epoch or tree; `null` when it did not.
    pub stopped: Option<StopReason>,
    /// The structure of the head.
    pub structure: Description,
    /// Every epoch's figures.
    pub history: Vec<EpochRecord>,
    /// The scores on the training rows; absent of a model whose training rows are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Judgement>,
    /// The scores on the validation rows; `null` without any.
    pub val: Option<Judgement>,
    /// The scores on validation rows that were held back from every choice; only with such rows, and of the selected head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
    /// The scores of the training rows, each predicted by the same fit without it, and without the rows of its group or with its
    /// features; only of heads that have a closed form of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_fold: Option<Judgement>,
    /// The cross-validation of the same head; only where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<FoldsReport>,
    /// The evidence for the scores on the validation rows; without any on the training rows, each predicted by the head that
    /// did not see it where there was a cross-validation.
    pub evidence: Evidence,
    /// The first rows' classes beside their probabilities: validation rows, or training rows without any.
    pub examples: Vec<Example>,
    /// The prediction sets; only with `--conformal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<ConformalReport>,
    /// The file the model was written to; `null` when it was not.
    pub model: Option<String>,
}

/// One row's truth beside what the head thinks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The row's place in its table.
    pub place: String,
    /// Its label.
    pub label: String,
    /// The probability of each class, in the order of the classes; empty with more than
    /// [`MANY_CLASSES`](super::MANY_CLASSES).
    pub probabilities: Vec<f32>,
    /// With more than [`MANY_CLASSES`](super::MANY_CLASSES), the most probable classes, the most probable first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<ClassProbability>,
    /// With more than [`MANY_CLASSES`](super::MANY_CLASSES), the probability of the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_probability: Option<f32>,
}

/// A head's probability of one class for a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassProbability {
    /// The class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
}

impl FitReport {
    /// The head's name for people; in reports of versions that had none, its name in commands.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.head)
    }

    /// The scores that it is known by, and what their rows are called; `None` where no rows judged it.
    pub fn known_by(&self) -> Option<(&Judgement, &'static str)> {
        match (&self.val, &self.folds, &self.out_of_fold) {
            (Some(val), ..) => Some((val, "validation")),
            (None, Some(folds), _) => Some((&folds.out_of_fold, OUT_OF_FOLD)),
            (None, None, Some(out_of_fold)) => Some((out_of_fold, OUT_OF_FOLD)),
            (None, None, None) => Some((self.train.as_ref()?, "training")),
        }
    }

    /// The value of its metric on the validation rows by which it chose: that of the best epoch, or of a head without
    /// epochs.
    pub fn chosen_by(&self) -> Option<f64> {
        let metric = self.metric;
        let epoch = self.best_epoch.and_then(|best| self.history.get(best)?.val);
        epoch.map(|scores| scores.get(metric)).or_else(|| Some(metric.of(&self.val.as_ref()?.scores)))
    }
}
