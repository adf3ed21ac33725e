//! The container: a safetensors file, which is the length of the header (8 bytes, little-endian), the header (JSON)
//! and the tensors' bytes without a gap. <https://huggingface.co/docs/safetensors>
//!
//! This is our own code because the `safetensors` crate accepts duplicate names and gives less precise errors; the
//! tests compare both.

mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;

use crc32fast::Hasher;
use headsmith_heads::tensors::{Tensors, Values};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::checksum;
use super::shared::{self, Shared};
use crate::error::{Error, Result};

pub(super) use write::write;

/// The longest header that safetensors reads, and so the longest of ours.
const MAX_HEADER: usize = 100_000_000;
/// The most axes of a tensor.
const MAX_AXES: usize = 8;
const METADATA: &str = "__metadata__";

/// A file whose header holds what its bytes keep: every tensor lies inside, none upon another.
pub(super) struct Container<'a> {
    /// Texts by name.
    pub(super) metadata: BTreeMap<String, String>,
    infos: BTreeMap<String, Info>,
    /// Shared tensors: each name, and the tensor of the file that it equals.
    shared: Shared,
    data: &'a [u8],
}

/// Where a tensor lies.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    dtype: Dtype,
    shape: Shape,
    /// Its first byte and the one after its last, from the end of the header.
    data_offsets: (usize, usize),
}

/// The types that models are stored in.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Dtype {
    F64,
    F32,
    U32,
}

#[derive(serde::Serialize)]
struct Shape(Vec<usize>);

impl<'a> Container<'a> {
    /// Reads the header and holds it against the bytes; the tensors stay where they are.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Container<'a>> {
        let (header, data) = split(bytes)?;
        let header: Header = serde_json::from_slice(header)
            .map_err(|error| Error::damaged(format!("the header of the model file is damaged: {error}")))?;
        check_layout(&header.infos, data.len())?;
        Ok(Container { metadata: header.metadata, infos: header.infos, shared: Shared::new(), data })
    }

    /// Adds the shared tensors.
    ///
    /// # Errors
    /// When they do not fit the tensors, or would make more of the file than memory may hold.
    pub(super) fn share(&mut self, shared: Shared) -> Result<()> {
        shared::check(&shared, |name| self.infos.contains_key(name))?;
        let n_bytes: usize = shared.values().filter_map(|other| self.infos.get(other)).map(Info::len).sum();
        if n_bytes > shared::MOST_TIMES * self.data.len() {
            return Err(Error::damaged(format!(
                "`shared` of the metadata repeats {n_bytes} bytes, expected at most {} times the file's",
                shared::MOST_TIMES
            )));
        }
        self.shared = shared;
        Ok(())
    }

    /// Holds the checksum, which files had not from the beginning, against the tensors and the `description`.
    ///
    /// # Errors
    /// When they are not those that were written.
    pub(super) fn verify(&self, description: &str) -> Result<()> {
        let Some(written) = self.metadata.get(checksum::KEY) else { return Ok(()) };
        let mut data = Hasher::new();
        data.update(self.data);
        let found = checksum::of(data, description);
        if *written == found {
            return Ok(());
        }
        Err(Error::damaged(format!(
            "the model file was changed after it was written: the checksum of its content is {found}, expected {written}; \
             copy it again, or fit the model again"
        )))
    }

    /// The number of tensors.
    pub(super) fn len(&self) -> usize {
        self.infos.len() + self.shared.len()
    }

    /// Copies the tensors out whose names begin with `prefix` and, after it, satisfy `wanted`; without the prefix.
    pub(super) fn tensors(&self, prefix: &str, wanted: impl Fn(&str) -> bool) -> Result<Tensors> {
        let mut tensors = Tensors::new();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let own = self.infos.range::<str, _>(from).map(|(name, info)| (name, Some(info)));
        let shared = self.shared.range::<str, _>(from).map(|(name, other)| (name, self.infos.get(other)));
        let is_inside = |(name, _): &(&String, Option<&Info>)| name.starts_with(prefix);
        for (name, info) in own.take_while(is_inside).chain(shared.take_while(is_inside)) {
            let (rest, Some(info)) = (&name[prefix.len()..], info) else { continue };
            if wanted(rest) {
                let values = info.dtype.decode(&self.data[info.data_offsets.0..info.data_offsets.1]);
                check_finite(name, &values)?;
                tensors.insert(rest, &info.shape.0, values);
            }
        }
        Ok(tensors)
    }
}

