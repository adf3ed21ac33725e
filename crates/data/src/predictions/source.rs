//! Reads the rows of a table's files again, to write them with predictions or to get another column.

use super::{Cell, WriteError, WrittenColumns};
use crate::columnar::ColumnarFile;
use crate::columns::Role;
use crate::csv;
use crate::read::open_columnar;
use crate::rows::{ALL_ROWS, Wanted};
use crate::table::Part;
use crate::{Error, ReadOptions, Result, Table, join};
use headsmith_kernels::Pool;
use std::path::Path;

/// Called for each row with its number and the cells of the requested columns.
pub(crate) type RowCallback<'a> = dyn FnMut(usize, &[Cell<'_>]) -> std::result::Result<(), WriteError> + 'a;

/// A table whose files are read again.
pub(crate) struct ReopenedTable {
    /// Its first file; `None` if no cells of the files are needed.
    first: Option<File>,
    /// Whether the features are read as well and compared with those of the table.
    compares: bool,
}

/// One file of a table, opened to be read again.
enum File {
    Csv(Box<csv::Layout>),
    Columnar(Box<dyn ColumnarFile>),
    /// Arrays have no columns: the output has a list and a label.
    Arrays,
}

impl ReopenedTable {
    /// Opens the first file of `table`, if cells are needed.
    pub(super) fn new(table: &Table, wanted: bool) -> Result<ReopenedTable> {
        let first = table.parts.first().filter(|_| wanted);
        Ok(ReopenedTable { first: first.map(|part| File::open(table, part)).transpose()?, compares: true })
    }

    /// Opens the first file of `table` to read only columns that are neither features nor labels. The columns and the
    /// row numbers then show whether the file is unchanged.
    pub(crate) fn for_other_columns(table: &Table) -> Result<ReopenedTable> {
        Ok(ReopenedTable { compares: false, ..ReopenedTable::new(table, true)? })
    }

    /// How the columns of the first file can be written.
    pub(crate) fn written(&self) -> WrittenColumns {
        match &self.first {
            Some(File::Csv(layout)) => WrittenColumns::of_text(layout),
            Some(File::Columnar(file)) => WrittenColumns::of_columnar(file.scheme()),
            Some(File::Arrays) | None => WrittenColumns::default(),
        }
    }

    /// Calls `each` for every row of `table` with its cells of the first file's columns `wanted`, in that order.
    ///
    /// # Errors
    /// If a row differs from the predicted one or cannot be read, another file lacks a column, or `each` fails.
    pub(crate) fn for_each_row(
        &self,
        table: &Table,
        wanted: &[usize],
        each: &mut RowCallback<'_>,
    ) -> std::result::Result<(), WriteError> {
        if wanted.is_empty() {
            return (0..table.n_rows()).try_for_each(|row| each(row, &[]));
        }
        let mut first = 0;
        for (i, part) in table.parts.iter().enumerate() {
            let read = |each: &mut RowCallback<'_>| {
                let wanted = columns_of(table, part, wanted)?;
                let rows = FileRows { table, part, first, wanted, compares: self.compares };
                match &self.first {
                    Some(file) if i == 0 => rows.of(file, each),
                    _ => rows.of(&File::open(table, part)?, each),
                }
            };
            read(each).map_err(|stopped| match stopped {
                WriteError::Input(error) => WriteError::Input(error.at(part.source.path())),
                other => other,
            })?;
            first += part.numbers.n_rows();
        }
        Ok(())
    }
}

/// The positions in the file `part` of the first file's columns `wanted`.
fn columns_of(table: &Table, part: &Part, wanted: &[usize]) -> Result<Vec<usize>> {
    let column = |&column: &usize| {
        let name = &table.columns().names[column];
        let found = part.columns.names.iter().position(|other| other == name);
        found.ok_or_else(|| lacking(name, table.files()[0]))
    };
    wanted.iter().map(column).collect()
}

impl File {
    fn open(table: &Table, part: &Part) -> Result<File> {
        let (file, roles, n_features) = match part.format {
            format if format.is_arrays() => return Ok(File::Arrays),
            format if format.is_text() => {
                let layout = csv::layout(&mut open_text(part)?, &options_of(table, part))?;
                let (roles, n_features) = (layout.columns.roles.clone(), layout.n_features);
                (File::Csv(Box::new(layout)), roles, n_features)
            }
            _ => {
                let options = options_of(table, part);
                let file = open_columnar(&part.source, part.format, part.compression, &options)?;
                let (roles, n_features) = (file.scheme().columns.roles.clone(), file.scheme().n_features);
                (File::Columnar(file), roles, n_features)
            }
        };
        if roles != part.columns.roles || n_features != table.n_features() {
            return Err(changed());
        }
        Ok(file)
    }
}

/// The options with which a file was read: for further files, those derived from the first one's columns.
fn options_of(table: &Table, part: &Part) -> ReadOptions {
    let is_first = std::ptr::eq(part, &table.parts[0]);
    join::options_beside((!is_first).then(|| table.columns()), &table.options)
}

fn open_text(part: &Part) -> Result<csv::Text<'static>> {
    Ok(csv::Text::new(part.source.open(part.compression)?))
}

