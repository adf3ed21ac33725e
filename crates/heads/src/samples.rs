//! What a head learns from.

use headsmith_kernels::MatRef;

use crate::error::{Error, Result};

/// Rows with their classes: `x` is `n_samples x n_features`, `y[i]` in `0 .. n_classes` the class of row `i`.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    x: MatRef<'a>,
    y: &'a [u32],
    n_classes: usize,
}

impl<'a> Samples<'a> {
    /// Pairs rows with classes.
    ///
    /// # Errors
    /// When the numbers of rows and labels differ or a label is not below `n_classes`.
    pub fn new(x: MatRef<'a>, y: &'a [u32], n_classes: usize) -> Result<Samples<'a>> {
        if x.n_rows() != y.len() {
            return Err(Error::samples(format!("{} rows of features but {} labels", x.n_rows(), y.len())));
        }
        if let Some(i) = y.iter().position(|&c| c as usize >= n_classes) {
            return Err(Error::samples(format!(
                "label {} of row {i} is not below {n_classes} classes",
                y[i]
            )));
        }
        Ok(Samples { x, y, n_classes })
    }

    /// The features, `n_samples x n_features`.
    pub fn x(self) -> MatRef<'a> {
        self.x
    }

    /// The classes, one a row.
    pub fn y(self) -> &'a [u32] {
        self.y
    }

    /// The number of classes, present in `y` or not.
    pub fn n_classes(self) -> usize {
        self.n_classes
    }

    /// The number of rows.
    pub fn n_samples(self) -> usize {
        self.x.n_rows()
    }

    /// The number of columns.
    pub fn n_features(self) -> usize {
        self.x.n_cols()
    }
}
