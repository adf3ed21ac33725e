//! Writes predictions with the columns of their rows, in the format given by the output's name.
//!
//! The rows of a [`TableStream`](crate::TableStream) bring their other columns with them. A [`Table`] does not hold them:
//! they are read again from its file, and every row is compared with the features that were predicted on before it is
//! written.

mod archive;
mod columns;
mod format;
mod jsonl;
mod npy;
mod parquet;
mod rows;
mod sets;
pub(crate) mod source;
mod stream;
mod text;
mod types;
mod written;

pub use archive::zip;
pub use columns::Columns;
pub use format::OutputFormat;
pub use sets::PredictionSets;
pub(crate) use source::{lacking, other_columns, unwritable};
pub use stream::{NextBlock, PredictedBlock, StreamWriter};
pub(crate) use written::WrittenColumns;

use crate::output::write_atomically;
use crate::{Classes, Error, Result, Table};
use columns::{Added, Column, Content, InputColumns};
use format::FileFormat;
use headsmith_kernels::MatRef;
use rows::{PredictedRow, Rows, TableRows};
use source::ReopenedTable;
use std::io::{self, Write};
use std::path::Path;
use types::CellType;
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
    let written = opened.written();
    let input = InputColumns::of_table(table, &written);
    let added = Added { folds: predictions.fold_of.is_some(), sets: predictions.sets.is_some() };
    let columns = match format.kind {
        FileFormat::Npy => Vec::new(),
        _ => {
            refuse_other_columns(table, options).map_err(at)?;
            columns::layout(input, predictions.classes, (options, added)).map_err(at)?
        }
    };
    let fold_names = predictions.fold_of.iter().flat_map(|folds| folds.iter().max());
    let fold_names = (0..=fold_names.max().map_or(0, |most| *most)).map(|fold| fold.to_string()).collect();
    let types = || {
        types::of(&columns, input, |inputs, each| {
            opened.for_each_row(table, inputs, &mut |_, cells| {
                each(cells);
                Ok(())
            })
        })
    };
    let types =
        if format.has_types() { types().map_err(|error| at(error.into_input()))? } else { Vec::new() };
    let (n_features, classes) = (table.n_features(), predictions.classes);
    let output = OutputTable { input, classes, columns: &columns, types, n_features, fold_names };
    let inputs = columns.iter().filter_map(Column::input).collect();
    let mut rows = TableRows { table, opened: &opened, predictions, inputs };
    output.write(path, format, options, &mut rows)?;
    Ok(WriteSummary {
        n_rows: table.n_rows(),
        n_left_out: table.n_skipped(),
        columns_left_out: columns::left_out(input, (format, &options.columns)),
    })
}

fn refuse_other_columns(table: &Table, options: &WriteOptions) -> Result<()> {
    if options.columns == Columns::All { columns::refuse_other_columns(table) } else { Ok(()) }
}

/// Checks that the requested columns can be written for `table`, as far as their names tell; for use before a long
/// computation. `with_sets` tells whether there will be prediction sets.
///
/// # Errors
/// If there is no such column; the message lists the columns and the nearest name.
pub fn check_columns(table: &Table, columns: &Columns, with_sets: bool) -> Result<()> {
    let written = WrittenColumns::default();
    let input = InputColumns::of_table(table, &written);
    match columns {
        Columns::Named(names) => names
            .iter()
            .filter(|name| !(with_sets && *name == SETS))
            .try_for_each(|name| columns::find(input, name).map(|_| ()))
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
    let written = opened.written();
    refuse_other_columns(table, &OUT_OF_FOLD).map_err(at)?;
    let added = Added { folds: true, sets: false };
    columns::layout(InputColumns::of_table(table, &written), classes, (&OUT_OF_FOLD, added)).map_err(at)?;
    Ok(())
}

/// The options for out-of-fold predictions.
pub const OUT_OF_FOLD: WriteOptions = WriteOptions { columns: Columns::All, proba: true };

/// The reason why writing ended early.
pub(crate) enum WriteError {
    Input(Error),
    Output(io::Error),
}

impl WriteError {
    /// The error of an operation that writes nothing.
    fn into_input(self) -> Error {
        match self {
            WriteError::Input(error) => error,
            WriteError::Output(error) => Error::unread(error),
        }
    }
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

/// The columns to write, and how.
struct OutputTable<'a> {
    input: InputColumns<'a>,
    classes: &'a Classes,
    columns: &'a [Column<'a>],
    /// The type of each column, for formats that have types.
    types: Vec<CellType>,
    n_features: usize,
    /// The names of the folds, from fold 0, which does not occur.
    fold_names: Vec<String>,
}

/// Called for each row of the output with its cells.
type EachCells<'a> = dyn FnMut(&PredictedRow<'_>, &[Cell<'_>]) -> std::result::Result<(), WriteError> + 'a;

impl OutputTable<'_> {
    /// Writes `rows` to the file at `path`.
    fn write(
        &self,
        path: &Path,
        format: OutputFormat,
        options: &WriteOptions,
        rows: &mut dyn Rows,
    ) -> Result<()> {
        let mut failure = None;
        let written = write_atomically(path, |out| {
            self.write_to(out, path, format, (options, rows)).map_err(|error| match error {
                WriteError::Output(error) => error,
                WriteError::Input(error) => {
                    failure = Some(error);
                    io::Error::other("the input failed")
                }
            })
        });
        match failure {
            Some(error) => Err(error),
            None => written,
        }
    }

    fn write_to(
        &self,
        out: &mut (dyn Write + Send),
        path: &Path,
        format: OutputFormat,
        (options, rows): (&WriteOptions, &mut dyn Rows),
    ) -> std::result::Result<(), WriteError> {
        match format.kind {
            FileFormat::Csv => format.packed.through(out, |out| text::write(self, rows, b',', out)),
            FileFormat::Tsv => format.packed.through(out, |out| text::write(self, rows, b'\t', out)),
            FileFormat::Jsonl => format.packed.through(out, |out| jsonl::write(self, rows, out)),
            FileFormat::Parquet => parquet::write(self, rows, out),
            FileFormat::Npy => npy::write(self, rows, options, (path, out)),
        }
    }

    /// Calls `each` for every row in order, with one cell per column.
    fn for_each_row(
        &self,
        rows: &mut dyn Rows,
        each: &mut EachCells<'_>,
    ) -> std::result::Result<(), WriteError> {
        rows.for_each(&mut |row| {
            let mut copied = row.cells.iter();
            let cell = |column: &Column<'_>| match column.content {
                Content::Input(_) => copied.next().copied().unwrap_or(Cell::Text("")),
                Content::Label => Cell::Text(&self.classes.names()[row.predicted as usize]),
                Content::OneHot(class) => Cell::Flag(class == row.predicted),
                Content::Fold => {
                    Cell::Text(self.fold_names.get(row.fold as usize).map_or("", String::as_str))
                }
                Content::Set => Cell::Set(self.classes.names(), row.set),
                Content::Probability(class) => Cell::Number(row.probabilities[class]),
            };
            each(row, &self.columns.iter().map(cell).collect::<Vec<_>>())
        })
    }
}
