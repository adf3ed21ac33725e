//! The database operations that a study needs. Most statements are the same for all databases and are with their
//! callers; their placeholders are `$1`, `$2` .. in the order of their first use.

use jiff::Timestamp;

use super::cell::{Cell, Row};
use crate::error::Result;

/// The purpose of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// All statements see the same snapshot of the database.
    Read,
    /// Rows that it has locked cannot be changed by others.
    Write,
}

/// A connection to one database.
pub(super) trait Link: Send {
    /// Begins a transaction; reconnects if the connection was lost.
    fn begin(&mut self, access: Access) -> Result<()>;
    /// Commits the transaction. After an error of the kind `Unavailable` it is unknown whether the commit happened.
    fn commit(&mut self) -> Result<()>;
    /// Rolls the transaction back, if there is one.
    fn rollback(&mut self);
    /// Runs one statement and returns the number of rows it changed.
    fn execute(&mut self, sql: &'static str, params: &[Cell<'_>]) -> Result<u64>;
    /// Runs one statement and passes each row to `take`.
    fn query(
        &mut self,
        sql: &'static str,
        params: &[Cell<'_>],
        take: &mut dyn FnMut(Row<'_>) -> Result<()>,
    ) -> Result<()>;
    /// Runs several statements, separated by semicolons.
    fn script(&mut self, sql: &str) -> Result<()>;
    /// The time by the database's clock.
    fn now(&mut self) -> Result<Timestamp>;
    /// Whether the database has this table.
    fn has_table(&mut self, name: &str) -> Result<bool>;
    /// The statements that differ between the databases.
    fn dialect(&self) -> &'static Dialect;
    /// The name of the database for messages, without passwords.
    fn place(&self) -> String;
}

/// The statements that differ between the databases.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Creates the tables of the schema.
    pub(super) schema: &'static str,
    /// Keeps two processes from creating tables at the same time.
    pub(super) lock_schema: Option<&'static str>,
    /// Creates our own table.
    pub(super) checkpoints: &'static str,
    /// Locks a study's row and returns its key.
    pub(super) lock_study: &'static str,
    /// Locks a trial's row and returns its state and number.
    pub(super) lock_trial: &'static str,
}
