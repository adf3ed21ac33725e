//! Prediction sets, and their text in formats without lists.

/// The separator of classes in a text: the one of pandas' `Series.str.get_dummies`.
const SEPARATOR: char = '|';
/// The character before a separator, or itself, that is part of a class's name.
const ESCAPE: char = '\\';

/// The classes of each row's prediction set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredictionSets {
    classes: Vec<u32>,
    /// The end of each row's classes among all.
    ends: Vec<usize>,
}

impl PredictionSets {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.ends.len()
    }

    /// The classes of the set of row `row`, which may be none.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.classes[start..self.ends[row]]
    }
}

/// One set a row.
impl<S: IntoIterator<Item = u32>> FromIterator<S> for PredictionSets {
    fn from_iter<I: IntoIterator<Item = S>>(rows: I) -> PredictionSets {
        let mut sets = PredictionSets::default();
        for row in rows {
            sets.classes.extend(row);
            sets.ends.push(sets.classes.len());
        }
        sets
    }
}

/// The set as a text: the names joined by `|`; a `|` or a backslash in a name has a backslash before it. Empty without classes.
pub(super) fn joined(names: &[String], members: &[u32]) -> String {
    let mut text = String::new();
    for (i, &member) in members.iter().enumerate() {
        if i > 0 {
            text.push(SEPARATOR);
        }
        for c in names[member as usize].chars() {
            if c == SEPARATOR || c == ESCAPE {
                text.push(ESCAPE);
            }
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_their_classes() {
        let sets: PredictionSets = [vec![0, 2], vec![], vec![1]].into_iter().collect();
        assert_eq!(
            (sets.n_rows(), sets.row(0), sets.row(1), sets.row(2)),
            (3, &[0, 2][..], &[][..], &[1][..])
        );
        assert_eq!(PredictionSets::default().n_rows(), 0);
    }

    #[test]
    fn names_with_a_separator_can_be_told_apart() {
        let names = ["a", "b|c", "d\\"].map(str::to_owned);
        assert_eq!(joined(&names, &[0, 1]), "a|b\\|c");
        assert_eq!(joined(&names, &[2, 0]), "d\\\\|a");
        assert_eq!(joined(&names, &[]), "");
    }
}
