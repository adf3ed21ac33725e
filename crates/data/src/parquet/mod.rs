//! Parquet: a list of numbers in one column, or a column for each feature, read column by column without Arrow.
//!
//! Row groups follow each other, and within one, batches of rows: never is a whole column decoded beside the table.
//! The levels of nested columns (Melnik et al., "Dremel", VLDB 2010) tell rows, nulls and empty lists apart.

mod batch;
mod cells;
mod huggingface;
mod numerals;
mod pages;
mod pandas;
mod schema;
mod shared_file;
mod thrift;
mod unread;
mod vectors;

pub(crate) use numerals::numerals;
pub(crate) use shared_file::SharedFile;

use crate::columns::{self, Columns, Kind, MAX_FEATURES, Role, Sketch};
use crate::list;
use crate::rows::RowBlock;
use crate::{Error, LabelPlace, ReadOptions, Result};
use batch::Batch;
use cells::{Cells, Stored};
use headsmith_kernels::Pool;
use pages::Claims;
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, FileReader, RowGroupReader, SerializedFileReader};
use schema::{Field, fields};
use std::panic::{AssertUnwindSafe, catch_unwind};
use thrift::{STRUCT, Thrift};
use vectors::Vectors;

/// The rows that are looked at to find out what text columns hold and how long the lists are.
const N_SAMPLED: usize = 64;

/// About how many values are decoded at once.
const BATCH_VALUES: usize = 1 << 19;

/// An open Parquet file and what its columns are.
pub(crate) struct Parquet {
    file: Box<dyn FileReader>,
    fields: Vec<Field>,
    pub(crate) columns: Columns,
    pub(crate) n_features: usize,
    pub(crate) n_rows: usize,
}

impl Parquet {
    /// Whether the cells of a column can be written as text.
    pub(crate) fn can_be_written(&self, column: usize) -> bool {
        let field = &self.fields[column];
        let plain = !matches!(field.stored, Stored::Other | Stored::Bytes) && !field.is_list();
        match self.columns.roles[column] {
            Role::Index | Role::Other => plain,
            _ => true,
        }
    }

    /// Whether a column is the index pandas keeps beside the columns proper.
    pub(crate) fn is_pandas_index(&self, column: usize) -> bool {
        self.fields[column].is_index
    }
}

/// Calls the `parquet` crate, which panics on some damaged files: pages that contradict their column or each other.
/// What it was working on is not used again.
fn guarded<T>(read: impl FnOnce() -> std::result::Result<T, ParquetError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(damaged),
        Err(_) => Err(damaged_because("its pages contradict each other")),
    }
}

fn damaged(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(error) => Error::unread(*error),
            Err(other) => damaged_because(&other.to_string()),
        },
        ParquetError::General(what) | ParquetError::EOF(what) | ParquetError::NYI(what) => {
            damaged_because(&what)
        }
        other => damaged_because(&other.to_string()),
    }
}

fn damaged_because(what: &str) -> Error {
    Error::format(format!("the Parquet file is damaged or of a kind that is not read: {what}"))
        .with_hint("write it again, e.g. with pandas to_parquet")
}

/// Opens a Parquet file and finds out what its columns are.
pub(crate) fn open<R: ChunkReader + 'static>(input: R, options: &ReadOptions) -> Result<Parquet> {
    check_ends(&input)?;
    let metadata = guarded(|| ParquetMetaDataReader::new().parse_and_finish(&input))?;
    let mut fields = fields(metadata.file_metadata().schema_descr());
    let indices = pandas::index_columns(metadata.file_metadata());
    fields.iter_mut().for_each(|field| field.is_index |= indices.contains(&field.name));
    check_claims(&input, &metadata, &fields)?;
    let n_rows = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    if n_rows == 0 {
        return Err(Error::format("the table has columns and no rows: expected at least one row")
            .with_hint("was the file written completely?"));
    }
    let file: Box<dyn FileReader> = Box::new(guarded(|| SerializedFileReader::new(input))?);
    let class_names = huggingface::class_names(file.metadata().file_metadata());
    for field in &mut fields {
        field.class_names = class_names.get(&field.name).cloned().unwrap_or_default();
        unpack(file.as_ref(), field, options)?;
    }
    let sketches = sketches(file.as_ref(), &fields, options)?;
    unread::refuse(&fields, &sketches, options)?;
    let columns = columns::assign(&sketches, options)?;
    let n_features = n_features(file.as_ref(), &fields, &columns)?;
    Ok(Parquet { file, fields, columns, n_features, n_rows })
}

/// Makes a column of bytes that can be vectors of the numbers asked for one of lists.
fn unpack(file: &dyn FileReader, field: &mut Field, options: &ReadOptions) -> Result<()> {
    let Some(dtype) = options.dtype.filter(|_| field.is_bytes) else { return Ok(()) };
    let asked = options.embeddings_column.as_ref().is_none_or(|name| *name == field.name);
    let Some(cells) = first_cells(file, field)?.filter(|_| asked) else { return Ok(()) };
    let n_texts = (0..cells.values.len()).filter(|&i| cells.values.text(i).is_some()).count();
    let is_text = field.stored == Stored::Text && n_texts == cells.values.len();
    let named = options.embeddings_column.is_some() || columns::is_embeddings_name(&field.name);
    if vectors::fits(&cells, dtype) && (named || !is_text) {
        field.vectors = Some(Vectors::Packed { dtype, value_level: field.value_level });
        field.become_lists();
    }
    Ok(())
}

