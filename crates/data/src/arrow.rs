//! Arrow IPC: files, including Feather version 2, and streams, as saved by Hugging Face's `datasets`.
//!
//! Messages are read one after another, so only one batch of rows is in memory. The columns of a batch become the same
//! cells as those of Parquet. No claimed length is trusted: memory grows with the bytes that are really there.
//!
//! This is our own code because the Arrow crates bring arrays and kernels that a table does not need, and allocate
//! what a message claims.

mod array;
mod cells;
mod flat;
mod message;
mod schema;

use crate::columnar::{self, Batch, Cells, ColumnarFile, Field, N_SAMPLED, Scheme, as_lists, no_rows};
use crate::left_out::NumericTexts;
use crate::rows::{RowBlock, RowRange, Wanted};
use crate::source::{Compression, Source};
use crate::{Error, ReadOptions, Result};
use array::{Array, Dictionaries};
use headsmith_kernels::Pool;
use message::{MessageKind, Messages};
use schema::{Node, Schema};
use std::ops::Range;

/// An open Arrow file or stream with the roles of its columns.
pub(crate) struct Arrow {
    source: Source,
    compression: Compression,
    nodes: Vec<Node>,
    scheme: Scheme,
    first: Rows,
}

/// The wanted columns of a record batch.
struct Rows {
    n_rows: usize,
    arrays: Vec<Option<Array>>,
}

fn damaged(what: &str) -> Error {
    columnar::damaged("Arrow", what)
}

fn cut_off() -> Error {
    Error::format(
        "the Arrow file is cut off: it ends within a message, or before the end that it has to have",
    )
    .with_hint("copy or download the file again")
}

/// Opens an Arrow file or stream and determines the roles of its columns.
pub(crate) fn open(source: &Source, compression: Compression, options: &ReadOptions) -> Result<Arrow> {
    let mut batches = Batches::new(source, compression)?;
    let schema = batches.schema()?;
    let first = batches.next(&schema.nodes, &|_| true)?.ok_or_else(no_rows)?;
    let sampled = 0..first.n_rows.min(N_SAMPLED);
    let mut first_cells = |field: &Field| {
        field.leaf.map(|_| cells_of(&schema.nodes, &first, field, sampled.clone())).transpose()
    };
    let metadata = |key: &str| schema.metadata(key);
    let scheme = Scheme::new("Arrow", schema.fields(), &metadata, &mut first_cells, options)?;
    let Schema { nodes, .. } = schema;
    // Keeps only the sampled rows, which are read again to classify text columns.
    let first = Rows { n_rows: sampled.end, ..first };
    Ok(Arrow { source: source.clone(), compression, nodes, scheme, first })
}

/// The cells of a range of rows of a column.
fn cells_of(nodes: &[Node], rows: &Rows, field: &Field, range: Range<usize>) -> Result<Cells> {
    let column = field.leaf.unwrap_or_default();
    let Some(Some(array)) = rows.arrays.get(column) else { return Err(damaged("a column is missing")) };
    as_lists(field, cells::cells(&nodes[column], array, range)).map_err(damaged)
}

/// The record batches of a source, in order.
struct Batches {
    messages: Messages<'static>,
    dictionaries: Dictionaries,
}

impl Batches {
    fn new(source: &Source, compression: Compression) -> Result<Batches> {
        let messages = Messages::new(source.open(compression)?)?;
        Ok(Batches { messages, dictionaries: Dictionaries::new() })
    }

    fn schema(&mut self) -> Result<Schema> {
        match self.messages.next()? {
            Some(message) if message.kind == MessageKind::Schema => Schema::read(&message),
            _ => Err(damaged("it does not begin with a schema")),
        }
    }

    /// The next batch with rows.
    fn next(&mut self, nodes: &[Node], wanted: &dyn Fn(usize) -> bool) -> Result<Option<Rows>> {
        while let Some(message) = self.messages.next()? {
            match message.kind {
                MessageKind::Batch => {
                    let batch = message.header()?;
                    let (n_rows, arrays) =
                        array::read_batch(&message, &batch, nodes, wanted, &self.dictionaries)?;
                    if n_rows > 0 {
                        return Ok(Some(Rows { n_rows, arrays }));
                    }
                }
                MessageKind::Dictionary => {
                    let id = message.header()?.i64(0, 0);
                    let node = nodes.iter().find_map(|node| node.of_dictionary(id));
                    let node = node.ok_or_else(|| damaged("a dictionary is of no column"))?;
                    array::read_dictionary(&message, node, &mut self.dictionaries, id)?;
                }
                MessageKind::Schema => return Err(damaged("it has a second schema")),
                MessageKind::Other => {}
            }
        }
        Ok(None)
    }
}

