//! Output files that are either whole or as they were.

use crate::{Error, Result};
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes a file through `write` so that under `path` there is, at every moment, either what stood there before or
/// the whole new content: a temporary file in the same folder, flushed to the disk, then renamed.
///
/// A symbolic link stays, and its target is written. An existing file keeps its mode. Pipes and devices
/// are written to as they are, and so is standard output (`-` or `/dev/stdout`), where a reader that has gone away
/// (`| head`) is no failure.
///
/// # Errors
/// When `write` fails or the system does (a full disk, no permission), or when the file is there and nobody may write
/// it: the old file is untouched and the temporary one removed. The error names `path` and the cause.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<()> {
    write_to(path, write).map_err(|source| Error::output(path, source))
}

/// Makes sure that `path` can be written, before work is done whose result is to go there: makes its folder, and a file
/// there for a moment. What stands under `path` stays as it is.
///
/// # Errors
/// When it cannot be written.
pub fn prepare(path: &Path) -> Result<()> {
    try_writing(path).map_err(|source| Error::output(path, source))
}

fn try_writing(path: &Path) -> io::Result<()> {
    if is_standard_output(path) {
        return Ok(());
    }
    match fs::metadata(path) {
        Ok(old) if old.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(old) if !old.is_file() => Ok(()),
        Ok(old) => writable(path, old).and_then(|_| temporary(folder_of(&target(path))).map(drop)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let target = target(path);
            let folder = folder_of(&target);
            fs::create_dir_all(folder)?;
            temporary(folder).map(drop)
        }
        Err(error) => Err(error),
    }
}

fn write_to(path: &Path, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> io::Result<()> {
    if is_standard_output(path) {
        return match buffered(io::stdout(), write) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        };
    }
    let old = match fs::metadata(path) {
        Ok(old) if old.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(old) if !old.is_file() => return buffered(OpenOptions::new().write(true).open(path)?, write),
        Ok(old) => Some(writable(path, old)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    replace(&target(path), old, write)
}

/// Whether `path` means standard output, as `-` does.
///
/// It may be a file that the shell has opened, which is written to through its own handle, never replaced.
pub fn is_standard_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// `old`, unless the file may not be written: to rename another one over it would go around its mode.
fn writable(path: &Path, old: Metadata) -> io::Result<Metadata> {
    if old.permissions().readonly() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    OpenOptions::new().write(true).open(path)?;
    Ok(old)
}

/// The file that a path means once its symbolic links are followed, be it there or not.
fn target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    // The system has followed the links before and found no loop.
    while let Ok(link) = fs::read_link(&target) {
        target = folder_of(&target).join(link);
    }
    target
}

/// The folder that a file stands in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn buffered(
    output: impl Write + Send,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 18, output);
    if let Err(error) = write(&mut writer) {
        // Not flushed: what failed is not worth the wait.
        drop(writer.into_parts());
        return Err(error);
    }
    writer.flush()
}

fn replace(
    path: &Path,
    old: Option<Metadata>,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> io::Result<()> {
    let folder = folder_of(path);
    remove_leftovers(folder);
    // Removed when dropped, so on every early return.
    let temporary = temporary(folder)?;
    // Written to as a plain file, whose errors do not speak of the temporary name.
    buffered(temporary.as_file(), write)?;
    if let Some(old) = old {
        temporary.as_file().set_permissions(old.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}

const PREFIX: &str = ".headsmith-";
const SUFFIX: &str = ".partial";

/// Created with the mode that the umask says, as outputs are; removed when dropped.
pub(crate) fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .make_in(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))
}

/// How old a temporary file is that no process still writes.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes the temporary files of processes that were killed. What cannot be removed does no harm.
pub(crate) fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if ours && entry.metadata().is_ok_and(|metadata| is_abandoned(&metadata)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_abandoned(metadata: &Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    metadata.is_file() && age.is_some_and(|age| age > ABANDONED)
}
