//! Places in a table's file: lines of a text, rows of anything else.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::gather::{Numbering, Numbers};

/// A place in a table's file: a line or a row, and in it perhaps a column and an element of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The line of a text, the first being 1 (the header, in a CSV).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The row of a format without lines, the first being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The element of the list, the first being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u64>,
}

impl Place {
    /// A line of a text, the first being 1.
    pub fn line(line: u64) -> Place {
        Place { line: Some(line), row: None, column: None, element: None }
    }

    /// A row of a format without lines, the first being 1.
    pub fn row(row: u64) -> Place {
        Place { line: None, row: Some(row), column: None, element: None }
    }

    /// The same place, in a column.
    pub fn in_column(mut self, column: &str) -> Place {
        self.column = Some(column.to_owned());
        self
    }

    /// The same place, at an element of its list, the first being 1.
    pub fn at_element(mut self, element: u64) -> Place {
        self.element = Some(element);
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.line.map(|line| format!("line {line}")),
            self.row.map(|row| format!("row {row}")),
            self.column.as_ref().map(|column| format!("column \"{column}\"")),
            self.element.map(|element| format!("element {element}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Where the rows of a table stand in its file: a few bytes for all rows that stand one after another.
#[derive(Debug, Clone)]
pub struct Places {
    pub(crate) numbering: Numbering,
    pub(crate) numbers: Numbers,
}

impl Places {
    /// Where row `row` stands, the first being 0; `None` where there is no such row.
    pub fn of(&self, row: usize) -> Option<Place> {
        (row < self.numbers.n_rows()).then(|| self.numbering.place(self.numbers.get(row)))
    }
}