impl ColumnarFile for Arrow {
    fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    fn n_rows(&self) -> usize {
        0
    }

    fn count_rows(&self) -> Result<u64> {
        let mut batches = Batches::new(&self.source, self.compression)?;
        batches.schema()?;
        let mut n_rows = 0;
        while let Some(rows) = batches.next(&self.nodes, &|_| false)? {
            n_rows += rows.n_rows as u64;
        }
        Ok(n_rows)
    }

    fn rows<'a>(
        &'a self,
        wanted: Wanted<'a>,
        range: RowRange,
        pool: &'a Pool,
    ) -> Result<Box<dyn Iterator<Item = Result<RowBlock>> + 'a>> {
        let mut batches = Batches::new(&self.source, self.compression)?;
        batches.schema()?;
        let columns = self.scheme.columns_to_read(wanted);
        Ok(Box::new(Blocks {
            arrow: self,
            pool,
            batches,
            columns,
            rows: None,
            n_done: 0,
            n_before: 0,
            range,
        }))
    }

    fn numerals(&self) -> Result<Vec<NumericTexts>> {
        let sampled = 0..self.first.n_rows;
        let mut first = |field: &Field| cells_of(&self.nodes, &self.first, field, sampled.clone()).map(Some);
        columnar::numerals(&self.scheme, &mut first, &mut |column, each| {
            let mut batches = Batches::new(&self.source, self.compression)?;
            batches.schema()?;
            while let Some(rows) = batches.next(&self.nodes, &|other| other == column)? {
                each(&cells_of(&self.nodes, &rows, &self.scheme.fields[column], 0..rows.n_rows)?);
            }
            Ok(())
        })
    }
}

/// Reads an Arrow file in blocks of rows.
struct Blocks<'a> {
    arrow: &'a Arrow,
    pool: &'a Pool,
    batches: Batches,
    /// The columns to read.
    columns: Vec<usize>,
    rows: Option<Rows>,
    /// The number of rows of the batch already returned.
    n_done: usize,
    /// The number of rows before the next block.
    n_before: u64,
    /// The rows to read.
    range: RowRange,
}

impl Blocks<'_> {
    /// Reads batches until one has rows left in the range, or they end.
    fn find_batch(&mut self) -> Result<()> {
        while self.rows.as_ref().is_none_or(|rows| rows.n_rows == self.n_done) {
            let columns = &self.columns;
            self.rows = self.batches.next(&self.arrow.nodes, &|column| columns.contains(&column))?;
            let Some(rows) = &self.rows else { return Ok(()) };
            let skipped = self.range.start.saturating_sub(self.n_before).min(rows.n_rows as u64);
            self.n_done = skipped as usize;
            self.n_before += skipped;
        }
        Ok(())
    }

    fn read_block(&mut self) -> Result<Option<RowBlock>> {
        let Arrow { nodes, scheme, .. } = self.arrow;
        if self.n_before >= self.range.end {
            return Ok(None);
        }
        self.find_batch()?;
        let Some(rows) = &self.rows else { return Ok(None) };
        let left = self.range.end.saturating_sub(self.n_before);
        if left == 0 {
            return Ok(None);
        }
        let n = scheme.rows_of_block().min(usize::try_from(left).unwrap_or(usize::MAX));
        let range = self.n_done..rows.n_rows.min(self.n_done + n);
        let cells = self.pool.map(self.columns.len(), |i| {
            cells_of(nodes, rows, &scheme.fields[self.columns[i]], range.clone())
        });
        let mut batch = Batch::new(scheme, self.n_before);
        for (&column, cells) in self.columns.iter().zip(cells) {
            batch.add(column, cells?)?;
        }
        self.n_done = range.end;
        self.n_before += range.len() as u64;
        Ok(Some(batch.finish()))
    }
}

impl Iterator for Blocks<'_> {
    type Item = Result<RowBlock>;

    fn next(&mut self) -> Option<Result<RowBlock>> {
        self.read_block().transpose()
    }
}
