//! PostgreSQL, the storage of workers on many machines.
//!
//! A connection that was lost is made again by the next call. The server forgets a client that is cut off after half a
//! minute, so that the locks it held stop nobody.

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
    // Any number will do that nothing else in the database locks.
    lock_schema: Some("SELECT pg_advisory_xact_lock(7306084573016485987)"),
    checkpoints: "CREATE TABLE IF NOT EXISTS headsmith_checkpoints (trial_id INTEGER NOT NULL PRIMARY KEY, \
                  step INTEGER NOT NULL, state BYTEA NOT NULL, FOREIGN KEY(trial_id) REFERENCES trials (trial_id) \
                  ON DELETE CASCADE)",
    lock_study: "SELECT study_id FROM studies WHERE study_id = $1 FOR UPDATE",
    lock_trial: "SELECT state, number FROM trials WHERE trial_id = $1 FOR UPDATE",
};

/// How long a silent peer is waited for, by both sides.
const SILENCE: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);

/// A connection to one database.
pub(super) struct Postgres {
    config: Config,
    place: String,
    session: String,
    live: Option<Live>,
}

/// What is gone with a connection.
struct Live {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
}

impl Postgres {
    /// Connects to `url`, written as `postgresql://..`.
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
        let mut postgres = Postgres { config, place, session: session(options), live: None };
        postgres.connect()?;
        Ok(postgres)
    }

    fn connect(&mut self) -> Result<()> {
        let fault = |error| postgres_faults::explain(&self.place, error);
        let mut client = self.config.connect(NoTls).map_err(fault)?;
        client.batch_execute(&self.session).map_err(fault)?;
        self.live = Some(Live { client, prepared: HashMap::new() });
        Ok(())
    }

    fn fault(&mut self, error: postgres::Error) -> Error {
        if postgres_faults::is_lost(&error) || self.live.as_ref().is_some_and(|live| live.client.is_closed())
        {
            self.live = None;
        }
        postgres_faults::explain(&self.place, error)
    }

    /// Runs `work` on the connection there is.
    fn on<T>(
        &mut self,
        work: impl FnOnce(&mut Live) -> std::result::Result<T, postgres::Error>,
    ) -> Result<T> {
        let Some(live) = &mut self.live else { return Err(postgres_faults::gone(&self.place)) };
        work(live).map_err(|error| self.fault(error))
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.on(|live| live.client.batch_execute(sql))
    }
}

impl Live {
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
        if self.live.is_some() {
            match self.batch(sql) {
                // The server was restarted since the last call: nothing was under way.
                Err(error) if error.kind() == Kind::Unavailable && self.live.is_none() => {}
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
        // A connection that cannot roll back is of no more use; the server rolls back when it is closed.
        if self.live.is_some() && self.batch("ROLLBACK").is_err() {
            self.live = None;
        }
    }

    fn execute(&mut self, sql: &'static str, params: &[Cell<'_>]) -> Result<u64> {
        self.on(|live| {
            let statement = live.statement(sql)?;
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|cell| cell as _).collect();
            live.client.execute(&statement, &params)
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
        self.on(|live| {
            let statement = live.statement(sql)?;
            let mut rows = live.client.query_raw(&statement, params)?;
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
        // Without a zone, in the session's own, as Optuna compares them; the moment, not the transaction's beginning.
        self.query("SELECT CAST(clock_timestamp() AS TIMESTAMP)", &[], &mut |row| {
            now = row.time(0)?;
            Ok(())
        })?;
        now.ok_or_else(|| postgres_faults::gone(&self.place))
    }

    fn has_table(&mut self, name: &str) -> Result<bool> {
        let mut found = false;
        // Not `to_regclass`: it may answer from before a lock was waited for.
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

/// What every session begins with. The server's own keepalives free the locks of clients that were cut off.
fn session(options: &Options) -> String {
    let durable = match options.durability {
        // A crash of the server must lose nothing: its own setting stays, and that is `on` unless somebody chose.
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
