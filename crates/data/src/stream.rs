//! Tables that are read block by block, in constant memory: for work that needs each row once.

use crate::columnar::rows_of_block;
use crate::columns::{Columns, Role};
use crate::features::{Features, FileColumns, OtherCells};
use crate::join::FileShape;
use crate::predictions::{Cell, WrittenColumns, lacking, other_columns, unwritable};
use crate::read::{self, FileHead};
use crate::rows::{RowBlock, Texts};
use crate::source::Source;
use crate::table::{Contents, Part, words};
use crate::{Error, Files, Finding, OnBadRow, ReadOptions, Result, join};
use headsmith_kernels::{Matrix, Pool};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A table whose rows are read block by block. Its labels are neither read nor checked.
pub struct TableStream {
    name: PathBuf,
    sources: Vec<Source>,
    options: ReadOptions,
    first: FileHead,
}

/// Consecutive rows of a [`TableStream`].
#[derive(Debug)]
pub struct StreamBlock {
    /// The features, `n_rows x n_features`, all finite.
    pub x: Matrix,
    /// The cells of the columns that are copied to the output.
    pub(crate) cells: Vec<CellColumn>,
}

/// A column that is copied.
#[derive(Debug, Clone)]
pub(crate) struct CellColumn {
    slot: Slot,
    /// Its cells, if they are not features.
    texts: Texts,
}

/// The columns of a stream's files whose cells are read with the features, by their names in the first file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopiedColumns {
    pub(crate) names: Vec<String>,
    /// Whether all files must have the columns of the first and no others.
    pub(crate) all: bool,
}

/// The contents of a [`TableStream`] that was read to its end.
#[derive(Debug, Clone)]
pub struct StreamSummary {
    /// The number of rows that were read.
    pub n_rows: usize,
    /// The number of rows left out because they could not be read.
    pub n_skipped: usize,
    /// The reader's warnings.
    pub warnings: Vec<Finding>,
}

impl TableStream {
    /// Opens the table in `files`, whose label files, if there are any, are ignored. Reads the columns of the first file.
    ///
    /// # Errors
    /// As [`read`](crate::read()), as far as the first file's columns tell.
    pub fn open(files: &Files, options: &ReadOptions) -> Result<TableStream> {
        let (name, sources) = read::named_sources(files)?;
        let first = read::head(&sources[0], options).map_err(|error| error.at(sources[0].path()))?;
        Ok(TableStream { name, sources, options: options.clone(), first })
    }

    /// The file it is read from; for several files, their name as a group.
    pub fn path(&self) -> &Path {
        &self.name
    }

    /// The files it is read from, in the order of its rows.
    pub fn files(&self) -> Vec<&Path> {
        self.sources.iter().map(Source::path).collect()
    }

    /// The first file's format for display.
    pub fn format(&self) -> String {
        words(std::slice::from_ref(&self.first.part), &[])
    }

    /// The number of features of each row.
    pub fn n_features(&self) -> usize {
        self.first.n_features
    }

    /// The name of the column of lists, if the features are in one.
    pub fn embeddings_column(&self) -> Option<&str> {
        self.columns().embeddings()
    }

    /// The names of the features, if each has its own column.
    pub fn feature_names(&self) -> Option<Vec<String>> {
        self.columns().feature_names()
    }

    /// The name of the label column, whose content is ignored.
    pub fn label_column(&self) -> Option<&str> {
        self.columns().label.as_deref()
    }

