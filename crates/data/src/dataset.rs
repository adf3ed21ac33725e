//! Samples to learn from: features and class indices.

use crate::{Classes, Result, Table};
use headsmith_kernels::Matrix;

/// Features and class indices of samples, and the classes they index.
///
/// Weights and groups of samples will be further fields, each as long as `y`, when a head or a split uses them.
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
}
