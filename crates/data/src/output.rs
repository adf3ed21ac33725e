//! Atomic output files: they have either the whole new content or the old one.

use crate::{Error, Result};
use headsmith_objects::{self as objects, ObjectWriter, is_url};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writes a file through `write`. At every moment `path` has either the old content or the whole new one: a temporary
/// file in the same folder is flushed to the disk, then renamed.
///
/// A symbolic link is kept, and its target is written. An existing file keeps its mode. Pipes and devices are written
/// directly, and so is standard output (`-` or `/dev/stdout`), where a reader that has ended (`| head`) is no error. The object
/// at a URL appears when it is complete.
///
/// # Errors
/// If `write` fails or the system does (a full disk, no permission), or if the file exists and is read-only: the old
/// file is unchanged and the temporary one removed. The error names `path` and the cause.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<()> {
    write_to(path, write).map_err(|source| Error::output(path, source))
}

/// Checks that `path` can be written, before a long computation of its content: creates its folder, and briefly a file
/// in it. An existing file is unchanged.
///
/// # Errors
/// If it cannot be written.
pub fn prepare(path: &Path) -> Result<()> {
    try_writing(path).map_err(|source| Error::output(path, source))
}

fn try_writing(path: &Path) -> io::Result<()> {
    if is_standard_output(path) {
        return Ok(());
    }
    if is_url(path) {
        return objects::prepare(path);
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
    if is_url(path) {
        let mut writer = ObjectWriter::create(path)?;
        return write(&mut writer).and_then(|()| writer.finish());
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

/// Whether `path` is standard output, such as `-`.
///
/// It may be a file that the shell opened: it is written through its handle, never replaced.
pub fn is_standard_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Returns `old`, unless the file is read-only: renaming another one over it would bypass its mode.
fn writable(path: &Path, old: Metadata) -> io::Result<Metadata> {
    if old.permissions().readonly() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    OpenOptions::new().write(true).open(path)?;
    Ok(old)
}

/// The target of a path's symbolic links, whether it exists or not.
fn target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    // The system has already followed the links, so there is no loop.
    while let Ok(link) = fs::read_link(&target) {
        target = folder_of(&target).join(link);
    }
    target
}

/// A path with links resolved as far as it exists, so that two names of one file are equal.
pub fn resolved(path: &Path) -> PathBuf {
    let beside = || Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

/// The folder of a file.
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
        // Not flushed: after an error there is no point in waiting.
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
    // Written as a plain file, so that errors do not mention the temporary name.
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

/// A temporary file with the mode of ordinary outputs (by the umask); removed when dropped.
pub(crate) fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .make_in(folder, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))
}

/// A nameless temporary file for an output at `path` whose first bytes are known last: beside it, unless it is no file.
pub(crate) fn spool(path: &Path) -> io::Result<File> {
    let is_file =
        !is_standard_output(path) && !is_url(path) && fs::metadata(path).map_or(true, |old| old.is_file());
    if is_file { tempfile::tempfile_in(folder_of(&target(path))) } else { tempfile::tempfile() }
}

/// The age after which a temporary file counts as abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes the temporary files of killed processes, as far as possible.
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
