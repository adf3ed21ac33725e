//! Parquet: a list of numbers in one column, or one column per feature, read column by column without Arrow.
//!
//! Row groups are read in order, each in batches of rows, so a whole column is never decoded at once.

mod cells;
mod object_chunks;
mod pages;
mod schema;
mod shared_file;
mod thrift;
mod type_name;

pub(crate) use object_chunks::ObjectChunks;
pub(crate) use shared_file::SharedFile;

use crate::columnar::{
    self, Batch, Cells, ColumnarFile, Field, N_SAMPLED, Scheme, Vectors, as_lists, no_rows,
};
use crate::left_out::NumericTexts;
use crate::rows::{RowBlock, RowRange, Wanted};
use crate::{Error, ReadOptions, Result};
use headsmith_kernels::Pool;
use headsmith_objects::Object;
use pages::PageTotals;
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader};
use schema::fields;
use std::panic::{AssertUnwindSafe, catch_unwind};
use thrift::{STRUCT, ThriftReader};

/// An open Parquet file with the roles of its columns.
pub(crate) struct Parquet {
    file: Box<dyn FileReader>,
    scheme: Scheme,
    n_rows: usize,
    /// The object that the file is in.
    object: Option<ObjectChunks>,
}

/// Calls the `parquet` crate, which panics on some damaged files: pages that contradict their column or each other.
/// The caller must not use the reader again after an error.
fn guarded<T>(read: impl FnOnce() -> std::result::Result<T, ParquetError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(damaged),
        Err(_) => Err(damaged_because("its pages contradict each other")),
    }
}

fn damaged(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                damaged_because(&error.to_string())
            }
            Ok(error) => Error::unread(*error),
            Err(other) => damaged_because(&other.to_string()).caused_by(other),
        },
        ParquetError::General(what) | ParquetError::EOF(what) | ParquetError::NYI(what) => {
            damaged_because(&what)
        }
        other => damaged_because(&other.to_string()).caused_by(other),
    }
}

fn damaged_because(what: &str) -> Error {
    columnar::damaged("Parquet", what)
}

/// Opens a Parquet file and determines the roles of its columns.
pub(crate) fn open<R: ChunkReader + 'static>(input: R, options: &ReadOptions) -> Result<Parquet> {
    open_checked(input, &PageTotals::add, options)
}

/// Opens a Parquet file in an object store.
pub(crate) fn open_object(object: &Object, options: &ReadOptions) -> Result<Parquet> {
    let input = ObjectChunks::new(object).map_err(Error::unread)?;
    let add = |totals: &mut PageTotals, input: &ObjectChunks, chunk: &ColumnChunkMetaData| {
        totals.add_stated(input.len(), chunk)
    };
    Ok(Parquet { object: Some(input.clone()), ..open_checked(input, &add, options)? })
}

/// Adds the claims of a column chunk of an input.
type AddClaims<'a, R> =
    &'a dyn Fn(&mut PageTotals, &R, &ColumnChunkMetaData) -> std::result::Result<(), String>;

fn open_checked<R: ChunkReader + 'static>(
    input: R,
    add_claims: AddClaims<'_, R>,
    options: &ReadOptions,
) -> Result<Parquet> {
    check_ends(&input)?;
    let metadata = guarded(|| ParquetMetaDataReader::new().parse_and_finish(&input))?;
    let fields = fields(metadata.file_metadata().schema_descr());
    check_claims(&input, add_claims, &metadata, &fields)?;
    let n_rows = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    if n_rows == 0 {
        return Err(no_rows());
    }
    let file: Box<dyn FileReader> = Box::new(guarded(|| SerializedFileReader::new(input))?);
    let pairs = metadata.file_metadata().key_value_metadata().map_or(&[][..], |pairs| &pairs[..]);
    let key_value =
        |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref());
    let mut first = |field: &Field| first_cells(file.as_ref(), field);
    let scheme = Scheme::new("Parquet", fields, &key_value, &mut first, options)?;
    Ok(Parquet { file, scheme, n_rows, object: None })
}

