//! Writes predictions with the columns of their rows, in the format given by the output's name.
//!
//! The other columns are not held in memory with the table: they are read again from its file, and every row is
//! compared with the features that were predicted on before it is written.

mod archive;
mod columns;
mod format;
mod jsonl;
mod npy;
mod parquet;
mod sets;
pub(crate) mod source;
mod text;
mod types;

pub use archive::zip;
pub use columns::Columns;
pub use format::OutputFormat;
pub use sets::PredictionSets;

use crate::output::write_atomically;
use crate::{Classes, Error, Result, Table};
use columns::{Added, Column, Content};
use format::FileFormat;
use headsmith_kernels::MatRef;
use source::{ReopenedTable, RowCallback};
use std::io::{self, Write};
use std::path::Path;
pub(crate) use types::plain;

/// The predictions for the rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    /// The classes.
    pub classes: &'a Classes,
    /// The class of each row, an index into `classes.names()`.
    pub predicted: &'a [u32],
    /// The probabilities, `n_rows x n_classes`.
    pub probabilities: MatRef<'a>,
    /// For each row, the fold of a cross-validation that predicted it, from 1: it goes to a further column [`FOLD`].
    pub fold_of: Option<&'a [u32]>,
    /// The prediction set of each row: they go to a further column [`SETS`], unless columns are named without it.
    pub sets: Option<&'a PredictionSets>,
}

/// The name of the fold column.
pub const FOLD: &str = "cv_fold";

/// The name of the column of prediction sets.
pub const SETS: &str = "prediction_set";

/// Options for writing predictions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// The columns of the input to write.
    pub columns: Columns,
    /// Whether to add one column of probabilities for each class, named after the class.
    pub proba: bool,
}

/// The result of writing predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteSummary {
    /// The number of rows written.
    pub n_rows: usize,
    /// The number of input rows without a prediction, because they could not be read.
    pub n_left_out: usize,
    /// The columns of the input that were left out because they hold neither numbers nor text.
    pub columns_left_out: Vec<String>,
}

/// Writes the requested columns in their order, with the predictions in the label column and without a row index, in
/// the format of [`OutputFormat::of`]; a `.npy` contains only the predictions. Cells copied from a CSV to a CSV keep
/// their bytes; lists from other formats are written as Python literals of the shortest numbers that read back as the
/// same `f32`.
///
/// # Errors
/// If the table's file cannot be read again or has changed, a requested column is missing, two columns would have the
/// same name, the output's name has no format, or the output cannot be written.
///
/// # Panics
/// If the number of predictions or prediction sets differs from that of the table's rows.
pub fn write(
    path: &Path,
    table: &Table,
    predictions: Predictions<'_>,
    options: &WriteOptions,
) -> Result<WriteSummary> {
    assert_eq!(predictions.predicted.len(), table.n_rows(), "one prediction a row");
    assert_eq!(predictions.probabilities.n_rows(), table.n_rows(), "one row of probabilities a row");
    assert!(predictions.sets.is_none_or(|sets| sets.n_rows() == table.n_rows()), "one prediction set a row");
    let format = OutputFormat::of(path).map_err(Error::format)?;
    format.check(options).map_err(|what| Error::format(what).at(path))?;
    let at = |error: Error| error.at(table.path());
    let opened =
        ReopenedTable::new(table, options.columns != Columns::LabelOnly && !format.is_npy()).map_err(at)?;
    let columns = match format.kind {
        FileFormat::Npy => Vec::new(),
        _ => {
            let added = Added { folds: predictions.fold_of.is_some(), sets: predictions.sets.is_some() };
            columns::layout(table, predictions.classes, (options, added), &opened).map_err(at)?
        }
    };
    let fold_names = predictions.fold_of.iter().flat_map(|folds| folds.iter().max());
    let fold_names = (0..=fold_names.max().map_or(0, |most| *most)).map(|fold| fold.to_string()).collect();
    let output_table = OutputTable { table, predictions, columns, fold_names };
    let mut failure = None;
    let written = write_atomically(path, |out| {
        output_table.write(format, options, &opened, out).map_err(|error| match error {
            WriteError::Output(error) => error,
            WriteError::Input(error) => {
                failure = Some(at(error));
                io::Error::other("the input failed")
            }
        })
    });
    match failure {
        Some(error) => Err(error),
        None => written.map(|()| WriteSummary {
            n_rows: table.n_rows(),
            n_left_out: table.n_skipped(),
            columns_left_out: match options.columns {
                Columns::All if !format.is_npy() => opened.left_out(table),
                _ => Vec::new(),
            },
        }),
    }
}

