//! Places in a table's file: lines of a text, rows of anything else.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::gather::{Numbering, Numbers};

/// A place in a table's file: a line or a row, and in it perhaps a column and an element of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file, where the table stands in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<str>>,
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
    /// The table as a whole.
    pub fn whole() -> Place {
        Place { file: None, line: None, row: None, column: None, element: None }
    }

    /// A line of a text, the first being 1.
    pub fn line(line: u64) -> Place {
        Place { line: Some(line), ..Place::whole() }
    }

    /// A row of a format without lines, the first being 1.
    pub fn row(row: u64) -> Place {
        Place { row: Some(row), ..Place::whole() }
    }

    /// The same place, in a file of several.
    pub(crate) fn in_file(mut self, file: &Path) -> Place {
        self.file.get_or_insert_with(|| file.display().to_string().into());
        self
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
            self.file.as_deref().map(str::to_owned),
            self.line.map(|line| format!("line {line}")),
            self.row.map(|row| format!("row {row}")),
            self.column.as_ref().map(|column| format!("column \"{column}\"")),
            self.element.map(|element| format!("element {element}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Where the rows of a table stand in its files: a few bytes for all rows that stand one after another.
#[derive(Debug, Clone)]
pub struct Places {
    pub(crate) files: Vec<FilePlaces>,
}

/// Where the rows of one file stand.
#[derive(Debug, Clone)]
pub(crate) struct FilePlaces {
    /// The file, where there are several.
    pub(crate) file: Option<PathBuf>,
    pub(crate) numbering: Numbering,
    pub(crate) numbers: Numbers,
}

impl Places {
    /// The rows of an array, which are numbered from 1.
    pub fn of_rows(n_rows: usize) -> Places {
        let mut numbers = Numbers::default();
        (1..=n_rows as u64).for_each(|number| numbers.push(number));
        Places { files: vec![FilePlaces { file: None, numbering: Numbering::Rows, numbers }] }
    }

    /// Where row `row` stands, the first being 0; `None` where there is no such row.
    pub fn of(&self, row: usize) -> Option<Place> {
        let mut before = 0;
        for FilePlaces { file, numbering, numbers } in &self.files {
            if row - before < numbers.n_rows() {
                let place = numbering.place(numbers.get(row - before));
                return Some(file.as_ref().map_or(place.clone(), |file| place.in_file(file)));
            }
            before += numbers.n_rows();
        }
        None
    }
}
