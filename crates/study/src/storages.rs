//! Storages of studies. Both databases have Optuna's schema; their statements are in [`rdb`], with a [`link`] to each.

mod cell;
mod json;
mod link;
mod postgres;
mod postgres_codec;
mod postgres_faults;
mod rdb;
mod retry;
mod schema;
mod sqlite;
mod sqlite_faults;
mod stale;
mod time;
mod url;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::trial::{Attributes, Direction, Params, State, Trial};

pub use retry::{Outage, Retry};
pub use time::Clock;
pub use url::without_password;

/// The attribute with a storage's unique claim token of a trial. See [`Storage::claim`].
pub const CLAIM_ATTR: &str = "headsmith:claim";

/// Options for opening a storage.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which failures an acknowledged write survives.
    pub durability: Durability,
    /// How long to wait for another process's lock before returning `Unavailable`.
    pub lock_wait: Duration,
    /// Whether a missing SQLite file is an error, for read-only use; otherwise it is created.
    pub must_exist: bool,
    /// The clock for the times at which trials begin and end, and for SQLite's heartbeats.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            durability: Durability::Process,
            lock_wait: Duration::from_secs(30),
            must_exist: false,
            clock: jiff::Timestamp::now,
        }
    }
}

/// Which failures an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of any process. A power cut may lose the last reports of an SQLite study, but does not damage the
    /// file.
    #[default]
    Process,
    /// A power cut as well. SQLite then waits for the disk at each report.
    Power,
}

/// Checks the form of an address without opening it.
///
/// # Errors
/// An invalid address.
pub fn check_url(url: &str) -> Result<()> {
    url::parse(url).map(drop)
}

/// Opens the database at `url` (a path, `sqlite:///PATH` or `postgresql://..`), and creates missing tables.
///
/// # Errors
/// An invalid address; a database that cannot be opened, or has the schema of another version.
pub fn open(url: &str, options: &Options) -> Result<Box<dyn Storage>> {
    let link: Box<dyn link::Link> = match url::parse(url)? {
        url::StorageUrl::Memory => Box::new(sqlite::Sqlite::open(None, options)?),
        url::StorageUrl::File(path) if options.must_exist && !path.exists() => {
            let message = format!("there is no study database {}: name one with --storage", path.display());
            return Err(Error::new(Kind::NotFound, message));
        }
        url::StorageUrl::File(path) => Box::new(sqlite::Sqlite::open(Some(&path), options)?),
        url::StorageUrl::Server(url) => Box::new(postgres::Postgres::open(&url, options)?),
    };
    Ok(Box::new(rdb::Rdb::new(link, options.clock)?))
}

/// A study in a storage.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRecord {
    /// Its key in the storage.
    pub id: i64,
    /// Its name, unique in the storage.
    pub name: String,
    /// Whether smaller or larger values of its first objective are better.
    pub direction: Direction,
    /// The directions of further objectives, in studies that Optuna created with several. Headsmith reads them, but
    /// does not run their trials.
    pub further_directions: Vec<Direction>,
    /// User attributes.
    pub user_attrs: Attributes,
    /// System attributes: of samplers, pruners and workers.
    pub system_attrs: Attributes,
}

/// Whether attributes are the user's or the system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// User attributes.
    User,
    /// System attributes: of samplers, pruners and workers.
    System,
}

/// The study as a worker sees it when it claims work, with the study's row locked.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'q> {
    /// All trials, in the order of their numbers.
    pub trials: &'q [Arc<Trial>],
    /// Keys of running trials whose last heartbeat is older than the grace period, by the storage's own clock.
    pub stale: &'q [i64],
}

/// A worker's decision on seeing the queue.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// Wait: there is nothing to do now, but there may be later.
    Wait,
    /// End: there is nothing left to do.
    Done,
    /// Start a new trial, which gets the next number.
    Begin {
        /// Its parameters.
        params: Params,
        /// Its system attributes.
        system_attrs: Attributes,
    },
    /// Start a waiting trial, or resume an abandoned one under its own number.
    Take {
        /// Its key.
        trial_id: i64,
        /// Its parameters: missing ones are added.
        params: Params,
        /// System attributes to set.
        system_attrs: Attributes,
    },
    /// Mark an abandoned trial as failed, then decide again.
    Fail {
        /// Its key.
        trial_id: i64,
        /// System attributes to set: the reason.
        system_attrs: Attributes,
    },
}

