//! A Python list literal of numbers, as `str(list)` and pandas write it: `[0.5, 1e-05, 2]`.
//!
//! White space and line ends may stand anywhere between the tokens, and a comma after the last element.

use crate::columns::MAX_FEATURES;
use crate::number;

/// Reads a list of exactly `out.len()` finite numbers at the start of `text`. Gives the length of the list in bytes and the
/// number of its elements that underflowed to zero; `None` for anything else, which [`explain`] then explains.
#[inline]
pub(crate) fn parse(text: &[u8], out: &mut [f32]) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut underflows = 0;
    if out.is_empty() || *text.first()? != b'[' {
        return None;
    }
    for (i, value) in out.iter_mut().enumerate() {
        // The '[' before the first element, the ',' before every other.
        if i > 0 && *text.get(at)? != b',' {
            return None;
        }
        at = skip_space(text, at + 1);
        let number = number::parse(text.get(at..)?)?;
        if !number.value.is_finite() {
            return None;
        }
        *value = number.value;
        underflows += usize::from(number.underflow);
        at = skip_space(text, at + number.len);
    }
    if *text.get(at)? == b',' {
        at = skip_space(text, at + 1);
    }
    (*text.get(at)? == b']').then_some((at + 1, underflows))
}

#[inline]
fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The number of elements of the list in `cell`, judged by its commas alone; 0 when it is none.
pub(crate) fn count_elements(cell: &[u8]) -> usize {
    let Some(inner) = cell.trim_ascii().strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")) else {
        return 0;
    };
    let inner = inner.trim_ascii();
    let inner = inner.strip_suffix(b",").unwrap_or(inner);
    if inner.is_empty() { 0 } else { memchr::memchr_iter(b',', inner).count() + 1 }
}

/// What is wrong with a cell that [`parse`] refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The element, from 1, when it is about one.
    pub(crate) element: Option<u64>,
    /// What was expected and what was found.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) hint: Option<&'static str>,
}

impl Flaw {
    pub(crate) fn whole(what: impl Into<String>, hint: Option<&'static str>) -> Flaw {
        Flaw { element: None, what: what.into(), hint }
    }
}

/// Says why `cell` is not a list of `n_features` finite numbers; `None` when it is one.
pub(crate) fn explain(cell: &[u8], n_features: usize) -> Option<Flaw> {
    let cell = cell.trim_ascii();
    explain_form(cell).or_else(|| explain_elements(cell, n_features))
}

fn explain_form(cell: &[u8]) -> Option<Flaw> {
    if cell.is_empty() {
        let hint = "write every number of the row, or leave the row out";
        return Some(Flaw::whole("expected a list of numbers, found an empty cell", Some(hint)));
    }
    if !cell.starts_with(b"[") {
        return Some(explain_no_list(cell));
    }
    if !cell.ends_with(b"]") {
        let end = memchr::memrchr(b']', cell);
        return Some(match end {
            Some(end) => Flaw::whole(
                format!(
                    "expected nothing after the list's closing bracket, found {}",
                    shown(&cell[end + 1..])
                ),
                Some("remove what follows the list"),
            ),
            None => Flaw::whole(
                format!("the list is not closed: expected ] at its end, found {}", shown_end(cell)),
                Some("the cell was cut off; write the row again"),
            ),
        });
    }
    if cell[1..cell.len() - 1].trim_ascii().is_empty() {
        let hint = "write every number of the row, or leave the row out";
        return Some(Flaw::whole("the list is empty", Some(hint)));
    }
    None
}

fn explain_no_list(cell: &[u8]) -> Flaw {
    let what = format!("expected a list of numbers, found {}", shown(cell));
    let hint =
        if [&b"tensor("[..], b"array(", b"np.array(", b"torch."].iter().any(|head| cell.starts_with(head)) {
            "write x.tolist() instead of the tensor or array itself"
        } else if cell.starts_with(b"(") || cell.starts_with(b"{") {
            "write a list in square brackets"
        } else {
            "write the features as a list in square brackets, [0.5, 1.25, ..]"
        };
    Flaw::whole(what, Some(hint))
}

fn explain_elements(cell: &[u8], n_features: usize) -> Option<Flaw> {
    let inner = cell[1..cell.len() - 1].trim_ascii();
    let has_commas = memchr::memchr(b',', inner).is_some();
    let inner = inner.strip_suffix(b",").unwrap_or(inner);
    let mut n_elements = 0;
    for element in inner.split(|&byte| byte == b',') {
        n_elements += 1;
        if let Some((what, hint)) = explain_element(element, has_commas) {
            return Some(Flaw { element: Some(n_elements), what, hint });
        }
    }
    if n_elements == n_features as u64 {
        return None;
    }
    if n_elements > MAX_FEATURES as u64 {
        let what = format!("the list has {n_elements} elements; at most {MAX_FEATURES} features are read");
        return Some(Flaw::whole(what, Some("is this a table of embeddings?")));
    }
    let hint = if has_decimal_commas(inner) {
        "decimal commas look like separators: write decimal points"
    } else {
        "every row needs the same number of features: write this row again, or leave it out"
    };
    let what = format!("expected {}, found {}", elements(n_features as u64), elements(n_elements));
    Some(Flaw::whole(what, Some(hint)))
}

