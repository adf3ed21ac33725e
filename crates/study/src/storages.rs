//! Storages: where a study is remembered. Both databases have Optuna's schema; what is written to them is written down
//! once ([`rdb`]), with a [`link`] to each.

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

/// The attribute in which a storage keeps what tells its claim of a trial from all others. See [`Storage::claim`].
pub const CLAIM_ATTR: &str = "headsmith:claim";

/// How a storage is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What acknowledged means.
    pub durability: Durability,
    /// How long to wait for another process's lock before saying `Unavailable`.
    pub lock_wait: Duration,
    /// Whether an SQLite file that is not there is an error rather than made: for those who only look.
    pub must_exist: bool,
    /// Where the times come from at which trials begin and end; also SQLite's heartbeats.
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

/// What nothing acknowledged is lost by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of any process. A power cut may take the last reports of an SQLite study, never its soundness.
    #[default]
    Process,
    /// A power cut as well. SQLite then waits for the disk at each report.
    Power,
}

/// Opens the database at `url` (a path, `sqlite:///PATH` or `postgresql://..`), and makes its tables where they are
/// missing.
///
/// # Errors
/// An address that is none; a database that cannot be opened, or has another version's schema.
pub fn open(url: &str, options: &Options) -> Result<Box<dyn Storage>> {
    let link: Box<dyn link::Link> = match url::parse(url)? {
        url::Place::Memory => Box::new(sqlite::Sqlite::open(None, options)?),
        url::Place::File(path) if options.must_exist && !path.exists() => {
            let message = format!("there is no study database {}: name one with --storage", path.display());
            return Err(Error::new(Kind::NotFound, message));
        }
        url::Place::File(path) => Box::new(sqlite::Sqlite::open(Some(&path), options)?),
        url::Place::Server(url) => Box::new(postgres::Postgres::open(&url, options)?),
    };
    Ok(Box::new(rdb::Rdb::new(link, options.clock)?))
}

/// A study as a storage has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRecord {
    /// Its key in the storage.
    pub id: i64,
    /// Its name, unique in the storage.
    pub name: String,
    /// Whether small or large values of its first objective are good.
    pub direction: Direction,
    /// The same of its further objectives: of studies that Optuna began with several. Headsmith reads them, and does not run
    /// their trials.
    pub further_directions: Vec<Direction>,
    /// Attributes for people.
    pub user_attrs: Attributes,
    /// Attributes of samplers, pruners and workers.
    pub system_attrs: Attributes,
}

/// Whose attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For people.
    User,
    /// Of samplers, pruners and workers.
    System,
}

/// What a worker that asks for work sees, the study's row locked.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'q> {
    /// All trials, in the order of their numbers.
    pub trials: &'q [Arc<Trial>],
    /// Keys of running trials whose last heartbeat is older than the grace, by the storage's own clock.
    pub stale: &'q [i64],
}

/// What the worker answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// Nothing to do now; there may be later.
    Wait,
    /// Nothing to do any more.
    Done,
    /// Begin a new trial; it gets the next number.
    Begin {
        /// Its parameters.
        params: Params,
        /// Its system attributes.
        system_attrs: Attributes,
    },
    /// Begin a waiting trial, or take up a running one that nobody is on any more under its own number.
    TakeUp {
        /// Its key.
        trial_id: i64,
        /// Its parameters: those it lacks are added.
        params: Params,
        /// System attributes to set.
        system_attrs: Attributes,
    },
    /// Give up a running trial that nobody is on any more: it becomes a failed one. Then ask again.
    Fail {
        /// Its key.
        trial_id: i64,
        /// System attributes to set: the reason.
        system_attrs: Attributes,
    },
}

/// What came of asking for work.
#[derive(Debug, Clone, PartialEq)]
pub enum Claimed {
    /// See [`Claim::Wait`].
    Wait,
    /// See [`Claim::Done`].
    Done,
    /// This trial is the worker's: it is running, and has a first heartbeat.
    Trial(Box<Trial>),
}

