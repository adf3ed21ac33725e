//! Blocks of rows, as every reader returns them.

use crate::{Error, RowLocation};

/// Marks a row without a label in [`RowBlock::codes`].
pub(crate) const NO_LABEL: u32 = u32::MAX;

/// The maximum number of locations in a finding or an error.
pub(crate) const N_SHOWN: usize = 5;

/// Consecutive rows of a table, in file order.
#[derive(Debug, Default)]
pub(crate) struct RowBlock {
    /// The features of the good rows, row-major.
    pub(crate) x: Vec<f32>,
    /// For each good row, its line or row number in the file, from 1.
    pub(crate) numbers: Vec<u64>,
    /// The distinct labels, as in the file.
    pub(crate) names: Vec<String>,
    /// For each good row, the index of its label in `names`, or [`NO_LABEL`].
    pub(crate) codes: Vec<u32>,
    /// The rows that could not be read.
    pub(crate) bad: Vec<BadRow>,
    /// Numbers that became zero because they are too small for an `f32`.
    pub(crate) underflows: Tally,
    /// Blank lines between the rows.
    pub(crate) blank_lines: Tally,
    /// The requested cells of columns that are neither features nor labels, by column.
    pub(crate) others: Vec<(usize, Vec<String>)>,
}

impl RowBlock {
    /// The cell of a column that is neither features nor labels.
    pub(crate) fn other(&self, column: usize, row: usize) -> &str {
        self.others.iter().find(|(other, _)| *other == column).map_or("", |(_, texts)| texts[row].as_str())
    }
}

/// A row that could not be read, with the error.
#[derive(Debug, Clone)]
pub(crate) struct BadRow {
    pub(crate) location: RowLocation,
    /// The expected and the found value.
    pub(crate) what: Box<str>,
    /// Advice on fixing it.
    pub(crate) hint: Option<Box<str>>,
}

impl BadRow {
    pub(crate) fn new(location: RowLocation, what: impl Into<String>, hint: Option<&str>) -> BadRow {
        BadRow { location, what: what.into().into(), hint: hint.map(Into::into) }
    }

    pub(crate) fn into_error(self) -> Error {
        let error = Error::row(self.location, self.what);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// A count with its first locations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) count: usize,
    pub(crate) places: Vec<RowLocation>,
}

impl Tally {
    pub(crate) fn add(&mut self, count: usize, location: impl FnOnce() -> RowLocation) {
        if count > 0 && self.places.len() < N_SHOWN {
            self.places.push(location());
        }
        self.count += count;
    }

    pub(crate) fn merge(&mut self, other: Tally) {
        let room = N_SHOWN - self.places.len();
        self.places.extend(other.places.into_iter().take(room));
        self.count += other.count;
    }
}
