//! A storage that waits out outages.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Checkpoint, Claim, Claimed, Queue, Scope, Storage, StudyRecord};
use crate::error::{Error, Kind, Result};
use crate::trial::{Attributes, Direction, State, Trial};

/// The first wait; each further one is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// A failed call to an unavailable storage, which will be repeated.
#[derive(Debug)]
pub struct Outage<'e> {
    /// The storage's error.
    pub error: &'e Error,
    /// How long the outage has lasted.
    pub lasting: Duration,
    /// How long to wait before the next try.
    pub wait: Duration,
}

/// Called after each failed try; may end the waiting.
type OutageCallback = Box<dyn FnMut(&Outage<'_>) -> ControlFlow<()> + Send>;

/// Repeats calls that return `Unavailable`, with growing waits, until they succeed or the limit has passed; then it
/// returns the last error. Nothing is applied twice: see [`Storage`].
pub struct Retry {
    inner: Box<dyn Storage>,
    limit: Duration,
    notice: OutageCallback,
}

impl Retry {
    /// The default limit of an outage.
    pub const LIMIT: Duration = Duration::from_secs(300);

    /// Waits at most `limit` in each call. `notice` is called after each failed try.
    pub fn new(
        inner: Box<dyn Storage>,
        limit: Duration,
        notice: impl FnMut(&Outage<'_>) -> ControlFlow<()> + Send + 'static,
    ) -> Retry {
        Retry { inner, limit, notice: Box::new(notice) }
    }

    fn until_done<T>(&mut self, mut call: impl FnMut(&mut dyn Storage) -> Result<T>) -> Result<T> {
        let (start, mut wait) = (Instant::now(), FIRST);
        loop {
            let error = match call(self.inner.as_mut()) {
                Err(error) if error.kind() == Kind::Unavailable => error,
                result => return result,
            };
            let lasting = start.elapsed();
            if lasting >= self.limit {
                return Err(error);
            }
            wait = wait.min(self.limit - lasting);
            if (self.notice)(&Outage { error: &error, lasting, wait }).is_break() {
                return Err(error);
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(LONGEST);
        }
    }
}

impl std::fmt::Debug for Retry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retry").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Storage for Retry {
    fn create_study(&mut self, name: &str, direction: Direction) -> Result<StudyRecord> {
        self.until_done(|s| s.create_study(name, direction))
    }

    fn studies(&mut self) -> Result<Vec<StudyRecord>> {
        self.until_done(|s| s.studies())
    }

    fn study(&mut self, name: &str) -> Result<Option<StudyRecord>> {
        self.until_done(|s| s.study(name))
    }

    fn rename_study(&mut self, study_id: i64, name: &str) -> Result<()> {
        self.until_done(|s| s.rename_study(study_id, name))
    }

    fn delete_study(&mut self, study_id: i64) -> Result<()> {
        self.until_done(|s| s.delete_study(study_id))
    }

    fn set_study_attr(&mut self, study_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()> {
        self.until_done(|s| s.set_study_attr(study_id, scope, key, value))
    }

    fn set_trial_attr(&mut self, trial_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()> {
        self.until_done(|s| s.set_trial_attr(trial_id, scope, key, value))
    }

    fn trials(&mut self, study_id: i64) -> Result<Vec<Arc<Trial>>> {
        self.until_done(|s| s.trials(study_id))
    }

    fn enqueue(&mut self, study_id: i64, fixed: &Attributes, user_attrs: &Attributes) -> Result<u64> {
        self.until_done(|s| s.enqueue(study_id, fixed, user_attrs))
    }

    fn claim(
        &mut self,
        study_id: i64,
        grace: Duration,
        choose: &mut dyn FnMut(Queue<'_>) -> Result<Claim>,
    ) -> Result<Claimed> {
        self.until_done(|s| s.claim(study_id, grace, choose))
    }

    fn report(
        &mut self,
        trial_id: i64,
        step: i64,
        value: f64,
        system_attrs: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()> {
        self.until_done(|s| s.report(trial_id, step, value, system_attrs, checkpoint))
    }

    fn finish(
        &mut self,
        trial_id: i64,
        state: State,
        value: Option<f64>,
        user_attrs: &Attributes,
        system_attrs: &Attributes,
    ) -> Result<()> {
        self.until_done(|s| s.finish(trial_id, state, value, user_attrs, system_attrs))
    }

    fn silent(&mut self, study_id: i64, grace: Duration) -> Result<Vec<i64>> {
        self.until_done(|s| s.silent(study_id, grace))
    }

    fn heartbeat(&mut self, trial_ids: &[i64]) -> Result<()> {
        self.until_done(|s| s.heartbeat(trial_ids))
    }

    fn checkpoint(&mut self, trial_id: i64) -> Result<Option<Checkpoint>> {
        self.until_done(|s| s.checkpoint(trial_id))
    }
}
