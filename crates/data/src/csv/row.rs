//! Parses one record into the features and the label of a row.

use super::layout::Layout;
use super::records::{QuoteError, field_end, fields, value};
use crate::columns::{MAX_FEATURES, ONE_LABEL, Role, SEVERAL};
use crate::list::{self, shown};
use crate::rows::BadRow;
use crate::{RowLocation, number};
use std::borrow::Cow;

/// The label of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Label<'a> {
    /// Its text, including white space.
    Text(Cow<'a, [u8]>),
    /// The one-hot class with this index.
    OneHot(u32),
    /// None.
    Missing,
}

/// A row without its features, which are in the caller's slice.
#[derive(Debug, PartialEq)]
pub(crate) struct Row<'a> {
    pub(crate) label: Label<'a>,
    pub(crate) underflows: usize,
}

/// Parses a well-formed record quickly. `None` means only that [`parse_with_care`] must handle the record.
pub(crate) fn parse<'a>(record: &'a [u8], layout: &Layout, x: &mut [f32]) -> Option<Row<'a>> {
    let mut row = Row { label: Label::Missing, underflows: 0 };
    let mut start = 0;
    let mut feature = 0;
    let n_columns = layout.columns.roles.len();
    for (i, role) in layout.columns.roles.iter().enumerate() {
        let end = match role {
            Role::Embeddings if record.get(start) == Some(&b'"') => {
                let (len, underflows) = list::parse(&record[start + 1..], x)?;
                row.underflows += underflows;
                (record.get(start + 1 + len) == Some(&b'"')).then_some(start + len + 2)?
            }
            Role::Feature => {
                let number = number::parse(&record[start..]).or_else(|| flag(&record[start..]))?;
                row.underflows += usize::from(number.underflow);
                x[feature] = number.value.is_finite().then_some(number.value)?;
                feature += 1;
                start + number.len
            }
            Role::Label => {
                let end = field_end(record, start);
                row.label = label(&record[start..end])?;
                end
            }
            Role::Embeddings | Role::OneHot(_) => return None,
            Role::Index | Role::Other => {
                let end = field_end(record, start);
                is_text(&record[start..end]).then_some(end)?
            }
        };
        if i + 1 == n_columns {
            return (end == record.len()).then_some(row);
        }
        (record.get(end) == Some(&b',')).then_some(())?;
        start = end + 1;
    }
    None
}

/// Whether a field is text. A carriage return without quotes around it is the end of a line of another system.
fn is_text(field: &[u8]) -> bool {
    let is_quoted = || field.trim_ascii_start().first() == Some(&b'"');
    std::str::from_utf8(field).is_ok()
        && match memchr::memchr2(0, b'\r', field) {
            None => true,
            Some(_) => memchr::memchr(0, field).is_none() && is_quoted(),
        }
}

fn label(field: &[u8]) -> Option<Label<'_>> {
    if !is_text(field) {
        return None;
    }
    let text = value(field);
    Some(if text.trim_ascii().is_empty() { Label::Missing } else { Label::Text(text) })
}

/// Parses any valid record, and explains the error of any other.
pub(crate) fn parse_with_care<'a>(
    record: &'a [u8],
    line: u64,
    layout: &Layout,
    x: &mut [f32],
) -> Result<Row<'a>, Box<BadRow>> {
    let names = &layout.columns.names;
    let cells: Vec<&[u8]> = fields(record).take(MAX_FEATURES + names.len()).collect();
    if cells.len() != names.len() {
        return Err(Box::new(wrong_count(&cells, line, layout)));
    }
    let mut row = Row { label: Label::Missing, underflows: 0 };
    let mut feature = 0;
    for ((cell, role), name) in cells.iter().zip(&layout.columns.roles).zip(names) {
        let bad = |flaw: list::ListError| {
            let location = RowLocation { element: flaw.element, ..RowLocation::line(line).in_column(name) };
            Box::new(BadRow::new(location, flaw.what, flaw.hint))
        };
        match role {
            Role::Embeddings => row.underflows += embeddings(cell, x).map_err(bad)?,
            Role::Feature => {
                let number = single(cell).map_err(bad)?;
                row.underflows += usize::from(number.underflow);
                x[feature] = number.value;
                feature += 1;
            }
            Role::OneHot(class) => match one_hot(cell, *class, &mut row.label) {
                Err(_) if layout.columns.placeholders => {
                    is_text(cell).then_some(()).ok_or_else(|| bad(no_text(cell)))?
                }
                result => result.map_err(bad)?,
            },
            Role::Label => row.label = label(cell).ok_or_else(|| bad(no_text(cell)))?,
            Role::Index | Role::Other => is_text(cell).then_some(()).ok_or_else(|| bad(no_text(cell)))?,
        }
    }
    Ok(row)
}

fn embeddings(cell: &[u8], x: &mut [f32]) -> Result<usize, list::ListError> {
    list::read(&value(cell), x)
}

fn single(cell: &[u8]) -> Result<number::Number, list::ListError> {
    let text = value(cell);
    let text = text.trim_ascii();
    if let Some(number) = flag(text).filter(|number| number.len == text.len()) {
        return Ok(number);
    }
    if let Some((what, hint)) = list::explain_single(text) {
        return Err(list::ListError::whole(what, hint));
    }
    number::parse(text).ok_or_else(|| list::ListError::whole("expected a number", None))
}

