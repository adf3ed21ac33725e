//! How a table is to be read.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a table is to be read. The default detects the columns and ends at the first bad row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column with the list of features; detected when `None`.
    pub embeddings_column: Option<String>,
    /// The column with the labels; detected when `None`. For one-hot labels, the prefix of their columns.
    pub label_column: Option<String>,
    /// A column taken for the label where the table has it and [`label_column`](ReadOptions::label_column) is `None`,
    /// such as that of the training table. Not an error where the table lacks it.
    pub label_hint: Option<String>,
    /// The names of the features of a training table or a stored model, in their order: the features are the columns of
    /// these names, wherever they stand, and other columns of numbers are ignored with a warning. Empty: detected. Not
    /// for tables whose features stand in lists.
    pub feature_names: Vec<String>,
    /// Columns that are neither features nor label, whatever they hold.
    pub drop: Vec<String>,
    /// A column whose values say which rows belong together, as [`Groups`](crate::Groups) reads them: neither features nor
    /// label, whatever it holds. Not an error where a table beside the training table lacks it.
    pub group_column: Option<String>,
    /// Patterns (`emb_*`) of the names of the columns that are features; empty: all columns of numbers.
    pub features: Vec<String>,
    /// The table is to be predicted: what stands in its label column are placeholders. They may be missing, all or
    /// some, and so may the whole column; and a column of text is no label by what it holds, but by its name alone.
    pub placeholder_labels: bool,
    /// The source of the labels. [`read_files`](crate::read_files) sets it where the files of the labels are named.
    pub labels: LabelPlace,
    /// What to do with a row that cannot be read.
    pub on_bad_row: OnBadRow,
    /// What the bytes of a column hold that is the embeddings and is neither numbers nor text; without it, such a column
    /// is not read.
    pub dtype: Option<Dtype>,
    /// A folder for cache files, made if it is not there: tables are written there row by row as they are parsed, never
    /// whole in memory, and mapped; the next time they are mapped without being parsed. The table is the same with it
    /// and without. What is no file but a pipe has no cache.
    pub cache: Option<PathBuf>,
}

/// The source of the labels of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelPlace {
    /// In the table, or beside an array under one of the usual names.
    #[default]
    Within,
    /// In other files. A column that would be the label by its name is no feature, and what it holds is ignored.
    Beside,
    /// In a table that holds nothing else: there are no features.
    Alone,
}

impl ReadOptions {
    /// Whether nothing about the labels in the table can be wrong.
    pub(crate) fn has_placeholders(&self) -> bool {
        self.placeholder_labels || self.labels == LabelPlace::Beside
    }

    /// The name of a label column that is added to the output of a table without one.
    pub(crate) fn added_label(&self) -> &str {
        self.label_column.as_deref().or(self.label_hint.as_deref()).unwrap_or("label")
    }
}

/// The type of the numbers in packed bytes, the lowest byte first.
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
    /// All of them.
    pub const ALL: [Dtype; 3] = [Dtype::F16, Dtype::F32, Dtype::F64];

    /// Its name, as flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F16 => "f16",
            Dtype::F32 => "f32",
            Dtype::F64 => "f64",
        }
    }

    /// The bytes of a number.
    pub(crate) fn size(self) -> usize {
        match self {
            Dtype::F16 => 2,
            Dtype::F32 => 4,
            Dtype::F64 => 8,
        }
    }
}

/// What to do with a row that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnBadRow {
    /// End with an error that names the first.
    #[default]
    Error,
    /// Go on without it; a warning counts them all and shows the first five.
    Skip,
}
