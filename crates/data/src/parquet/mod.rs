//! Parquet: a list of numbers in one column, or a column for each feature, read column by column without Arrow.
//!
//! Row groups follow each other, and within one, batches of rows: never is a whole column decoded beside the table.
//! The levels of nested columns (Melnik et al., "Dremel", VLDB 2010) tell rows, nulls and empty lists apart.

mod cells;
mod pages;
mod shared_file;

pub(crate) use shared_file::SharedFile;

use crate::columns::{self, Columns, Kind, MAX_FEATURES, Role, Sketch};
use crate::list::shown;
use crate::rows::{BadRow, NO_LABEL, RowBlock};
use crate::{Error, Place, ReadOptions, Result};
use cells::{Cells, Stored, Values};
use headsmith_kernels::Pool;
use pages::Claims;
use parquet::basic::Repetition;
use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};
use std::collections::HashMap;

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
        let plain = field.stored != Stored::Other && !field.is_list();
        match self.columns.roles[column] {
            Role::Index | Role::Other => plain && !self.is_pandas_index(column),
            _ => true,
        }
    }

    /// Whether a column is the index pandas keeps beside the columns proper.
    pub(crate) fn is_pandas_index(&self, column: usize) -> bool {
        self.fields[column].name.starts_with("__index_level_")
    }
}

/// One top-level column.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    /// The one leaf column below it; `None` for structures of several.
    leaf: Option<usize>,
    stored: Stored,
    /// For a list, the definition level at which it has an element, be it null.
    element_level: Option<i16>,
    /// The definition level of a value.
    value_level: i16,
}

impl Field {
    fn is_list(&self) -> bool {
        self.element_level.is_some()
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
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&input).map_err(damaged)?;
    let fields = fields(metadata.file_metadata().schema_descr());
    check_claims(&input, &metadata, &fields)?;
    let n_rows = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    if n_rows == 0 {
        return Err(Error::format("the table has columns and no rows: expected at least one row")
            .with_hint("was the file written completely?"));
    }
    let file: Box<dyn FileReader> = Box::new(SerializedFileReader::new(input).map_err(damaged)?);
    let sketches = sketches(file.as_ref(), &fields, options)?;
    let columns = columns::assign(&sketches, options)?;
    let n_features = n_features(file.as_ref(), &fields, &columns)?;
    Ok(Parquet { file, fields, columns, n_features, n_rows })
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
    Ok(())
}

fn check_claims(input: &impl ChunkReader, metadata: &ParquetMetaData, fields: &[Field]) -> Result<()> {
    let mut claims = Claims::default();
    for group in metadata.row_groups() {
        for leaf in fields.iter().filter_map(|field| field.leaf) {
            let chunk =
                group.columns().get(leaf).ok_or_else(|| damaged_because("a row group lacks a column"))?;
            claims.add(input, chunk).map_err(|what| damaged_because(&what))?;
        }
    }
    Ok(())
}

/// The top-level columns of a schema.
fn fields(schema: &SchemaDescriptor) -> Vec<Field> {
    let mut leaf = 0;
    let top = schema.root_schema().get_fields().iter().map(|field| {
        let first = leaf;
        leaf += n_leaves(field);
        (field.name().to_owned(), (leaf == first + 1).then_some(first))
    });
    top.collect::<Vec<_>>().into_iter().map(|(name, leaf)| field(name, leaf, schema)).collect()
}

fn n_leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| n_leaves(field)).sum() }
}

fn field(name: String, leaf: Option<usize>, schema: &SchemaDescriptor) -> Field {
    let Some(column) = leaf.map(|leaf| schema.column(leaf)) else {
        return Field { name, leaf, stored: Stored::Other, element_level: None, value_level: 0 };
    };
    let value_level = column.max_def_level();
    let (stored, element_level) = match column.max_rep_level() {
        0 => (cells::stored(&column), None),
        1 => (cells::stored(&column), Some(repeated_level(schema, &column))),
        // Lists of lists.
        _ => (Stored::Other, None),
    };
    Field { name, leaf, stored, element_level, value_level }
}

/// The definition level at which the one repeated node above a leaf is present.
fn repeated_level(schema: &SchemaDescriptor, column: &ColumnDescriptor) -> i16 {
    let mut node = schema.root_schema();
    let mut level = 0;
    for part in column.path().parts() {
        let Some(next) = node.get_fields().iter().find(|field| field.name() == part) else { break };
        node = next;
        match node.get_basic_info().repetition() {
            Repetition::REQUIRED => {}
            Repetition::OPTIONAL => level += 1,
            Repetition::REPEATED => return level + 1,
        }
    }
    column.max_def_level()
}

