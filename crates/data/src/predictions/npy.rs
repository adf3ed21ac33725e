//! Writes a NumPy array: the predicted labels, or the probabilities.

use super::rows::Rows;
use super::{OutputTable, WriteError, WriteOptions};
use crate::output;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

/// Writes the probabilities (`n_rows x n_classes`, 32-bit floats, in the order of the model's classes) if they are
/// requested, else the labels as text (`<U` and the length of the longest).
///
/// The header has the number of rows, which is known last: the values go to a temporary file first.
pub(super) fn write(
    output_table: &OutputTable<'_>,
    rows: &mut dyn Rows,
    options: &WriteOptions,
    (path, out): (&Path, &mut dyn Write),
) -> Result<(), WriteError> {
    let names = output_table.classes.names();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(1);
    let texts: Vec<Vec<u8>> = names.iter().map(|name| cell(name, width)).collect();
    let mut spool = BufWriter::new(output::spool(path)?);
    let mut n_rows = 0usize;
    rows.for_each(&mut |row| {
        n_rows += 1;
        match options.proba {
            true => row.probabilities.iter().try_for_each(|p| spool.write_all(&p.to_le_bytes()))?,
            false => spool.write_all(&texts[row.predicted as usize])?,
        }
        Ok(())
    })?;
    match options.proba {
        true => write_header(out, "<f4", &format!("({n_rows}, {})", names.len()))?,
        false => write_header(out, &format!("<U{width}"), &format!("({n_rows},)"))?,
    }
    let mut spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
    spool.rewind()?;
    io::copy(&mut spool, out)?;
    Ok(())
}

/// A text of `width` 32-bit code points, padded with zeros.
fn cell(name: &str, width: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = name.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    bytes.resize(4 * width, 0);
    bytes
}

/// The header of version 1.0, padded so that the elements start at a multiple of 64.
fn write_header(out: &mut dyn Write, descr: &str, shape: &str) -> io::Result<()> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let len = (10 + text.len() + 1).next_multiple_of(64) - 10;
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(len as u16).to_le_bytes())?;
    writeln!(out, "{text:<width$}", width = len - 1)
}