/// A Parquet file begins and ends with `PAR1`, the end after the length of the footer.
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
        let what = format!("the Parquet file is damaged: its footer is said to take {footer} of {len} bytes");
        return Err(Error::format(what).with_hint("copy or download the file again"));
    }
    let bytes = input.get_bytes(len - 8 - footer, footer as usize).map_err(damaged)?;
    Thrift::new(&bytes).skip(STRUCT, 0).ok_or_else(|| damaged_because("its footer cannot be read"))
}

fn check_claims(input: &impl ChunkReader, metadata: &ParquetMetaData, fields: &[Field]) -> Result<()> {
    let mut claims = Claims::default();
    for group in metadata.row_groups() {
        for leaf in fields.iter().flat_map(Field::leaves) {
            let chunk =
                group.columns().get(leaf).ok_or_else(|| damaged_because("a row group lacks a column"))?;
            claims.add(input, chunk).map_err(|what| damaged_because(&what))?;
        }
    }
    Ok(())
}

fn sketches(file: &dyn FileReader, fields: &[Field], options: &ReadOptions) -> Result<Vec<Sketch>> {
    let mut sketches: Vec<Sketch> = Vec::with_capacity(fields.len());
    // Beside lists, columns of numbers are few, and one may be the label by what it holds.
    let has_lists = fields.iter().any(Field::is_list);
    for field in fields {
        if sketches.iter().any(|sketch| sketch.name == field.name) {
            let what = format!("two columns are named \"{}\"", field.name);
            return Err(Error::format(what).with_hint("give every column a name of its own"));
        }
        let is_number =
            field.vectors.is_some() || !matches!(field.stored, Stored::Text | Stored::Bytes | Stored::Other);
        let kind = match field.stored {
            Stored::Other => Kind::Other,
            Stored::Bytes if field.vectors.is_none() => Kind::Other,
            _ if field.is_list() => {
                if is_number {
                    Kind::List
                } else {
                    Kind::Other
                }
            }
            Stored::Text => sampled_kind(file, field)?,
            _ if has_lists
                || options.labels == LabelPlace::Alone
                || columns::may_be_one_hot(&field.name, options)
                || columns::may_be_label_by_name(&field.name) =>
            {
                sampled_kind(file, field)?
            }
            _ => Kind::Number,
        };
        sketches.push(Sketch { name: field.name.clone(), kind, is_index: field.is_index });
    }
    Ok(sketches)
}

/// What the first cells of a column that is no list hold.
fn sampled_kind(file: &dyn FileReader, field: &Field) -> Result<Kind> {
    let Some(cells) = first_cells(file, field)? else { return Ok(Kind::Empty) };
    let texts: Vec<String> = (0..cells.values.len()).filter_map(|i| cells.values.text(i)).collect();
    let mut distinct: Vec<&String> = texts.iter().collect();
    distinct.sort();
    distinct.dedup();
    let n_lists = texts.iter().filter(|text| list::is_list(text.as_bytes(), false)).count();
    Ok(match field.stored {
        Stored::Text if texts.len() * 2 < cells.values.len() => Kind::Other,
        Stored::Text if texts.is_empty() => Kind::Empty,
        Stored::Text if n_lists * 2 >= texts.len() => Kind::List,
        Stored::Text if Kind::is_free_text(distinct.iter().map(|text| text.as_str())) => Kind::DistinctText,
        Stored::Text if distinct.len() < texts.len() || texts.len() < 3 => Kind::RepeatedText,
        Stored::Text => Kind::DistinctText,
        _ if (0..cells.values.len()).all(|i| matches!(cells.values.number(i).0, 0.0 | 1.0)) => Kind::ZeroOne,
        _ => {
            let numbers = (0..cells.values.len()).map(|i| f64::from(cells.values.number(i).0));
            Kind::of_numbers(&numbers.collect::<Vec<f64>>())
        }
    })
}

fn first_cells(file: &dyn FileReader, field: &Field) -> Result<Option<Cells>> {
    if field.leaf.is_none() || file.num_row_groups() == 0 {
        return Ok(None);
    }
    let group = guarded(|| file.get_row_group(0))?;
    let mut readers = readers(group.as_ref(), field)?;
    guarded(|| read_cells(&mut readers, field, N_SAMPLED)).map(Some)
}

/// Readers of the leaf columns of a field.
fn readers(group: &dyn RowGroupReader, field: &Field) -> Result<Vec<ColumnReader>> {
    field.leaves().into_iter().map(|leaf| guarded(|| group.get_column_reader(leaf))).collect()
}

