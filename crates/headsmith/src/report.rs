//! The report of a run, as in `report.json` and `--json`. The format is described in `docs/formats/report.md`.

use headsmith_data::Finding;
use headsmith_data::checks::Summary;
use headsmith_heads::event::StopReason;
use headsmith_heads::params::Params;
use headsmith_heads::{Description, EpochRecord};
use headsmith_metrics::bootstrap::Intervals;
use headsmith_metrics::{Metric, Scores};
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};

use crate::evidence::Evidence;
use crate::folds::FoldsReport;
use crate::hold_back::HeldBack;
use crate::split::Split;
use crate::tune::StudyReport;

/// The version of the report's format.
pub const REPORT_VERSION: u32 = 1;

/// With more classes than this, the report has the most frequent confusions instead of the whole matrix, and examples have the
/// most probable classes alone; so do the tables on the terminal.
pub const MANY_CLASSES: usize = 50;

/// The most pairs of confused classes that the report lists.
const MAX_PAIRS: usize = 5_000;

/// Everything that `run` did and found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format's name: `headsmith-report`.
    pub format: &'static str,
    /// The format's version.
    pub version: u32,
    /// The version of the program.
    pub headsmith_version: &'static str,
    /// When the run began, UTC, to the second.
    pub started: String,
    /// The command and its arguments; empty when unknown.
    pub command: Vec<String>,
    /// The machine that it ran on.
    pub machine: Machine,
    /// The seed of every random number.
    pub seed: u64,
    /// The threads that worked at once.
    pub jobs: usize,
    /// The metric on the validation rows that chose epochs, trials and the head.
    pub metric: Metric,
    /// Whether the run was asked to stop before its end.
    pub interrupted: bool,
    /// The tables that were read.
    pub tables: Vec<TableReport>,
    /// How validation rows were split off the training table; only without a validation table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The findings of the checks.
    pub findings: Vec<Finding>,
    /// The names of the classes, in the order of every list of classes.
    pub classes: Vec<String>,
    /// The heads that were fitted, in that order.
    pub heads: Vec<FitReport>,
    /// The study that chose a head's parameters; `null` without one, and with several.
    pub study: Option<StudyReport>,
    /// The studies, in the order of their heads, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub studies: Vec<StudyReport>,
    /// How two heads compare on the validation rows; `null` with one head, and with more than two.
    pub comparison: Option<Comparison>,
    /// How each further head compares with the first, where there are more than two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// The head that predicts.
    pub chosen: &'static str,
    /// What was predicted; `null` without a table to predict.
    pub predictions: Option<PredictionReport>,
    /// The seconds from the start to this report.
    pub seconds: f64,
}

/// A machine.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Its operating system.
    pub os: &'static str,
    /// Its processor's kind.
    pub arch: &'static str,
}

impl Machine {
    /// This machine.
    pub fn this() -> Machine {
        Machine { os: std::env::consts::OS, arch: std::env::consts::ARCH }
    }
}

/// A table that was read.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// What it was read for: `train`, `val`, `test`, `data`.
    pub role: String,
    /// Its file.
    pub path: String,
    /// The files it stands in, in the order of its rows, where they are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The files of its labels, if they are separate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_files: Vec<String>,
    /// Its format in words.
    pub format: String,
    /// The rows that were read.
    pub n_rows: usize,
    /// The features of a row.
    pub n_features: usize,
    /// The column of lists that the features stand in; `null` when each has a column of its own.
    pub embeddings_column: Option<String>,
    /// The names of the features' own columns; empty when they stand in lists.
    pub feature_names: Vec<String>,
    /// The rows that could not be read and were left out.
    pub n_skipped: usize,
    /// The column of the labels; `null` when there are none.
    pub label_column: Option<String>,
    /// The labels as they stand, each with its rows.
    pub labels: Vec<ClassCount>,
    /// A hash of the rows and labels, the same in any file format.
    pub fingerprint: String,
    /// Its features in numbers, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The seconds it took to read.
    pub seconds: f64,
}

/// How often a class occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class's name.
    pub class: String,
    /// The rows that have it.
    pub count: usize,
}

/// A head that was fitted, and how it does.
#[derive(Debug, Clone, Serialize)]
pub struct FitReport {
    /// The head's name.
    pub head: &'static str,
    /// Its name in prose: `random forest`.
    pub title: &'static str,
    /// All its parameters.
    pub params: Params,
    /// The metric on the validation rows that chose its epoch, where it has epochs.
    pub metric: Metric,
    /// How features are scaled before the head sees them.
    pub scaling: String,
    /// The seconds that scaling and training took, without reading or judging.
    pub fit_seconds: f64,
    /// The number of epochs trained; 0 for a head without epochs.
    pub epochs: usize,
    /// The seconds of each epoch, training and validation together.
    pub epoch_seconds: Vec<f64>,
    /// The epoch, from 0, whose weights the model has; `null` for a head without epochs.
    pub best_epoch: Option<usize>,
    /// Why the fit ended before its last epoch or tree; `null` when it did not.
    pub stopped: Option<StopReason>,
    /// What the head is made of.
    pub structure: Description,
    /// Every epoch's figures.
    pub history: Vec<EpochRecord>,
    /// The scores on the training rows.
    pub train: Judgement,
    /// The scores on the validation rows; `null` without any.
    pub val: Option<Judgement>,
    /// The scores on validation rows that were held back from every choice; only with such rows, and of the selected head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
    /// The cross-validation of the same head; only where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<FoldsReport>,
    /// The evidence for the scores on the validation rows; without any on the training rows, each predicted by the head that
    /// did not see it where there was a cross-validation.
    pub evidence: Evidence,
    /// The first rows' classes beside their probabilities: validation rows, or training rows without any.
    pub examples: Vec<Example>,
    /// The file the model was written to; `null` when it was not.
    pub model: Option<String>,
}

