//! Writes the predictions of a stream of rows.

use super::columns::{self, Added, Column, InputColumns};
use super::format::FileFormat;
use super::rows::{EachRow, PredictedRow, Rows};
use super::types::{self, CellType};
use super::{Columns, OutputFormat, OutputTable, PredictionSets, WriteError, WriteOptions};
use crate::{Classes, CopiedColumns, Error, Result, StreamBlock, TableStream};
use headsmith_kernels::{Matrix, Pool};
use std::path::Path;
use std::sync::Arc;

/// Rows of a stream with their predictions.
#[derive(Debug)]
pub struct PredictedBlock {
    /// The rows.
    pub rows: Arc<StreamBlock>,
    /// The class of each row, an index into the names of the classes.
    pub predicted: Vec<u32>,
    /// The probabilities, `n_rows x n_classes`.
    pub probabilities: Matrix,
    /// The prediction set of each row, if they are written.
    pub sets: Option<PredictionSets>,
}

/// A message to a [`StreamWriter`].
#[derive(Debug)]
pub enum NextBlock {
    /// Further rows.
    Block(Box<PredictedBlock>),
    /// No further rows: the output is complete.
    End,
    /// The rows cannot be read or predicted: nothing is to be written.
    Failed(Error),
    /// The work was stopped: nothing is to be written.
    Stopped,
}

/// Writes the predictions of a [`TableStream`] as [`write`](super::write()) does those of a table.
pub struct StreamWriter<'a> {
    format: OutputFormat,
    input: InputColumns<'a>,
    classes: &'a Classes,
    options: &'a WriteOptions,
    columns: Vec<Column<'a>>,
    types: Vec<CellType>,
    n_features: usize,
}

impl<'a> StreamWriter<'a> {
    /// Decides on the columns of an output at `path`, with prediction sets if `with_sets`. For formats with types it reads the
    /// cells of columns whose types are not known, of all shards.
    ///
    /// # Errors
    /// If a requested column is missing, two columns would have the same name, or the name of the output has no format.
    pub fn new(
        path: &Path,
        stream: &'a TableStream,
        classes: &'a Classes,
        (options, with_sets): (&'a WriteOptions, bool),
        pool: &Pool,
    ) -> Result<StreamWriter<'a>> {
        let format = OutputFormat::of(path).map_err(Error::format)?;
        format.check(options).map_err(|what| Error::format(what).at(path))?;
        let (input, n_features) = (InputColumns::of_stream(stream), stream.n_features());
        let columns = match format.kind {
            FileFormat::Npy => Vec::new(),
            _ => columns::layout(input, classes, (options, Added { folds: false, sets: with_sets }))
                .map_err(|error| error.at(stream.path()))?,
        };
        let types = match format.has_types() {
            true => types::of(&columns, input, |inputs, each| {
                stream.for_each_cells(&names(input, inputs), pool, each);
                Ok(())
            })
            .map_err(WriteError::into_input)?,
            false => Vec::new(),
        };
        Ok(StreamWriter { format, input, classes, options, columns, types, n_features })
    }

    /// The columns that are left out of an output of all, because they hold neither numbers nor text.
    pub fn columns_left_out(&self) -> Vec<String> {
        columns::left_out(self.input, (self.format, &self.options.columns))
    }

    /// The columns to read with the rows.
    pub fn copied(&self) -> CopiedColumns {
        let inputs: Vec<usize> = self.columns.iter().filter_map(Column::input).collect();
        let all = self.options.columns == Columns::All && self.format.kind != FileFormat::Npy;
        CopiedColumns { names: names(self.input, &inputs), all }
    }

    /// Writes the file at `path` from the blocks that `next` gives: all up to the end, or nothing.
    ///
    /// # Errors
    /// If `next` failed or was stopped, or the output cannot be written.
    pub fn write(&self, path: &Path, next: impl FnMut() -> NextBlock) -> Result<()> {
        let output = OutputTable {
            input: self.input,
            classes: self.classes,
            columns: &self.columns,
            types: self.types.clone(),
            n_features: self.n_features,
            fold_names: Vec::new(),
        };
        output.write(path, self.format, self.options, &mut StreamRows { next })
    }
}

fn names(input: InputColumns<'_>, columns: &[usize]) -> Vec<String> {
    columns.iter().map(|&column| input.columns.names[column].clone()).collect()
}

struct StreamRows<F> {
    next: F,
}

impl<F: FnMut() -> NextBlock> Rows for StreamRows<F> {
    fn for_each(&mut self, each: &mut EachRow<'_>) -> std::result::Result<(), WriteError> {
        loop {
            let block = match (self.next)() {
                NextBlock::Block(block) => block,
                NextBlock::End => return Ok(()),
                NextBlock::Failed(error) => return Err(error.into()),
                NextBlock::Stopped => return Err(Error::format("the prediction was stopped").into()),
            };
            let mut cells = Vec::new();
            for row in 0..block.rows.n_rows() {
                block.rows.cells_of(row, &mut cells);
                each(&PredictedRow {
                    x: block.rows.x.row(row),
                    cells: &cells,
                    predicted: block.predicted[row],
                    probabilities: block.probabilities.row(row),
                    fold: 0,
                    set: block.sets.as_ref().map_or(&[], |sets| sets.row(row)),
                })?;
            }
        }
    }
}