/// Reads the next rows of a field; vectors as lists.
fn read_cells(
    readers: &mut [ColumnReader],
    field: &Field,
    n_rows: usize,
) -> std::result::Result<Cells, ParquetError> {
    match (&field.vectors, readers) {
        (Some(Vectors::Spark(fields)), readers) => {
            let parts = readers.iter_mut().zip(fields.iter());
            let parts = parts.map(|(reader, field)| cells::read(reader, field.stored, n_rows));
            vectors::dense(&parts.collect::<std::result::Result<Vec<_>, _>>()?, fields)
        }
        (Some(Vectors::Packed { dtype, value_level }), [reader, ..]) => {
            Ok(vectors::unpacked(&cells::read(reader, field.stored, n_rows)?, *value_level, *dtype))
        }
        (None, [reader, ..]) => cells::read(reader, field.stored, n_rows),
        (_, []) => Err(ParquetError::General("a column without values".to_owned())),
    }
}

/// The number of features: of columns, or of elements that most of the first lists have (the first such number, if
/// several are equally frequent).
fn n_features(file: &dyn FileReader, fields: &[Field], columns: &Columns) -> Result<usize> {
    let Some(column) = columns.position(Role::Embeddings) else {
        return Ok(columns.with_role(Role::Feature).len());
    };
    let field = &fields[column];
    let Some(cells) = first_cells(file, field)? else { return Ok(0) };
    let lens: Vec<usize> = match field.element_level {
        Some(level) => lists(&cells).map(|list| n_elements(&cells.definitions[list], level)).collect(),
        None => cells.values.texts().iter().map(|text| list::count_elements(text.data())).collect(),
    };
    let votes = |n: usize| lens.iter().filter(|&&other| other == n).count();
    let mut best = 0;
    for &n in lens.iter().filter(|&&n| n > 0 && n <= MAX_FEATURES) {
        if best == 0 || votes(n) > votes(best) {
            best = n;
        }
    }
    Ok(best)
}

/// The levels of each row of a list column.
fn lists(cells: &Cells) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= cells.repetitions.len() {
            return None;
        }
        let rest = &cells.repetitions[start + 1..];
        let end =
            rest.iter().position(|&level| level == 0).map_or(cells.repetitions.len(), |len| start + 1 + len);
        let list = start..end;
        start = end;
        Some(list)
    })
}

fn n_elements(definitions: &[i16], element_level: i16) -> usize {
    definitions.iter().filter(|&&level| level >= element_level).count()
}

/// The rows of a Parquet file in blocks.
pub(crate) struct Rows<'a> {
    parquet: &'a Parquet,
    pool: &'a Pool,
    group: usize,
    /// The columns that are read, of the current row group.
    open: Vec<Open>,
    /// The number of rows before the next block.
    n_before: u64,
    /// The columns that are neither features nor labels and are read as well.
    others: &'a [usize],
    /// Whether these alone are read: the features are zeros then, and there are no labels.
    others_alone: bool,
}

struct Open {
    column: usize,
    readers: Vec<ColumnReader>,
    cells: Option<Result<Cells>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(parquet: &'a Parquet, pool: &'a Pool) -> Rows<'a> {
        Rows { parquet, pool, group: 0, open: Vec::new(), n_before: 0, others: &[], others_alone: false }
    }

    /// The rows with the cells of those of the columns `others` that are neither features nor labels.
    pub(crate) fn with_other_columns(parquet: &'a Parquet, others: &'a [usize], pool: &'a Pool) -> Rows<'a> {
        Rows { others, ..Rows::new(parquet, pool) }
    }

    /// The cells of the columns `others`, which are neither features nor labels, alone.
    pub(crate) fn of_other_columns(parquet: &'a Parquet, others: &'a [usize], pool: &'a Pool) -> Rows<'a> {
        Rows { others_alone: true, ..Rows::with_other_columns(parquet, others, pool) }
    }

    fn open_group(&mut self) -> Result<()> {
        let group = guarded(|| self.parquet.file.get_row_group(self.group))?;
        self.group += 1;
        for (column, role) in self.parquet.columns.roles.iter().enumerate() {
            let wanted = match role {
                Role::Index | Role::Other => self.others.contains(&column),
                _ => !self.others_alone,
            };
            if self.parquet.fields[column].leaf.is_some() && wanted {
                let readers = readers(group.as_ref(), &self.parquet.fields[column])?;
                self.open.push(Open { column, readers, cells: None });
            }
        }
        Ok(())
    }

    fn read_batch(&mut self) -> Result<Option<RowBlock>> {
        loop {
            if self.open.is_empty() {
                if self.group == self.parquet.file.num_row_groups() {
                    return Ok(None);
                }
                self.open_group()?;
            }
            let n_rows = (BATCH_VALUES / self.parquet.n_features.max(1)).clamp(16, 8192);
            let fields = &self.parquet.fields;
            self.pool.for_each_chunk(&mut self.open, 1, |_, open| {
                let open = &mut open[0];
                let field = &fields[open.column];
                open.cells = Some(guarded(|| read_cells(&mut open.readers, field, n_rows)));
            });
            let mut batch = Batch::new(self.parquet, self.n_before);
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