/// Parts a file into its header and what follows.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(Error::damaged(format!(
            "{} bytes are not a model file: it begins with the length of its header, which takes 8",
            bytes.len()
        )));
    };
    let length = u64::from_le_bytes(*length);
    if length > rest.len().min(MAX_HEADER) as u64 {
        return Err(Error::damaged(format!(
            "the first 8 bytes announce a header of {length} bytes, but {} follow (and {MAX_HEADER} are the most): this \
             is not a model file of Headsmith (model.safetensors), or it was cut short; copy it again, or name the file that a fit wrote",
            rest.len()
        )));
    }
    Ok(rest.split_at(length as usize))
}

/// Whether the tensors have the sizes of their shapes and fill `n_bytes` without gap or overlap.
fn check_layout(infos: &BTreeMap<String, Info>, n_bytes: usize) -> Result<()> {
    let mut in_order: Vec<(&String, &Info)> = infos.iter().collect();
    in_order.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    for (name, info) in in_order {
        let (start, stop) = info.data_offsets;
        if start != end || stop < start {
            return Err(Error::damaged(format!(
                "tensor `{name}` lies at bytes {start} to {stop} of the data, expected it to begin at {end}, where the \
                 one before it ends"
            )));
        }
        if info.size() != Some(stop - start) {
            return Err(Error::damaged(format!(
                "tensor `{name}` of shape {:?} has {} bytes, expected {}",
                info.shape.0,
                stop - start,
                info.size().map_or("more than any file holds".to_owned(), |size| size.to_string())
            )));
        }
        end = stop;
    }
    if end != n_bytes {
        return Err(Error::damaged(format!(
            "the tensors end at byte {end} of the data, but the file has {n_bytes}: it was truncated or extended"
        )));
    }
    Ok(())
}

impl Info {
    /// Its bytes in the file.
    fn len(&self) -> usize {
        self.data_offsets.1 - self.data_offsets.0
    }

    /// The number of bytes that type and shape ask for; `None` when no file could hold them.
    fn size(&self) -> Option<usize> {
        self.shape.0.iter().try_fold(self.dtype.size(), |size, &axis| size.checked_mul(axis))
    }
}

impl Dtype {
    fn of(values: &Values) -> Result<Dtype> {
        match values {
            Values::F64(_) => Ok(Dtype::F64),
            Values::F32(_) => Ok(Dtype::F32),
            Values::U32(_) => Ok(Dtype::U32),
            _ => Err(Error::invalid("a tensor is of a type that model files do not hold")),
        }
    }

    /// Bytes to a value.
    fn size(self) -> usize {
        match self {
            Dtype::F64 => 8,
            Dtype::F32 | Dtype::U32 => 4,
        }
    }

    fn decode(self, bytes: &[u8]) -> Values {
        match self {
            Dtype::F64 => Values::F64(elements(bytes, f64::from_le_bytes)),
            Dtype::F32 => Values::F32(elements(bytes, f32::from_le_bytes)),
            Dtype::U32 => Values::U32(elements(bytes, u32::from_le_bytes)),
        }
    }
}

fn elements<T, const N: usize>(bytes: &[u8], decode: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| decode(*chunk)).collect()
}

/// Whether all floats are finite; a model with others would answer with NaN.
fn check_finite(name: &str, values: &Values) -> Result<()> {
    let place = match values {
        Values::F64(v) => v.iter().position(|v| !v.is_finite()),
        Values::F32(v) => v.iter().position(|v| !v.is_finite()),
        _ => None,
    };
    match place {
        Some(i) => Err(Error::damaged(format!("element {i} of tensor `{name}` is not a finite number"))),
        None => Ok(()),
    }
}