/// Whether the list reads as numbers with decimal commas: `0,5, 1,25`, every other comma without white space.
pub(crate) fn has_decimal_commas(list: &[u8]) -> bool {
    let list = list.trim_ascii();
    let list = list.strip_prefix(b"[").unwrap_or(list);
    let list = list.strip_suffix(b"]").unwrap_or(list);
    let parts: Vec<&[u8]> = list.split(|&byte| byte == b',').collect();
    let spaced = |part: &[u8]| part.first().is_some_and(u8::is_ascii_whitespace);
    parts.len() > 2
        && parts.len().is_multiple_of(2)
        && parts.chunks_exact(2).skip(1).all(|pair| spaced(pair[0]))
        && parts
            .chunks_exact(2)
            .all(|pair| !spaced(pair[1]) && pair.concat().iter().all(|&byte| b"-0123456789 ".contains(&byte)))
}

/// Says why a cell of its own is no finite number; `None` when it is one.
pub(crate) fn explain_single(cell: &[u8]) -> Option<(String, Option<&'static str>)> {
    let cell = cell.trim_ascii();
    if cell.is_empty() {
        let hint = "write every number of the row, or leave the row out";
        return Some(("expected a number, found an empty cell".to_owned(), Some(hint)));
    }
    let (what, hint) = explain_element(cell, true)?;
    let decimal = cell.iter().filter(|&&byte| byte == b',').count() == 1
        && cell.iter().all(|byte| byte.is_ascii_digit() || b"+-,".contains(byte));
    Some((what, if decimal { Some("write a decimal point instead of a decimal comma") } else { hint }))
}

fn elements(n: u64) -> String {
    if n == 1 { "1 element".to_owned() } else { format!("{n} elements") }
}

/// Says why `element` is no finite number; `None` when it is one.
pub(crate) fn explain_element(element: &[u8], in_commas: bool) -> Option<(String, Option<&'static str>)> {
    let element = element.trim_ascii();
    if let Some(number) = number::parse(element)
        && number.len == element.len()
    {
        let what =
            || format!("expected a number that fits 32 bits (at most 3.4e38), found {}", shown(element));
        return (!number.value.is_finite())
            .then(|| (what(), Some("rescale the features before writing them")));
    }
    let what = format!("expected a finite number, found {}", shown(element));
    Some((what, hint_for_element(element, in_commas)))
}

fn hint_for_element(element: &[u8], in_commas: bool) -> Option<&'static str> {
    let lower = element.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(b"-").or(lower.strip_prefix(b"+")).unwrap_or(&lower);
    let digits = element.iter().filter(|byte| byte.is_ascii_digit()).count();
    Some(match unsigned {
        b"" => "two commas follow each other: a number is missing between them",
        b"nan" | b"inf" | b"infinity" | b"none" | b"null" | b"na" => {
            "replace missing and infinite values before writing the table, or leave the row out"
        }
        _ if digits > number::MAX_NUMBER_LEN / 2 => "no number needs so many digits: write it as a float",
        _ if element == b"..."
            || memchr::memmem::find(element, b"...").is_some()
            || element == b"\xE2\x80\xA6" =>
        {
            "the list was abbreviated when it was printed: write x.tolist(), not str(x)"
        }
        _ if unsigned.starts_with(b"[") || unsigned.ends_with(b"]") => {
            "lists in lists are not read: flatten each row, x.reshape(len(x), -1).tolist()"
        }
        _ if memchr::memmem::find(element, b"(").is_some() => {
            "write plain numbers, x.tolist(), instead of their NumPy or tensor form"
        }
        _ if memchr::memmem::find(element, "\u{2212}".as_bytes()).is_some() => {
            "the minus sign is U+2212: replace it by the ASCII hyphen -"
        }
        _ if memchr::memmem::find(element, "\u{a0}".as_bytes()).is_some() => {
            "there is a no-break space (U+00A0) in it: replace it by a space"
        }
        _ if memchr::memchr(0, element).is_some() => {
            "there is a NUL byte in it: the file is damaged, write it again"
        }
        _ if std::str::from_utf8(element).is_err() => {
            "this is not UTF-8: the file is damaged, write it again"
        }
        _ if memchr::memchr(b';', element).is_some() => "separate the numbers by commas",
        _ if element.iter().any(u8::is_ascii_whitespace) && digits > 1 => {
            if in_commas {
                "a comma is missing between two numbers"
            } else {
                "numbers separated by spaces are how NumPy prints an array: write x.tolist() instead"
            }
        }
        _ => "write plain numbers such as -0.5, 3 or 1e-05",
    })
}

/// A found text in quotes, cut to a length that can be read, with what cannot be printed escaped.
pub(crate) fn shown(text: &[u8]) -> String {
    const LEN: usize = 40;
    let escape = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        text.chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
            .collect::<String>()
    };
    if text.is_empty() {
        return "nothing".to_owned();
    }
    if text.len() <= LEN {
        return format!("`{}`", escape(text));
    }
    let mut end = LEN / 2;
    while end > 0 && text[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    format!("`{}..` ({} characters)", escape(&text[..end]), text.len())
}

fn shown_end(text: &[u8]) -> String {
    let start = text.len().saturating_sub(20);
    format!("`..{}`", String::from_utf8_lossy(&text[start..]).escape_default())
}
