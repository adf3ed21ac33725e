//! PostgreSQL, the storage for workers on several machines.
//!
//! The next call re-establishes a lost connection. The server drops a disconnected client after half a minute, which
//! releases its locks.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Statement};

use super::cell::{Cell, Row};
use super::link::{Access, Dialect, Link};
use super::{Durability, Options, postgres_faults, url::without_password};
use crate::error::{Error, Kind, Result};

static DIALECT: Dialect = Dialect {
    schema: include_str!("schema/postgres.sql"),
    // Any number that nothing else in the database locks.
    lock_schema: Some("SELECT pg_advisory_xact_lock(7306084573016485987)"),
    checkpoints: "CREATE TABLE IF NOT EXISTS headsmith_checkpoints (trial_id INTEGER NOT NULL PRIMARY KEY, \
                  step INTEGER NOT NULL, state BYTEA NOT NULL, FOREIGN KEY(trial_id) REFERENCES trials (trial_id) \
                  ON DELETE CASCADE)",
    lock_study: "SELECT study_id FROM studies WHERE study_id = $1 FOR UPDATE",
    lock_trial: "SELECT state, number FROM trials WHERE trial_id = $1 FOR UPDATE",
};

/// How long both sides wait for a silent peer.
const SILENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);

/// A connection to one database.
pub(super) struct Postgres {
    config: Config,
    place: String,
    settings: String,
    session: Option<Session>,
}

/// The state that is lost with the connection.
struct Session {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
}

impl Postgres {
    /// Connects to `url`, of the form `postgresql://..`.
    pub(super) fn open(url: &str, options: &Options) -> Result<Postgres> {
        let place = without_password(url);
        let mut config: Config = url.parse().map_err(|cause| {
            Error::caused(
                Kind::Configuration,
                format!("`{place}` is not an address of a PostgreSQL database: {cause}"),
                cause,
            )
        })?;
        if config.get_ssl_mode() == postgres::config::SslMode::Require {
            let message = format!(
                "`{place}` asks for an encrypted connection, which this program cannot make: reach the server through \
                 a tunnel (`ssh -L`) or a private network, without `sslmode=require`"
            );
            return Err(Error::new(Kind::Configuration, message));
        }
        config.application_name("headsmith").connect_timeout(CONNECT).tcp_user_timeout(SILENCE);
        config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(4);
        let mut postgres = Postgres { config, place, settings: session_settings(options), session: None };
        postgres.connect()?;
        Ok(postgres)
    }

    fn connect(&mut self) -> Result<()> {
        let fault = |error| postgres_faults::explain(&self.place, error);
        let mut client = self.config.connect(NoTls).map_err(fault)?;
        client.batch_execute(&self.settings).map_err(fault)?;
        self.session = Some(Session { client, prepared: HashMap::new() });
        Ok(())
    }

    fn fault(&mut self, error: postgres::Error) -> Error {
        if postgres_faults::is_lost(&error)
            || self.session.as_ref().is_some_and(|session| session.client.is_closed())
        {
            self.session = None;
        }
        postgres_faults::explain(&self.place, error)
    }

    /// Runs `work` on the open connection.
    fn on<T>(
        &mut self,
        work: impl FnOnce(&mut Session) -> std::result::Result<T, postgres::Error>,
    ) -> Result<T> {
        let Some(session) = &mut self.session else {
            return Err(postgres_faults::connection_lost(&self.place));
        };
        work(session).map_err(|error| self.fault(error))
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.on(|session| session.client.batch_execute(sql))
    }
}

impl Session {
    fn statement(&mut self, sql: &'static str) -> std::result::Result<Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl Link for Postgres {
    fn begin(&mut self, access: Access) -> Result<()> {
        let sql = match access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        };
        if self.session.is_some() {
            match self.batch(sql) {
                // The server was restarted since the last call; no transaction was open.
                Err(error) if error.kind() == Kind::Unavailable && self.session.is_none() => {}
                result => return result,
            }
        }
        self.connect()?;
        self.batch(sql)
    }

    fn commit(&mut self) -> Result<()> {
        self.batch("COMMIT")
    }

    fn rollback(&mut self) {
        // A connection that cannot roll back is useless; the server rolls back when it is closed.
        if self.session.is_some() && self.batch("ROLLBACK").is_err() {
            self.session = None;
        }
    }

    fn execute(&mut self, sql: &'static str, params: &[Cell<'_>]) -> Result<u64> {
        self.on(|session| {
            let statement = session.statement(sql)?;
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|cell| cell as _).collect();
            session.client.execute(&statement, &params)
        })
    }

    fn query(
        &mut self,
        sql: &'static str,
        params: &[Cell<'_>],
        take: &mut dyn FnMut(Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut cells = Vec::new();
        let mut refused = None;
        self.on(|session| {
            let statement = session.statement(sql)?;
            let mut rows = session.client.query_raw(&statement, params)?;
            while let Some(row) = rows.next()? {
                cells.clear();
                for column in 0..row.len() {
                    cells.push(row.try_get::<_, Cell<'static>>(column)?);
                }
                refused = refused.take().or(take(Row(&cells)).err());
            }
            Ok(())
        })?;
        refused.map_or(Ok(()), Err)
    }

    fn script(&mut self, sql: &str) -> Result<()> {
        self.batch(sql)
    }

    fn now(&mut self) -> Result<Timestamp> {
        let mut now = None;
        // Without a zone, in the session's own, as Optuna compares them; the current moment, not the transaction's
        // start.
        self.query("SELECT CAST(clock_timestamp() AS TIMESTAMP)", &[], &mut |row| {
            now = row.time(0)?;
            Ok(())
        })?;
        now.ok_or_else(|| postgres_faults::connection_lost(&self.place))
    }

    fn has_table(&mut self, name: &str) -> Result<bool> {
        let mut found = false;
        // Not `to_regclass`, which may use a snapshot from before the lock was acquired.
        let sql = "SELECT count(*) FROM pg_class WHERE relname = $1 AND pg_table_is_visible(oid)";
        self.query(sql, &[name.into()], &mut |row| {
            found = row.int(0)? > 0;
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

/// The settings of every session. The server's keepalives release the locks of disconnected clients.
fn session_settings(options: &Options) -> String {
    let durable = match options.durability {
        // A server crash must lose nothing. The server's own setting stays; it is `on` by default.
        Durability::Process => "",
        Durability::Power => "SET synchronous_commit = on; ",
    };
    let silence = SILENCE.as_secs();
    let lock_wait = options.lock_wait.as_millis();
    format!(
        "{durable}SET lock_timeout = {lock_wait}; SET idle_in_transaction_session_timeout = '{silence}s'; \
         SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4; \
         SET tcp_user_timeout = '{silence}s'; SET client_min_messages = warning"
    )
}
