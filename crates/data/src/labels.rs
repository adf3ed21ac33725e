//! The labels of a table as they stand in its file.

/// The labels of a table: distinct names, and for each row which it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    pub(crate) column: String,
    pub(crate) names: Vec<String>,
    pub(crate) codes: Vec<u32>,
}

impl Labels {
    /// The name of the column they stand in (the common prefix, for one-hot columns).
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The distinct names without surrounding white space, in order of first occurrence.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// For each row, the index of its name in [`Labels::names`].
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The name of row `row`.
    ///
    /// # Panics
    /// When the table has no such row.
    pub fn name(&self, row: usize) -> &str {
        &self.names[self.codes[row] as usize]
    }

    /// How many rows have each of [`Labels::names`].
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.names.len()];
        self.codes.iter().for_each(|&code| counts[code as usize] += 1);
        counts
    }
}
