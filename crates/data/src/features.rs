//! Destinations of a table's features while they are read: memory, a file, or a prediction.

use crate::Result;
use crate::join::FileShape;
use crate::rows::{RowBlock, Wanted};
use headsmith_kernels::Matrix;

/// A destination for the rows of a table, which arrive block by block.
pub(crate) trait Features {
    /// The rows of a further file follow. Returns what is wanted of them beside features and labels.
    ///
    /// # Errors
    /// If the file lacks a column that is wanted, or has one that must not be there.
    fn begin(&mut self, _file: &FileColumns<'_>) -> Result<OtherCells> {
        Ok(OtherCells::default())
    }

    /// The expected number of values; it need not be right.
    fn expect(&mut self, n_values: usize);

    /// Takes the next rows.
    ///
    /// # Errors
    /// If they cannot be written.
    fn append(&mut self, rows: &mut RowBlock) -> Result<()>;

    /// Drops the rows that are not marked in `keep`, of `n_features` values each.
    ///
    /// # Errors
    /// If they cannot be moved.
    fn retain(&mut self, keep: &[bool], n_features: usize) -> Result<()>;

    /// Whether the labels are needed. If not, they are neither kept nor checked.
    fn needs_labels(&self) -> bool {
        true
    }
}

/// The columns of a file whose rows follow.
pub(crate) struct FileColumns<'a> {
    pub(crate) shape: FileShape<'a>,
    /// Whether the cells of a column can be written as text.
    pub(crate) can_be_written: &'a dyn Fn(usize) -> bool,
}

/// The cells beside features and labels that are wanted of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct OtherCells {
    /// The columns.
    pub(crate) columns: Vec<usize>,
    /// Whether features and labels are not wanted.
    pub(crate) alone: bool,
}

impl OtherCells {
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        if self.alone { Wanted::Alone(&self.columns) } else { Wanted::With(&self.columns) }
    }
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

    fn append(&mut self, rows: &mut RowBlock) -> Result<()> {
        self.0.extend_from_slice(&rows.x);
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
    fn begin(&mut self, file: &FileColumns<'_>) -> Result<OtherCells> {
        self.features.begin(file)
    }

    fn expect(&mut self, n_values: usize) {
        self.features.expect(n_values);
    }

    fn append(&mut self, rows: &mut RowBlock) -> Result<()> {
        self.features.append(rows)
    }

    fn retain(&mut self, keep: &[bool], n_features: usize) -> Result<()> {
        let mut all = vec![true; self.n_before];
        all.extend_from_slice(keep);
        self.features.retain(&all, n_features)
    }

    fn needs_labels(&self) -> bool {
        self.features.needs_labels()
    }
}