/// The result of claiming work.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// See [`Claim::Wait`].
    Wait,
    /// See [`Claim::Done`].
    Done,
    /// The worker owns this trial: it is running, and has a first heartbeat.
    Trial(Box<Trial>),
}

/// The state of an unfinished trial, to resume from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last step whose report it includes.
    pub step: i64,
    /// The state: the objective's own bytes.
    pub state: Vec<u8>,
}

/// A database of studies. A value may be used by one thread; several values may be open on one database. An
/// acknowledged call survives the crash of any process. A call that cannot reach the database returns
/// [`Kind::Unavailable`](crate::Kind::Unavailable), and was applied in full or not at all. Any call may be repeated on
/// the same value: a change that was applied is recognised and not applied twice. [`Retry`] repeats calls.
///
/// A claim is stored in the trial's system attribute [`CLAIM_ATTR`]. Once another worker has claimed the trial,
/// because its owner seemed dead, `report`, `finish` and `set_trial_attr` of the former owner return a conflict.
pub trait Storage: Send {
    /// Creates a study.
    ///
    /// # Errors
    /// A conflict if the name is taken.
    fn create_study(&mut self, name: &str, direction: Direction) -> Result<StudyRecord>;
    /// All studies, in the order of their creation.
    fn studies(&mut self) -> Result<Vec<StudyRecord>>;
    /// The study with this name.
    ///
    /// # Errors
    /// A conflict if it has no direction.
    fn study(&mut self, name: &str) -> Result<Option<StudyRecord>>;
    /// Renames a study.
    fn rename_study(&mut self, study_id: i64, name: &str) -> Result<()>;
    /// Deletes a study and its trials.
    fn delete_study(&mut self, study_id: i64) -> Result<()>;
    /// Sets one of a study's attributes.
    fn set_study_attr(&mut self, study_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()>;
    /// Sets one of an unfinished trial's attributes.
    fn set_trial_attr(&mut self, trial_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()>;

    /// All trials, in the order of their numbers; finished ones are read once.
    fn trials(&mut self, study_id: i64) -> Result<Vec<Arc<Trial>>>;
    /// Adds a waiting trial with these fixed values, given by parameter as the user sees them (Optuna's
    /// `enqueue_trial`: they become the system attribute `fixed_params`), and returns its number.
    fn enqueue(&mut self, study_id: i64, fixed: &Attributes, user_attrs: &Attributes) -> Result<u64>;
    /// Claims work: locks the study, calls `choose` with all trials, and applies its decision, all in one transaction.
    /// A trial that another worker has claimed meanwhile is never returned; `choose` is called again instead.
    ///
    /// A resumed trial keeps the reports up to its checkpoint, or none without one; the worker repeats the rest.
    /// Trials do not become stale because a clock jumps: when the storage's clock jumps, heartbeats count from the
    /// jump on.
    fn claim(
        &mut self,
        study_id: i64,
        grace: Duration,
        choose: &mut dyn FnMut(Queue<'_>) -> Result<Claim>,
    ) -> Result<Claimed>;

    /// Stores a report of a running trial with its system attributes and checkpoint, in one transaction; it counts as
    /// a heartbeat. A second report of the same step replaces the first.
    fn report(
        &mut self,
        trial_id: i64,
        step: i64,
        value: f64,
        system_attrs: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()>;
    /// Ends a running trial and deletes its checkpoint. A pruned trial without a value gets its last report, unless
    /// that is NaN.
    ///
    /// # Errors
    /// A conflict if it is already finished.
    fn finish(
        &mut self,
        trial_id: i64,
        state: State,
        value: Option<f64>,
        user_attrs: &Attributes,
        system_attrs: &Attributes,
    ) -> Result<()>;
    /// Keys of running trials whose last heartbeat is older than the grace period, by the storage's own clock.
    fn silent(&mut self, study_id: i64, grace: Duration) -> Result<Vec<i64>>;
    /// Records that the worker of these trials is alive.
    fn heartbeat(&mut self, trial_ids: &[i64]) -> Result<()>;
    /// The last checkpoint of a trial.
    fn checkpoint(&mut self, trial_id: i64) -> Result<Option<Checkpoint>>;
}
