//! Allows one run at a time in an output folder: a lock on a file in it, which the system releases however the process
//! ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// The locked file. It remains after the run, without a meaning.
const NAME: &str = ".headsmith.lock";

/// The exclusive right to write to a folder, held until it is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the existing folder `out`.
    ///
    /// # Errors
    /// If another process holds the lock; the message names it. If the file cannot be created.
    pub(crate) fn take(out: &Path) -> Result<FolderLock> {
        let path = out.join(NAME);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        FolderLock::of(file.map_err(|cause| Error::file("make", &path, cause))?, out)
    }

    /// Locks the folder of an earlier run; `None` for another folder, which no process can have locked.
    ///
    /// Nothing is created, so a run may call this before its tables are checked. The lock is kept: a check that
    /// released it again could block another process that starts at that moment.
    ///
    /// # Errors
    /// If another process holds the lock; the message names it.
    pub(crate) fn take_again(out: &Path) -> Result<Option<FolderLock>> {
        match OpenOptions::new().read(true).write(true).open(out.join(NAME)) {
            Ok(file) => FolderLock::of(file, out).map(Some),
            Err(_) => Ok(None),
        }
    }

    fn of(mut file: File, out: &Path) -> Result<FolderLock> {
        match file.try_lock() {
            // On a file system without locks there is no protection.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => return Err(is_written(&mut file, out)),
        }
        // For the message of another process; the lock works without it.
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
    fn a_second_run_is_refused_until_the_first_ends() {
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
    fn exactly_one_of_many_simultaneous_runs_gets_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        drop(FolderLock::take(folder.path()).unwrap());
        for _ in 0..200 {
            let (begin, end) = (Barrier::new(4), Barrier::new(4));
            let has_it = || {
                begin.wait();
                let lock = FolderLock::take_again(folder.path());
                // Nobody releases the lock before all have tried.
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
