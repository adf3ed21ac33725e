//! How a table is to be read.

/// How a table is to be read. The default detects the columns and ends at the first bad row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column with the list of features; detected when `None`.
    pub embeddings_column: Option<String>,
    /// The column with the labels; detected when `None`. For one-hot labels, the prefix of their columns.
    pub label_column: Option<String>,
    /// What to do with a row that cannot be read.
    pub on_bad_row: OnBadRow,
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
