//! One record to the features and the label of one row.

use super::layout::Layout;
use super::records::{QuoteFlaw, field_end, fields, value};
use crate::columns::{MAX_FEATURES, ONE_LABEL, Role, SEVERAL};
use crate::list::{self, shown};
use crate::rows::BadRow;
use crate::{Place, number};
use std::borrow::Cow;

/// The label of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Label<'a> {
    /// Its text, white space and all.
    Text(Cow<'a, [u8]>),
    /// The one-hot class with this index.
    OneHot(u32),
    /// There is none.
    Missing,
}

/// A row without its features, which stand in the caller's slice.
#[derive(Debug, PartialEq)]
pub(crate) struct Row<'a> {
    pub(crate) label: Label<'a>,
    pub(crate) underflows: usize,
}

/// Reads a row as most rows are: every field as expected. `None` says nothing about the record but that it has to be
/// looked at with [`parse_with_care`].
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
                let number = number::parse(&record[start..])?;
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

fn is_text(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok() && memchr::memchr2(0, b'\r', field).is_none()
}

fn label(field: &[u8]) -> Option<Label<'_>> {
    if !is_text(field) {
        return None;
    }
    let text = value(field);
    Some(if text.trim_ascii().is_empty() { Label::Missing } else { Label::Text(text) })
}

/// Reads any row that can be read, and says of every other what is wrong with it.
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
        let bad = |flaw: list::Flaw| {
            let place = Place { element: flaw.element, ..Place::line(line).in_column(name) };
            Box::new(BadRow::new(place, flaw.what, flaw.hint))
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

fn embeddings(cell: &[u8], x: &mut [f32]) -> Result<usize, list::Flaw> {
    list::read(&value(cell), x)
}

fn single(cell: &[u8]) -> Result<number::Number, list::Flaw> {
    let text = value(cell);
    if let Some((what, hint)) = list::explain_single(&text) {
        return Err(list::Flaw::whole(what, hint));
    }
    number::parse(text.trim_ascii()).ok_or_else(|| list::Flaw::whole("expected a number", None))
}

fn one_hot(cell: &[u8], class: u32, label: &mut Label<'_>) -> Result<(), list::Flaw> {
    let text = value(cell);
    let hint = Some("exactly one of the one-hot columns is 1 in every row");
    match text.trim_ascii() {
        b"1" | b"1.0" | b"True" | b"true" if *label == Label::Missing => *label = Label::OneHot(class),
        b"1" | b"1.0" | b"True" | b"true" => {
            let what = format!("{SEVERAL}: a second 1 in the one-hot columns");
            return Err(list::Flaw::whole(what, Some(ONE_LABEL)));
        }
        b"0" | b"0.0" | b"False" | b"false" => {}
        other => return Err(list::Flaw::whole(format!("expected 0 or 1, found {}", shown(other)), hint)),
    }
    Ok(())
}

fn no_text(cell: &[u8]) -> list::Flaw {
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
    list::Flaw::whole(format!("expected text, found {what} in {}", shown(cell)), Some(hint))
}

/// What is wrong with a row that has more or fewer fields than the header.
fn wrong_count(cells: &[&[u8]], line: u64, layout: &Layout) -> BadRow {
    let names = &layout.columns.names;
    let unquoted = cells.iter().position(|cell| cell.trim_ascii().starts_with(b"["));
    if let (Some(at), true) = (unquoted, cells.len() > names.len()) {
        let place = Place::line(line).in_column(&names[at.min(names.len() - 1)]);
        let what = format!(
            "the list is not in quotes, so that its commas separate columns: expected {}, found {}",
            n_fields(names.len()),
            n_fields(cells.len())
        );
        return BadRow::new(place, what, Some("put the list in double quotes"));
    }
    let what = format!("expected {}, found {}", n_fields(names.len()), n_fields(cells.len()));
    if cells.len() < names.len() {
        let place = Place::line(line).in_column(&names[cells.len()]);
        return BadRow::new(
            place,
            format!("the row is too short: {what}"),
            Some("write the row again, or leave it out"),
        );
    }
    let extra = shown(cells[names.len()]);
    let what = format!("the row is too long: {what}, the first too many being {extra}");
    let hint = "put fields that hold commas in double quotes";
    BadRow::new(Place::line(line), what, Some(hint))
}

fn n_fields(n: usize) -> String {
    if n == 1 { "1 field".to_owned() } else { format!("{n} fields") }
}

/// What is wrong with a row whose quotes do not match.
pub(crate) fn wrong_quotes(record: &[u8], flaw: QuoteFlaw, line: u64, layout: &Layout) -> BadRow {
    let at = match flaw {
        QuoteFlaw::Inside { at } | QuoteFlaw::TextAfter { at } | QuoteFlaw::Unclosed { at } => at,
        QuoteFlaw::NoObject => {
            let what = format!("expected a JSON object, found {}", shown(&value(record)));
            let hint = "every line holds one object, {\"embedding\": [0.5, 1.25], \"label\": \"a\"}: write the row again, or \
                        leave it out";
            return BadRow::new(Place::line(line), what, Some(hint));
        }
    };
    // The commas of a list without quotes are no columns.
    let before: Vec<&[u8]> = fields(&record[..at.min(record.len())]).collect();
    let list = before.iter().position(|cell| cell.trim_ascii().starts_with(b"["));
    let names = &layout.columns.names;
    let column = list.unwrap_or(before.len().saturating_sub(1)).min(names.len() - 1);
    let place = Place::line(line).in_column(&names[column]);
    let found = shown(record.get(at..).unwrap_or_default());
    match flaw {
        QuoteFlaw::Inside { .. } => BadRow::new(
            place,
            format!("a quote within a field that did not begin with one, at {found}"),
            Some("put the whole field in double quotes and double the quotes within it"),
        ),
        QuoteFlaw::TextAfter { .. } => BadRow::new(
            place,
            format!("text after the closing quote: expected a comma or the end of the line, found {found}"),
            Some("put the whole field in double quotes and double the quotes within it"),
        ),
        QuoteFlaw::Unclosed { .. } | QuoteFlaw::NoObject => BadRow::new(
            place,
            format!("the quote is never closed: {found}"),
            Some("the field was cut off; write the row again, or leave it out"),
        ),
    }
}
