//! Options for reading a table.

use crate::Shard;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Options for reading a table. The default detects the columns and ends at the first bad row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column with the list of features; `None` to detect it.
    pub embeddings_column: Option<String>,
    /// The label column, or the prefix of one-hot columns; `None` to detect it.
    pub label_column: Option<String>,
    /// The label column if [`label_column`](ReadOptions::label_column) is `None` and the table has this column, such
    /// as the label column of the training table. Not an error if the table lacks it.
    pub label_hint: Option<String>,
    /// The names of the features of a training table or a stored model, in order: the features are the columns with
    /// these names, in any position, and other numeric columns are ignored with a warning. Empty to detect them. Not
    /// for tables with features in lists.
    pub feature_names: Vec<String>,
    /// Columns that are neither features nor label, whatever their content.
    pub drop: Vec<String>,
    /// A column whose values group the rows, as [`Groups`](crate::Groups) reads them: neither feature nor label,
    /// whatever its content. Not an error if a table other than the training table lacks it.
    pub group_column: Option<String>,
    /// A column of sample weights, as [`Weights`](crate::Weights) reads them: neither feature nor label. Not an error if a
    /// table other than the training table lacks it.
    pub weight_column: Option<String>,
    /// Patterns (`emb_*`) for the names of feature columns; empty for all numeric columns.
    pub features: Vec<String>,
    /// Whether the table is to be predicted, so that its labels are placeholders. Some or all of them, or the whole
    /// column, may be missing; and a text column is a label only by its name, not by its content.
    pub placeholder_labels: bool,
    /// The source of the labels. [`read_files`](crate::read_files) sets it if label files are given.
    pub labels: LabelSource,
    /// The handling of a row that cannot be read.
    pub on_bad_row: OnBadRow,
    /// The type of the numbers in an embeddings column of bytes; without it, such a column is not supported.
    pub dtype: Option<Dtype>,
    /// The part of the table to read, if not all of it. There must be no label files; a part is not cached.
    pub shard: Option<Shard>,
    /// A folder for cache files, created if it is missing. Tables are written there row by row as they are parsed, so
    /// that they are never whole in memory, and mapped; from then on they are mapped without parsing. The table is the
    /// same with and without a cache. Pipes are not cached.
    pub cache: Option<PathBuf>,
}

/// The source of a table's labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelSource {
    /// The table, or for an array, a file beside it with a usual name.
    #[default]
    Within,
    /// Other files. A column with the name of a label is no feature, and its content is ignored.
    Beside,
    /// A table of only labels: there are no features.
    Alone,
}

impl ReadOptions {
    /// Whether labels in the table are never wrong.
    pub(crate) fn has_placeholders(&self) -> bool {
        self.placeholder_labels || self.labels == LabelSource::Beside
    }

    /// Whether the table is read beside another, the training table's or a stored model's, and need not have all its columns.
    pub(crate) fn is_beside(&self) -> bool {
        !self.feature_names.is_empty() || self.label_hint.is_some() || self.placeholder_labels
    }

    /// The name of the label column that is added to the output of a table without one.
    pub(crate) fn added_label(&self) -> &str {
        self.label_column.as_deref().or(self.label_hint.as_deref()).unwrap_or("label")
    }
}

/// The type of numbers in packed bytes (little-endian).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Half precision.
    F16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl Dtype {
    /// All types.
    pub const ALL: [Dtype; 3] = [Dtype::F16, Dtype::F32, Dtype::F64];

    /// Its name, as in flags.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F16 => "f16",
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
        }
    }

    /// The size of a number in bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Dtype::F16 => 2,
            Dtype::F32 => 4,
            Dtype::F64 => 8,
        }
    }
}

/// The handling of a row that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnBadRow {
    /// End with an error that names the first.
    #[default]
    Error,
    /// Skip it; a warning counts all such rows and lists the first five.
    Skip,
}
