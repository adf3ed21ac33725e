//! The rows of a table's file, read again to be written with their predictions.

use super::{Sheet, Stopped, changed, label_name, write_text};
use crate::columns::Role;
use crate::csv;
use crate::format::Format;
use crate::read::open_parquet;
use headsmith_kernels::Pool;
use std::io::{self, Write};

/// Writes all columns and rows; gives the names of the columns that were left out.
pub(super) fn write(sheet: &Sheet<'_>, out: &mut dyn Write) -> Result<Vec<String>, Stopped> {
    match sheet.table.format {
        Format::Csv => write_csv(sheet, out).map(|()| Vec::new()),
        Format::Parquet => write_parquet(sheet, out),
        Format::Npy | Format::Npz => write_arrays(sheet, out).map(|()| Vec::new()),
    }
}

fn write_csv(sheet: &Sheet<'_>, out: &mut dyn Write) -> Result<(), Stopped> {
    let table = sheet.table;
    let mut text = csv::Text::new(table.source.open(table.compression)?);
    let layout = csv::layout(&mut text, &table.options)?;
    if layout.columns.roles != table.columns.roles || layout.n_features != table.n_features() {
        return Err(changed().into());
    }
    out.write_all(&layout.header)?;
    if layout.columns.label.is_none() {
        out.write_all(b",")?;
        write_text(out, label_name(table))?;
    }
    sheet.write_proba_names(out)?;
    let mut x = vec![0.0; layout.n_features];
    let mut row = 0;
    loop {
        let (records, bytes) = text.next_window()?;
        if records.is_empty() {
            return Ok(sheet.check_end(row)?);
        }
        for (record, line) in &records {
            // Blank lines and rows that could not be read are those between the lines of the table's rows.
            if row < table.n_rows() && table.numbers.get(row) == *line {
                let bytes = &bytes[record.range.clone()];
                csv::read_row(bytes, record, *line, &layout, &mut x).map_err(|_| changed())?;
                sheet.check_row(row, &x)?;
                write_record(sheet, out, bytes, row)?;
                row += 1;
            }
        }
    }
}

fn write_record(sheet: &Sheet<'_>, out: &mut dyn Write, record: &[u8], row: usize) -> io::Result<()> {
    for (i, (field, role)) in csv::fields(record).zip(&sheet.table.columns.roles).enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        match role {
            Role::Label | Role::OneHot(_) => sheet.write_label(out, *role, row)?,
            _ => out.write_all(field)?,
        }
    }
    if sheet.table.columns.label.is_none() {
        out.write_all(b",")?;
        sheet.write_label(out, Role::Label, row)?;
    }
    sheet.write_proba(out, row)
}

fn write_parquet(sheet: &Sheet<'_>, out: &mut dyn Write) -> Result<Vec<String>, Stopped> {
    let table = sheet.table;
    let parquet = open_parquet(&table.source, table.compression, &table.options)?;
    if parquet.columns.roles != table.columns.roles || parquet.n_features != table.n_features() {
        return Err(changed().into());
    }
    let columns = &table.columns;
    let kept: Vec<usize> = (0..columns.names.len()).filter(|&i| parquet.can_be_written(i)).collect();
    for (i, &column) in kept.iter().enumerate() {
        out.write_all(if i > 0 { b"," } else { b"" })?;
        write_text(out, &columns.names[column])?;
    }
    if columns.label.is_none() {
        out.write_all(b",")?;
        write_text(out, label_name(table))?;
    }
    sheet.write_proba_names(out)?;
    let pool = Pool::inline();
    let mut row = 0;
    for block in crate::parquet::Rows::with_other_columns(&parquet, &pool) {
        let block = block?;
        for (i, x) in block.x.chunks_exact(table.n_features()).enumerate() {
            // A row without a label in a table that has labels was left out.
            if row >= table.n_rows() || block.numbers[i] != table.numbers.get(row) {
                continue;
            }
            sheet.check_row(row, x)?;
            let mut features = x.iter();
            for (k, &column) in kept.iter().enumerate() {
                out.write_all(if k > 0 { b"," } else { b"" })?;
                match columns.roles[column] {
                    Role::Embeddings => write_list(out, x)?,
                    Role::Feature => write!(out, "{:?}", features.next().copied().unwrap_or_default())?,
                    role @ (Role::Label | Role::OneHot(_)) => sheet.write_label(out, role, row)?,
                    Role::Index | Role::Other => write_text(out, block.other(column, i))?,
                }
            }
            if columns.label.is_none() {
                out.write_all(b",")?;
                sheet.write_label(out, Role::Label, row)?;
            }
            sheet.write_proba(out, row)?;
            row += 1;
        }
    }
    sheet.check_end(row)?;
    let left_out =
        (0..columns.names.len()).filter(|&i| !parquet.can_be_written(i) && !parquet.is_pandas_index(i));
    Ok(left_out.map(|i| columns.names[i].clone()).collect())
}

/// Arrays have no columns: they are written as the notebook's two, a list and a label.
fn write_arrays(sheet: &Sheet<'_>, out: &mut dyn Write) -> Result<(), Stopped> {
    out.write_all(b"embeddings,")?;
    write_text(out, label_name(sheet.table))?;
    sheet.write_proba_names(out)?;
    for row in 0..sheet.table.n_rows() {
        write_list(out, sheet.table.x().row(row))?;
        out.write_all(b",")?;
        sheet.write_label(out, Role::Label, row)?;
        sheet.write_proba(out, row)?;
    }
    Ok(())
}

/// A Python list literal in quotes, each number the shortest that reads back as the same `f32`.
fn write_list(out: &mut dyn Write, x: &[f32]) -> io::Result<()> {
    for (i, value) in x.iter().enumerate() {
        write!(out, "{}{value:?}", if i == 0 { "\"[" } else { ", " })?;
    }
    out.write_all(b"]\"")
}