/// The state of a half-done trial, to go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last step whose report it includes.
    pub step: i64,
    /// The state: the objective's own bytes.
    pub state: Vec<u8>,
}

/// Where studies are remembered. One value serves one thread; several may be open on one database. What a call has
/// acknowledged, no crash of a process loses. A call that cannot reach the database just now says
/// [`Kind::Unavailable`](crate::Kind::Unavailable) and has done nothing, or all of it. It may be repeated on the same
/// value, whatever it was: what was done already is found again and not done twice. [`Retry`] does so.
///
/// A claim is kept in the trial's system attribute [`CLAIM_ATTR`]. A value that claimed a trial gets a conflict from
/// `report`, `finish` and `set_trial_attr` once somebody else has taken the trial up: it was thought dead, and what it
/// says counts no more.
pub trait Storage: Send {
    /// Makes a study.
    ///
    /// # Errors
    /// A conflict when the name is taken.
    fn create_study(&mut self, name: &str, direction: Direction) -> Result<StudyRecord>;
    /// All studies, in the order in which they were made.
    fn studies(&mut self) -> Result<Vec<StudyRecord>>;
    /// The study of this name.
    ///
    /// # Errors
    /// A conflict when it has no direction.
    fn study(&mut self, name: &str) -> Result<Option<StudyRecord>>;
    /// Gives a study another name.
    fn rename_study(&mut self, study_id: i64, name: &str) -> Result<()>;
    /// Removes a study and its trials.
    fn delete_study(&mut self, study_id: i64) -> Result<()>;
    /// Sets one of a study's attributes.
    fn set_study_attr(&mut self, study_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()>;
    /// Sets one of an unfinished trial's attributes.
    fn set_trial_attr(&mut self, trial_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()>;

    /// All trials, in the order of their numbers; finished ones are read once.
    fn trials(&mut self, study_id: i64) -> Result<Vec<Arc<Trial>>>;
    /// Adds a waiting trial with these values fixed, as its user writes them by parameter (Optuna's `enqueue_trial`:
    /// they become the system attribute `fixed_params`), and gives its number.
    fn enqueue(&mut self, study_id: i64, fixed: &Attributes, user_attrs: &Attributes) -> Result<u64>;
    /// Asks for work: locks the study, shows all trials to `choose`, and does what it answers, all in one
    /// transaction. A trial that somebody else took up meanwhile is never given; `choose` is then asked again.
    ///
    /// A running trial that is taken up keeps the reports up to its checkpoint, or none without one: the rest is to be
    /// said again. What no clock can be trusted with is not stale: when the storage's clock jumps, heartbeats count from
    /// the jump on.
    fn claim(
        &mut self,
        study_id: i64,
        grace: Duration,
        choose: &mut dyn FnMut(Queue<'_>) -> Result<Claim>,
    ) -> Result<Claimed>;

    /// Remembers a report of a running trial, with system attributes and a checkpoint that belong to it, in one
    /// transaction; it counts as a heartbeat. A report of the same step replaces the one before.
    fn report(
        &mut self,
        trial_id: i64,
        step: i64,
        value: f64,
        system_attrs: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()>;
    /// Ends a running trial, and forgets its checkpoint. A pruned trial without a value gets its last report, unless
    /// that is NaN.
    ///
    /// # Errors
    /// A conflict when it is finished already.
    fn finish(
        &mut self,
        trial_id: i64,
        state: State,
        value: Option<f64>,
        user_attrs: &Attributes,
        system_attrs: &Attributes,
    ) -> Result<()>;
    /// Keys of running trials that were not heard of for longer than the grace, by the storage's own clock.
    fn silent(&mut self, study_id: i64, grace: Duration) -> Result<Vec<i64>>;
    /// Says that these trials' worker is alive.
    fn heartbeat(&mut self, trial_ids: &[i64]) -> Result<()>;
    /// The last checkpoint of a trial.
    fn checkpoint(&mut self, trial_id: i64) -> Result<Option<Checkpoint>>;
}
