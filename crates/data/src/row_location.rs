//! Locations of rows in a table's files: lines of a text, rows of other formats.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::gather::{Numbering, RowNumbers};

/// A location in a table's file: a line or a row, and perhaps a column and an element of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowLocation {
    /// The file, if the table has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Box<str>>,
    /// The line of a text, from 1 (the header, in a CSV).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The row of a format without lines, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The element of the list, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u64>,
}

impl RowLocation {
    /// The table as a whole.
    pub fn whole() -> RowLocation {
        RowLocation { file: None, line: None, row: None, column: None, element: None }
    }

    /// A line of a text, from 1.
    pub fn line(line: u64) -> RowLocation {
        RowLocation { line: Some(line), ..RowLocation::whole() }
    }

    /// A row of a format without lines, from 1.
    pub fn row(row: u64) -> RowLocation {
        RowLocation { row: Some(row), ..RowLocation::whole() }
    }

    /// The same location in one of several files.
    pub(crate) fn in_file(mut self, file: &Path) -> RowLocation {
        self.file.get_or_insert_with(|| file.display().to_string().into());
        self
    }

    /// The same location, in a column.
    pub fn in_column(mut self, column: &str) -> RowLocation {
        self.column = Some(column.to_owned());
        self
    }

    /// The same location, at an element of its list, from 1.
    pub fn at_element(mut self, element: u64) -> RowLocation {
        self.element = Some(element);
        self
    }
}

impl fmt::Display for RowLocation {
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

/// The locations of a table's rows in its files; consecutive rows take only a few bytes together.
#[derive(Debug, Clone)]
pub struct RowLocations {
    pub(crate) files: Vec<FileRowLocations>,
}

/// The locations of the rows of one file.
#[derive(Debug, Clone)]
pub(crate) struct FileRowLocations {
    /// The file, if there are several.
    pub(crate) file: Option<PathBuf>,
    pub(crate) numbering: Numbering,
    pub(crate) numbers: RowNumbers,
}

impl RowLocations {
    /// The rows of an array, numbered from 1.
    pub fn of_array(n_rows: usize) -> RowLocations {
        let mut numbers = RowNumbers::default();
        (1..=n_rows as u64).for_each(|number| numbers.push(number));
        RowLocations { files: vec![FileRowLocations { file: None, numbering: Numbering::Rows, numbers }] }
    }

    /// The location of row `row` (from 0); `None` if there is no such row.
    pub fn of(&self, row: usize) -> Option<RowLocation> {
        let mut before = 0;
        for FileRowLocations { file, numbering, numbers } in &self.files {
            if row - before < numbers.n_rows() {
                let location = numbering.location(numbers.get(row - before));
                return Some(file.as_ref().map_or(location.clone(), |file| location.in_file(file)));
            }
            before += numbers.n_rows();
        }
        None
    }
}
