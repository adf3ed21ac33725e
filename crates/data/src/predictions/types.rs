//! What the columns of the output hold, for the formats whose cells have types.
//!
//! The cells of a CSV have none: a column is of numbers when every cell that is not empty is one.

use super::columns::Content;
use super::source::Opened;
use super::{Cell, Sheet, Stopped};
use crate::columns::Role;
use crate::csv;
use std::borrow::Cow;

/// What all cells of a column hold; those that are empty hold nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Integer,
    Double,
    Float,
    Text,
    List,
}

/// The type of each column of the output. Reads the cells of the input where their type is not known.
pub(super) fn of(sheet: &Sheet<'_>, opened: &Opened) -> Result<Vec<Type>, Stopped> {
    let mut seen: Vec<Option<Type>> = sheet
        .columns
        .iter()
        .map(|column| match column.content {
            Content::Input(input) if sheet.table.columns().roles[input] == Role::Embeddings => {
                Some(Type::List)
            }
            Content::Input(_) => None,
            Content::Label => Some(Type::Text),
            Content::OneHot(_) | Content::Fold => Some(Type::Integer),
            Content::Probability(_) => Some(Type::Float),
        })
        .collect();
    let unknown: Vec<usize> = (0..seen.len()).filter(|&i| seen[i].is_none()).collect();
    if !unknown.is_empty() {
        sheet.for_each_row(opened, &mut |_, cells| {
            for &i in &unknown {
                seen[i] = seen[i].max_with(of_cell(cells[i]));
            }
            Ok(())
        })?;
    }
    Ok(seen.into_iter().map(|seen| seen.unwrap_or(Type::Text)).collect())
}

trait MaxWith {
    fn max_with(self, other: Option<Type>) -> Option<Type>;
}

impl MaxWith for Option<Type> {
    /// The type that holds both.
    fn max_with(self, other: Option<Type>) -> Option<Type> {
        match (self, other) {
            (a, b) if a == b => a,
            (None, known) | (known, None) => known,
            (Some(Type::Integer | Type::Double), Some(Type::Integer | Type::Double)) => Some(Type::Double),
            _ => Some(Type::Text),
        }
    }
}

fn of_cell(cell: Cell<'_>) -> Option<Type> {
    match cell {
        Cell::Number(_) => Some(Type::Float),
        Cell::List(_) => Some(Type::List),
        Cell::Flag(_) => Some(Type::Integer),
        Cell::Raw(_) | Cell::Text(_) => of_text(plain(cell).as_ref()),
    }
}

fn of_text(text: &str) -> Option<Type> {
    match text.trim() {
        "" => None,
        "True" | "False" | "true" | "false" => Some(Type::Bool),
        text if !is_number(text) => Some(Type::Text),
        text if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            // Longer ones are identifiers, of which no digit may be lost.
            Some(if text.parse::<i64>().is_ok() { Type::Integer } else { Type::Text })
        }
        _ => Some(Type::Double),
    }
}

/// Whether it is a number as JSON writes them: `007` is none, and stays a text.
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

/// The text of a cell without the quotes of a CSV.
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
        let of =
            |cells: &[&str]| cells.iter().fold(None, |seen: Option<Type>, cell| seen.max_with(of_text(cell)));
        assert_eq!(of(&["1", "", " 2"]), Some(Type::Integer));
        assert_eq!(of(&["1", "2.5"]), Some(Type::Double));
        assert_eq!(of(&["1", "007"]), Some(Type::Text));
        assert_eq!(of(&["True", "false"]), Some(Type::Bool));
        assert_eq!(of(&["True", "1"]), Some(Type::Text));
        assert_eq!(of(&["99999999999999999999"]), Some(Type::Text));
        assert_eq!(of(&["", ""]), None);
    }
}
