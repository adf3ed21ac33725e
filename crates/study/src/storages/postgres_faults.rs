//! Error messages for PostgreSQL's errors.

use std::io;

use postgres::error::SqlState;

use crate::error::{Error, Kind};

/// The error for the user.
pub(super) fn explain(place: &str, error: postgres::Error) -> Error {
    let (kind, what) = match error.code() {
        None if is_lost(&error) => (Kind::Unavailable, "cannot be reached just now"),
        None => (Kind::Storage, "cannot be used"),
        Some(code) => meaning(code),
    };
    let detail = detail(&error);
    Error::caused(kind, format!("the study database {place} {what} (PostgreSQL: {detail})"), error)
}

/// The error of a call on a lost connection.
pub(super) fn connection_lost(place: &str) -> Error {
    let message = format!("the study database {place} cannot be reached just now (the connection is lost)");
    Error::new(Kind::Unavailable, message)
}

/// Whether the connection is lost.
pub(super) fn is_lost(error: &postgres::Error) -> bool {
    let io = std::error::Error::source(error).is_some_and(|cause| cause.is::<io::Error>());
    error.is_closed() || io || error.code().is_some_and(ends_connection) || is_timeout(error)
}

/// A connection timeout has no source error; only its message identifies it.
fn is_timeout(error: &postgres::Error) -> bool {
    error.code().is_none() && error.to_string().contains("timed out")
}

fn ends_connection(code: &SqlState) -> bool {
    let class = &code.code()[..2];
    class == "08"
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

fn meaning(code: &SqlState) -> (Kind, &'static str) {
    const PASSING: [SqlState; 5] = [
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
    ];
    let facts = [
        (SqlState::INVALID_PASSWORD, "refuses this user or password"),
        (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "refuses this user"),
        (SqlState::INVALID_CATALOG_NAME, "does not exist: make it by `createdb`"),
        (
            SqlState::DISK_FULL,
            "cannot be written: the server's disk is full. Make room and give the same command again",
        ),
        (
            SqlState::INSUFFICIENT_PRIVILEGE,
            "does not let this user do what a study needs: grant CREATE, SELECT, INSERT, UPDATE and DELETE",
        ),
        (SqlState::READ_ONLY_SQL_TRANSACTION, "is read-only: name the primary server, not a standby"),
        (SqlState::DATA_CORRUPTED, "is damaged"),
        (SqlState::INDEX_CORRUPTED, "is damaged"),
    ];
    if ends_connection(code) {
        return (Kind::Unavailable, "cannot be reached just now");
    }
    if PASSING.contains(code) {
        return (Kind::Unavailable, "is busy: try again");
    }
    if [SqlState::UNIQUE_VIOLATION, SqlState::FOREIGN_KEY_VIOLATION].contains(code) {
        return (Kind::Conflict, "has such a row already, or lacks the one it belongs to");
    }
    let known = facts.into_iter().find(|(fact, _)| fact == code);
    (Kind::Storage, known.map_or("does not do what was asked of it", |(_, what)| what))
}

/// The message with its source: the client's own message is only "db error".
fn detail(error: &postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(db), _) => format!("{} {}", db.code().code(), db.message()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
