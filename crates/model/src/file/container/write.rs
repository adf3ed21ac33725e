//! Writing the container.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crc32fast::Hasher;
use headsmith_heads::tensors::{Tensor, Tensors, Values};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::super::checksum;
use super::{Dtype, Info, MAX_HEADER, METADATA, Shape, check_finite};
use crate::error::{Error, Result};

/// Writes a file: the description under its `key`, the checksum, and `tensors`, those of 8 bytes a value first, then by name, so that
/// values lie where a reader that maps the file may use them.
pub(in crate::file) fn write((key, description): (&str, String), tensors: &Tensors) -> Result<Vec<u8>> {
    let tensors = laid_out(tensors)?;
    let mut data = Hasher::new();
    for (_, tensor, _) in &tensors {
        encode(&tensor.values, |bytes| data.update(bytes));
    }
    let checksum = checksum::of(data, &description);
    let layout =
        Layout { metadata: BTreeMap::from([(checksum::KEY, checksum), (key, description)]), tensors };
    let mut header = serde_json::to_string(&layout)
        .map_err(|error| Error::invalid(format!("the header cannot be written: {error}")))?
        .into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    if header.len() > MAX_HEADER {
        return Err(Error::invalid(format!(
            "the header of the model file would be {} bytes, expected at most {MAX_HEADER}",
            header.len()
        )));
    }
    let n_bytes = layout.tensors.last().map_or(0, |(_, _, info)| info.data_offsets.1);
    let mut file = Vec::with_capacity(8 + header.len() + n_bytes);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header);
    for (_, tensor, _) in &layout.tensors {
        encode(&tensor.values, |bytes| file.extend(bytes));
    }
    Ok(file)
}

/// The header as it is written.
struct Layout<'a> {
    metadata: BTreeMap<&'a str, String>,
    tensors: Vec<(&'a str, &'a Tensor, Info)>,
}

impl Serialize for Layout<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(METADATA, &self.metadata)?;
        for (name, _, info) in &self.tensors {
            map.serialize_entry(name, info)?;
        }
        map.end()
    }
}

fn laid_out(tensors: &Tensors) -> Result<Vec<(&str, &Tensor, Info)>> {
    let mut laid_out = Vec::new();
    for (name, tensor) in tensors.iter() {
        check_finite(name, &tensor.values).map_err(Error::into_invalid)?;
        let (dtype, shape) = (Dtype::of(&tensor.values)?, Shape(tensor.shape.clone()));
        laid_out.push((name, tensor, Info { dtype, shape, data_offsets: (0, 0) }));
    }
    laid_out.sort_by_key(|(name, _, info)| (Reverse(info.dtype.size()), *name));
    let mut end = 0;
    for (_, tensor, info) in &mut laid_out {
        let start = end;
        end += tensor.values.len() * info.dtype.size();
        info.data_offsets = (start, end);
    }
    Ok(laid_out)
}

/// Values that are encoded together.
const PIECE: usize = 1024;

/// Hands the bytes of the values to `sink`, piece after piece.
fn encode(values: &Values, sink: impl FnMut(&[u8])) {
    match values {
        Values::F64(v) => pieces(v, |v| v.to_le_bytes(), sink),
        Values::F32(v) => pieces(v, |v| v.to_le_bytes(), sink),
        Values::U32(v) => pieces(v, |v| v.to_le_bytes(), sink),
        // `Dtype::of` has refused the tensor.
        _ => {}
    }
}

fn pieces<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N], mut sink: impl FnMut(&[u8])) {
    let mut piece = Vec::with_capacity(PIECE * N);
    for values in values.chunks(PIECE) {
        piece.clear();
        piece.extend(values.iter().flat_map(|value| bytes(*value)));
        sink(&piece);
    }
}
