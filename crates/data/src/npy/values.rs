//! Decodes the elements of an npy array.

use super::header::{ElementKind, Header};
use crate::{Error, Result, RowLocation};
use half::f16;
use std::ops::Range;

/// Elements as `f32`, in file order.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) values: Vec<f32>,
    /// The first elements that underflowed to zero.
    pub(crate) underflows: Vec<usize>,
    pub(crate) n_more_underflows: usize,
    /// The original elements, if they are 64-bit floats and some do not fit.
    pub(crate) wide: Option<Vec<f64>>,
}

/// The little-endian bytes of each element.
fn items<'a, const N: usize>(header: &Header, bytes: &'a [u8]) -> impl Iterator<Item = [u8; N]> + 'a {
    let big_endian = header.big_endian;
    bytes.as_chunks::<N>().0.iter().map(move |item| {
        let mut item = *item;
        if big_endian {
            item.reverse();
        }
        item
    })
}

/// Decodes an array of numbers.
pub(crate) fn numbers(header: &Header, bytes: &[u8]) -> Numbers {
    let values = match (header.kind, header.item_size) {
        (ElementKind::Float, 2) => {
            items(header, bytes).map(|item| f16::from_le_bytes(item).to_f32()).collect()
        }
        (ElementKind::Brain, _) => {
            items(header, bytes).map(|item| half::bf16::from_le_bytes(item).to_f32()).collect()
        }
        (ElementKind::Float, 4) => items(header, bytes).map(f32::from_le_bytes).collect(),
        (ElementKind::Float, _) => return narrowed(items(header, bytes).map(f64::from_le_bytes).collect()),
        (ElementKind::Signed, 1) => {
            items(header, bytes).map(|item| f32::from(i8::from_le_bytes(item))).collect()
        }
        (ElementKind::Signed, 2) => {
            items(header, bytes).map(|item| f32::from(i16::from_le_bytes(item))).collect()
        }
        (ElementKind::Signed, 4) => {
            items(header, bytes).map(|item| i32::from_le_bytes(item) as f32).collect()
        }
        (ElementKind::Signed, _) => {
            items(header, bytes).map(|item| i64::from_le_bytes(item) as f32).collect()
        }
        (ElementKind::Unsigned | ElementKind::Bool, 1) => bytes.iter().map(|&item| f32::from(item)).collect(),
        (ElementKind::Unsigned, 2) => {
            items(header, bytes).map(|item| f32::from(u16::from_le_bytes(item))).collect()
        }
        (ElementKind::Unsigned, 4) => {
            items(header, bytes).map(|item| u32::from_le_bytes(item) as f32).collect()
        }
        (ElementKind::Unsigned, _) => {
            items(header, bytes).map(|item| u64::from_le_bytes(item) as f32).collect()
        }
        (ElementKind::Bool | ElementKind::Unicode | ElementKind::Bytes | ElementKind::Object, _) => {
            Vec::new()
        }
    };
    Numbers { values, ..Numbers::default() }
}

fn narrowed(wide: Vec<f64>) -> Numbers {
    let values: Vec<f32> = wide.iter().map(|&value| value as f32).collect();
    let underflow = |&i: &usize| values[i] == 0.0 && wide[i] != 0.0;
    let mut underflows: Vec<usize> = (0..wide.len()).filter(underflow).collect();
    let n_more_underflows = underflows.len().saturating_sub(crate::rows::N_SHOWN);
    underflows.truncate(crate::rows::N_SHOWN);
    let fits = values.iter().all(|value| value.is_finite());
    Numbers { values, underflows, n_more_underflows, wide: (!fits).then_some(wide) }
}

/// The elements of a range of rows of a two-dimensional array in Fortran order (column by column), converted to row by row.
pub(crate) fn from_columns(
    header: &Header,
    bytes: &[u8],
    (n_rows, n_columns): (usize, usize),
    range: Range<usize>,
) -> Numbers {
    let item = header.item_size;
    let mut turned = vec![0; range.len() * n_columns * item];
    // In blocks of rows, so that the columns' pieces stay in the cache while they are distributed.
    for first in range.clone().step_by(64) {
        for column in 0..n_columns {
            for row in first..(first + 64).min(range.end) {
                let from = (column * n_rows + row) * item;
                let to = ((row - range.start) * n_columns + column) * item;
                turned[to..to + item].copy_from_slice(&bytes[from..from + item]);
            }
        }
    }
    numbers(header, &turned)
}

/// The elements of a label array as text.
pub(crate) fn texts<'a>(
    header: &'a Header,
    bytes: &'a [u8],
) -> Result<Box<dyn Iterator<Item = String> + 'a>> {
    Ok(match (header.kind, header.item_size) {
        (ElementKind::Unicode | ElementKind::Bytes, 0) => {
            return Err(Error::labels("labels of no length; expected text or integers"));
        }
        (ElementKind::Unicode, size) => {
            let texts = bytes.chunks_exact(size).enumerate().map(|(row, item)| unicode(header, item, row));
            Box::new(texts.collect::<Result<Vec<_>>>()?.into_iter())
        }
        (ElementKind::Bytes, size) => {
            let texts = bytes.chunks_exact(size).enumerate().map(|(row, item)| utf8(item, row));
            Box::new(texts.collect::<Result<Vec<_>>>()?.into_iter())
        }
        (ElementKind::Signed, 8) => {
            Box::new(items(header, bytes).map(|item| i64::from_le_bytes(item).to_string()))
        }
        (ElementKind::Unsigned, 8) => {
            Box::new(items(header, bytes).map(|item| u64::from_le_bytes(item).to_string()))
        }
        (ElementKind::Signed, 4) => {
            Box::new(items(header, bytes).map(|item| i32::from_le_bytes(item).to_string()))
        }
        (ElementKind::Unsigned, 4) => {
            Box::new(items(header, bytes).map(|item| u32::from_le_bytes(item).to_string()))
        }
        (ElementKind::Bool, _) => {
            Box::new(bytes.iter().map(|&item| if item == 0 { "False" } else { "True" }.to_owned()))
        }
        (ElementKind::Signed | ElementKind::Unsigned, _) => {
            Box::new(numbers(header, bytes).values.into_iter().map(|value| format!("{value:.0}")))
        }
        (ElementKind::Float, 8) => {
            let label = |item| Some(f64::from_le_bytes(item)).filter(|value| !value.is_nan());
            Box::new(
                items(header, bytes).map(move |item| label(item).map_or(String::new(), |v| format!("{v:?}"))),
            )
        }
        _ => Box::new(numbers(header, bytes).values.into_iter().map(number_label)),
    })
}

fn number_label(value: f32) -> String {
    if value.is_nan() { String::new() } else { format!("{value:?}") }
}

fn unicode(header: &Header, item: &[u8], row: usize) -> Result<String> {
    let text: Option<String> =
        items::<4>(header, item).map(|unit| char::from_u32(u32::from_le_bytes(unit))).collect();
    let text = text.ok_or_else(|| {
        Error::labels("the label is not Unicode text").placed(RowLocation::row(row as u64 + 1))
    })?;
    Ok(text.trim_end_matches('\0').to_owned())
}

fn utf8(item: &[u8], row: usize) -> Result<String> {
    let text = std::str::from_utf8(item)
        .map_err(|_| Error::labels("the label is not UTF-8").placed(RowLocation::row(row as u64 + 1)))?;
    Ok(text.trim_end_matches('\0').to_owned())
}
