//! Destinations of a table's features while they are read: memory, or a file.

use crate::Result;
use headsmith_kernels::Matrix;

/// A destination for the rows of a table, which arrive block by block.
pub(crate) trait Features {
    /// The expected number of values; it need not be right.
    fn expect(&mut self, n_values: usize);

    /// Appends the next rows.
    ///
    /// # Errors
    /// If they cannot be written.
    fn append(&mut self, rows: &[f32]) -> Result<()>;

    /// Drops the rows that are not marked in `keep`, of `n_features` values each.
    ///
    /// # Errors
    /// If they cannot be moved.
    fn retain(&mut self, keep: &[bool], n_features: usize) -> Result<()>;
}

/// Features in memory.
#[derive(Debug, Default)]
pub(crate) struct InMemory(Vec<f32>);

/// The maximum number of values that are reserved in advance.
const MAX_RESERVED: usize = 1 << 24;

impl InMemory {
    /// All rows.
    pub(crate) fn into_matrix(mut self, n_rows: usize, n_features: usize) -> Matrix {
        self.0.shrink_to_fit();
        Matrix::new(self.0, n_rows, n_features)
    }
}

impl Features for InMemory {
    fn expect(&mut self, n_values: usize) {
        self.0.reserve_exact(n_values.min(MAX_RESERVED));
    }

    fn append(&mut self, rows: &[f32]) -> Result<()> {
        self.0.extend_from_slice(rows);
        Ok(())
    }

    fn retain(&mut self, keep: &[bool], n_features: usize) -> Result<()> {
        let mut kept = 0;
        for (row, _) in keep.iter().enumerate().filter(|(_, keep)| **keep) {
            self.0.copy_within(row * n_features..(row + 1) * n_features, kept * n_features);
            kept += 1;
        }
        self.0.truncate(kept * n_features);
        Ok(())
    }
}

/// The features of a further file, after the first `n_before` rows.
pub(crate) struct AppendedFeatures<'a> {
    pub(crate) features: &'a mut dyn Features,
    pub(crate) n_before: usize,
}

impl Features for AppendedFeatures<'_> {
    fn expect(&mut self, n_values: usize) {
        self.features.expect(n_values);
    }

    fn append(&mut self, rows: &[f32]) -> Result<()> {
        self.features.append(rows)
    }

    fn retain(&mut self, keep: &[bool], n_features: usize) -> Result<()> {
        let mut all = vec![true; self.n_before];
        all.extend_from_slice(keep);
        self.features.retain(&all, n_features)
    }
}
