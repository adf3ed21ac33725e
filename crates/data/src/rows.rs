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
    /// The requested cells of the good rows, by column: of a columnar file those of columns that are neither features nor
    /// labels, of a text the raw fields of any column.
    pub(crate) others: Vec<(usize, Texts)>,
}

impl RowBlock {
    /// The cell of a column of a columnar file that is neither features nor labels.
    pub(crate) fn other(&self, column: usize, row: usize) -> &str {
        let texts = self.others.iter().find(|(other, _)| *other == column);
        texts.map_or("", |(_, texts)| std::str::from_utf8(texts.get(row)).unwrap_or_default())
    }

    /// Drops the requested cells of bad rows.
    pub(crate) fn retain_others(&mut self, keep: &[bool]) {
        self.others.iter_mut().for_each(|(_, texts)| *texts = texts.retained(keep));
    }
}

/// Cells of one column, their bytes one after another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// The cell of row `row`; empty if there is none.
    pub(crate) fn get(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or(0));
        self.ends.get(row).map_or(&[], |&end| &self.bytes[start..end])
    }

    pub(crate) fn append(&mut self, other: &Texts) {
        let n_before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| n_before + end));
    }

    /// The cells of the rows to keep.
    fn retained(&self, keep: &[bool]) -> Texts {
        let mut kept = Texts::default();
        keep.iter().enumerate().filter(|(_, keep)| **keep).for_each(|(row, _)| kept.push(self.get(row)));
        kept
    }
}

/// The rows of a file that are to be read, and their cells.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Features and labels, and the cells of these other columns.
    With(&'a [usize]),
    /// Only the cells of these columns: the features are zeros, and there are no labels.
    Alone(&'a [usize]),
}

/// The rows of a file to read, by their positions among all rows of the file, from 0: those that cannot be read count too.
pub(crate) type RowRange = std::ops::Range<u64>;

/// All rows of a file.
pub(crate) const ALL_ROWS: RowRange = 0..u64::MAX;

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
