//! Tables of embeddings and labels: readers, checks, datasets, writers.
//!
//! A file becomes a [`Table`] (rows as they stand, with their places in the file), and a table a [`Dataset`]
//! (features and class indices).

pub mod checks;
mod classes;
mod dataset;
mod error;
mod finding;
mod labels;
mod options;
pub mod output;
mod place;
pub mod predictions;
mod table;

pub use classes::Classes;
pub use dataset::Dataset;
pub use error::{Error, Result};
pub use finding::{Finding, Severity};
pub use labels::Labels;
pub use options::{OnBadRow, ReadOptions};
pub use place::Place;
pub use table::Table;

use headsmith_kernels::Pool;
use std::path::Path;

/// Reads a table.
///
/// # Errors
/// When the file cannot be read or is no table; with [`OnBadRow::Error`], at its first bad row.
pub fn read(path: &Path, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let _ = (options, pool);
    Err(Error::io(path, std::io::ErrorKind::Unsupported.into()))
}
