//! Findings: the results of checks and readers about a table.

use crate::RowLocation;
use serde::Serialize;
use std::fmt;

/// The severity of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Information: shapes, classes, balance.
    Note,
    /// The table can be used, but the user should know about a problem.
    Warning,
    /// The table cannot be used as it is.
    Error,
}

/// A finding about a table, with its count and first locations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Its severity.
    pub severity: Severity,
    /// The kind of finding, a code that never changes: `duplicate-rows`, `leakage`, ...
    pub code: &'static str,
    /// The table: its file from a reader, its role (`train`, `val`, ...) from a check.
    pub table: String,
    /// The whole message, with counts and first locations.
    pub message: String,
    /// The number of occurrences.
    pub count: usize,
    /// The first locations, at most five.
    pub places: Vec<RowLocation>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.message)
    }
}