fn sketches(file: &dyn FileReader, fields: &[Field], options: &ReadOptions) -> Result<Vec<Sketch>> {
    let mut sketches: Vec<Sketch> = Vec::with_capacity(fields.len());
    for field in fields {
        if sketches.iter().any(|sketch| sketch.name == field.name) {
            let what = format!("two columns are named \"{}\"", field.name);
            return Err(Error::format(what).with_hint("give every column a name of its own"));
        }
        let is_number = !matches!(field.stored, Stored::Text | Stored::Other);
        let kind = match field.stored {
            Stored::Other => Kind::Other,
            _ if field.is_list() => {
                if is_number {
                    Kind::List
                } else {
                    Kind::Other
                }
            }
            Stored::Text => sampled_kind(file, field)?,
            _ if columns::may_be_one_hot(&field.name, options) => sampled_kind(file, field)?,
            _ => Kind::Number,
        };
        sketches.push(Sketch { name: field.name.clone(), kind });
    }
    Ok(sketches)
}

/// What the first cells of a column that is no list hold.
fn sampled_kind(file: &dyn FileReader, field: &Field) -> Result<Kind> {
    let Some(cells) = first_cells(file, field)? else { return Ok(Kind::Empty) };
    let texts: Vec<String> = (0..cells.values.len()).filter_map(|i| cells.values.label(i)).collect();
    let mut distinct: Vec<&String> = texts.iter().collect();
    distinct.sort();
    distinct.dedup();
    Ok(match field.stored {
        Stored::Text if texts.is_empty() => Kind::Empty,
        Stored::Text if distinct.len() < texts.len() || texts.len() < 3 => Kind::RepeatedText,
        Stored::Text => Kind::DistinctText,
        _ if texts.iter().all(|text| text == "0" || text == "1") => Kind::ZeroOne,
        _ => Kind::Number,
    })
}

fn first_cells(file: &dyn FileReader, field: &Field) -> Result<Option<Cells>> {
    let Some(leaf) = field.leaf.filter(|_| file.num_row_groups() > 0) else { return Ok(None) };
    let group = file.get_row_group(0).map_err(damaged)?;
    let mut reader = group.get_column_reader(leaf).map_err(damaged)?;
    cells::read(&mut reader, field.stored, N_SAMPLED).map(Some).map_err(damaged)
}

/// The number of features: of columns, or of elements that most of the first lists have (the first such number, if
/// several are equally frequent).
fn n_features(file: &dyn FileReader, fields: &[Field], columns: &Columns) -> Result<usize> {
    let Some(column) = columns.position(Role::Embeddings) else {
        return Ok(columns.with_role(Role::Feature).len());
    };
    let field = &fields[column];
    let Some(element_level) = field.element_level else {
        let what = format!("column \"{}\" holds no lists of numbers", field.name);
        return Err(Error::column(what).with_hint("write the embeddings as lists of floats"));
    };
    let Some(cells) = first_cells(file, field)? else { return Ok(0) };
    let lens: Vec<usize> =
        lists(&cells).map(|list| n_elements(&cells.definitions[list], element_level)).collect();
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
    other_columns: bool,
}

