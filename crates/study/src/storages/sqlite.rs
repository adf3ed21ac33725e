//! SQLite, the storage without a server: one file, shared by any number of processes on one machine.
//!
//! The file is in WAL mode: writers do not wait for readers, and committed data survives the death of any process.
//! With [`Durability::Process`] there is no waiting for the disk: a power cut may lose the last reports, but does not
//! damage the file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};

use super::cell::{Cell, Row};
use super::link::{Access, Dialect, Link};
use super::time::{self, Clock};
use super::{Durability, Options, sqlite_faults};
use crate::error::{Error, Kind, Result};

static DIALECT: Dialect = Dialect {
    schema: include_str!("schema/sqlite.sql"),
    lock_schema: None,
    checkpoints: "CREATE TABLE IF NOT EXISTS headsmith_checkpoints (trial_id INTEGER NOT NULL PRIMARY KEY, \
                  step INTEGER NOT NULL, state BLOB NOT NULL, FOREIGN KEY(trial_id) REFERENCES trials (trial_id) \
                  ON DELETE CASCADE)",
    lock_study: "SELECT study_id FROM studies WHERE study_id = $1",
    lock_trial: "SELECT state, number FROM trials WHERE trial_id = $1",
};

/// The number of statements that stay prepared.
const PREPARED: usize = 64;

/// A connection to one file.
pub(super) struct Sqlite {
    connection: Connection,
    place: String,
    lock_wait: Duration,
    clock: Clock,
}

impl Sqlite {
    /// Opens `path`, creating it if it is missing; `None` is a database in memory.
    pub(super) fn open(path: Option<&Path>, options: &Options) -> Result<Sqlite> {
        let place = path.map_or_else(|| ":memory:".into(), |path| path.display().to_string());
        if let Some(path) = path {
            check_place(path)?;
        }
        let name = path.map_or_else(|| PathBuf::from(":memory:"), Path::to_owned);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let fault = |error| sqlite_faults::explain(&place, options.lock_wait, error);
        let connection = Connection::open_with_flags(name, flags).map_err(fault)?;
        connection.busy_timeout(options.lock_wait).map_err(fault)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        let mut sqlite = Sqlite { connection, place, lock_wait: options.lock_wait, clock: options.clock };
        match path.filter(|path| sqlite.must_be_immutable(path)) {
            Some(path) => sqlite.connection = immutable(path).map_err(|error| sqlite.fault(error))?,
            None => sqlite.configure(options.durability)?,
        }
        Ok(sqlite)
    }

    /// Whether the database can only be read as one that nobody changes: its folder is read-only, so that the file which readers of a WAL share cannot be
    /// made, and there is no WAL, which a writer would have.
    fn must_be_immutable(&self, path: &Path) -> bool {
        let read = self.connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        read.is_err_and(|error| sqlite_faults::has_no_room(&error)) && !Path::new(&log).exists()
    }

    fn configure(&self, durability: Durability) -> Result<()> {
        let mode = match self.pragma("PRAGMA journal_mode = WAL") {
            Ok(mode) => mode,
            // Without write permission the file can still be read; on a busy file, another program sets the mode.
            Err(error) if sqlite_faults::has_no_room(&error) || sqlite_faults::is_busy(&error) => "".into(),
            Err(error) => return Err(self.fault(error)),
        };
        // Without a WAL only FULL protects the file against a power cut.
        let normal = durability == Durability::Process && mode == "wal";
        let synchronous = if normal { "PRAGMA synchronous = NORMAL" } else { "PRAGMA synchronous = FULL" };
        self.connection.execute_batch(synchronous).map_err(|error| self.fault(error))
    }

    fn pragma(&self, sql: &str) -> rusqlite::Result<String> {
        self.connection.query_row(sql, [], |row| row.get(0))
    }

    fn fault(&self, error: rusqlite::Error) -> Error {
        sqlite_faults::explain(&self.place, self.lock_wait, error)
    }
}

/// A connection that reads the file as it is, without locks.
fn immutable(path: &Path) -> rusqlite::Result<Connection> {
    let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}

impl Link for Sqlite {
    fn begin(&mut self, access: Access) -> Result<()> {
        let sql = match access {
            Access::Read => "BEGIN",
            Access::Write => "BEGIN IMMEDIATE",
        };
        self.execute(sql, &[]).map(drop)
    }

    fn commit(&mut self) -> Result<()> {
        let result = self.execute("COMMIT", &[]).map(drop);
        if result.is_err() {
            self.rollback();
        }
        result
    }

    fn rollback(&mut self) {
        // After some errors SQLite has already rolled back itself.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn execute(&mut self, sql: &'static str, params: &[Cell<'_>]) -> Result<u64> {
        let changed = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(params)));
        changed.map(|n| n as u64).map_err(|error| self.fault(error))
    }

    fn query(
        &mut self,
        sql: &'static str,
        params: &[Cell<'_>],
        take: &mut dyn FnMut(Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let fault = |error| self.fault(error);
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(fault)?;
        let mut cells = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            cells.clear();
            let mut column = 0;
            while let Ok(value) = row.get_ref(column) {
                cells.push(cell(value));
                column += 1;
            }
            take(Row(&cells))?;
        }
        Ok(())
    }

    fn script(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|error| self.fault(error))
    }

    fn now(&mut self) -> Result<Timestamp> {
        Ok(time::to_micros((self.clock)()))
    }

    fn has_table(&mut self, name: &str) -> Result<bool> {
        let mut found = false;
        let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1";
        self.query(sql, &[name.into()], &mut |_| {
            found = true;
            Ok(())
        })?;
        Ok(found)
    }

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn place(&self) -> String {
        self.place.clone()
    }
}

/// Explains an unusable path, for which SQLite says only "unable to open database file".
fn check_place(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let message = format!(
            "cannot open the study database {}: there is no folder {}; make it first, or name another place",
            path.display(),
            folder.display()
        );
        return Err(Error::new(Kind::Storage, message));
    }
    if path.is_dir() {
        let message = format!("cannot open the study database {}: it is a folder", path.display());
        return Err(Error::new(Kind::Storage, message));
    }
    Ok(())
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Cell::Int(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Cell::Real(number) => ToSqlOutput::Borrowed(ValueRef::Real(*number)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Cell::Time(t) => ToSqlOutput::Owned(time::format(*t).into()),
        })
    }
}

fn cell(value: ValueRef<'_>) -> Cell<'static> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(Cow::Owned(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Blob(bytes) => Cell::Blob(Cow::Owned(bytes.to_vec())),
    }
}
