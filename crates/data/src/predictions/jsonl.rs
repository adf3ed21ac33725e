//! The output as JSON Lines: an object a row, its keys the columns.

use super::source::Opened;
use super::types::{self, Type};
use super::{Cell, Sheet, Stopped};
use std::io::{self, Write};

/// Writes the rows. Numbers of a CSV stand as they stood; an empty cell is `null`.
pub(super) fn write(sheet: &Sheet<'_>, opened: &Opened, out: &mut dyn Write) -> Result<(), Stopped> {
    let types = types::of(sheet, opened)?;
    let keys = sheet.columns.iter().map(|column| serde_json::to_string(column.name));
    let keys = keys.collect::<Result<Vec<String>, _>>().map_err(io::Error::from)?;
    sheet.for_each_row(opened, &mut |row, cells| {
        for (i, (cell, key)) in cells.iter().zip(&keys).enumerate() {
            write!(out, "{}{key}:", if i == 0 { '{' } else { ',' })?;
            match types[i] {
                Type::List => write_list(out, sheet.table.x().row(row))?,
                of => write_cell(out, *cell, of)?,
            }
        }
        Ok(out.write_all(b"}\n")?)
    })
}

fn write_cell(out: &mut dyn Write, cell: Cell<'_>, of: Type) -> io::Result<()> {
    let text = types::plain(cell);
    match (text.trim(), of) {
        ("", _) => out.write_all(b"null"),
        (_, Type::Text) => serde_json::to_writer(out, text.as_ref()).map_err(io::Error::from),
        (word, Type::Bool) => out.write_all(word.to_ascii_lowercase().as_bytes()),
        (number, _) => out.write_all(number.as_bytes()),
    }
}

fn write_list(out: &mut dyn Write, x: &[f32]) -> io::Result<()> {
    for (i, value) in x.iter().enumerate() {
        write!(out, "{}{value:?}", if i == 0 { '[' } else { ',' })?;
    }
    out.write_all(b"]")
}