/// A boolean at the start of `text`, as 0 or 1: other formats have columns of them, which are features as well.
fn flag(text: &[u8]) -> Option<number::Number> {
    let word = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let value = match &text[..word] {
        b"True" | b"true" | b"TRUE" => 1.0,
        b"False" | b"false" | b"FALSE" => 0.0,
        _ => return None,
    };
    Some(number::Number { value, len: word, underflow: false })
}

fn one_hot(cell: &[u8], class: u32, label: &mut Label<'_>) -> Result<(), list::ListError> {
    let text = value(cell);
    let hint = Some("exactly one of the one-hot columns is 1 in every row");
    match text.trim_ascii() {
        b"1" | b"1.0" | b"True" | b"true" if *label == Label::Missing => *label = Label::OneHot(class),
        b"1" | b"1.0" | b"True" | b"true" => {
            let what = format!("{SEVERAL}: a second 1 in the one-hot columns");
            return Err(list::ListError::whole(what, Some(ONE_LABEL)));
        }
        b"0" | b"0.0" | b"False" | b"false" => {}
        other => {
            return Err(list::ListError::whole(format!("expected 0 or 1, found {}", shown(other)), hint));
        }
    }
    Ok(())
}

fn no_text(cell: &[u8]) -> list::ListError {
    let (what, hint) = if memchr::memchr(0, cell).is_some() {
        ("a NUL byte", "the file is damaged: write it again")
    } else if memchr::memchr(b'\r', cell).is_some() {
        (
            "a carriage return within the row",
            "end lines in a line feed, with or without a carriage return before it",
        )
    } else {
        ("bytes that are not UTF-8", "save the table as UTF-8")
    };
    list::ListError::whole(format!("expected text, found {what} in {}", shown(cell)), Some(hint))
}

/// The error of a row with more or fewer fields than the header.
fn wrong_count(cells: &[&[u8]], line: u64, layout: &Layout) -> BadRow {
    let names = &layout.columns.names;
    let unquoted = cells.iter().position(|cell| cell.trim_ascii().starts_with(b"["));
    if let (Some(at), true) = (unquoted, cells.len() > names.len()) {
        let location = RowLocation::line(line).in_column(&names[at.min(names.len() - 1)]);
        let what = format!(
            "the list is not in quotes, so that its commas separate columns: expected {}, found {}",
            n_fields(names.len()),
            n_fields(cells.len())
        );
        return BadRow::new(location, what, Some("put the list in double quotes"));
    }
    let what = format!("expected {}, found {}", n_fields(names.len()), n_fields(cells.len()));
    if cells.len() < names.len() {
        let location = RowLocation::line(line).in_column(&names[cells.len()]);
        return BadRow::new(
            location,
            format!("the row is too short: {what}"),
            Some("write the row again, or leave it out"),
        );
    }
    let extra = shown(cells[names.len()]);
    let what = format!("the row is too long: {what}, the first too many being {extra}");
    let hint = "put fields that hold commas in double quotes";
    BadRow::new(RowLocation::line(line), what, Some(hint))
}

fn n_fields(n: usize) -> String {
    if n == 1 { "1 field".to_owned() } else { format!("{n} fields") }
}

/// The error of a row with wrong quotes.
pub(crate) fn wrong_quotes(record: &[u8], flaw: QuoteError, line: u64, layout: &Layout) -> BadRow {
    let at = match flaw {
        QuoteError::Inside { at } | QuoteError::TextAfter { at } | QuoteError::Unclosed { at } => at,
        QuoteError::NoObject => {
            let what = format!("expected a JSON object, found {}", shown(&value(record)));
            let hint = "every line holds one object, {\"embedding\": [0.5, 1.25], \"label\": \"a\"}: write the row again, or \
                        leave it out";
            return BadRow::new(RowLocation::line(line), what, Some(hint));
        }
    };
    // The commas of a list without quotes do not separate columns.
    let before: Vec<&[u8]> = fields(&record[..at.min(record.len())]).collect();
    let list = before.iter().position(|cell| cell.trim_ascii().starts_with(b"["));
    let names = &layout.columns.names;
    let column = list.unwrap_or(before.len().saturating_sub(1)).min(names.len() - 1);
    let location = RowLocation::line(line).in_column(&names[column]);
    let found = shown(record.get(at..).unwrap_or_default());
    match flaw {
        QuoteError::Inside { .. } => BadRow::new(
            location,
            format!("a quote within a field that did not begin with one, at {found}"),
            Some("put the whole field in double quotes and double the quotes within it"),
        ),
        QuoteError::TextAfter { .. } => BadRow::new(
            location,
            format!("text after the closing quote: expected a comma or the end of the line, found {found}"),
            Some("put the whole field in double quotes and double the quotes within it"),
        ),
        QuoteError::Unclosed { .. } | QuoteError::NoObject => BadRow::new(
            location,
            format!("the quote is never closed: {found}"),
            Some("the field was cut off; write the row again, or leave it out"),
        ),
    }
}
