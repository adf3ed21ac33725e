//! Samples to learn from: features and class indices.

use crate::{Classes, Result, Table};
use headsmith_kernels::{MatRef, Matrix};

/// Features and class indices of samples, and the classes they index.
///
/// Weights of samples will be a further field, as long as `y`, when a head uses them.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The features, `n_samples x n_features`.
    pub x: Matrix,
    /// The class of each sample, an index into `classes.names()`.
    pub y: Vec<u32>,
    /// The classes.
    pub classes: Classes,
}

impl Dataset {
    /// The rows of `table`, its labels encoded by `classes`.
    ///
    /// # Errors
    /// Those of [`Classes::encode`].
    pub fn new(table: Table, classes: &Classes) -> Result<Dataset> {
        let y = classes.encode(&table)?;
        Ok(Dataset { x: table.x, y, classes: classes.clone() })
    }

    /// A copy of some `rows` of `x` and `y`, in that order.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn of_rows(x: MatRef<'_>, y: &[u32], classes: &Classes, rows: &[usize]) -> Dataset {
        let mut values = Vec::with_capacity(rows.len() * x.n_cols());
        rows.iter().for_each(|&row| values.extend_from_slice(x.row(row)));
        Dataset {
            x: Matrix::new(values, rows.len(), x.n_cols()),
            y: rows.iter().map(|&row| y[row]).collect(),
            classes: classes.clone(),
        }
    }
}
