//! Predictions beside the rows they were made for, in the format that the name of the output says.
//!
//! The other cells are not held in memory with the table: they are read again from its file, and every row is held
//! against the features that were predicted on before it is written.

mod archive;
mod columns;
mod format;
mod jsonl;
mod npy;
mod parquet;
pub(crate) mod source;
mod text;
mod types;

pub use archive::zip;
pub use columns::Columns;
pub use format::OutputFormat;

use crate::output::write_atomically;
use crate::{Classes, Error, Result, Table};
use columns::{Column, Content};
use format::Kind;
use headsmith_kernels::MatRef;
use source::{Each, Opened};
use std::io::{self, Write};
use std::path::Path;
pub(crate) use types::plain;

/// What was predicted for the rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    /// The classes.
    pub classes: &'a Classes,
    /// The class of each row, an index into `classes.names()`.
    pub predicted: &'a [u32],
    /// The probabilities, `n_rows x n_classes`.
    pub probabilities: MatRef<'a>,
    /// The fold that each row was predicted in, from 1, of a cross-validation: a column [`FOLD`] of its own.
    pub fold_of: Option<&'a [u32]>,
}

/// The column of the folds.
pub const FOLD: &str = "cv_fold";

/// How predictions are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Which columns of the input stand in the output.
    pub columns: Columns,
    /// Whether to add one column of probabilities for each class, named by the class.
    pub proba: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The rows written.
    pub n_rows: usize,
    /// The rows of the input left out because they could not be read and have no prediction.
    pub n_left_out: usize,
    /// The columns of the input left out because they hold neither numbers nor text.
    pub columns_left_out: Vec<String>,
}

/// Writes the columns that are asked for, in that order, the label column filled with the predictions, and no row
/// index, in the format of [`OutputFormat::of`]; a `.npy` holds the predictions alone. In a CSV, cells of a CSV keep their bytes, and lists from other formats are written as Python literals of the
/// shortest numbers that read back as the same `f32`.
///
/// # Errors
/// When the table's file cannot be read again or is no longer what it was, when a column that is asked for is not
/// there, when two columns would have one name, when the name of the output says no format, or when the output cannot be written.
///
/// # Panics
/// When the predictions are not those of as many rows as the table has.
pub fn write(
    path: &Path,
    table: &Table,
    predictions: Predictions<'_>,
    options: &WriteOptions,
) -> Result<Written> {
    assert_eq!(predictions.predicted.len(), table.n_rows(), "one prediction a row");
    assert_eq!(predictions.probabilities.n_rows(), table.n_rows(), "one row of probabilities a row");
    let format = OutputFormat::of(path).map_err(Error::format)?;
    format.check(options).map_err(|what| Error::format(what).at(path))?;
    let at = |error: Error| error.at(table.path());
    let opened = Opened::new(table, options.columns != Columns::LabelOnly && !format.is_npy()).map_err(at)?;
    let columns = match format.kind {
        Kind::Npy => Vec::new(),
        _ => columns::layout(table, predictions.classes, (options, predictions.fold_of.is_some()), &opened)
            .map_err(at)?,
    };
    let fold_names = predictions.fold_of.iter().flat_map(|folds| folds.iter().max());
    let fold_names = (0..=fold_names.max().map_or(0, |most| *most)).map(|fold| fold.to_string()).collect();
    let sheet = Sheet { table, predictions, columns, fold_names };
    let mut failure = None;
    let written = write_atomically(path, |out| {
        sheet.write(format, options, &opened, out).map_err(|error| match error {
            Stopped::Output(error) => error,
            Stopped::Input(error) => {
                failure = Some(at(error));
                io::Error::other("the input failed")
            }
        })
    });
    match failure {
        Some(error) => Err(error),
        None => written.map(|()| Written {
            n_rows: table.n_rows(),
            n_left_out: table.n_skipped(),
            columns_left_out: match options.columns {
                Columns::All if !format.is_npy() => opened.left_out(table),
                _ => Vec::new(),
            },
        }),
    }
}

