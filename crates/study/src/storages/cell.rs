//! A database value, independent of the database.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{json, time};
use crate::error::{Error, Kind, Result};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// SQL's NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// A float.
    Real(f64),
    /// Text, or the name of an enum's value.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
    /// A time, UTC.
    Time(Timestamp),
}

impl Cell<'static> {
    fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "nothing",
            Cell::Int(_) => "a whole number",
            Cell::Real(_) => "a float",
            Cell::Text(_) => "text",
            Cell::Blob(_) => "bytes",
            Cell::Time(_) => "a time",
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Cell::Text(Cow::Owned(text))
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Cell::Int(number)
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(time: Timestamp) -> Self {
        Cell::Time(time)
    }
}

/// The values of one row, in the order of the statement's columns.
pub(super) struct Row<'r>(pub(super) &'r [Cell<'static>]);

impl Row<'_> {
    pub(super) fn int(&self, column: usize) -> Result<i64> {
        match self.cell(column) {
            Cell::Int(number) => Ok(*number),
            other => Err(unexpected(column, "a whole number", other)),
        }
    }

    pub(super) fn text(&self, column: usize) -> Result<&str> {
        match self.cell(column) {
            Cell::Text(text) => Ok(text),
            other => Err(unexpected(column, "text", other)),
        }
    }

    pub(super) fn real(&self, column: usize) -> Result<Option<f64>> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Real(number) => Ok(Some(*number)),
            Cell::Int(number) => Ok(Some(*number as f64)),
            other => Err(unexpected(column, "a float", other)),
        }
    }

    pub(super) fn blob(&self, column: usize) -> Result<&[u8]> {
        match self.cell(column) {
            Cell::Blob(bytes) => Ok(bytes),
            other => Err(unexpected(column, "bytes", other)),
        }
    }

    pub(super) fn time(&self, column: usize) -> Result<Option<Timestamp>> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Time(time) => Ok(Some(*time)),
            Cell::Text(text) => time::parse(text).map(Some),
            other => Err(unexpected(column, "a time", other)),
        }
    }

    /// An attribute as Python wrote it; unreadable text becomes a string.
    pub(super) fn json(&self, column: usize) -> serde_json::Value {
        match self.cell(column) {
            Cell::Text(text) => json::parse(text),
            _ => serde_json::Value::Null,
        }
    }

    fn cell(&self, column: usize) -> &Cell<'static> {
        self.0.get(column).unwrap_or(&Cell::Null)
    }
}

fn unexpected(column: usize, expected: &str, found: &Cell<'static>) -> Error {
    let message = format!(
        "the study database is damaged, or its schema is not Optuna's: column {} of a row should hold {expected}, found {}",
        column + 1,
        found.kind()
    );
    Error::new(Kind::Storage, message)
}
