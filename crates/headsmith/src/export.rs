//! A model as a file that other runtimes read.

use std::path::Path;

use headsmith_data::output;
use headsmith_kernels::Pool;
use headsmith_model::Model;
use serde::Serialize;

use crate::error::{Error, Result};

pub use headsmith_onnx::{Export, MlOpset, Options};

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exported {
    /// The file.
    pub file: String,
    /// Its bytes.
    pub n_bytes: usize,
    /// The bytes of training rows in it.
    pub n_training_bytes: usize,
    /// The nodes of its trees.
    pub n_tree_nodes: usize,
    /// The rows whose predictions by the file were compared with the model's; 0 where nothing here can run it.
    pub n_compared: usize,
    /// The largest difference of a probability between them; none where nothing was compared.
    pub largest_difference: Option<f64>,
    /// Rows whose difference is larger than rounding explains: at most one in 100, where trees compare values that runtimes round in their own way.
    pub n_beyond: usize,
    /// Rows with another label, at ties.
    pub n_other_labels: usize,
}

/// Translates `model` to ONNX, in memory.
///
/// # Errors
/// When the file would be too large.
pub fn onnx(model: &Model, options: Options) -> Result<Export> {
    headsmith_onnx::export(model, options).map_err(from_below)
}

/// Runs an export of `model`, compares its predictions with the model's, and writes it to `path`.
///
/// # Errors
/// When it predicts something else, or the file cannot be written; an existing one is then unchanged.
pub fn write(export: &Export, model: &Model, path: &Path, pool: &Pool) -> Result<Exported> {
    let verified = export.verify(model, pool).map_err(from_below)?;
    output::write_atomically(path, |file| file.write_all(&export.bytes))?;
    Ok(Exported {
        file: path.display().to_string(),
        n_bytes: export.bytes.len(),
        n_training_bytes: export.n_training_bytes(),
        n_tree_nodes: export.n_tree_nodes(),
        n_compared: verified.map_or(0, |verified| verified.n_rows),
        largest_difference: verified.map(|verified| verified.largest_difference),
        n_beyond: verified.map_or(0, |verified| verified.n_beyond),
        n_other_labels: verified.map_or(0, |verified| verified.n_other_labels),
    })
}

fn from_below(error: headsmith_onnx::Error) -> Error {
    if error.is_choice() { Error::usage(error.to_string()) } else { Error::failure(error.to_string()) }
}
