//! Parses the numbers in a text cell: a Python list literal (`[0.5, 1e-05, 2]`) as `str(list)` and pandas write it,
//! and the other forms in which tools print a vector.
//!
//! [`parse`] reads the literal and determines the speed of a reader. [`read`] falls back on the whole grammar
//! (`elements.rs`) and explains cells that are no list (`explain.rs`). CSV cells, text columns of Parquet and strings
//! in JSON are all read here.

mod elements;
mod explain;

use crate::columns::in_one_line;
use crate::number;
use elements::elements;
pub(crate) use explain::{explain_single, has_decimal_commas};

/// Parses a list of exactly `out.len()` finite numbers at the start of `text`. Returns the length of the list in bytes
/// and the number of elements that underflowed to zero; `None` for anything else, which [`read`] parses or explains.
#[inline]
pub(crate) fn parse(text: &[u8], out: &mut [f32]) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut underflows = 0;
    if out.is_empty() || *text.first()? != b'[' {
        return None;
    }
    for (i, value) in out.iter_mut().enumerate() {
        // The '[' before the first element, the ',' before every other one.
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

/// Parses `cell` as a list of exactly `out.len()` finite numbers; returns the number of elements that underflowed to
/// zero.
///
/// # Errors
/// The error of the cell, with its first bad element.
pub(crate) fn read(cell: &[u8], out: &mut [f32]) -> Result<usize, ListError> {
    let cell = cell.trim_ascii();
    match parse(cell, out) {
        Some((len, underflows)) if len == cell.len() => Ok(underflows),
        _ => read_any_form(cell, out),
    }
}

fn read_any_form(cell: &[u8], out: &mut [f32]) -> Result<usize, ListError> {
    let list = elements(cell)?;
    let (mut n_elements, mut underflows) = (0, 0);
    for element in list.iter() {
        n_elements += 1;
        let Some(number) = list.number(element).filter(|number| number.value.is_finite()) else {
            return Err(explain::bad_element(&list, element, n_elements));
        };
        underflows += usize::from(number.underflow);
        if let Some(value) = out.get_mut(n_elements as usize - 1) {
            *value = number.value;
        }
    }
    if n_elements == out.len() as u64 {
        Ok(underflows)
    } else {
        Err(explain::wrong_count(&list, n_elements, out.len()))
    }
}

/// The number of elements of the list in `cell`, numbers or not; 0 if it is no list.
pub(crate) fn count_elements(cell: &[u8]) -> usize {
    elements(cell.trim_ascii()).map_or(0, |list| list.iter().count())
}

/// The minimum number of values of a vector without brackets: fewer may be a telephone number or a date.
const MIN_BARE: usize = 8;

/// Whether `cell` looks like a list of numbers; with `bare`, also one without brackets.
pub(crate) fn is_list(cell: &[u8], bare: bool) -> bool {
    let cell = cell.trim_ascii();
    if cell.starts_with(b"[") {
        return true;
    }
    let Ok(list) = elements(cell) else { return false };
    let first: Vec<bool> = list.iter().take(MIN_BARE).map(|element| list.number(element).is_some()).collect();
    let enough = if list.bracketed() { 1 } else { MIN_BARE };
    (bare || list.bracketed()) && first.len() >= enough && first.into_iter().all(|is_number| is_number)
}

/// The error of a cell that [`read`] refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListError {
    /// The index of the bad element, from 1, if the error is about one.
    pub(crate) element: Option<u64>,
    /// The expected and the found value.
    pub(crate) what: String,
    /// Advice on fixing it.
    pub(crate) hint: Option<&'static str>,
}

impl ListError {
    pub(crate) fn whole(what: impl Into<String>, hint: Option<&'static str>) -> ListError {
        ListError { element: None, what: what.into(), hint }
    }
}

/// Text in quotes for a message, shortened, with unprintable characters escaped.
pub(crate) fn shown(text: &[u8]) -> String {
    const LEN: usize = 40;
    let escape = |text: &[u8]| in_one_line(&String::from_utf8_lossy(text));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn three(cell: &str) -> Result<[f32; 3], ListError> {
        let mut out = [0.0; 3];
        read(cell.as_bytes(), &mut out).map(|_| out)
    }

    #[test]
    fn every_form_of_a_vector_is_the_same_vector() {
        let forms = [
            "[0.5, -1, 2e-1]",
            "[0.5,-1,2e-1,]",
            "[ 0.5 -1.   0.2]",
            "[ 0.5\n -1.\r\n  0.2]",
            "array([ 0.5, -1. ,  0.2])",
            "array([ 0.5, -1. ,  0.2], dtype=float32)",
            "np.array([0.5, -1, 0.2])",
            "tensor([ 0.5000, -1.0000,  0.2000])",
            "tensor([0.5, -1, 0.2], device='cuda:0', dtype=torch.float16, grad_fn=<AddBackward0>)",
            "tensor([[0.5, -1, 0.2]])",
            "tf.Tensor([ 0.5 -1.   0.2], shape=(3,), dtype=float32)",
            "<tf.Tensor: shape=(3,), dtype=float32, numpy=array([ 0.5, -1. ,  0.2], dtype=float32)>",
            "[np.float32(0.5), np.float32(-1.0), np.float32(0.2)]",
            "[tensor(0.5), tensor(-1.), tensor(0.2)]",
            "['0.5', '-1', '0.2']",
            "(0.5, -1, 0.2)",
            "{0.5,-1,0.2}",
            "[[0.5, -1, 0.2]]",
            "[[ 0.5 -1.   0.2]]",
            "[0.5; -1; 0.2]",
            "[0,5; -1; 0,2]",
            "0.5 -1 0.2",
            "0.5, -1, 0.2",
            "0.5;-1;0.2",
            " 0.5\t-1\t0.2 ",
        ];
        for form in forms {
            assert_eq!(three(form), Ok([0.5, -1.0, 0.2]), "{form}");
            assert_eq!(count_elements(form.as_bytes()), 3, "{form}");
        }
    }

    #[test]
    fn text_that_is_no_vector_is_refused() {
        let cells = [
            "",
            "[",
            "]",
            "()",
            "array()",
            "tensor(",
            "array([1, 2, 3]",
            "[1, 2, 3)",
            "1, 2, 3]",
            "[[1, 2], [3]]",
            "[1, 2, 3] 4",
            "array([1, 2, 3], 4)",
            "print([1, 2, 3])",
            "{'a': 1}",
            "{1: 2, 2: 3, 3: 4}",
            "[1 2, 3]",
            "[1, 2, f(3)]",
            "[1 2 ... 3]",
            "<tf.Tensor: shape=()>",
            "[1,,3]",
            "[1, 2, (3)]",
            "1 2 three",
        ];
        for cell in cells {
            assert!(three(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn text_is_distinguished_from_lists() {
        let texts = [
            "",
            "label",
            "12",
            "1,234",
            "2020-01-02",
            "(see below)",
            "{'a': 1}",
            "1 of 3",
            "f(1, 2, 3)",
            "06 12 34 56 78",
        ];
        for text in texts {
            assert!(!is_list(text.as_bytes(), true), "{text}");
        }
        assert!(is_list(b"0 1 2 3 4 5 6 7", true) && !is_list(b"0 1 2 3 4 5 6 7", false));
        assert!(is_list(b"array([1.5, 2.])", false) && is_list(b"{1,2}", false));
    }
}
