//! Model files on disk: written atomically, read and checked before use.

use std::path::{Path, PathBuf};

use headsmith_data::{output, storage};
use headsmith_model::Model;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Writes `model` to `path`: to a temporary file next to it, which is then renamed.
///
/// # Errors
/// If the file cannot be written; an existing one is then unchanged.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    let bytes = model.to_bytes()?;
    Ok(output::write_atomically(path, |file| file.write_all(&bytes))?)
}

/// Writes the final model of a fit, and removes the fit's checkpoint next to it.
///
/// # Errors
/// Those of [`save`].
pub fn save_final(model: &Model, path: &Path, context: &mut Context<'_>) -> Result<()> {
    save(model, path)?;
    context.emit(&Progress::Wrote(path));
    match std::fs::remove_file(checkpoint_beside(path)) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove the checkpoint", &checkpoint_beside(path), cause))
        }
        _ => Ok(()),
    }
}

/// The checkpoint's path of a fit whose model goes to `path`.
pub fn checkpoint_beside(path: &Path) -> PathBuf {
    path.with_extension("checkpoint.safetensors")
}

/// Reads the model at `path`, a file or the URL of an object.
///
/// # Errors
/// If the file cannot be read or is no valid model file.
pub fn load(path: &Path) -> Result<Model> {
    let bytes = storage::read(path).map_err(|cause| Error::file("read the model file", path, cause))?;
    Model::from_bytes(&bytes).map_err(|error| Error::data(format!("{}: {error}", path.display())))
}