/// Scores on one table's rows, and what those rows had already been used for.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The scores.
    pub scores: Scores,
    /// 95 % bootstrap intervals of some of the scores; `None` for rows that were trained on, of which they would say
    /// nothing.
    pub intervals: Option<Intervals>,
    /// What these rows chose: `weights` (they were trained on), `epoch`, `learning_rate`, `head`. Empty: nothing.
    pub used_for: Vec<String>,
}

/// One row's truth beside what the head thinks.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// Where the row stands in its table.
    pub place: String,
    /// Its label.
    pub label: String,
    /// The probability of each class, in the order of the classes; empty with more than [`MANY_CLASSES`].
    pub probabilities: Vec<f32>,
    /// With more than [`MANY_CLASSES`], the most probable classes, the most probable first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<ClassProbability>,
    /// With more than [`MANY_CLASSES`], the probability of the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_probability: Option<f32>,
}

/// What a head thinks of one class for a row.
#[derive(Debug, Clone, Serialize)]
pub struct ClassProbability {
    /// The class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
}

/// Two heads on the same validation rows.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The metric by which the head was chosen.
    pub metric: Metric,
    /// The head compared against.
    pub baseline: &'static str,
    /// The head compared.
    pub candidate: &'static str,
    /// The candidate's score less the baseline's, in the same resamples of the same rows.
    pub difference: headsmith_metrics::bootstrap::PairedDifference,
    /// What the rows were already used for, in words.
    pub note: String,
}

/// What was predicted for a table.
#[derive(Debug, Clone, Serialize)]
pub struct PredictionReport {
    /// The model that predicted.
    pub head: &'static str,
    /// The rows predicted.
    pub n_rows: usize,
    /// The rows that could not be read and have no prediction.
    pub n_left_out: usize,
    /// How often each class was predicted, in the order of the classes.
    pub counts: Vec<ClassCount>,
    /// The files that were written.
    pub files: Vec<String>,
}

impl FitReport {
    /// The value of its metric on the validation rows by which it chose: that of the best epoch, or of a head without
    /// epochs.
    pub fn chosen_by(&self) -> Option<f64> {
        let metric = self.metric;
        let epoch = self.best_epoch.and_then(|best| self.history.get(best)?.val);
        epoch.map(|scores| scores.get(metric)).or_else(|| Some(metric.of(&self.val.as_ref()?.scores)))
    }
}

impl Judgement {
    /// What must be said beside the scores: that the rows were used before. `None` when they were not.
    pub fn caution(&self) -> Option<String> {
        let names: Vec<String> =
            self.used_for.iter().map(|what| format!("the {}", what.replace('_', " "))).collect();
        match names.as_slice() {
            [] => None,
            [_] if self.used_for[0] == "weights" => Some("these are training rows: optimistic".to_owned()),
            [one] => Some(format!("these rows chose {one}: optimistic")),
            [first @ .., last] => {
                Some(format!("these rows chose {} and {last}: optimistic", first.join(", ")))
            }
        }
    }
}

impl Judgement {
    /// The classes that occur in the rows and are predicted for none of them.
    pub fn never_predicted(&self) -> Vec<&str> {
        let confusion = &self.scores.confusion;
        let is_predicted = |class: usize| confusion.iter().any(|row| row[class] > 0);
        let occurs = |class: usize| confusion[class].iter().any(|&n| n > 0);
        let classes = self.classes.iter().enumerate().take(confusion.len());
        classes.filter(|&(i, _)| occurs(i) && !is_predicted(i)).map(|(_, name)| name.as_str()).collect()
    }

    /// The pairs of classes that are confused: true class, predicted class, rows; the most frequent first.
    pub fn confused_pairs(&self) -> Vec<(usize, usize, u64)> {
        let rows = self.scores.confusion.iter().enumerate();
        let wrong = rows.flat_map(|(i, row)| {
            let cells = row.iter().enumerate().filter(move |&(j, &n)| i != j && n > 0);
            cells.map(move |(j, &n)| (i, j, n))
        });
        let mut pairs: Vec<(usize, usize, u64)> = wrong.collect();
        pairs.sort_by_key(|&(_, _, n)| std::cmp::Reverse(n));
        pairs
    }
}

/// The scores with `loss`, the classes by name, and the caution, all in one object.
impl Serialize for Judgement {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let many = self.classes.len() > MANY_CLASSES;
        let known = if many {
            let per_class = self.scores.per_class.clone();
            std::borrow::Cow::Owned(Scores { confusion: Vec::new(), per_class, ..self.scores })
        } else {
            std::borrow::Cow::Borrowed(&self.scores)
        };
        let mut scores = serde_json::to_value(known.as_ref()).map_err(S::Error::custom)?;
        for (class, scores) in
            self.classes.iter().zip(scores["per_class"].as_array_mut().into_iter().flatten())
        {
            scores["class"] = class.as_str().into();
        }
        if many {
            let pairs = self.confused_pairs();
            scores["confusion"] = serde_json::Value::Null;
            scores["n_confused_pairs"] = pairs.len().into();
            scores["confused_pairs"] =
                serde_json::to_value(&pairs[..pairs.len().min(MAX_PAIRS)]).map_err(S::Error::custom)?;
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("used_for", &self.used_for)?;
        map.serialize_entry("caution", &self.caution())?;
        map.serialize_entry("never_predicted", &self.never_predicted())?;
        map.serialize_entry("loss", &self.scores.log_loss)?;
        for (name, value) in scores.as_object().into_iter().flatten() {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("intervals", &self.intervals)?;
        map.end()
    }
}
