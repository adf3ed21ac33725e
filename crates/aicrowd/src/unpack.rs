//! Unpacks untrusted zip archives safely.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{Cause, Error, Result, plain};
use crate::name::is_safe;

/// Limits for unpacking an archive.
#[derive(Debug, Clone)]
pub struct UnpackLimits {
    /// The total size in bytes.
    pub max_bytes: u64,
    /// The number of files and folders.
    pub max_entries: usize,
    /// The maximum ratio to the archive's own size, above [`UnpackLimits::free_bytes`].
    pub max_ratio: u64,
    /// The size in bytes up to which any ratio is allowed: a table of zeros is not an attack.
    pub free_bytes: u64,
}

impl Default for UnpackLimits {
    fn default() -> UnpackLimits {
        UnpackLimits { max_bytes: 256 << 30, max_entries: 100_000, max_ratio: 200, free_bytes: 256 << 20 }
    }
}

/// Unpacks `archive` so that the folder `to` contains exactly its content: it is unpacked next to it, and replaces it
/// when complete. Returns the files in the archive's order.
///
/// # Errors
/// If an entry would leave the folder, is a link, has an unsafe name or occurs twice; if the content exceeds `limits`,
/// counted while it is written; if the archive is damaged or encrypted. `to` is then unchanged.
pub fn unpack(archive: &Path, to: &Path, limits: &UnpackLimits) -> Result<Vec<PathBuf>> {
    let file = File::open(archive).map_err(|error| Error::io(archive, error))?;
    let packed = file.metadata().map_err(|error| Error::io(archive, error))?.len();
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
    let beside = tempfile::Builder::new().prefix(".unpack-").tempdir_in(parent);
    let beside = beside.map_err(|error| Error::io(parent, error))?;
    let inner = beside.path().join("new");
    fs::create_dir(&inner).map_err(|error| Error::io(&inner, error))?;
    let mut budget = UnpackBudget {
        limits,
        left: limits.max_bytes.min(limits.free_bytes.max(packed.saturating_mul(limits.max_ratio))),
    };
    let mut zip = ZipArchive::new(file).map_err(|error| damaged(archive, error))?;
    if zip.len() > limits.max_entries {
        return Err(hostile(archive, &format!("it has {} entries", zip.len())));
    }
    let mut files = Vec::new();
    for index in 0..zip.len() {
        if let Some(path) = entry(archive, &mut zip, index, &inner, &mut budget)? {
            files.push(to.join(path));
        }
    }
    take_place(&inner, to, &beside.path().join("old")).map_err(|error| Error::io(to, error))?;
    Ok(files)
}

/// The remaining bytes and entries that may be written.
struct UnpackBudget<'a> {
    limits: &'a UnpackLimits,
    left: u64,
}

/// Unpacks one entry under `root`; returns its path there if it is a file.
fn entry(
    archive: &Path,
    zip: &mut ZipArchive<File>,
    index: usize,
    root: &Path,
    budget: &mut UnpackBudget<'_>,
) -> Result<Option<PathBuf>> {
    let mut entry = zip.by_index(index).map_err(|error| damaged(archive, error))?;
    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
    let link = entry.unix_mode().is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000));
    if link {
        return Err(hostile(archive, &format!("`{}` is a link or a device", plain(&name))));
    }
    let is_folder = name.ends_with('/');
    let Some(path) = inside(&name) else {
        return Err(hostile(archive, &format!("`{}` is not a safe path", plain(&name))));
    };
    let whole = root.join(&path);
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => hostile(archive, &format!("it contains `{}` twice", plain(&name))),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput => {
            damaged(archive, error)
        }
        _ => Error::io(&whole, error),
    };
    if is_folder {
        fs::create_dir_all(&whole).map_err(io)?;
        return Ok(None);
    }
    fs::create_dir_all(whole.parent().unwrap_or(root)).map_err(io)?;
    // Existing files are never overwritten, including earlier entries.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&whole).map_err(io)?;
    let written = io::copy(&mut (&mut entry).take(budget.left.saturating_add(1)), &mut file).map_err(io)?;
    if written > budget.left {
        let most = budget.limits.max_ratio;
        return Err(hostile(
            archive,
            &format!("it unpacks to more than {most} times its size or the allowed size"),
        ));
    }
    budget.left -= written;
    file.flush().map_err(io)?;
    Ok(Some(path))
}

/// The path of `name` inside the folder, if all of its components are safe.
fn inside(name: &str) -> Option<PathBuf> {
    let name = name.strip_suffix('/').unwrap_or(name);
    let parts: Vec<&str> = name.split('/').collect();
    (parts.len() <= 32
        && parts.iter().all(|part| is_safe(part.strip_prefix('.').unwrap_or(part)) && *part != ".."))
    .then(|| parts.iter().collect())
}

fn take_place(new: &Path, to: &Path, old: &Path) -> io::Result<()> {
    match fs::rename(to, old) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(new, to).inspect_err(|_| {
        // Restores the old folder.
        let _ = fs::rename(old, to);
    })
}

fn damaged(archive: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let what = format!("{}: not a readable zip archive: {error}", archive.display());
    Error::new(Cause::Archive, what).caused_by(error)
}

fn hostile(archive: &Path, what: &str) -> Error {
    Error::new(Cause::Archive, format!("{}: not unpacked: {what}", archive.display()))
        .with_hint("inspect it carefully before you unpack it by hand")
}