    /// Whether its first file has a column with this name, whatever its role.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns().has(name)
    }

    pub(crate) fn columns(&self) -> &Columns {
        &self.first.part.columns
    }

    pub(crate) fn written(&self) -> &WrittenColumns {
        &self.first.written
    }

    pub(crate) fn options(&self) -> &ReadOptions {
        &self.options
    }

    pub(crate) fn is_text(&self) -> bool {
        self.first.part.format.is_text()
    }

    /// Reads all rows in order and calls `each` with blocks of them, which have the cells of the columns `copied`. The
    /// blocks are the same for any number of threads.
    ///
    /// # Errors
    /// As [`read_files`](crate::read_files), after the blocks before the fault; and if `each` breaks.
    pub fn read(
        &self,
        copied: &CopiedColumns,
        pool: &Pool,
        each: &mut dyn FnMut(StreamBlock) -> ControlFlow<()>,
    ) -> Result<StreamSummary> {
        let n_features = self.n_features();
        let n_rows = rows_of_block(n_features);
        let mut blocks =
            Blocks { stream: self, copied, n_rows, next: Pending::default(), slots: Vec::new(), each };
        let contents = self.parse(&self.options, &mut blocks, pool)?;
        blocks.flush()?;
        let n_rows = contents.n_rows();
        Ok(StreamSummary { n_rows, n_skipped: contents.n_skipped, warnings: contents.warnings })
    }

    /// Calls `each` with the cells of the columns `names`, for every row that `read` would give, of all shards. Fails
    /// silently: a row that `read` refuses ends it.
    pub(crate) fn for_each_cells(&self, names: &[String], pool: &Pool, each: &mut dyn FnMut(&[Cell<'_>])) {
        let copied = CopiedColumns { names: names.to_vec(), all: false };
        // Without `skip`, the first bad row ends `read`, so the features need not be parsed to know which rows count.
        let alone = self.options.on_bad_row == OnBadRow::Error;
        let options = ReadOptions { on_bad_row: OnBadRow::Skip, shard: None, ..self.options.clone() };
        let mut cells = CellsOnly { stream: self, copied: &copied, alone, slots: Vec::new(), each };
        let _ = self.parse(&options, &mut cells, pool);
    }

    fn parse(&self, options: &ReadOptions, features: &mut dyn Features, pool: &Pool) -> Result<Contents> {
        read::parse_all(&self.name, (&self.sources, None), options, features, pool)
            .map_err(|error| error.at(&self.name))
    }
}

/// Where the cells of a copied column come from in a file.
#[derive(Debug, Clone, Copy)]
enum Slot {
    /// The list of all features.
    List,
    /// One feature, by its index.
    Feature(usize),
    /// The raw fields of a column of a text.
    Raw(usize),
    /// The column of another file.
    Text(usize),
}

impl Slot {
    /// The column to read, if it is not one of features.
    fn column(self) -> Option<usize> {
        match self {
            Slot::Raw(column) | Slot::Text(column) => Some(column),
            Slot::List | Slot::Feature(_) => None,
        }
    }

    /// The cell of a row with the features `x`, or with `text` in its column.
    fn cell<'c>(self, x: &'c [f32], text: &'c [u8]) -> Cell<'c> {
        match self {
            Slot::List => Cell::List(x),
            Slot::Feature(feature) => Cell::Number(x[feature]),
            Slot::Raw(_) => Cell::Raw(text),
            Slot::Text(_) => Cell::Text(std::str::from_utf8(text).unwrap_or_default()),
        }
    }
}

/// The slots of the columns `copied` in a file.
fn slots(stream: &TableStream, copied: &CopiedColumns, file: &FileColumns<'_>) -> Result<Vec<Slot>> {
    let path = stream.sources[0].path();
    let Part { format, columns, .. } = &stream.first.part;
    let (format, n_features) = (*format, stream.n_features());
    join::refuse_other_shape(path, &FileShape { format, columns, n_features }, &file.shape)?;
    if copied.all && !stream.columns().has_names_of(file.shape.columns) {
        return Err(other_columns(path));
    }
    let before = file.shape.columns.features_before();
    let slot = |name: &String| {
        let column = file.shape.columns.names.iter().position(|other| other == name);
        let column = column.ok_or_else(|| lacking(name, path))?;
        if !(file.can_be_written)(column) {
            return Err(unwritable(name));
        }
        Ok(match file.shape.columns.roles[column] {
            _ if file.shape.format.is_text() => Slot::Raw(column),
            Role::Embeddings => Slot::List,
            Role::Feature => Slot::Feature(file.shape.columns.place(before[column])),
            _ => Slot::Text(column),
        })
    };
    copied.names.iter().map(slot).collect()
}

fn others(slots: &[Slot]) -> Vec<usize> {
    let mut columns: Vec<usize> = slots.iter().filter_map(|slot| slot.column()).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// The requested cells of a column of a block.
fn texts(block: &RowBlock, column: usize) -> Option<&Texts> {
    block.others.iter().find(|(other, _)| *other == column).map(|(_, texts)| texts)
}

/// Rows that are not yet enough for a block.
#[derive(Debug, Default)]
struct Pending {
    x: Vec<f32>,
    n_rows: usize,
    cells: Vec<CellColumn>,
}

impl Pending {
    /// No rows yet, with the columns `slots`.
    fn of(slots: &[Slot]) -> Pending {
        let column = |slot: &Slot| CellColumn { slot: *slot, texts: Texts::default() };
        Pending { cells: slots.iter().map(column).collect(), ..Pending::default() }
    }
}

/// Hands the rows of a table on in blocks.
struct Blocks<'a> {
    stream: &'a TableStream,
    copied: &'a CopiedColumns,
    /// The minimum number of rows in a block, but for the last of a file.
    n_rows: usize,
    next: Pending,
    slots: Vec<Slot>,
    each: &'a mut dyn FnMut(StreamBlock) -> ControlFlow<()>,
}

impl Blocks<'_> {
    fn flush(&mut self) -> Result<()> {
        let next = Pending::of(&self.slots);
        let Pending { x, n_rows, cells } = std::mem::replace(&mut self.next, next);
        if n_rows == 0 {
            return Ok(());
        }
        let x = Matrix::new(x, n_rows, self.stream.n_features());
        match (self.each)(StreamBlock { x, cells }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::format("reading was stopped")),
        }
    }
}

