//! The run as a whole.

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::PairedDifference;
use serde::{Deserialize, Serialize};

use super::{AutoReport, ClassCount, Finding, FitReport, PredictedSets, Split, StudyReport, TableReport};

/// The name of the report's format.
pub const REPORT_FORMAT: &str = "headsmith-report";

/// The version of the report's format.
pub const REPORT_VERSION: u32 = 1;

/// Everything that a run did and found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The format's name: [`REPORT_FORMAT`].
    pub format: String,
    /// The format's version.
    pub version: u32,
    /// The version of the program.
    pub headsmith_version: String,
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
    /// The search that the chosen head is the answer of; only with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<AutoReport>,
    /// The head that predicts.
    pub chosen: String,
    /// The predictions; `null` without a table to predict.
    pub predictions: Option<PredictionReport>,
    /// The seconds from the start to this report; `None` while the run has not ended.
    pub seconds: Option<f64>,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Its operating system.
    pub os: String,
    /// Its processor's kind.
    pub arch: String,
}

/// Two heads on the same validation rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The metric by which the head was chosen.
    #[serde(default)]
    pub metric: Metric,
    /// The head compared against.
    pub baseline: String,
    /// The head compared.
    pub candidate: String,
    /// The candidate's score less the baseline's, in the same resamples of the same rows.
    pub difference: PairedDifference,
    /// The earlier uses of the rows, as text.
    pub note: String,
}

/// The predictions for a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionReport {
    /// The model that predicted.
    pub head: String,
    /// The rows predicted.
    pub n_rows: usize,
    /// The rows that could not be read and have no prediction.
    pub n_left_out: usize,
    /// How often each class was predicted, in the order of the classes.
    pub counts: Vec<ClassCount>,
    /// The sizes of the prediction sets; only of a model that has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sets: Option<PredictedSets>,
    /// The files that were written.
    pub files: Vec<String>,
}

impl Report {
    /// The head that predicts, or the last that was fitted; `None` before any was.
    pub fn chosen_head(&self) -> Option<&FitReport> {
        self.heads.iter().rfind(|fit| fit.head == self.chosen).or(self.heads.last())
    }

    /// The title of `head` for people: `random forest`. The name itself where no fitted head of that name has a title.
    pub fn title_of<'r>(&'r self, head: &'r str) -> &'r str {
        self.heads.iter().find(|fit| fit.head == head).map_or(head, FitReport::title)
    }
}

impl Machine {
    /// This machine.
    pub fn this() -> Machine {
        Machine { os: std::env::consts::OS.to_owned(), arch: std::env::consts::ARCH.to_owned() }
    }
}
