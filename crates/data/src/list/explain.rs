//! Explains cells that are no list of numbers, and how to fix them.

use super::elements::Elements;
use super::{ListError, shown};
use crate::columns::MAX_FEATURES;
use crate::number;

const MISSING: &str = "write every number of the row, or leave the row out";
const PLAIN: &str = "write plain numbers such as -0.5, 3 or 1e-05";

pub(super) fn empty_cell() -> ListError {
    ListError::whole("expected a list of numbers, found an empty cell", Some(MISSING))
}

pub(super) fn empty_list() -> ListError {
    ListError::whole("the list is empty", Some(MISSING))
}

/// The error for a cell that is no list.
pub(super) fn no_list(cell: &[u8]) -> ListError {
    let what = format!("expected a list of numbers, found {}", shown(cell));
    ListError::whole(what, Some("write the features as a list in square brackets, [0.5, 1.25, ..]"))
}

/// The error for a list that starts with a bracket and does not end with `close`.
pub(super) fn unclosed(cell: &[u8], close: u8) -> ListError {
    match memchr::memrchr(close, cell) {
        Some(end) => ListError::whole(
            format!("expected nothing after the list's closing bracket, found {}", shown(&cell[end + 1..])),
            Some("remove what follows the list"),
        ),
        None => ListError::whole(
            format!(
                "the list is not closed: expected {} at its end, found {}",
                char::from(close),
                shown_end(cell)
            ),
            Some("the cell was cut off; write the row again"),
        ),
    }
}

/// The error for an element, with `number` counted from 1, that is no finite number.
pub(super) fn bad_element(list: &Elements<'_>, element: &[u8], number: u64) -> ListError {
    let dots = |element: &[u8]| is_abbreviation(element);
    // In a list without commas, the dots are an element of their own; between commas, they may be part of an element.
    if let Some(at) = list.iter().position(dots) {
        let what =
            "the list was abbreviated when it was printed: numbers were lost where it says `...`".to_owned();
        return ListError { element: Some(at as u64 + 1), what, hint: Some(WHOLE) };
    }
    let (what, hint) = explain_element(element, list.separator() == Some(b','))
        .unwrap_or_else(|| (format!("expected a finite number, found {}", shown(element)), Some(PLAIN)));
    ListError { element: Some(number), what, hint }
}

const WHOLE: &str = "write all numbers: df[\"embedding\"] = [list(map(float, x)) for x in X] before to_csv, or \
                     numpy.set_printoptions(threshold=sys.maxsize) before the text is made";

fn is_abbreviation(element: &[u8]) -> bool {
    memchr::memmem::find(element, b"...").is_some() || element == "\u{2026}".as_bytes()
}

/// The error for a list whose length differs from the others'.
pub(super) fn wrong_count(list: &Elements<'_>, n_elements: u64, n_features: usize) -> ListError {
    if n_elements > MAX_FEATURES as u64 {
        let what = format!("the list has {n_elements} elements; at most {MAX_FEATURES} features are read");
        return ListError::whole(what, Some("is this a table of embeddings?"));
    }
    let hint = if has_decimal_commas(list.inner()) {
        "decimal commas look like separators: write decimal points"
    } else {
        "every row needs the same number of features: write this row again, or leave it out"
    };
    let what = format!("expected {}, found {}", n_of(n_features as u64), n_of(n_elements));
    ListError::whole(what, Some(hint))
}

fn n_of(n: u64) -> String {
    if n == 1 { "1 element".to_owned() } else { format!("{n} elements") }
}

/// Whether the list can be read as numbers with decimal commas: `0,5, 1,25`, with white space only after every other
/// comma.
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

/// Explains why the cell of a single number is no finite number; `None` if it is one.
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

/// Explains why `element` is no finite number; `None` if it is one.
fn explain_element(element: &[u8], in_commas: bool) -> Option<(String, Option<&'static str>)> {
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
        _ if is_abbreviation(element) => WHOLE,
        _ if unsigned.starts_with(b"[") || unsigned.ends_with(b"]") => {
            "a list of several lists is not read: write one vector a row, e.g. their mean, x.mean(axis=0).tolist()"
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
        _ if in_commas && element.iter().any(u8::is_ascii_whitespace) && digits > 1 => {
            "a comma is missing between two numbers"
        }
        _ => PLAIN,
    })
}

fn shown_end(text: &[u8]) -> String {
    let start = text.len().saturating_sub(20);
    format!("`..{}`", String::from_utf8_lossy(&text[start..]).escape_default())
}