impl Features for Blocks<'_> {
    fn begin(&mut self, file: &FileColumns<'_>) -> Result<OtherCells> {
        self.flush()?;
        self.slots = slots(self.stream, self.copied, file)?;
        self.next = Pending::of(&self.slots);
        Ok(OtherCells { columns: others(&self.slots), alone: false })
    }

    fn expect(&mut self, _: usize) {}

    fn append(&mut self, rows: &mut RowBlock) -> Result<()> {
        match self.next.x.is_empty() {
            true => self.next.x = std::mem::take(&mut rows.x),
            false => self.next.x.extend_from_slice(&rows.x),
        }
        self.next.n_rows += rows.numbers.len();
        for CellColumn { slot, texts: all } in &mut self.next.cells {
            if let Some(texts) = slot.column().and_then(|column| texts(rows, column)) {
                all.append(texts);
            }
        }
        if self.next.n_rows >= self.n_rows { self.flush() } else { Ok(()) }
    }

    fn retain(&mut self, _: &[bool], _: usize) -> Result<()> {
        Ok(())
    }

    fn needs_labels(&self) -> bool {
        false
    }
}

/// Hands the cells of some columns on.
struct CellsOnly<'a> {
    stream: &'a TableStream,
    copied: &'a CopiedColumns,
    alone: bool,
    slots: Vec<Slot>,
    each: &'a mut dyn FnMut(&[Cell<'_>]),
}

impl Features for CellsOnly<'_> {
    fn begin(&mut self, file: &FileColumns<'_>) -> Result<OtherCells> {
        self.slots = slots(self.stream, self.copied, file)?;
        Ok(OtherCells { columns: others(&self.slots), alone: self.alone })
    }

    fn expect(&mut self, _: usize) {}

    fn append(&mut self, rows: &mut RowBlock) -> Result<()> {
        let n_features = self.stream.n_features();
        let columns: Vec<Option<&Texts>> =
            self.slots.iter().map(|slot| texts(rows, slot.column()?)).collect();
        for row in 0..rows.numbers.len() {
            let x = rows.x.get(row * n_features..(row + 1) * n_features).unwrap_or_default();
            let cells = self.slots.iter().zip(&columns).map(|(slot, texts)| {
                let text = (*texts).map_or(&b""[..], |texts| texts.get(row));
                slot.cell(x, text)
            });
            (self.each)(&cells.collect::<Vec<Cell<'_>>>());
        }
        Ok(())
    }

    fn retain(&mut self, _: &[bool], _: usize) -> Result<()> {
        Ok(())
    }

    fn needs_labels(&self) -> bool {
        false
    }
}

impl StreamBlock {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.x.n_rows()
    }

    /// The copied cells of row `row`.
    pub(crate) fn cells_of<'b>(&'b self, row: usize, cells: &mut Vec<Cell<'b>>) {
        cells.clear();
        let x = self.x.row(row);
        cells.extend(self.cells.iter().map(|column| column.slot.cell(x, column.texts.get(row))));
    }
}
