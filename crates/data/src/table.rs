//! A table of embeddings and labels, as it stands in its file.

use crate::{Finding, Labels, Place};
use headsmith_kernels::{MatRef, Matrix};
use std::path::{Path, PathBuf};

/// A table of embeddings, perhaps with labels, as [`read`](crate::read) it from a file.
#[derive(Debug)]
pub struct Table {
    pub(crate) path: PathBuf,
    pub(crate) format: String,
    pub(crate) x: Matrix,
    pub(crate) labels: Option<Labels>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
}

impl Table {
    /// The file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's format in words for a person: `CSV (a list in column "embeddings"), gzip`.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.x.n_rows()
    }

    /// The number of features of each row.
    pub fn n_features(&self) -> usize {
        self.x.n_cols()
    }

    /// The features, `n_rows x n_features`, all finite.
    pub fn x(&self) -> MatRef<'_> {
        self.x.view()
    }

    /// The labels, when the table has any.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// Where row `row` (from 0) stands in the file.
    pub fn place(&self, row: usize) -> Place {
        Place::row(row as u64 + 1)
    }

    /// What the reader accepted but has to say.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The number of rows left out because they could not be read.
    pub fn n_skipped(&self) -> usize {
        self.n_skipped
    }
}
