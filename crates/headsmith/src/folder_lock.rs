//! One run at a time in an output folder: a lock on a file in it, which the system releases however the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// The file that is locked. It stays, empty of meaning, when the run is over.
const NAME: &str = ".headsmith.lock";

/// The right to write to a folder, for as long as it lives.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the folder `out`, which exists.
    ///
    /// # Errors
    /// When another process has it: which one. When the file cannot be made.
    pub(crate) fn take(out: &Path) -> Result<FolderLock> {
        let path = out.join(NAME);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|cause| Error::file("make", &path, cause))?;
        lock(&mut file, out)?;
        // For the message of whoever comes second; without it the lock holds as well.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(FolderLock { _file: file })
    }

    /// Refuses the folder `out` while another process has it locked; a folder that does not exist is free.
    ///
    /// # Errors
    /// When another process has it: which one.
    pub(crate) fn must_be_free(out: &Path) -> Result<()> {
        match File::open(out.join(NAME)) {
            Ok(mut file) => lock(&mut file, out),
            Err(_) => Ok(()),
        }
    }
}

fn lock(file: &mut File, out: &Path) -> Result<()> {
    match file.try_lock() {
        // A file system without locks has none for anybody.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            let who =
                if process.is_empty() { "another process".to_owned() } else { format!("process {process}") };
            Err(Error::usage(format!(
                "{} is being written by {who}: wait until it ends, or choose another --out",
                out.display()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_is_refused_until_the_first_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        FolderLock::must_be_free(&folder.path().join("not there")).unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        let id = std::process::id();
        for refused in [FolderLock::take(folder.path()).err(), FolderLock::must_be_free(folder.path()).err()]
        {
            let message = refused.unwrap().to_string();
            assert!(message.contains(&format!("is being written by process {id}: wait")), "{message}");
        }
        drop(first);
        FolderLock::must_be_free(folder.path()).unwrap();
        FolderLock::take(folder.path()).unwrap();
    }
}
