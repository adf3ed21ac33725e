//! Error messages for SQLite's errors.

use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::{Error, Kind};

/// The error for the user.
pub(super) fn explain(place: &str, lock_wait: Duration, error: rusqlite::Error) -> Error {
    let (kind, what) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Kind::Unavailable,
            format!(
                "is locked by another process (waited {} s): end what holds it, or wait for it, and try again",
                lock_wait.as_secs_f64()
            ),
        ),
        Some(ErrorCode::DiskFull) => (Kind::Storage, FULL.to_owned()),
        Some(ErrorCode::ReadOnly) => {
            (Kind::Storage, "cannot be written: it, or its folder, is read-only for this user".to_owned())
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
            Kind::Storage,
            "cannot be opened: check that this user may read and write it and create files in its folder"
                .to_owned(),
        ),
        Some(ErrorCode::NotADatabase) => {
            (Kind::Storage, "is not an SQLite database: name another file, or move this one away".to_owned())
        }
        Some(ErrorCode::DatabaseCorrupt) => (
            Kind::Storage,
            "is damaged: move it away, and save what it still holds by `sqlite3 FILE .recover`; nothing was \
             written to it"
                .to_owned(),
        ),
        Some(ErrorCode::SystemIoFailure) if is_out_of_room(&error) => (Kind::Storage, FULL.to_owned()),
        Some(ErrorCode::SystemIoFailure) => {
            (Kind::Storage, "cannot be read or written: its disk reports a failure".to_owned())
        }
        Some(ErrorCode::ConstraintViolation) => {
            (Kind::Conflict, "has such a row already, or lacks the one it belongs to".to_owned())
        }
        _ => (Kind::Storage, "does not do what was asked of it".to_owned()),
    };
    Error::caused(kind, format!("the study database {place} {what} (SQLite: {error})"), error)
}

const FULL: &str = "cannot be written: its disk is full. Make room and give the same command again: all that was \
                    reported before is kept";

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether a file that the database needs beside it cannot be made.
pub(super) fn has_no_room(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

/// A full disk also shows as a file beside the database that cannot grow.
fn is_out_of_room(error: &rusqlite::Error) -> bool {
    let grows = [rusqlite::ffi::SQLITE_IOERR_WRITE, rusqlite::ffi::SQLITE_IOERR_SHMSIZE];
    error.sqlite_error().is_some_and(|e| grows.contains(&e.extended_code))
}
