//! The output as text: CSV.

use super::source::Opened;
use super::{Cell, Sheet, Stopped};
use std::io::{self, Write};

/// Writes a header and the rows.
pub(super) fn write_csv(sheet: &Sheet<'_>, opened: &Opened, out: &mut dyn Write) -> Result<(), Stopped> {
    let header = opened.header();
    for (i, column) in sheet.columns.iter().enumerate() {
        out.write_all(if i > 0 { b"," } else { b"" })?;
        match column.input().and_then(|input| header.as_ref()?.get(input).copied()) {
            Some(name) => out.write_all(name)?,
            None => write_text(out, column.name)?,
        }
    }
    out.write_all(b"\n")?;
    sheet.for_each_row(opened, &mut |_, cells| {
        for (i, cell) in cells.iter().enumerate() {
            out.write_all(if i > 0 { b"," } else { b"" })?;
            write_cell(out, *cell)?;
        }
        Ok(out.write_all(b"\n")?)
    })
}

fn write_cell(out: &mut dyn Write, cell: Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Raw(field) => out.write_all(field),
        Cell::Text(text) => write_text(out, text),
        Cell::Number(number) => write!(out, "{number:?}"),
        Cell::List(list) => write_list(out, list),
        Cell::Flag(is) => out.write_all(if is { b"1" } else { b"0" }),
    }
}

/// Writes a field, in quotes when it needs them.
fn write_text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if plain { out.write_all(text.as_bytes()) } else { write!(out, "\"{}\"", text.replace('"', "\"\"")) }
}

/// A Python list literal in quotes, each number the shortest that reads back as the same `f32`.
fn write_list(out: &mut dyn Write, x: &[f32]) -> io::Result<()> {
    for (i, value) in x.iter().enumerate() {
        write!(out, "{}{value:?}", if i == 0 { "\"[" } else { ", " })?;
    }
    out.write_all(b"]\"")
}
