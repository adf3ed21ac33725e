//! The tables of a run, and what the checks found in them.

use serde::{Deserialize, Serialize};

/// A table that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableReport {
    /// Its role: `train`, `val`, `test`, `data`.
    pub role: String,
    /// Its file.
    pub path: String,
    /// Its files in the order of its rows, where they are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// The files of its labels, if they are separate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_files: Vec<String>,
    /// Its format, for display.
    pub format: String,
    /// The rows that were read.
    pub n_rows: usize,
    /// The features of a row.
    pub n_features: usize,
    /// The column whose lists are the features; `null` when each feature has a column of its own.
    pub embeddings_column: Option<String>,
    /// The names of the features' own columns; empty when the features are lists.
    pub feature_names: Vec<String>,
    /// The rows that could not be read and were left out.
    pub n_skipped: usize,
    /// The column of the labels; `null` when there are none.
    pub label_column: Option<String>,
    /// The column of sample weights, which is no feature; only a fit on the table uses the weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_column: Option<String>,
    /// The labels as written in the table, each with its rows.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The class's name.
    pub class: String,
    /// The rows that have it.
    pub count: usize,
}

/// The features of a table in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The smallest value.
    pub min: f32,
    /// The greatest value.
    pub max: f32,
    /// The share of values that are exactly 0.
    pub zeros: f64,
    /// The smallest Euclidean norm of a row.
    pub norm_min: f64,
    /// The mean of the rows' norms.
    pub norm_mean: f64,
    /// The greatest norm of a row.
    pub norm_max: f64,
    /// Whether every row has a norm of 1, but for rounding.
    pub unit_length: bool,
    /// The precision of the values: `float32`, `float16`, `bfloat16`, `whole numbers`, `4 decimals`.
    pub precision: String,
    /// The effective rank of the rows: how many directions they vary in.
    pub effective_rank: f64,
}

/// How a training table was split into training and validation rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The share of the rows that was asked for.
    pub share: f64,
    /// The rows that are left to train on.
    pub n_train: usize,
    /// The rows that validate.
    pub n_val: usize,
    /// The seed that they were drawn with.
    pub seed: u64,
    /// The groups that stayed on one side; only with a group column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<SplitGroups>,
}

/// Groups of rows that were not split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitGroups {
    /// The column whose values they are.
    pub column: String,
    /// How many there are.
    pub n_groups: usize,
    /// How many of them validate.
    pub n_val: usize,
}

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is wrong: shapes, classes, balance.
    Note,
    /// The table can be used, but its owner should know.
    Warning,
    /// The table cannot be used.
    Error,
}

/// One thing found in a table, counted, with its first places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The kind of finding, a word that does not change: `duplicate-rows`, `leakage`, ...
    pub code: String,
    /// The table: its file from a reader, its role (`train`, `val`, ...) from a check.
    pub table: String,
    /// The whole message, with counts and first locations.
    pub message: String,
    /// How often it occurs.
    pub count: usize,
    /// The first places, at most five.
    pub places: Vec<RowLocation>,
}

/// A place in a table's file: a line or a row, and in it perhaps a column and an element of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLocation {
    /// The file, where the table has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of a text, the first being 1 (the header, in a CSV).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The row of a format without lines, the first being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The element of the list, the first being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u64>,
}

impl Severity {
    /// Its name in the report: `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}
