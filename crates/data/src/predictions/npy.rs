//! Writes a NumPy array: the predicted labels, or the probabilities.

use super::{Predictions, WriteOptions};
use std::io::{self, Write};

/// Writes the probabilities (`n_rows x n_classes`, 32-bit floats, in the order of the model's classes) if they are
/// requested, else the labels as text (`<U` and the length of the longest).
pub(super) fn write(
    predictions: &Predictions<'_>,
    options: &WriteOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = predictions.classes.names();
    let n_rows = predictions.predicted.len();
    if options.proba {
        write_header(out, "<f4", &format!("({n_rows}, {})", names.len()))?;
        let mut rows = (0..n_rows).map(|row| predictions.probabilities.row(row));
        return rows.try_for_each(|row| row.iter().try_for_each(|p| out.write_all(&p.to_le_bytes())));
    }
    let shape = format!("({n_rows},)");
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(1);
    let cells: Vec<Vec<u8>> = names.iter().map(|name| cell(name, width)).collect();
    write_header(out, &format!("<U{width}"), &shape)?;
    predictions.predicted.iter().try_for_each(|&class| out.write_all(&cells[class as usize]))
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
