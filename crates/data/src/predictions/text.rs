//! Writes text: CSV, or the same with tabs.

use super::rows::Rows;
use super::{Cell, OutputTable, WriteError, sets};
use crate::csv;
use std::io::{self, Write};

/// Writes a header and the rows, with `separator` between the fields. Fields copied from a CSV to a CSV keep their
/// bytes.
pub(super) fn write(
    output_table: &OutputTable<'_>,
    rows: &mut dyn Rows,
    separator: u8,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    for (i, column) in output_table.columns.iter().enumerate() {
        if i > 0 {
            out.write_all(&[separator])?;
        }
        let name = column.input().and_then(|input| output_table.input.written.raw_name(input));
        write_cell(out, name.map_or(Cell::Text(column.name), Cell::Raw), separator)?;
    }
    out.write_all(b"\n")?;
    output_table.for_each_row(rows, &mut |_, cells| {
        for (i, cell) in cells.iter().enumerate() {
            if i > 0 {
                out.write_all(&[separator])?;
            }
            write_cell(out, *cell, separator)?;
        }
        Ok(out.write_all(b"\n")?)
    })
}

fn write_cell(out: &mut dyn Write, cell: Cell<'_>, separator: u8) -> io::Result<()> {
    match cell {
        Cell::Raw(b"") | Cell::Set(_, []) => Ok(()),
        Cell::Raw(field) if separator == b',' => out.write_all(field),
        Cell::Raw(field) => write_field(out, &csv::value(field), separator),
        Cell::Text(text) => write_field(out, text.as_bytes(), separator),
        Cell::Number(number) => write!(out, "{number:?}"),
        Cell::List(list) => write_list(out, list),
        Cell::Set(names, members) => write_field(out, sets::joined(names, members).as_bytes(), separator),
        Cell::Flag(is) => out.write_all(if is { b"1" } else { b"0" }),
    }
}

/// Writes a field, quoted if necessary.
fn write_field(out: &mut dyn Write, field: &[u8], separator: u8) -> io::Result<()> {
    let special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || *byte == separator;
    if !field.is_empty() && !field.iter().any(special) {
        return out.write_all(field);
    }
    out.write_all(b"\"")?;
    for (i, part) in field.split(|byte| *byte == b'"').enumerate() {
        out.write_all(if i > 0 { b"\"\"" } else { b"" })?;
        out.write_all(part)?;
    }
    out.write_all(b"\"")
}

/// Writes a Python list literal in quotes, each number in its shortest form that reads back as the same `f32`.
fn write_list(out: &mut dyn Write, x: &[f32]) -> io::Result<()> {
    for (i, value) in x.iter().enumerate() {
        write!(out, "{}{value:?}", if i == 0 { "\"[" } else { ", " })?;
    }
    out.write_all(b"]\"")
}
