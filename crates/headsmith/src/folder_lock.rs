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
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        FolderLock::of(file.map_err(|cause| Error::file("make", &path, cause))?, out)
    }

    /// The same for a folder of an earlier run; `None` for another, which no process can have locked.
    ///
    /// Nothing is made, so a run may take it before it knows that its tables are good. It keeps the lock: looked at and
    /// released, it would for a moment keep out whoever begins just then.
    ///
    /// # Errors
    /// When another process has it: which one.
    pub(crate) fn take_again(out: &Path) -> Result<Option<FolderLock>> {
        match OpenOptions::new().read(true).write(true).open(out.join(NAME)) {
            Ok(file) => FolderLock::of(file, out).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn of(mut file: File, out: &Path) -> Result<FolderLock> {
        match file.try_lock() {
            // A file system without locks has none for anybody.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => return Err(is_written(&mut file, out)),
        }
        // For the message of whoever comes second; without it the lock holds as well.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(FolderLock { _file: file })
    }
}

fn is_written(file: &mut File, out: &Path) -> Error {
    let mut process = String::new();
    let _ = file.read_to_string(&mut process);
    let who = if process.is_empty() { "another process".to_owned() } else { format!("process {process}") };
    Error::usage(format!(
        "{} is being written by {who}: wait until it ends, or choose another --out",
        out.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn who_comes_second_is_refused_until_the_first_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(FolderLock::take_again(folder.path()).unwrap().is_none());
        assert!(FolderLock::take_again(&folder.path().join("not there")).unwrap().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        for again in [false, true, true] {
            let take = || match again {
                true => FolderLock::take_again(folder.path()).map(Option::unwrap),
                false => FolderLock::take(folder.path()),
            };
            let first = take().unwrap();
            let id = std::process::id();
            for refused in
                [FolderLock::take(folder.path()).map(drop), FolderLock::take_again(folder.path()).map(drop)]
            {
                let message = refused.unwrap_err().to_string();
                assert!(message.contains(&format!("is being written by process {id}: wait")), "{message}");
            }
            drop(first);
        }
    }

    #[test]
    fn of_many_that_begin_at_once_exactly_one_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        drop(FolderLock::take(folder.path()).unwrap());
        for _ in 0..200 {
            let (begin, end) = (Barrier::new(4), Barrier::new(4));
            let has_it = || {
                begin.wait();
                let lock = FolderLock::take_again(folder.path());
                // Nobody lets go before all have tried.
                end.wait();
                lock.is_ok()
            };
            let n = std::thread::scope(|scope| {
                let racing = [(); 4].map(|()| scope.spawn(has_it));
                racing.into_iter().filter_map(|one| one.join().unwrap().then_some(())).count()
            });
            assert_eq!(n, 1);
        }
    }
}