/// Ends with an error unless the columns that are asked for can be written for `table`, as far as their names tell: to
/// be called before work that takes long.
///
/// # Errors
/// When there is no such column: what there is, and what may be meant.
pub fn check_columns(table: &Table, columns: &Columns) -> Result<()> {
    match columns {
        Columns::Named(names) => names
            .iter()
            .try_for_each(|name| columns::find(table, name).map(|_| ()))
            .map_err(|error| error.at(table.path())),
        _ => Ok(()),
    }
}

/// Ends with an error unless predictions of `table` with all its columns, their probabilities and folds can be written to
/// `path`, as far as their names tell: to be called before work that takes long.
///
/// # Errors
/// Those of [`write`] that need no predictions.
pub fn check_out_of_fold(path: &Path, table: &Table, classes: &Classes) -> Result<()> {
    let format = OutputFormat::of(path).map_err(Error::format)?;
    if format.is_npy() {
        return Ok(());
    }
    let at = |error: Error| error.at(table.path());
    let opened = Opened::new(table, true).map_err(at)?;
    columns::layout(table, classes, (&OUT_OF_FOLD, true), &opened).map_err(at)?;
    Ok(())
}

/// How the predictions of a cross-validation are written.
pub const OUT_OF_FOLD: WriteOptions = WriteOptions { columns: Columns::All, proba: true };

/// Why writing ended early.
pub(crate) enum Stopped {
    Input(Error),
    Output(io::Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped::Input(error)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::Output(error)
    }
}

/// A cell of the output.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    /// The field of a CSV as it stands, quotes and all.
    Raw(&'a [u8]),
    Text(&'a str),
    Number(f32),
    List(&'a [f32]),
    /// Whether the row is of a class.
    Flag(bool),
}

/// The rows of a table and what is to be written of them.
struct Sheet<'a> {
    table: &'a Table,
    predictions: Predictions<'a>,
    columns: Vec<Column<'a>>,
    /// The folds in words, from fold 0, of which there is none.
    fold_names: Vec<String>,
}

impl<'a> Sheet<'a> {
    fn write(
        &self,
        format: OutputFormat,
        options: &WriteOptions,
        opened: &Opened,
        out: &mut (dyn Write + Send),
    ) -> std::result::Result<(), Stopped> {
        match format.kind {
            Kind::Csv => format.packed.through(out, |out| text::write(self, opened, b',', out)),
            Kind::Tsv => format.packed.through(out, |out| text::write(self, opened, b'\t', out)),
            Kind::Jsonl => format.packed.through(out, |out| jsonl::write(self, opened, out)),
            Kind::Parquet => parquet::write(self, opened, out),
            Kind::Npy => Ok(npy::write(&self.predictions, options, out)?),
        }
    }

    /// Hands every row with its cells, one for each column, to `each`, in order.
    fn for_each_row(&self, opened: &Opened, each: &mut Each<'_>) -> std::result::Result<(), Stopped> {
        let input: Vec<usize> = self.columns.iter().filter_map(Column::input).collect();
        opened.for_each_row(self.table, &input, &mut |row, cells| {
            let mut cells = cells.iter();
            let cell = |column: &Column<'_>| match column.content {
                Content::Input(_) => cells.next().copied().unwrap_or(Cell::Text("")),
                Content::Label => Cell::Text(self.class(row)),
                Content::OneHot(class) => Cell::Flag(class == self.predictions.predicted[row]),
                Content::Fold => Cell::Text(self.fold(row)),
                Content::Probability(class) => Cell::Number(self.predictions.probabilities.row(row)[class]),
            };
            each(row, &self.columns.iter().map(cell).collect::<Vec<_>>())
        })
    }

    fn fold(&self, row: usize) -> &str {
        let fold = self.predictions.fold_of.and_then(|folds| folds.get(row));
        fold.and_then(|fold| self.fold_names.get(*fold as usize)).map_or("", String::as_str)
    }

    fn class(&self, row: usize) -> &'a str {
        &self.predictions.classes.names()[self.predictions.predicted[row] as usize]
    }
}