/// Reads the rows of one file.
struct FileRows<'a> {
    table: &'a Table,
    part: &'a Part,
    /// The index in the table of the file's first row.
    first: usize,
    /// The columns of the file to read.
    wanted: Vec<usize>,
    /// See [`ReopenedTable`].
    compares: bool,
}

impl FileRows<'_> {
    fn of(&self, file: &File, each: &mut RowCallback<'_>) -> std::result::Result<(), WriteError> {
        match file {
            File::Csv(layout) => self.of_csv(layout, each),
            File::Columnar(file) => self.of_columnar(file.as_ref(), each),
            File::Arrays => (self.first..self.first + self.part.numbers.n_rows()).try_for_each(|row| {
                let cells = vec![Cell::List(self.table.x().row(row)); self.wanted.len()];
                each(row, &cells)
            }),
        }
    }

    fn of_csv(&self, known: &csv::Layout, each: &mut RowCallback<'_>) -> std::result::Result<(), WriteError> {
        let mut text = open_text(self.part)?;
        let layout = csv::layout(&mut text, &options_of(self.table, self.part))?;
        if layout.header != known.header || layout.n_features != known.n_features {
            return Err(changed().into());
        }
        let mut x = vec![0.0; layout.n_features];
        let mut row = 0;
        loop {
            let (records, bytes) = text.next_window()?;
            if records.is_empty() {
                return Ok(self.check_end(row)?);
            }
            let mut fields: Vec<&[u8]> = Vec::with_capacity(layout.columns.names.len());
            for (record, line) in &records {
                // The lines between the table's rows are blank or could not be read.
                if self.is_row(row, *line) {
                    let bytes = &bytes[record.range.clone()];
                    if self.compares {
                        csv::read_row(bytes, record, *line, &layout, &mut x).map_err(|_| changed())?;
                        self.check_row(row, &x)?;
                    }
                    fields.clear();
                    fields.extend(csv::fields(bytes));
                    let cell = |&column: &usize| Cell::Raw(fields.get(column).copied().unwrap_or_default());
                    each(self.first + row, &self.wanted.iter().map(cell).collect::<Vec<_>>())?;
                    row += 1;
                }
            }
        }
    }

    fn of_columnar(
        &self,
        file: &dyn ColumnarFile,
        each: &mut RowCallback<'_>,
    ) -> std::result::Result<(), WriteError> {
        let roles = &self.part.columns.roles;
        if let Some(&column) = self.wanted.iter().find(|&&column| !file.scheme().can_be_written(column)) {
            return Err(unwritable(&self.part.columns.names[column]).into());
        }
        let pool = Pool::inline();
        let features = self.part.columns.features_before();
        let mut row = 0;
        let wanted = match self.compares {
            true => Wanted::With(&self.wanted),
            false => Wanted::Alone(&self.wanted),
        };
        for block in file.rows(wanted, ALL_ROWS, &pool)? {
            let block = block?;
            for (i, x) in block.x.chunks_exact(self.table.n_features()).enumerate() {
                // A row without a label was dropped, in a table with labels.
                if !self.is_row(row, block.numbers[i]) {
                    continue;
                }
                if self.compares {
                    self.check_row(row, x)?;
                }
                let cell = |&column: &usize| match roles[column] {
                    Role::Embeddings => Cell::List(x),
                    Role::Feature => Cell::Number(x[features[column]]),
                    _ => Cell::Text(block.other(column, i)),
                };
                each(self.first + row, &self.wanted.iter().map(cell).collect::<Vec<_>>())?;
                row += 1;
            }
        }
        Ok(self.check_end(row)?)
    }

    /// Whether the file's row `row` has the line or row number `number`.
    fn is_row(&self, row: usize, number: u64) -> bool {
        row < self.part.numbers.n_rows() && self.part.numbers.get(row) == number
    }

    /// Returns an error unless `x` are the features on which the file's row `row` was predicted.
    fn check_row(&self, row: usize, x: &[f32]) -> Result<()> {
        let known = self.table.x().row(self.first + row);
        let order = &self.part.columns.order;
        let read = |i: usize| x[order.get(i).copied().unwrap_or(i)];
        let same = known.len() == x.len()
            && known.iter().enumerate().all(|(i, known)| known.to_bits() == read(i).to_bits());
        if same { Ok(()) } else { Err(changed()) }
    }

    fn check_end(&self, n_rows: usize) -> Result<()> {
        if n_rows == self.part.numbers.n_rows() { Ok(()) } else { Err(changed()) }
    }
}

/// The error for a column whose content cannot be written.
pub(crate) fn unwritable(name: &str) -> Error {
    Error::column(format!("column \"{name}\" cannot be written: it holds neither numbers nor text"))
}

/// The error for a file without the column `name` of the file `first`.
pub(crate) fn lacking(name: &str, first: &Path) -> Error {
    let what = format!("there is no column \"{name}\", which {} has", first.display());
    Error::column(what).with_hint("write columns that all files have")
}

/// The error for a file that has not the same columns as the file `first`, where all are written.
pub(crate) fn other_columns(first: &Path) -> Error {
    let what = format!("its columns cannot stand under those of {}", first.display());
    Error::column(what).with_hint("write the label alone")
}

fn changed() -> Error {
    Error::format("the file changed during the prediction: its rows are not those that were predicted")
        .with_hint("run again")
}
