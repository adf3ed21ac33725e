//! The rows of a table's file, read again to be written with their predictions.

use super::{Sheet, Stopped, changed, label_name, write_text};
use crate::columns::Role;
use crate::csv;
use crate::format::Format;
use crate::read::open_parquet;
use crate::table::Part;
use crate::{Error, Table};
use headsmith_kernels::Pool;
use std::io::{self, Write};

/// A file of the table, and what is to be written of its rows.
struct FileSheet<'a> {
    sheet: &'a Sheet<'a>,
    part: &'a Part,
    /// The row of the table that is the file's first.
    first: usize,
    /// The file's columns in the order of those of the first file.
    order: Vec<usize>,
}

/// Writes all columns and rows; gives the names of the columns that were left out.
pub(super) fn write(sheet: &Sheet<'_>, out: &mut dyn Write) -> Result<Vec<String>, Stopped> {
    let mut left_out = Vec::new();
    let mut first = 0;
    for part in &sheet.table.parts {
        let file = FileSheet { sheet, part, first, order: order(sheet.table, part)? };
        let written = match part.format {
            Format::Csv | Format::Json => file.write_csv(out).map(|()| Vec::new()),
            Format::Parquet => file.write_parquet(out),
            Format::Npy | Format::Npz | Format::Safetensors => file.write_arrays(out).map(|()| Vec::new()),
        };
        let written = written.map_err(|stopped| match stopped {
            Stopped::Input(error) => Stopped::Input(error.at(part.source.path())),
            other => other,
        })?;
        if first == 0 {
            left_out = written;
        }
        first += part.numbers.n_rows();
    }
    Ok(left_out)
}

/// The columns of a file in the order of those of the table's first.
fn order(table: &Table, part: &Part) -> Result<Vec<usize>, Error> {
    let place = |name: &String| part.columns.names.iter().position(|other| other == name);
    let names = &table.columns().names;
    let order: Option<Vec<usize>> = names.iter().map(place).collect();
    order.filter(|order| order.len() == part.columns.names.len()).ok_or_else(|| {
        let what = format!("its columns cannot stand under those of {}", table.files()[0].display());
        Error::column(what).at(part.source.path()).with_hint("write the label alone")
    })
}