/// Checks that a Parquet file starts and ends with `PAR1`.
fn check_ends(input: &impl ChunkReader) -> Result<()> {
    let len = input.len();
    let tail = if len < 12 { None } else { input.get_bytes(len - 8, 8).ok() };
    let Some(([a, b, c, d], magic)) = tail.as_deref().and_then(|tail| tail.split_first_chunk::<4>()) else {
        return Err(Error::format(format!("the Parquet file is cut off: it has {len} bytes and no footer"))
            .with_hint("copy or download the file again"));
    };
    if magic == b"PARE" {
        return Err(Error::format("the Parquet file is encrypted; expected one that is not"));
    }
    if magic != b"PAR1" {
        return Err(Error::format("the Parquet file is cut off: expected PAR1 at its end")
            .with_hint("copy or download the file again"));
    }
    let footer = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    if footer > len - 12 {
        let what = format!("the Parquet file is damaged: its footer claims {footer} of {len} bytes");
        return Err(Error::format(what).with_hint("copy or download the file again"));
    }
    let bytes = input.get_bytes(len - 8 - footer, footer as usize).map_err(damaged)?;
    ThriftReader::new(&bytes).skip(STRUCT, 0).ok_or_else(|| damaged_because("its footer cannot be read"))
}

fn check_claims<R: ChunkReader>(
    input: &R,
    add: AddClaims<'_, R>,
    metadata: &ParquetMetaData,
    fields: &[Field],
) -> Result<()> {
    let mut claims = PageTotals::default();
    for group in metadata.row_groups() {
        for leaf in fields.iter().flat_map(Field::leaves) {
            let chunk =
                group.columns().get(leaf).ok_or_else(|| damaged_because("a row group lacks a column"))?;
            add(&mut claims, input, chunk).map_err(|what| damaged_because(&what))?;
        }
    }
    Ok(())
}

fn first_cells(file: &dyn FileReader, field: &Field) -> Result<Option<Cells>> {
    if field.leaf.is_none() || file.num_row_groups() == 0 {
        return Ok(None);
    }
    let group = guarded(|| file.get_row_group(0))?;
    let mut readers = readers(group.as_ref(), field)?;
    guarded(|| read_cells(&mut readers, field, (N_SAMPLED, 0))).map(Some)
}

/// Readers of the leaf columns of a field.
fn readers(group: &dyn RowGroupReader, field: &Field) -> Result<Vec<ColumnReader>> {
    field.leaves().into_iter().map(|leaf| guarded(|| group.get_column_reader(leaf))).collect()
}

/// Reads the next rows of a field.
fn read_cells(
    readers: &mut [ColumnReader],
    field: &Field,
    (n_rows, n_expected): (usize, usize),
) -> std::result::Result<Cells, ParquetError> {
    let leaves = match &field.vectors {
        Some(Vectors::Spark(fields)) => {
            let leaves = readers.iter_mut().zip(fields.iter());
            leaves.map(|(reader, field)| cells::read(reader, field.stored, n_rows, 0)).collect()
        }
        _ => readers.iter_mut().map(|reader| cells::read(reader, field.stored, n_rows, n_expected)).collect(),
    };
    let leaves: std::result::Result<Vec<Cells>, ParquetError> = leaves;
    as_lists(field, leaves?).map_err(|what| ParquetError::General(what.to_owned()))
}

impl Parquet {
    /// Begins to read these columns of a row group, if the file is in an object store.
    fn will_read(&self, group: &dyn RowGroupReader, columns: &[usize]) -> Result<()> {
        let Some(object) = &self.object else { return Ok(()) };
        let leaves = columns.iter().flat_map(|&column| self.scheme.fields[column].leaves());
        let range = |leaf| {
            let (start, len) = group.metadata().column(leaf).byte_range();
            start..start.saturating_add(len)
        };
        object.will_read(leaves.map(range).collect()).map_err(Error::unread)
    }
}

