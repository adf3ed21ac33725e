//! Writes JSON Lines: one object per row, with the columns as keys.

use super::rows::Rows;
use super::types::{self, CellType};
use super::{Cell, OutputTable, WriteError};
use std::io::{self, Write};

/// Writes the rows. Numbers of a CSV keep their text; an empty cell becomes `null`.
pub(super) fn write(
    output_table: &OutputTable<'_>,
    rows: &mut dyn Rows,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    let keys = output_table.columns.iter().map(|column| serde_json::to_string(column.name));
    let keys = keys.collect::<Result<Vec<String>, _>>().map_err(io::Error::from)?;
    output_table.for_each_row(rows, &mut |row, cells| {
        for (i, (cell, key)) in cells.iter().zip(&keys).enumerate() {
            write!(out, "{}{key}:", if i == 0 { '{' } else { ',' })?;
            match (*cell, output_table.types[i]) {
                (Cell::Set(names, members), _) => write_set(out, names, members)?,
                (_, CellType::List) => write_list(out, row.x)?,
                (cell, of) => write_cell(out, cell, of)?,
            }
        }
        Ok(out.write_all(b"}\n")?)
    })
}

fn write_cell(out: &mut dyn Write, cell: Cell<'_>, of: CellType) -> io::Result<()> {
    let text = types::plain(cell);
    match (text.trim(), of) {
        ("", _) => out.write_all(b"null"),
        (_, CellType::Text) => serde_json::to_writer(out, text.as_ref()).map_err(io::Error::from),
        (word, CellType::Double | CellType::Float) if types::is_missing(word) => out.write_all(b"null"),
        (word, CellType::Bool) => out.write_all(word.to_ascii_lowercase().as_bytes()),
        (number, _) => out.write_all(number.as_bytes()),
    }
}

fn write_set(out: &mut dyn Write, names: &[String], members: &[u32]) -> io::Result<()> {
    let members: Vec<&String> = members.iter().map(|&member| &names[member as usize]).collect();
    serde_json::to_writer(out, &members).map_err(io::Error::from)
}

fn write_list(out: &mut dyn Write, x: &[f32]) -> io::Result<()> {
    for (i, value) in x.iter().enumerate() {
        write!(out, "{}{value:?}", if i == 0 { '[' } else { ',' })?;
    }
    out.write_all(b"]")
}
