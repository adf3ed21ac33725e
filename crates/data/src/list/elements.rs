//! Splits a vector in any printed form into its elements.
//!
//! ```text
//! cell      = call | list | numbers
//! call      = name "(" list { "," name "=" value } ")"      array([..], dtype=float32), tensor([..], device='cuda:0')
//! list      = "[" numbers "]" | "(" numbers ")" | "{" numbers "}" | "[" list "]"
//! numbers   = number { separator number } [ separator ]
//! separator = ";", else ",", else white space: the first of these that the list has
//! number    = decimal | name "(" decimal ")" | quoted decimal    np.float32(0.5), tensor(0.5), '0.5'
//! ```

use super::{ListError, explain};
use crate::number::{self, Number};
use std::borrow::Cow;

/// The elements of a list, which need not be numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<'a> {
    inner: &'a [u8],
    /// The separator; `None` for white space.
    separator: Option<u8>,
    bracketed: bool,
}

/// Finds the elements of the list that `cell` consists of, which must have no surrounding white space.
pub(super) fn elements(cell: &[u8]) -> Result<Elements<'_>, ListError> {
    let list = without_call(cell)?;
    let Some(close) = list.first().and_then(|&open| closing(open)) else { return bare(list, cell) };
    let mut inner = within(list, close).ok_or_else(|| explain::unclosed(list, close))?;
    // A matrix with one row.
    while let (Some(b'['), Some(row)) = (inner.first(), within(inner, b']'))
        && memchr::memchr2(b'[', b']', row).is_none_or(|_| row.first() == Some(&b'['))
        && !is_several(row)
    {
        inner = row;
    }
    Elements::new(inner, true).ok_or_else(explain::empty_list)
}

/// Numbers without brackets.
fn bare<'a>(list: &'a [u8], cell: &'a [u8]) -> Result<Elements<'a>, ListError> {
    let Some(elements) = Elements::new(list, false) else { return Err(explain::empty_cell()) };
    let first = elements.iter().next().and_then(|element| elements.number(element));
    let has_brackets = list.iter().any(|byte| b"[]{}".contains(byte));
    if first.is_none() || has_brackets { Err(explain::no_list(cell)) } else { Ok(elements) }
}

/// Whether a closing bracket is followed by an opening one: several rows of a matrix.
fn is_several(row: &[u8]) -> bool {
    let close = memchr::memchr(b']', row);
    close.is_some_and(|close| memchr::memchr(b'[', &row[close..]).is_some())
}

fn closing(open: u8) -> Option<u8> {
    match open {
        b'[' => Some(b']'),
        b'(' => Some(b')'),
        b'{' => Some(b'}'),
        _ => None,
    }
}

/// The bytes between the first one and `close`, which must be the last.
fn within(list: &[u8], close: u8) -> Option<&[u8]> {
    let inner = list.get(1..)?.strip_suffix(&[close])?;
    Some(inner.trim_ascii())
}

/// The functions whose calls are vectors, without their modules.
const VECTORS: [&[u8]; 7] = [b"array", b"tensor", b"Tensor", b"Array", b"matrix", b"list", b"DeviceArray"];

/// The first argument of a call of one of [`VECTORS`], whose other arguments must be named; other text is unchanged.
fn without_call(cell: &[u8]) -> Result<&[u8], ListError> {
    if let Some(tensor) = cell.strip_prefix(b"<tf.Tensor") {
        let array = memchr::memmem::find(tensor, b"numpy=").map(|at| &tensor[at + b"numpy=".len()..]);
        let array = array.and_then(|array| array.strip_suffix(b">"));
        return array.map_or_else(|| Err(explain::no_list(cell)), |array| without_call(array.trim_ascii()));
    }
    let Some((name, rest)) = call(cell).filter(|(name, _)| VECTORS.contains(name)) else { return Ok(cell) };
    let Some(close) = rest.first().and_then(|&open| closing(open)) else {
        return Err(explain::no_list(cell));
    };
    let arguments = rest.strip_suffix(b")").ok_or_else(|| explain::unclosed(cell, b')'))?.trim_ascii_end();
    // The list ends at the last closing bracket before the named arguments.
    let end = memchr::memmem::find(arguments, b"=").unwrap_or(arguments.len());
    let Some(end) = memchr::memrchr(close, &arguments[..end]) else {
        return Err(explain::unclosed(&cell[name.len() + 1..], close));
    };
    let named = arguments[end + 1..].trim_ascii_start();
    let is_named = named.is_empty() || named.starts_with(b",") && memchr::memchr(b'=', named).is_some();
    if is_named { Ok(&arguments[..=end]) } else { Err(explain::no_list(cell)) }
}

