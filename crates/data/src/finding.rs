//! What a check or a reader has to say about a table.

use crate::Place;
use serde::Serialize;
use std::fmt;

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is wrong: shapes, classes, balance.
    Note,
    /// The table can be used, but its owner should know.
    Warning,
    /// The table cannot be used as it stands.
    Error,
}

/// One thing found in a table, counted, with its first places.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What kind of finding it is, a word that does not change: `duplicate-rows`, `leakage`, ...
    pub code: &'static str,
    /// The table: its file from a reader, its role (`train`, `val`, ...) from a check.
    pub table: String,
    /// All of it in words, with counts and first places.
    pub message: String,
    /// How often it occurs.
    pub count: usize,
    /// The first places, at most five.
    pub places: Vec<Place>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.message)
    }
}
