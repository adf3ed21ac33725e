//! Output files that are either whole or as they were.

use crate::{Error, Result};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Writes a file through `write` so that under `path` there is, at every moment, either what stood there before or
/// the whole new content: a temporary file in the same folder, flushed to the disk, then renamed.
///
/// # Errors
/// When `write` fails or the system does (a full disk, no permission): the old file is untouched and the temporary
/// one removed. The error names `path` and the cause.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    write_beside(folder, path, write).map_err(|source| Error::output(path, source))
}

fn write_beside(
    folder: &Path,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    // Removed when dropped, so on every early return.
    let file = tempfile::Builder::new().prefix(".headsmith-").suffix(".partial").tempfile_in(folder)?;
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    write(&mut writer)?;
    let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