/// The function of a call without its module, and the text after the opening parenthesis.
fn call(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let open = text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"._".contains(byte)))?;
    let (name, rest) = (&text[..open], text[open..].strip_prefix(b"(")?);
    let start = memchr::memrchr(b'.', name).map_or(0, |dot| dot + 1);
    (!name[start..].is_empty() && !name[start].is_ascii_digit())
        .then_some((&name[start..], rest.trim_ascii_start()))
}

impl<'a> Elements<'a> {
    /// `None` if there are no elements.
    fn new(inner: &'a [u8], bracketed: bool) -> Option<Elements<'a>> {
        let inner = inner.trim_ascii();
        let separator = [b';', b','].into_iter().find(|&byte| memchr::memchr(byte, inner).is_some());
        // One separator may follow the last element.
        let shorter = separator.and_then(|separator| inner.strip_suffix(&[separator]));
        let inner = shorter.filter(|shorter| !shorter.is_empty()).unwrap_or(inner);
        (!inner.is_empty()).then_some(Elements { inner, separator, bracketed })
    }

    pub(super) fn inner(&self) -> &'a [u8] {
        self.inner
    }

    pub(super) fn separator(&self) -> Option<u8> {
        self.separator
    }

    pub(super) fn bracketed(&self) -> bool {
        self.bracketed
    }

    /// The elements without surrounding white space.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let separator = self.separator;
        let is_end =
            move |byte: &u8| separator.map_or(byte.is_ascii_whitespace(), |separator| *byte == separator);
        let elements = self.inner.split(is_end).map(<[u8]>::trim_ascii);
        elements.filter(move |element| separator.is_some() || !element.is_empty())
    }

    /// The number that an element of this list represents.
    pub(super) fn number(&self, element: &[u8]) -> Option<Number> {
        let whole = |text: &[u8]| number::parse(text).filter(|number| number.len == text.len());
        whole(element).or_else(|| {
            let plain = unwrapped(element);
            let text = if self.separator == Some(b';') { with_point(plain) } else { Cow::Borrowed(plain) };
            whole(&text)
        })
    }
}

/// Prefixes of the functions whose calls are numbers, without their modules.
const NUMBERS: [&[u8]; 8] = [b"float", b"int", b"uint", b"bfloat", b"half", b"tensor", b"Tensor", b"Decimal"];

/// The number in a call or in quotes: `np.float32(0.5)`, `'0.5'`.
fn unwrapped(element: &[u8]) -> &[u8] {
    let call = call(element).filter(|(name, _)| NUMBERS.iter().any(|start| name.starts_with(start)));
    let inner = call.and_then(|(_, rest)| rest.strip_suffix(b")")).unwrap_or(element).trim_ascii();
    let quote = |inner: &'_ [u8]| inner.first().copied().filter(|byte| b"'\"".contains(byte));
    let text = quote(inner).and_then(|quote| inner.get(1..)?.strip_suffix(&[quote]));
    text.unwrap_or(inner).trim_ascii()
}

/// Replaces the decimal comma of a number by a point.
fn with_point(element: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr(b',', element) {
        Some(comma) if memchr::memchr(b'.', element).is_none() => {
            let mut text = element.to_vec();
            text[comma] = b'.';
            Cow::Owned(text)
        }
        _ => Cow::Borrowed(element),
    }
}
