//! The types of the output's columns, for formats with typed cells.
//!
//! The cells of a CSV have no types: a column is numeric if every non-empty cell is a number.

use super::columns::{Column, Content, InputColumns};
use super::{Cell, WriteError, sets};
use crate::columns::Role;
use crate::csv;
use std::borrow::Cow;

/// The type of all cells of a column; empty cells have any type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellType {
    Bool,
    Integer,
    Double,
    Float,
    Text,
    List,
    /// A list of texts.
    Set,
}

/// The type of each output column. Calls `read` with the columns of the input whose types are not known, and a function for
/// the cells of each row.
pub(super) fn of(
    columns: &[Column<'_>],
    input: InputColumns<'_>,
    read: impl FnOnce(&[usize], &mut dyn FnMut(&[Cell<'_>])) -> Result<(), WriteError>,
) -> Result<Vec<CellType>, WriteError> {
    let mut seen: Vec<Option<CellType>> = columns.iter().map(|column| known(column, input)).collect();
    let unknown: Vec<usize> = (0..seen.len()).filter(|&i| seen[i].is_none()).collect();
    if !unknown.is_empty() {
        let inputs: Vec<usize> = unknown.iter().filter_map(|&i| columns[i].input()).collect();
        read(&inputs, &mut |cells| {
            for (&i, cell) in unknown.iter().zip(cells) {
                seen[i] = seen[i].widened(of_cell(*cell));
            }
        })?;
    }
    Ok(seen.into_iter().map(|seen| seen.unwrap_or(CellType::Text)).collect())
}

/// The type of an output column, if it does not depend on its cells.
fn known(column: &Column<'_>, input: InputColumns<'_>) -> Option<CellType> {
    match column.content {
        Content::Input(i) => match input.columns.roles[i] {
            Role::Embeddings => Some(CellType::List),
            Role::Feature if !input.is_text => Some(CellType::Float),
            _ => None,
        },
        Content::Label => Some(CellType::Text),
        Content::OneHot(_) | Content::Fold => Some(CellType::Integer),
        Content::Probability(_) => Some(CellType::Float),
        Content::Set => Some(CellType::Set),
    }
}

trait WidenType {
    fn widened(self, other: Option<CellType>) -> Option<CellType>;
}

impl WidenType for Option<CellType> {
    /// The type that can hold both.
    fn widened(self, other: Option<CellType>) -> Option<CellType> {
        match (self, other) {
            (a, b) if a == b => a,
            (None, known) | (known, None) => known,
            (Some(CellType::Integer | CellType::Double), Some(CellType::Integer | CellType::Double)) => {
                Some(CellType::Double)
            }
            _ => Some(CellType::Text),
        }
    }
}

fn of_cell(cell: Cell<'_>) -> Option<CellType> {
    match cell {
        Cell::Number(_) => Some(CellType::Float),
        Cell::List(_) => Some(CellType::List),
        Cell::Flag(_) => Some(CellType::Integer),
        Cell::Set(..) => Some(CellType::Set),
        Cell::Raw(_) | Cell::Text(_) => of_text(plain(cell).as_ref()),
    }
}

fn of_text(text: &str) -> Option<CellType> {
    match text.trim() {
        "" => None,
        "True" | "False" | "true" | "false" => Some(CellType::Bool),
        text if is_missing(text) => Some(CellType::Double),
        text if !is_number(text) => Some(CellType::Text),
        text if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            // Longer ones are identifiers, which must not lose a digit.
            Some(if text.parse::<i64>().is_ok() { CellType::Integer } else { CellType::Text })
        }
        _ => Some(CellType::Double),
    }
}

/// Whether the text is that of a number that is not one: among numbers it is a missing value.
pub(super) fn is_missing(text: &str) -> bool {
    matches!(text, "nan" | "NaN" | "NAN")
}

/// Whether the text is a number in JSON: `007` is not, and stays text.
fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let n = digits(rest);
    if n == 0 || n > 1 && rest.starts_with('0') {
        return false;
    }
    let mut rest = &rest[n..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let n = digits(exponent);
        if n == 0 {
            return false;
        }
        rest = &exponent[n..];
    }
    rest.is_empty()
}

/// The text of a cell without CSV quotes.
pub(crate) fn plain(cell: Cell<'_>) -> Cow<'_, str> {
    match cell {
        Cell::Raw(field) => match csv::value(field) {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        },
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Number(number) => Cow::Owned(format!("{number:?}")),
        Cell::Flag(is) => Cow::Borrowed(if is { "1" } else { "0" }),
        Cell::List(list) => Cow::Owned(format!("{list:?}")),
        Cell::Set(names, members) => Cow::Owned(sets::joined(names, members)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-1", "10", "1.50", "2e0", "-0.5E-7"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "007", "1.", ".5", "+1", "1e", "0x1", "nan", "1 2", "1_0"] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn a_column_has_the_type_that_holds_all_its_cells() {
        let of = |cells: &[&str]| {
            cells.iter().fold(None, |seen: Option<CellType>, cell| seen.widened(of_text(cell)))
        };
        assert_eq!(of(&["1", "", " 2"]), Some(CellType::Integer));
        assert_eq!(of(&["1", "2.5"]), Some(CellType::Double));
        assert_eq!(of(&["1", "NaN"]), Some(CellType::Double));
        assert_eq!(of(&["a", "nan"]), Some(CellType::Text));
        assert_eq!(of(&["1", "007"]), Some(CellType::Text));
        assert_eq!(of(&["True", "false"]), Some(CellType::Bool));
        assert_eq!(of(&["True", "1"]), Some(CellType::Text));
        assert_eq!(of(&["99999999999999999999"]), Some(CellType::Text));
        assert_eq!(of(&["", ""]), None);
    }
}