/// The header's bytes in the file.
struct Header {
    metadata: BTreeMap<String, String>,
    infos: BTreeMap<String, Info>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Header, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Header, A::Error> {
                let mut header = Header { metadata: BTreeMap::new(), infos: BTreeMap::new() };
                let mut seen_metadata = false;
                while let Some(name) = map.next_key::<String>()? {
                    let twice = if name == METADATA {
                        header.metadata = map.next_value()?;
                        std::mem::replace(&mut seen_metadata, true)
                    } else {
                        let info = map
                            .next_value()
                            .map_err(|error| A::Error::custom(format_args!("tensor `{name}`: {error}")))?;
                        header.infos.insert(name.clone(), info).is_some()
                    };
                    if twice {
                        return Err(A::Error::custom(format_args!("`{name}` occurs twice")));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Shape, D::Error> {
        struct ShapeVisitor;
        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a shape of at most {MAX_AXES} axes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Shape, A::Error> {
                let mut axes = Vec::new();
                while let Some(axis) = seq.next_element()? {
                    if axes.len() == MAX_AXES {
                        return Err(A::Error::custom(format_args!("more than {MAX_AXES} axes")));
                    }
                    axes.push(axis);
                }
                Ok(Shape(axes))
            }
        }
        deserializer.deserialize_seq(ShapeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::*;

    fn sample() -> Tensors {
        let mut tensors = Tensors::new();
        tensors.insert("b/w", &[2, 3], Values::F32(vec![0.5, -0.0, 1e-40, 3.0, f32::MAX, -1.25]));
        tensors.insert("a", &[2], Values::U32(vec![7, u32::MAX]));
        tensors.insert("b/mean", &[1], Values::F64(vec![0.1]));
        tensors.insert("b/none", &[0, 4], Values::F32(vec![]));
        tensors
    }

    fn written() -> Vec<u8> {
        write(("key", "\"text\" é".to_owned()), &sample()).unwrap()
    }

    /// A file with this header and so many bytes of zeros.
    fn file(header: &str, n_bytes: usize) -> Vec<u8> {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; n_bytes]].concat()
    }

    fn refusal(bytes: &[u8]) -> String {
        let error = Container::read(bytes).err().unwrap();
        assert!(error.is_damaged());
        error.to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = written();
        let container = Container::read(&bytes).unwrap();
        assert_eq!(container.metadata["key"], "\"text\" é");
        assert_eq!(container.len(), 4);
        assert_eq!(container.tensors("", |_| true).unwrap(), sample());
        assert_eq!(container.tensors("b/", |_| true).unwrap(), sample().take_prefix("b/"));
        assert_eq!(container.tensors("b/", |name| name == "w").unwrap().names().collect::<Vec<_>>(), ["w"]);
        assert_eq!(container.tensors("c/", |_| true).unwrap(), Tensors::new());
    }

    #[test]
    fn the_reference_reads_and_writes_the_same_bytes() {
        let bytes = written();
        let reference = SafeTensors::deserialize(&bytes).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let w = reference.tensor("b/w").unwrap();
        assert_eq!((w.dtype(), w.shape()), (safetensors::Dtype::F32, &[2, 3][..]));
        assert_eq!(Dtype::F32.decode(w.data()), sample().take_f32("b/w", &[2, 3]).map(Values::F32).unwrap());
        assert_eq!(reference.len(), 4);
        let again = safetensors::serialize(reference.tensors(), header.metadata().clone()).unwrap();
        let container = Container::read(&again).unwrap();
        assert_eq!(container.tensors("", |_| true).unwrap(), sample());
        assert_eq!(container.metadata["key"], "\"text\" é");
    }

    #[test]
    fn changed_bytes_and_texts_fail_the_checksum() {
        let mut bytes = written();
        let text = "\"text\" é";
        Container::read(&bytes).unwrap().verify(text).unwrap();
        let error = Container::read(&bytes).unwrap().verify("other").unwrap_err();
        assert!(error.is_damaged() && error.to_string().contains("the checksum of its content is"));
        *bytes.last_mut().unwrap() ^= 1;
        assert!(Container::read(&bytes).unwrap().verify(text).is_err());
        let without = file(r#"{"__metadata__":{"key":"text"}}"#, 0);
        Container::read(&without).unwrap().verify("text").unwrap();
    }

    #[test]
    fn values_lie_at_multiples_of_their_size() {
        let bytes = written();
        let container = Container::read(&bytes).unwrap();
        let start = bytes.len() - container.data.len();
        for info in container.infos.values() {
            assert_eq!((start + info.data_offsets.0) % info.dtype.size(), 0);
        }
    }

    #[test]
    fn files_that_are_none_are_refused() {
        assert!(refusal(b"short").starts_with("5 bytes are not a model file"));
        let html = refusal(b"<!DOCTYPE html><html></html>");
        assert!(html.starts_with("the first 8 bytes announce a header of"), "{html}");
        assert!(html.contains("but 20 follow"), "{html}");
        assert!(refusal(&u64::MAX.to_le_bytes()).contains("but 0 follow"));
        assert!(refusal(&file("[]", 0)).contains("expected an object of tensors"));
        assert!(refusal(&file("{\"a\":\"\\uD800\"}", 0)).contains("damaged"));
        assert!(refusal(&[&[2, 0, 0, 0, 0, 0, 0, 0], &b"\xff\xfe"[..]].concat()).contains("damaged"));
    }

    #[test]
    fn hostile_layouts_are_refused() {
        let tensor = |name: &str, dtype: &str, shape: &str, offsets: &str| {
            format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}"#)
        };
        let refused =
            |tensors: &[String], n_bytes| refusal(&file(&format!("{{{}}}", tensors.join(",")), n_bytes));
        let a = tensor("a", "F32", "[2]", "[0,8]");
        let overlapping = tensor("b", "F32", "[2]", "[4,12]");
        assert!(
            refused(&[a.clone(), overlapping], 12)
                .contains("tensor `b` lies at bytes 4 to 12 of the data, expected it to begin at 8")
        );
        assert!(refused(&[a.clone(), tensor("b", "F32", "[2]", "[12,20]")], 20).contains("begin at 8"));
        assert!(
            refused(&[tensor("b", "F32", "[2]", "[8,0]"), a.clone()], 8)
                .contains("expected it to begin at 8")
        );
        assert!(
            refused(std::slice::from_ref(&a), 7)
                .contains("the tensors end at byte 8 of the data, but the file has 7")
        );
        assert!(refused(std::slice::from_ref(&a), 9).contains("truncated or extended"));
        assert!(refused(&[a.clone(), a.clone()], 8).contains("`a` occurs twice"));
        assert!(refused(&[tensor("a", "F32", "[3]", "[0,8]")], 8).contains("has 8 bytes, expected 12"));
        let huge = tensor("a", "F64", "[4294967296,4294967296]", "[0,8]");
        assert!(refused(&[huge], 8).contains("expected more than any file holds"));
        assert!(
            refused(&[tensor("a", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]")], 8).contains("more than 8 axes")
        );
        assert!(refused(&[tensor("a", "F32", "[-2]", "[0,8]")], 8).contains("tensor `a`: invalid value"));
        assert!(
            refused(&[tensor("a", "BOOL", "[8]", "[0,8]")], 8).contains("tensor `a`: unknown variant `BOOL`")
        );
        assert!(refused(&[r#""__metadata__":{},"__metadata__":{}"#.to_owned()], 0).contains("occurs twice"));
        assert!(refused(&[r#""__metadata__":{"a":1}"#.to_owned()], 0).contains("invalid type"));
        let deep = format!(r#""__metadata__":{}"#, r#"{"a":"#.repeat(100_000));
        assert!(refused(&[deep], 0).contains("damaged"));
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        let mut bytes = written();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        let error = Container::read(&bytes).unwrap().tensors("", |_| true).unwrap_err();
        assert_eq!(error.to_string(), "element 5 of tensor `b/w` is not a finite number");
        let mut tensors = Tensors::new();
        tensors.insert("a", &[1], Values::F64(vec![f64::INFINITY]));
        assert!(write(("key", String::new()), &tensors).unwrap_err().is_invalid());
    }
}
