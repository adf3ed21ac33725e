//! The rows of an output: of a table that is read again, or of a stream.

use super::source::ReopenedTable;
use super::{Cell, Predictions, WriteError};
use crate::Table;

/// A row with its prediction.
#[derive(Debug, Clone, Copy)]
pub(super) struct PredictedRow<'a> {
    /// The features.
    pub(super) x: &'a [f32],
    /// The cells that are copied from the input.
    pub(super) cells: &'a [Cell<'a>],
    /// The predicted class.
    pub(super) predicted: u32,
    /// The probability of each class.
    pub(super) probabilities: &'a [f32],
    /// The fold that predicted it, from 1; 0 without folds.
    pub(super) fold: u32,
    /// The classes of its prediction set.
    pub(super) set: &'a [u32],
}

/// Called for each row.
pub(super) type EachRow<'a> = dyn FnMut(&PredictedRow<'_>) -> Result<(), WriteError> + 'a;

/// Rows in order.
pub(super) trait Rows {
    /// Calls `each` for every row.
    ///
    /// # Errors
    /// If a row cannot be read or `each` fails.
    fn for_each(&mut self, each: &mut EachRow<'_>) -> Result<(), WriteError>;
}

/// The rows of a table in memory, whose files are read again for the cells to copy.
pub(super) struct TableRows<'a> {
    pub(super) table: &'a Table,
    pub(super) opened: &'a ReopenedTable,
    pub(super) predictions: Predictions<'a>,
    /// The columns to copy.
    pub(super) inputs: Vec<usize>,
}

impl Rows for TableRows<'_> {
    fn for_each(&mut self, each: &mut EachRow<'_>) -> Result<(), WriteError> {
        let Predictions { predicted, probabilities, fold_of, sets, .. } = self.predictions;
        let read = self.opened.for_each_row(self.table, &self.inputs, &mut |row, cells| {
            each(&PredictedRow {
                x: self.table.x().row(row),
                cells,
                predicted: predicted[row],
                probabilities: probabilities.row(row),
                fold: fold_of.and_then(|folds| folds.get(row)).copied().unwrap_or(0),
                set: sets.map_or(&[], |sets| sets.row(row)),
            })
        });
        read.map_err(|error| match error {
            WriteError::Input(error) => WriteError::Input(error.at(self.table.path())),
            other => other,
        })
    }
}
