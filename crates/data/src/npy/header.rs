//! The header of an npy file: NumPy's own format, versions 1 to 3 (numpy.lib.format).
//!
//! It is a Python dictionary literal. Only literals that NumPy writes are parsed, and nothing is evaluated.

use crate::list::shown;
use crate::{Error, Result};
use std::io::Read;

/// The type and shape of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: ElementKind,
    /// The size of an element in bytes.
    pub(crate) item_size: usize,
    pub(crate) big_endian: bool,
    pub(crate) fortran_order: bool,
    pub(crate) shape: Vec<usize>,
    /// The number of bytes before the first element.
    pub(crate) len: u64,
}

/// The supported kinds of elements, by NumPy's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElementKind {
    Float,
    /// A 32-bit float without its lower half (bfloat16).
    Brain,
    Signed,
    Unsigned,
    Bool,
    /// Text with a fixed number of 32-bit code points.
    Unicode,
    /// Text with a fixed number of bytes.
    Bytes,
    /// Python objects: a pickle, which is not supported.
    Object,
}

impl Header {
    /// The size of all elements in bytes.
    ///
    /// # Errors
    /// If the size overflows.
    pub(crate) fn data_len(&self) -> Result<u64> {
        let sizes = self.shape.iter().chain([&self.item_size]);
        let len = sizes.into_iter().try_fold(1_u64, |len, &size| len.checked_mul(u64::try_from(size).ok()?));
        len.ok_or_else(|| damaged(&format!("its shape {} is larger than any file", self.shape_text())))
    }

    /// The shape as Python prints it.
    pub(crate) fn shape_text(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        if sizes.len() == 1 { format!("({},)", sizes[0]) } else { format!("({})", sizes.join(", ")) }
    }
}

fn damaged(what: &str) -> Error {
    Error::format(format!("the npy file is damaged: {what}")).with_hint("write it again with numpy.save")
}

/// The maximum length of a header: NumPy itself refuses more than 10,000 bytes.
const MAX_LEN: usize = 1 << 16;

/// Reads a header and leaves `input` at the first element.
pub(crate) fn read(input: &mut dyn Read) -> Result<Header> {
    let mut start = [0; 8];
    read_exact(input, &mut start)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(damaged("expected NUMPY at its start"));
    }
    let len = match start[6..] {
        [1, 0] => {
            let mut len = [0; 2];
            read_exact(input, &mut len)?;
            usize::from(u16::from_le_bytes(len))
        }
        [2 | 3, 0] => {
            let mut len = [0; 4];
            read_exact(input, &mut len)?;
            u32::from_le_bytes(len) as usize
        }
        [major, minor, ..] => {
            let what = format!("version {major}.{minor} of the npy format; expected 1.0, 2.0 or 3.0");
            return Err(Error::format(what).with_hint("write it again with numpy.save"));
        }
        _ => return Err(damaged("its header is cut off")),
    };
    if len > MAX_LEN {
        return Err(damaged(&format!("its header claims {len} bytes; at most {MAX_LEN} are read")));
    }
    let mut text = vec![0; len];
    read_exact(input, &mut text)?;
    let before = if start[6] == 1 { 10 } else { 12 };
    parse(&text, (before + len) as u64)
}

fn read_exact(input: &mut dyn Read, buffer: &mut [u8]) -> Result<()> {
    let n = crate::source::read_full(input, buffer).map_err(crate::source::read_error)?;
    if n == buffer.len() { Ok(()) } else { Err(damaged("its header is cut off")) }
}

fn parse(text: &[u8], len: u64) -> Result<Header> {
    let unreadable = || damaged(&format!("its header is {}", shown(text.trim_ascii())));
    let text = std::str::from_utf8(text).map_err(|_| unreadable())?;
    let mut rest =
        text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(unreadable)?.trim();
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = quoted(rest).ok_or_else(unreadable)?;
        let value = after.trim_start().strip_prefix(':').ok_or_else(unreadable)?.trim_start();
        rest = match key {
            "descr" if value.starts_with('[') => return Err(refused_type("a structured type", value)),
            "descr" => {
                let (value, rest) = quoted(value).ok_or_else(unreadable)?;
                descr = Some(value);
                rest
            }
            "fortran_order" => {
                let (value, rest) = word(value);
                fortran_order = Some(match value {
                    "True" => true,
                    "False" => false,
                    _ => return Err(unreadable()),
                });
                rest
            }
            "shape" => {
                let (sizes, rest) = tuple(value)?.ok_or_else(unreadable)?;
                shape = Some(sizes);
                rest
            }
            _ => return Err(unreadable()),
        };
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
        return Err(unreadable());
    };
    let (kind, item_size, big_endian) = element(descr)?;
    Ok(Header { kind, item_size, big_endian, fortran_order, shape, len })
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()))
}