impl FileSheet<'_> {
    fn n_rows(&self) -> usize {
        self.part.numbers.n_rows()
    }

    /// Whether row `row` of the file's own is the one with the line or row number `number`.
    fn is_row(&self, row: usize, number: u64) -> bool {
        row < self.n_rows() && self.part.numbers.get(row) == number
    }

    fn check_row(&self, row: usize, x: &[f32]) -> Result<(), Error> {
        self.sheet.check_row(self.first + row, x)
    }

    fn check_end(&self, n_rows: usize) -> Result<(), Error> {
        if n_rows == self.n_rows() { Ok(()) } else { Err(changed()) }
    }

    fn adds_label(&self) -> bool {
        self.part.columns.label.is_none()
    }

    /// The end of a header: the label column, where it is added, and those of the probabilities.
    fn write_more_names(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.adds_label() {
            out.write_all(b",")?;
            write_text(out, label_name(self.sheet.table))?;
        }
        self.sheet.write_proba_names(out)
    }

    /// The end of a row.
    fn write_more(&self, out: &mut dyn Write, row: usize) -> io::Result<()> {
        if self.adds_label() {
            out.write_all(b",")?;
            self.sheet.write_label(out, Role::Label, self.first + row)?;
        }
        self.sheet.write_proba(out, self.first + row)
    }

    fn write_csv(&self, out: &mut dyn Write) -> Result<(), Stopped> {
        let (table, part) = (self.sheet.table, self.part);
        let mut text = csv::Text::new(part.source.open(part.compression)?);
        let layout = csv::layout(&mut text, &table.options)?;
        if layout.columns.roles != part.columns.roles || layout.n_features != table.n_features() {
            return Err(changed().into());
        }
        if self.first == 0 {
            out.write_all(&layout.header)?;
            self.write_more_names(out)?;
        }
        let mut x = vec![0.0; layout.n_features];
        let mut row = 0;
        loop {
            let (records, bytes) = text.next_window()?;
            if records.is_empty() {
                return Ok(self.check_end(row)?);
            }
            for (record, line) in &records {
                // Blank lines and rows that could not be read are those between the lines of the table's rows.
                if self.is_row(row, *line) {
                    let bytes = &bytes[record.range.clone()];
                    csv::read_row(bytes, record, *line, &layout, &mut x).map_err(|_| changed())?;
                    self.check_row(row, &x)?;
                    self.write_record(out, bytes, row)?;
                    row += 1;
                }
            }
        }
    }

    fn write_record(&self, out: &mut dyn Write, record: &[u8], row: usize) -> io::Result<()> {
        let fields: Vec<&[u8]> = csv::fields(record).collect();
        for (i, &column) in self.order.iter().enumerate() {
            if i > 0 {
                out.write_all(b",")?;
            }
            match self.part.columns.roles[column] {
                role @ (Role::Label | Role::OneHot(_)) => {
                    self.sheet.write_label(out, role, self.first + row)?;
                }
                _ => out.write_all(fields.get(column).copied().unwrap_or_default())?,
            }
        }
        self.write_more(out, row)
    }

    fn write_parquet(&self, out: &mut dyn Write) -> Result<Vec<String>, Stopped> {
        let (table, part) = (self.sheet.table, self.part);
        let parquet = open_parquet(&part.source, part.compression, &table.options)?;
        if parquet.columns.roles != part.columns.roles || parquet.n_features != table.n_features() {
            return Err(changed().into());
        }
        let columns = &part.columns;
        let kept: Vec<usize> = self.order.iter().copied().filter(|&i| parquet.can_be_written(i)).collect();
        if self.first == 0 {
            for (i, &column) in kept.iter().enumerate() {
                out.write_all(if i > 0 { b"," } else { b"" })?;
                write_text(out, &columns.names[column])?;
            }
            self.write_more_names(out)?;
        }
        let features = columns.with_role(Role::Feature);
        let place = |column: usize| features.iter().position(|name| *name == columns.names[column]);
        let places: Vec<Option<usize>> = kept.iter().map(|&column| place(column)).collect();
        let pool = Pool::inline();
        let mut row = 0;
        for block in crate::parquet::Rows::with_other_columns(&parquet, &pool) {
            let block = block?;
            for (i, x) in block.x.chunks_exact(table.n_features()).enumerate() {
                // A row without a label in a table that has labels was left out.
                if !self.is_row(row, block.numbers[i]) {
                    continue;
                }
                self.check_row(row, x)?;
                for (k, (&column, place)) in kept.iter().zip(&places).enumerate() {
                    out.write_all(if k > 0 { b"," } else { b"" })?;
                    match columns.roles[column] {
                        Role::Embeddings => write_list(out, x)?,
                        Role::Feature => write!(out, "{:?}", place.map_or(0.0, |place| x[place]))?,
                        role @ (Role::Label | Role::OneHot(_)) => {
                            self.sheet.write_label(out, role, self.first + row)?;
                        }
                        Role::Index | Role::Other => write_text(out, block.other(column, i))?,
                    }
                }
                self.write_more(out, row)?;
                row += 1;
            }
        }
        self.check_end(row)?;
        let left_out =
            (0..columns.names.len()).filter(|&i| !parquet.can_be_written(i) && !parquet.is_pandas_index(i));
        Ok(left_out.map(|i| columns.names[i].clone()).collect())
    }

    /// Arrays have no columns: they are written as the notebook's two, a list and a label.
    fn write_arrays(&self, out: &mut dyn Write) -> Result<(), Stopped> {
        let sheet = self.sheet;
        if self.first == 0 {
            out.write_all(b"embeddings,")?;
            write_text(out, label_name(sheet.table))?;
            sheet.write_proba_names(out)?;
        }
        for row in self.first..self.first + self.n_rows() {
            write_list(out, sheet.table.x().row(row))?;
            out.write_all(b",")?;
            sheet.write_label(out, Role::Label, row)?;
            sheet.write_proba(out, row)?;
        }
        Ok(())
    }
}

/// A Python list literal in quotes, each number the shortest that reads back as the same `f32`.
fn write_list(out: &mut dyn Write, x: &[f32]) -> io::Result<()> {
    for (i, value) in x.iter().enumerate() {
        write!(out, "{}{value:?}", if i == 0 { "\"[" } else { ", " })?;
    }
    out.write_all(b"]\"")
}