/// Checks that the requested columns can be written for `table`, as far as their names tell; for use before a long
/// computation. `with_sets` tells whether there will be prediction sets.
///
/// # Errors
/// If there is no such column; the message lists the columns and the nearest name.
pub fn check_columns(table: &Table, columns: &Columns, with_sets: bool) -> Result<()> {
    match columns {
        Columns::Named(names) => names
            .iter()
            .filter(|name| !(with_sets && *name == SETS))
            .try_for_each(|name| columns::find(table, name).map(|_| ()))
            .map_err(|error| error.at(table.path())),
        _ => Ok(()),
    }
}

/// Checks that out-of-fold predictions of `table` with all its columns, probabilities and folds can be written to
/// `path`, as far as names tell; for use before a long computation.
///
/// # Errors
/// The errors of [`write`] that need no predictions.
pub fn check_out_of_fold(path: &Path, table: &Table, classes: &Classes) -> Result<()> {
    let format = OutputFormat::of(path).map_err(Error::format)?;
    if format.is_npy() {
        return Ok(());
    }
    let at = |error: Error| error.at(table.path());
    let opened = ReopenedTable::new(table, true).map_err(at)?;
    columns::layout(table, classes, (&OUT_OF_FOLD, Added { folds: true, sets: false }), &opened)
        .map_err(at)?;
    Ok(())
}

/// The options for out-of-fold predictions.
pub const OUT_OF_FOLD: WriteOptions = WriteOptions { columns: Columns::All, proba: true };

/// The reason why writing ended early.
pub(crate) enum WriteError {
    Input(Error),
    Output(io::Error),
}

impl From<Error> for WriteError {
    fn from(error: Error) -> WriteError {
        WriteError::Input(error)
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> WriteError {
        WriteError::Output(error)
    }
}

/// A cell of the output.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    /// The raw field of a CSV, including quotes.
    Raw(&'a [u8]),
    Text(&'a str),
    Number(f32),
    List(&'a [f32]),
    /// Whether the row belongs to a class.
    Flag(bool),
    /// A prediction set: the names of the classes, and those that are in it.
    Set(&'a [String], &'a [u32]),
}

/// The rows of a table and the columns to write.
struct OutputTable<'a> {
    table: &'a Table,
    predictions: Predictions<'a>,
    columns: Vec<Column<'a>>,
    /// The names of the folds, from fold 0, which does not occur.
    fold_names: Vec<String>,
}

impl<'a> OutputTable<'a> {
    fn write(
        &self,
        format: OutputFormat,
        options: &WriteOptions,
        opened: &ReopenedTable,
        out: &mut (dyn Write + Send),
    ) -> std::result::Result<(), WriteError> {
        match format.kind {
            FileFormat::Csv => format.packed.through(out, |out| text::write(self, opened, b',', out)),
            FileFormat::Tsv => format.packed.through(out, |out| text::write(self, opened, b'\t', out)),
            FileFormat::Jsonl => format.packed.through(out, |out| jsonl::write(self, opened, out)),
            FileFormat::Parquet => parquet::write(self, opened, out),
            FileFormat::Npy => Ok(npy::write(&self.predictions, options, out)?),
        }
    }

    /// Calls `each` for every row in order, with one cell per column.
    fn for_each_row(
        &self,
        opened: &ReopenedTable,
        each: &mut RowCallback<'_>,
    ) -> std::result::Result<(), WriteError> {
        let input: Vec<usize> = self.columns.iter().filter_map(Column::input).collect();
        opened.for_each_row(self.table, &input, &mut |row, cells| {
            let mut cells = cells.iter();
            let cell = |column: &Column<'_>| match column.content {
                Content::Input(_) => cells.next().copied().unwrap_or(Cell::Text("")),
                Content::Label => Cell::Text(self.class(row)),
                Content::OneHot(class) => Cell::Flag(class == self.predictions.predicted[row]),
                Content::Fold => Cell::Text(self.fold(row)),
                Content::Set => self.set(row),
                Content::Probability(class) => Cell::Number(self.predictions.probabilities.row(row)[class]),
            };
            each(row, &self.columns.iter().map(cell).collect::<Vec<_>>())
        })
    }

    fn fold(&self, row: usize) -> &str {
        let fold = self.predictions.fold_of.and_then(|folds| folds.get(row));
        fold.and_then(|fold| self.fold_names.get(*fold as usize)).map_or("", String::as_str)
    }

    fn set(&self, row: usize) -> Cell<'_> {
        let members = self.predictions.sets.map_or(&[][..], |sets| sets.row(row));
        Cell::Set(self.predictions.classes.names(), members)
    }

    fn class(&self, row: usize) -> &'a str {
        &self.predictions.classes.names()[self.predictions.predicted[row] as usize]
    }
}
