//! Output files that are either whole or as they were.

use crate::{Error, Result};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file through `write` so that under `path` there is, at every moment, either what stood there before or
/// the whole new content: a temporary file in the same folder, flushed to the disk, then renamed.
///
/// # Errors
/// When `write` fails or the system does (a full disk, no permission): the old file is untouched and the temporary
/// one removed. The error names `path` and the cause.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    write_beside(folder, path, write).map_err(|source| Error::output(path, source))
}

fn write_beside(
    folder: &Path,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    // Removed when dropped, so on every early return.
    let file = temporary(folder)?;
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    if let Err(error) = write(&mut writer) {
        // Not flushed: it is thrown away.
        drop(writer.into_parts());
        return Err(error);
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".headsmith-").suffix(".partial");
    // Temporary files are for their owner alone; outputs are for whom the umask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
