//! Which rows of a table's files were read.

use crate::gather::RowNumbers;
use crate::rows::{BadRow, NO_LABEL};

/// The position of each row that was read among all rows of its files, from 0. Rows that could not be read or were
/// left out count as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowPositions {
    places: RowNumbers,
    /// The number of rows of each file, in order.
    n_rows: Vec<usize>,
}

impl RowPositions {
    /// The rows of one file, none so far.
    pub(crate) fn of_file() -> RowPositions {
        RowPositions { places: RowNumbers::default(), n_rows: vec![0] }
    }

    /// Adds the next rows of the last file: the numbers of those that were read, and the bad ones.
    pub(crate) fn add(&mut self, numbers: &[u64], bad: &[BadRow]) {
        let Some(n_rows) = self.n_rows.last_mut() else { return };
        let mut bad =
            bad.iter().map(|bad| bad.location.line.or(bad.location.row).unwrap_or_default()).peekable();
        for number in numbers {
            while bad.next_if(|other| other < number).is_some() {
                *n_rows += 1;
            }
            self.places.push(*n_rows as u64);
            *n_rows += 1;
        }
        *n_rows += bad.count();
    }

    /// Adds the rows of further files.
    pub(crate) fn append(&mut self, other: &RowPositions) {
        let n_before = self.n_rows() as u64;
        (0..other.places.n_rows()).for_each(|row| self.places.push(n_before + other.places.get(row)));
        self.n_rows.extend(&other.n_rows);
    }

    /// The number of all rows, including those that were not read.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows.iter().sum()
    }

    /// The number of rows of file `file`.
    pub(crate) fn n_rows_of(&self, file: usize) -> Option<usize> {
        self.n_rows.get(file).copied()
    }

    /// Drops rows that were read.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        self.places = self.places.retained(keep);
    }

    /// For each row, the code of the row at the same position in `others`; `NO_LABEL` if that was not read.
    pub(crate) fn matched(&self, others: &RowPositions, codes: &[u32]) -> Vec<u32> {
        let mut next = 0;
        let code = |row: usize| {
            let location = self.places.get(row);
            while next < codes.len() && others.places.get(next) < location {
                next += 1;
            }
            let is_it = next < codes.len() && others.places.get(next) == location;
            if is_it { codes[next] } else { NO_LABEL }
        };
        (0..self.places.n_rows()).map(code).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RowLocation;

    fn bad(line: u64) -> BadRow {
        BadRow::new(RowLocation::line(line), "bad", None)
    }

    #[test]
    fn rows_are_matched_by_position_even_if_some_are_missing() {
        let mut features = RowPositions::of_file();
        // Lines 2 to 9, of which 3, 8 and 9 are bad.
        features.add(&[2, 4, 5], &[bad(3)]);
        features.add(&[6, 7], &[bad(8), bad(9)]);
        let mut labels = RowPositions::of_file();
        // Eight rows, of which the first and the fourth are bad.
        labels.add(&[2, 3, 5, 6, 7, 8], &[bad(1), bad(4)]);
        assert_eq!((features.n_rows(), labels.n_rows()), (8, 8));
        assert_eq!(features.matched(&labels, &[1, 2, 4, 5, 6, 7]), [NO_LABEL, 2, NO_LABEL, 4, 5]);
        let mut both = features.clone();
        both.append(&labels);
        assert_eq!((both.n_rows(), both.n_rows_of(1)), (16, Some(8)));
        let codes: Vec<u32> = (0..11).collect();
        assert_eq!(both.matched(&both.clone(), &codes), codes);
        both.retain(&[false; 11]);
        assert!(both.matched(&features, &[0; 5]).is_empty());
    }
}