impl ColumnarFile for Parquet {
    fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn rows<'a>(
        &'a self,
        wanted: Wanted<'a>,
        range: RowRange,
        pool: &'a Pool,
    ) -> Result<Box<dyn Iterator<Item = Result<RowBlock>> + 'a>> {
        Ok(Box::new(Rows { parquet: self, pool, group: 0, open: Vec::new(), n_before: 0, wanted, range }))
    }

    fn numerals(&self) -> Result<Vec<NumericTexts>> {
        let mut first = |field: &Field| first_cells(self.file.as_ref(), field);
        columnar::numerals(&self.scheme, &mut first, &mut |column, each| {
            let field = &self.scheme.fields[column];
            for group in 0..self.file.num_row_groups() {
                let group = guarded(|| self.file.get_row_group(group))?;
                let mut readers = readers(group.as_ref(), field)?;
                loop {
                    let cells = guarded(|| read_cells(&mut readers, field, (N_CELLS, 0)))?;
                    if cells.n_rows == 0 {
                        break;
                    }
                    each(&cells);
                }
            }
            Ok(())
        })
    }
}

/// The approximate number of text cells decoded at once.
const N_CELLS: usize = 1 << 14;

/// Reads a Parquet file in blocks of rows.
struct Rows<'a> {
    parquet: &'a Parquet,
    pool: &'a Pool,
    group: usize,
    /// The readers of the current row group's columns.
    open: Vec<OpenColumn>,
    /// The number of rows before the next block.
    n_before: u64,
    wanted: Wanted<'a>,
    range: RowRange,
}

struct OpenColumn {
    column: usize,
    readers: Vec<ColumnReader>,
    cells: Option<Result<Cells>>,
    /// The number of values of the last block.
    n_values: usize,
}

impl Rows<'_> {
    fn open_group(&mut self) -> Result<()> {
        let group = guarded(|| self.parquet.file.get_row_group(self.group))?;
        self.group += 1;
        let n_rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
        let skipped = self.range.start.saturating_sub(self.n_before).min(n_rows);
        self.n_before += skipped;
        if skipped == n_rows {
            return Ok(());
        }
        let columns = self.parquet.scheme.columns_to_read(self.wanted);
        self.parquet.will_read(group.as_ref(), &columns)?;
        for column in columns {
            let mut readers = readers(group.as_ref(), &self.parquet.scheme.fields[column])?;
            for reader in readers.iter_mut().filter(|_| skipped > 0) {
                guarded(|| cells::skip(reader, skipped as usize))?;
            }
            self.open.push(OpenColumn { column, readers, cells: None, n_values: 0 });
        }
        Ok(())
    }

    fn read_batch(&mut self) -> Result<Option<RowBlock>> {
        loop {
            if self.open.is_empty() {
                if self.group == self.parquet.file.num_row_groups() || self.n_before >= self.range.end {
                    return Ok(None);
                }
                self.open_group()?;
                continue;
            }
            let left = self.range.end - self.n_before;
            let n_rows = self.parquet.scheme.rows_of_block().min(usize::try_from(left).unwrap_or(usize::MAX));
            let fields = &self.parquet.scheme.fields;
            self.pool.for_each_chunk(&mut self.open, 1, |_, open| {
                let open = &mut open[0];
                let field = &fields[open.column];
                let cells = guarded(|| read_cells(&mut open.readers, field, (n_rows, open.n_values)));
                open.n_values = cells.as_ref().map_or(0, |cells| cells.values.len());
                open.cells = Some(cells);
            });
            let mut batch = Batch::new(&self.parquet.scheme, self.n_before);
            for open in &mut self.open {
                if let Some(cells) = open.cells.take() {
                    batch.add(open.column, cells?)?;
                }
            }
            let block = batch.finish();
            let n_read = (block.numbers.len() + block.bad.len()) as u64;
            if n_read > 0 {
                self.n_before += n_read;
                return Ok(Some(block));
            }
            self.open.clear();
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<RowBlock>;

    fn next(&mut self) -> Option<Result<RowBlock>> {
        self.read_batch().transpose()
    }
}
