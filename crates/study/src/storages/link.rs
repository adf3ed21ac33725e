//! What a database must be able to do for a study. The statements are the same for all: they stand with their callers,
//! with `$1`, `$2` .. in the order of their first use.

use jiff::Timestamp;

use super::cell::{Cell, Row};
use crate::error::Result;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// All its statements see the database at one moment.
    Read,
    /// Nothing it has locked changes under it.
    Write,
}

/// A connection to one database.
pub(super) trait Link: Send {
    /// Begins a transaction; connects again where the connection was lost.
    fn begin(&mut self, access: Access) -> Result<()>;
    /// Ends it. After an error of the kind `Unavailable` nobody knows whether it was done.
    fn commit(&mut self) -> Result<()>;
    /// Drops it, if there is one.
    fn rollback(&mut self);
    /// Runs one statement and gives the number of rows it changed.
    fn execute(&mut self, sql: &'static str, params: &[Cell<'_>]) -> Result<u64>;
    /// Runs one statement and hands each row to `take`.
    fn query(
        &mut self,
        sql: &'static str,
        params: &[Cell<'_>],
        take: &mut dyn FnMut(Row<'_>) -> Result<()>,
    ) -> Result<()>;
    /// Runs statements that are told apart by semicolons.
    fn script(&mut self, sql: &str) -> Result<()>;
    /// The database's own clock.
    fn now(&mut self) -> Result<Timestamp>;
    /// Whether the database has this table.
    fn has_table(&mut self, name: &str) -> Result<bool>;
    /// What differs between the databases.
    fn dialect(&self) -> &'static Dialect;
    /// The database as messages name it, without passwords.
    fn place(&self) -> String;
}

/// The statements that differ between the databases.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Makes the tables of the schema.
    pub(super) schema: &'static str,
    /// Keeps two processes from making tables at once.
    pub(super) lock_schema: Option<&'static str>,
    /// Makes our own table.
    pub(super) checkpoints: &'static str,
    /// Locks a study's row, and gives its key.
    pub(super) lock_study: &'static str,
    /// Locks a trial's row, and gives its state and number.
    pub(super) lock_trial: &'static str,
}
