//! A study in tables: the statements that both databases share.

mod claim;
mod history;
mod studies;
mod writes;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use self::history::History;
use super::link::{Access, Link};
use super::stale::HeartbeatMonitor;
use super::time::{self, Clock};
use super::{Checkpoint, Claim, Claimed, Queue, Scope, Storage, StudyRecord, schema};
use crate::error::{Error, Kind, Result};
use crate::trial::{Attributes, Direction, State, Trial};

/// A storage in a database with Optuna's schema.
pub(super) struct Rdb {
    link: Box<dyn Link>,
    clock: Clock,
    /// The cached trials of each study.
    histories: HashMap<i64, History>,
    /// The claim tokens of this value, by trial.
    claims: HashMap<i64, String>,
    heartbeats: HeartbeatMonitor,
    /// Whether the table of checkpoints is known to exist.
    has_checkpoints: bool,
    /// The change made by the open transaction.
    in_progress: Option<PendingWrite>,
    /// A change whose acknowledgement was lost, so it may have been applied.
    unacknowledged: Option<PendingWrite>,
}

/// A change that must not be applied twice.
#[derive(Debug, PartialEq, Eq)]
enum PendingWrite {
    Create { study_id: i64, name: String },
    Delete { study_id: i64 },
    Enqueue { trial_id: i64, token: String },
    Claim { trial_id: i64, token: String },
    Finish { trial_id: i64, state: State },
}

impl Rdb {
    /// Creates missing tables.
    pub(super) fn new(mut link: Box<dyn Link>, clock: Clock) -> Result<Rdb> {
        schema::ensure(link.as_mut())?;
        Ok(Rdb {
            link,
            clock,
            histories: HashMap::new(),
            claims: HashMap::new(),
            heartbeats: HeartbeatMonitor::default(),
            has_checkpoints: false,
            in_progress: None,
            unacknowledged: None,
        })
    }

    /// Runs `work` in one transaction that may write.
    fn write<T>(&mut self, work: impl FnOnce(&mut Rdb) -> Result<T>) -> Result<T> {
        self.in_progress = None;
        self.link.begin(Access::Write)?;
        let done = match work(self) {
            Ok(done) => done,
            Err(error) => {
                self.link.rollback();
                if matches!(error.kind(), Kind::Unavailable | Kind::Storage) {
                    self.histories.clear();
                }
                return Err(error);
            }
        };
        if let Err(error) = self.link.commit() {
            // What was cached within the transaction may never have happened.
            self.histories.clear();
            if error.kind() == Kind::Unavailable {
                self.unacknowledged = self.in_progress.take().or(self.unacknowledged.take());
            }
            return Err(error);
        }
        if self.in_progress.is_some() {
            self.unacknowledged = None;
        }
        Ok(done)
    }

    /// Runs `work` in one transaction that only reads.
    fn read<T>(&mut self, work: impl FnOnce(&mut Rdb) -> Result<T>) -> Result<T> {
        self.link.begin(Access::Read)?;
        let result = work(self);
        match result {
            Ok(done) => self.link.commit().map(|()| done),
            Err(error) => {
                self.link.rollback();
                Err(error)
            }
        }
    }

    /// Whether the table of checkpoints exists.
    fn has_checkpoints(&mut self) -> Result<bool> {
        if !self.has_checkpoints {
            self.has_checkpoints = self.link.has_table("headsmith_checkpoints")?;
        }
        Ok(self.has_checkpoints)
    }

    fn now(&self) -> jiff::Timestamp {
        time::to_micros((self.clock)())
    }
}

/// A unique token for a claim: the hasher's keys are random numbers of the system.
fn token() -> String {
    let part = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", part(), part())
}

fn no_study(place: &str) -> Error {
    Error::new(Kind::NotFound, format!("the study is no longer in {place}: it was deleted"))
}

fn no_trial(place: &str) -> Error {
    Error::new(Kind::NotFound, format!("the trial is no longer in {place}: its study was deleted"))
}

impl Storage for Rdb {
    fn create_study(&mut self, name: &str, direction: Direction) -> Result<StudyRecord> {
        studies::create(self, name, direction)
    }

    fn studies(&mut self) -> Result<Vec<StudyRecord>> {
        self.read(|rdb| studies::all(rdb, None))
    }

    fn study(&mut self, name: &str) -> Result<Option<StudyRecord>> {
        self.read(|rdb| studies::find(rdb, name))
    }

    fn rename_study(&mut self, study_id: i64, name: &str) -> Result<()> {
        self.write(|rdb| studies::rename(rdb, study_id, name))
    }

    fn delete_study(&mut self, study_id: i64) -> Result<()> {
        self.write(|rdb| studies::delete(rdb, study_id))
    }

    fn set_study_attr(&mut self, study_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()> {
        self.write(|rdb| studies::set_attr(rdb, study_id, scope, key, value))
    }

    fn set_trial_attr(&mut self, trial_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()> {
        self.write(|rdb| {
            writes::lock_own(rdb, trial_id)?;
            writes::set_attr(rdb, trial_id, scope, key, value)
        })
    }

    fn trials(&mut self, study_id: i64) -> Result<Vec<Arc<Trial>>> {
        self.read(|rdb| {
            studies::check(rdb, study_id)?;
            history::refresh(rdb, study_id)?;
            Ok(rdb.histories.get(&study_id).map(|history| history.trials.clone()).unwrap_or_default())
        })
    }

    fn enqueue(&mut self, study_id: i64, fixed: &Attributes, user_attrs: &Attributes) -> Result<u64> {
        self.write(|rdb| claim::enqueue(rdb, study_id, fixed, user_attrs))
    }

    fn claim(
        &mut self,
        study_id: i64,
        grace: Duration,
        choose: &mut dyn FnMut(Queue<'_>) -> Result<Claim>,
    ) -> Result<Claimed> {
        let claimed = self.write(|rdb| claim::claim(rdb, study_id, grace, choose))?;
        if let Some(PendingWrite::Claim { trial_id, token }) = self.in_progress.take() {
            self.claims.insert(trial_id, token);
        }
        Ok(claimed)
    }

    fn report(
        &mut self,
        trial_id: i64,
        step: i64,
        value: f64,
        system_attrs: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()> {
        // Only a transaction reconnects: outside of one, a call after a lost connection would always fail.
        if checkpoint.is_some() && !self.has_checkpoints && !self.read(Rdb::has_checkpoints)? {
            schema::make_checkpoints(self.link.as_mut())?;
        }
        self.write(|rdb| writes::report(rdb, trial_id, step, value, system_attrs, checkpoint))
    }

    fn finish(
        &mut self,
        trial_id: i64,
        state: State,
        value: Option<f64>,
        user_attrs: &Attributes,
        system_attrs: &Attributes,
    ) -> Result<()> {
        self.write(|rdb| writes::finish(rdb, trial_id, state, value, [user_attrs, system_attrs]))?;
        self.claims.remove(&trial_id);
        Ok(())
    }

    fn silent(&mut self, study_id: i64, grace: Duration) -> Result<Vec<i64>> {
        self.read(|rdb| {
            history::refresh(rdb, study_id)?;
            claim::stale(rdb, study_id, grace)
        })
    }

    fn heartbeat(&mut self, trial_ids: &[i64]) -> Result<()> {
        self.write(|rdb| writes::heartbeat(rdb, trial_ids))
    }

    fn checkpoint(&mut self, trial_id: i64) -> Result<Option<Checkpoint>> {
        self.read(|rdb| writes::checkpoint(rdb, trial_id))
    }
}