/// A tuple of sizes: `()`, `(5,)`, `(5, 3)`.
fn tuple(text: &str) -> Result<Option<(Vec<usize>, &str)>> {
    let Some((inner, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) else {
        return Ok(None);
    };
    let inner = inner.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    let mut sizes = Vec::new();
    for size in inner.split(',').filter(|_| !inner.is_empty()) {
        let size = size.trim().trim_end_matches('L');
        if size.starts_with('-') {
            return Err(damaged(&format!("its shape has the negative size {size}")));
        }
        let is_number = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
        let Some(size) = size.parse().ok().filter(|_| is_number) else {
            return Err(damaged(&format!("its shape has the size {}", shown(size.as_bytes()))));
        };
        sizes.push(size);
    }
    Ok(Some((sizes, rest)))
}

/// A type such as `<f4`: byte order, kind, size.
fn element(descr: &str) -> Result<(ElementKind, usize, bool)> {
    let unknown = || refused_type("the type", descr);
    let (order, rest) = match descr.as_bytes().first() {
        Some(b'<' | b'>' | b'|' | b'=') => descr.split_at(1),
        _ => ("<", descr),
    };
    if rest.starts_with('O') {
        return Ok((ElementKind::Object, 0, false));
    }
    if !rest.is_ascii() || rest.is_empty() {
        return Err(unknown());
    }
    let size: usize = rest[1..].parse().map_err(|_| unknown())?;
    let (kind, item_size) = match (&rest[..1], size) {
        ("f", 2 | 4 | 8) => (ElementKind::Float, size),
        ("i", 1 | 2 | 4 | 8) => (ElementKind::Signed, size),
        ("u", 1 | 2 | 4 | 8) => (ElementKind::Unsigned, size),
        ("b", 1) => (ElementKind::Bool, size),
        ("U", 0..=65536) => (ElementKind::Unicode, size * 4),
        ("S" | "a", 0..=65536) => (ElementKind::Bytes, size),
        _ => return Err(unknown()),
    };
    Ok((kind, item_size, order == ">"))
}

fn refused_type(what: &str, descr: &str) -> Error {
    Error::format(format!("an array of {what} {}; expected floats or integers", shown(descr.as_bytes())))
        .with_hint("save numbers: x.astype(\"float32\")")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header> {
        parse(text.as_bytes(), 128)
    }

    #[test]
    fn headers_that_numpy_writes() {
        let found = header("{'descr': '>f8', 'fortran_order': True, 'shape': (5, 3), }      \n").unwrap();
        let expected = Header {
            kind: ElementKind::Float,
            item_size: 8,
            big_endian: true,
            fortran_order: true,
            shape: vec![5, 3],
            len: 128,
        };
        assert_eq!(found, expected);
        assert_eq!(header("{'descr':'|b1','fortran_order':False,'shape':(7,)}").unwrap().shape, [7]);
        assert_eq!(header("{'descr': '<U8', 'fortran_order': False, 'shape': (), }").unwrap().item_size, 32);
    }

    #[test]
    fn headers_that_numpy_does_not_write() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4'}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
            "{'a': 1}",
            "{'",
        ] {
            assert!(header(text).is_err(), "{text}");
        }
        let shape =
            |shape: &str| header(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"));
        for sizes in
            ["5", "(5", "(-5, 3)", "(5,,3)", "(5.0, 3)", "(99999999999999999999999, 1)", "(+5,)", "((5,),)"]
        {
            assert!(shape(sizes).is_err(), "{sizes}");
        }
        assert!(shape("(4611686018427387904, 4)").unwrap().data_len().is_err());
    }
}