struct Open {
    column: usize,
    reader: ColumnReader,
    cells: Option<std::result::Result<Cells, ParquetError>>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(parquet: &'a Parquet, pool: &'a Pool) -> Rows<'a> {
        Rows { parquet, pool, group: 0, open: Vec::new(), n_before: 0, other_columns: false }
    }

    /// The rows with the cells of the columns that are neither features nor labels.
    pub(crate) fn with_other_columns(parquet: &'a Parquet, pool: &'a Pool) -> Rows<'a> {
        Rows { other_columns: true, ..Rows::new(parquet, pool) }
    }

    fn open_group(&mut self) -> Result<()> {
        let group = self.parquet.file.get_row_group(self.group).map_err(damaged)?;
        self.group += 1;
        for (column, role) in self.parquet.columns.roles.iter().enumerate() {
            let wanted = match role {
                Role::Index | Role::Other => self.other_columns && self.parquet.can_be_written(column),
                _ => true,
            };
            if let Some(leaf) = self.parquet.fields[column].leaf.filter(|_| wanted) {
                let reader = group.get_column_reader(leaf).map_err(damaged)?;
                self.open.push(Open { column, reader, cells: None });
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
                open.cells = Some(cells::read(&mut open.reader, fields[open.column].stored, n_rows));
            });
            let mut batch = Batch::new(self.parquet, self.n_before);
            for open in &mut self.open {
                if let Some(cells) = open.cells.take() {
                    batch.add(open.column, cells.map_err(damaged)?)?;
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

/// A block in the making, column by column.
struct Batch<'a> {
    parquet: &'a Parquet,
    n_before: u64,
    n_rows: Option<usize>,
    n_features_seen: usize,
    block: RowBlock,
    /// What is wrong with each row, in its first bad column.
    bad: Vec<Option<BadRow>>,
}

impl<'a> Batch<'a> {
    fn new(parquet: &'a Parquet, n_before: u64) -> Batch<'a> {
        let names = parquet.columns.one_hot.clone();
        let block = RowBlock { names, ..RowBlock::default() };
        Batch { parquet, n_before, n_rows: None, n_features_seen: 0, block, bad: Vec::new() }
    }

    fn add(&mut self, column: usize, cells: Cells) -> Result<()> {
        let n_rows = *self.n_rows.get_or_insert(cells.n_rows);
        if n_rows != cells.n_rows {
            return Err(damaged_because("its columns have different numbers of rows"));
        }
        if self.bad.len() < n_rows {
            self.bad = vec![None; n_rows];
            self.block.x = vec![0.0; n_rows * self.parquet.n_features];
            self.block.codes = vec![NO_LABEL; n_rows];
        }
        match self.parquet.columns.roles[column] {
            Role::Embeddings => self.add_lists(column, &cells),
            Role::Feature => self.add_feature(column, &cells),
            Role::Label => self.add_labels(column, &cells),
            Role::OneHot(class) => self.add_one_hot(column, class, &cells),
            Role::Index | Role::Other => self.add_other(column, &cells),
        }
        Ok(())
    }

    fn place(&self, row: usize, column: usize) -> Place {
        Place::row(self.n_before + row as u64 + 1).in_column(&self.parquet.fields[column].name)
    }

    fn refuse(&mut self, row: usize, place: Place, what: String, hint: &str) {
        self.bad[row].get_or_insert_with(|| BadRow::new(place, what, Some(hint)));
    }

    fn add_lists(&mut self, column: usize, cells: &Cells) {
        let field = &self.parquet.fields[column];
        let n_features = self.parquet.n_features;
        let element_level = field.element_level.unwrap_or(field.value_level);
        let mut next_value = 0;
        for (row, list) in lists(cells).enumerate().take(self.bad.len()) {
            let definitions = &cells.definitions[list];
            let first = next_value;
            let n_values = definitions.iter().filter(|&&level| level == field.value_level).count();
            next_value += n_values;
            if let Some((what, hint)) =
                flaw_of_list(definitions, element_level, field.value_level, n_features)
            {
                let null = definitions.iter().position(|&level| level < field.value_level);
                let place = match null.filter(|_| definitions[0] >= element_level) {
                    Some(element) => self.place(row, column).at_element(element as u64 + 1),
                    None => self.place(row, column),
                };
                self.refuse(row, place, what, hint);
                continue;
            }
            if self.copy_finite(row, &cells.values, first) {
                continue;
            }
            for element in 0..n_features {
                self.set(row, column, element, &cells.values, first + element, Some(element));
            }
        }
    }

    /// Takes over a whole row of finite 32-bit values; false when it is something else.
    fn copy_finite(&mut self, row: usize, values: &Values, first: usize) -> bool {
        let n_features = self.parquet.n_features;
        let Values::F32(values) = values else { return false };
        let values = &values[first..first + n_features];
        let finite = values.iter().all(|value| value.is_finite());
        if finite {
            self.block.x[row * n_features..(row + 1) * n_features].copy_from_slice(values);
        }
        finite
    }

    fn add_feature(&mut self, column: usize, cells: &Cells) {
        let feature = self.n_features_seen;
        self.n_features_seen += 1;
        self.for_each_cell(column, cells, |batch, row, value| match value {
            Some(value) => batch.set(row, column, feature, &cells.values, value, None),
            None => {
                let place = batch.place(row, column);
                batch.refuse(row, place, "expected a number, found null".to_owned(), FILL);
            }
        });
    }

    /// Calls `cell` with each row and the index of its value, if it is not null.
    fn for_each_cell(
        &mut self,
        column: usize,
        cells: &Cells,
        cell: impl Fn(&mut Self, usize, Option<usize>),
    ) {
        let value_level = self.parquet.fields[column].value_level;
        let mut next = 0;
        for row in 0..self.bad.len() {
            let present = cells.definitions.get(row).is_none_or(|&level| level == value_level);
            cell(self, row, present.then_some(next));
            next += usize::from(present);
        }
    }

    #[inline]
    fn set(
        &mut self,
        row: usize,
        column: usize,
        feature: usize,
        values: &Values,
        i: usize,
        element: Option<usize>,
    ) {
        let (number, underflow) = values.number(i);
        self.block.x[row * self.parquet.n_features + feature] = number;
        if number.is_finite() && !underflow {
            return;
        }
        let mut place = self.place(row, column);
        place.element = element.map(|element| element as u64 + 1);
        if underflow {
            self.block.underflows.add(1, || place);
            return;
        }
        let found = values.text(i).unwrap_or_default();
        if matches!(found.as_str(), "NaN" | "inf" | "-inf") {
            self.refuse(row, place, format!("expected a finite number, found {found}"), FILL);
        } else {
            let what = format!("expected a number that fits 32 bits (at most 3.4e38), found {found}");
            self.refuse(row, place, what, "rescale the features before writing them");
        }
    }

    fn add_labels(&mut self, column: usize, cells: &Cells) {
        let mut codes: HashMap<String, u32> = HashMap::new();
        let mut names = Vec::new();
        let mut last: (Vec<u8>, u32) = (Vec::new(), NO_LABEL);
        let value_level = self.parquet.fields[column].value_level;
        let mut next = 0;
        for row in 0..self.bad.len() {
            if cells.definitions.get(row).is_some_and(|&level| level < value_level) {
                continue;
            }
            let i = next;
            next += 1;
            if let Values::Texts(texts) = &cells.values
                && last.1 != NO_LABEL
                && texts[i].data() == last.0
            {
                self.block.codes[row] = last.1;
                continue;
            }
            let Some(text) = cells.values.label(i) else {
                let place = self.place(row, column);
                self.refuse(
                    row,
                    place,
                    "the label is not UTF-8".to_owned(),
                    "write labels as text or integers",
                );
                continue;
            };
            if text.trim().is_empty() || text == "NaN" && !matches!(cells.values, Values::Texts(_)) {
                continue;
            }
            last.0 = text.as_bytes().to_vec();
            last.1 = *codes.entry(text).or_insert_with_key(|text| {
                names.push(text.clone());
                names.len() as u32 - 1
            });
            self.block.codes[row] = last.1;
        }
        self.block.names = names;
    }

    fn add_one_hot(&mut self, column: usize, class: u32, cells: &Cells) {
        self.for_each_cell(column, cells, |batch, row, value| {
            let found =
                value.map_or_else(|| "null".to_owned(), |i| cells.values.label(i).unwrap_or_default());
            let place = batch.place(row, column);
            match found.as_str() {
                "0" => {}
                "1" if batch.block.codes[row] == NO_LABEL => batch.block.codes[row] = class,
                "1" => batch.refuse(
                    row,
                    place,
                    "a second 1 in the one-hot columns of the row".to_owned(),
                    ONE_HOT,
                ),
                _ => batch.refuse(
                    row,
                    place,
                    format!("expected 0 or 1, found {}", shown(found.as_bytes())),
                    ONE_HOT,
                ),
            }
        });
    }

    fn add_other(&mut self, column: usize, cells: &Cells) {
        let mut texts = vec![String::new(); self.bad.len()];
        let value_level = self.parquet.fields[column].value_level;
        let mut next = 0;
        for (row, text) in texts.iter_mut().enumerate() {
            if cells.definitions.get(row).is_none_or(|&level| level == value_level) {
                *text = cells.values.text(next).unwrap_or_default();
                next += 1;
            }
        }
        self.block.others.push((column, texts));
    }

    /// The block without its bad rows.
    fn finish(self) -> RowBlock {
        let n_features = self.parquet.n_features;
        let mut block = self.block;
        for (row, bad) in self.bad.into_iter().enumerate() {
            if let Some(bad) = bad {
                block.bad.push(bad);
                continue;
            }
            let kept = block.numbers.len();
            if kept < row {
                block.x.copy_within(row * n_features..(row + 1) * n_features, kept * n_features);
                block.codes[kept] = block.codes[row];
                block.others.iter_mut().for_each(|(_, texts)| texts.swap(kept, row));
            }
            block.numbers.push(self.n_before + row as u64 + 1);
        }
        block.x.truncate(block.numbers.len() * n_features);
        block.codes.truncate(block.numbers.len());
        block
    }
}

const FILL: &str = "replace missing and infinite values before writing the table, or leave the row out";
const ONE_HOT: &str = "exactly one of the one-hot columns is 1 in every row";

/// What is wrong with the list of one row, judged by its levels.
fn flaw_of_list(
    definitions: &[i16],
    element_level: i16,
    value_level: i16,
    n_features: usize,
) -> Option<(String, &'static str)> {
    const WRITE: &str = "write every number of the row, or leave the row out";
    if definitions.first().is_none_or(|&level| level < element_level) {
        let null = definitions.first().is_some_and(|&level| level + 1 < element_level);
        let what = if null { "expected a list of numbers, found null" } else { "the list is empty" };
        return Some((what.to_owned(), WRITE));
    }
    if definitions.iter().any(|&level| level < value_level) {
        return Some(("expected a number, found null".to_owned(), FILL));
    }
    let n = definitions.len();
    if n > MAX_FEATURES {
        let what = format!("the list has {n} elements; at most {MAX_FEATURES} features are read");
        return Some((what, "is this a table of embeddings?"));
    }
    (n != n_features).then(|| {
        let what = format!("expected {n_features} elements, found {n}");
        (what, "every row needs the same number of features: write this row again, or leave it out")
    })
}
