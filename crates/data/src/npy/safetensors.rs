//! safetensors: named tensors after a JSON header. The labels are a tensor of integers.
//!
//! `u64 length, header {name: {dtype, shape, data_offsets}}, data`, all little-endian; offsets count from the data's start.

use super::header::{ElementKind, Header};
use super::{Array, Open};
use crate::source::{Compression, Source, read_error, read_full};
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Cursor, Read, SeekFrom};

/// The maximum length of a header: that of a model with thousands of tensors has a few megabytes.
const MAX_HEADER: u64 = 64 << 20;

#[derive(Debug, Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

/// Calls `read` with the names of the tensors in a safetensors file, and a function that opens one.
pub(super) fn with_tensors<T>(
    source: &Source,
    compression: Compression,
    read: &mut dyn FnMut(&[String], &mut Open<'_>) -> Result<T>,
) -> Result<T> {
    let bytes = match compression {
        Compression::Plain => None,
        _ => Some(bytes::Bytes::from(source.read_all(compression)?)),
    };
    let source = bytes.map_or_else(|| source.clone(), |bytes| Source::Bytes(source.path().to_owned(), bytes));
    let file_len = source.len()?;
    let (tensors, start) = read_header(&mut *source.open_raw()?, file_len)?;
    let names: Vec<String> = tensors.keys().cloned().collect();
    read(&names, &mut |name| {
        let tensor = tensors.get(name).ok_or_else(|| damaged("a tensor is missing"))?;
        open_tensor(&source, tensor, start, file_len)
    })
}

fn damaged(what: &str) -> Error {
    Error::format(format!("the safetensors file is damaged: {what}"))
        .with_hint("copy or download the file again")
}

/// The tensors, and the offset of their data.
fn read_header(input: &mut dyn Read, file_len: u64) -> Result<(BTreeMap<String, Tensor>, u64)> {
    let mut len = [0; 8];
    read_full(input, &mut len).map_err(read_error)?;
    let len = u64::from_le_bytes(len);
    if len > MAX_HEADER || len + 8 > file_len {
        return Err(damaged(&format!("its header claims {len} of {file_len} bytes")));
    }
    let mut text = vec![0; len as usize];
    let n = read_full(input, &mut text).map_err(read_error)?;
    let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text[..n])
        .map_err(|error| damaged(&format!("its header is not valid JSON: {error}")).caused_by(error))?;
    let mut tensors = BTreeMap::new();
    for (name, value) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let tensor = serde_json::from_value(value)
            .map_err(|error| damaged(&format!("the tensor \"{name}\": {error}")).caused_by(error))?;
        tensors.insert(name, tensor);
    }
    Ok((tensors, len + 8))
}

fn open_tensor(source: &Source, tensor: &Tensor, start: u64, file_len: u64) -> Result<Array<'static>> {
    let (kind, item_size) = match &tensor.dtype[..] {
        "F64" => (ElementKind::Float, 8),
        "F32" => (ElementKind::Float, 4),
        "F16" => (ElementKind::Float, 2),
        "BF16" => (ElementKind::Brain, 2),
        "I64" => (ElementKind::Signed, 8),
        "I32" => (ElementKind::Signed, 4),
        "I16" => (ElementKind::Signed, 2),
        "I8" => (ElementKind::Signed, 1),
        "U64" => (ElementKind::Unsigned, 8),
        "U32" => (ElementKind::Unsigned, 4),
        "U16" => (ElementKind::Unsigned, 2),
        "U8" => (ElementKind::Unsigned, 1),
        "BOOL" => (ElementKind::Bool, 1),
        other => {
            let what = format!("a tensor of the type {other}; expected floats or integers");
            return Err(Error::format(what).with_hint("save numbers: x.float()"));
        }
    };
    let header = Header {
        kind,
        item_size,
        big_endian: false,
        fortran_order: false,
        shape: tensor.shape.clone(),
        len: 0,
    };
    let [begin, end] = tensor.data_offsets;
    let len = end.checked_sub(begin).filter(|&len| header.data_len().is_ok_and(|data| data == len));
    let (Some(len), Some(true)) = (len, start.checked_add(end).map(|end| end <= file_len)) else {
        let what = format!("bytes {begin} to {end} do not hold a tensor of shape {}", header.shape_text());
        return Err(damaged(&what));
    };
    let mut input = source.open_anywhere()?;
    input.seek(SeekFrom::Start(start + begin)).map_err(read_error)?;
    let input: Box<dyn Read> =
        if len == 0 { Box::new(Cursor::new(Vec::new())) } else { Box::new(input.take(len)) };
    Ok(Array { header, input })
}
