//! Workers: threads that claim trials, run them and report to the storage.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use headsmith_kernels::pool::Stopped;
use serde_json::Value;

use crate::distribution::Choice;
use crate::error::{Error, Kind, Result};
use crate::identity::Identity;
use crate::running::{Outcome, Running, WorkerHandle};
use crate::storages::{Claimed, Scope, Storage};
use crate::study::{self, Study};
use crate::trial::{Attributes, State, Trial};

/// How one process works on a study.
pub struct Work<'w> {
    /// The number of trials it runs at once, one thread each.
    pub n_jobs: usize,
    /// A flag for a clean stop: running trials are interrupted, to be resumed later.
    pub stop: &'w AtomicBool,
    /// The time of a clean stop.
    pub deadline: Option<Instant>,
    /// The interval between heartbeats of running trials; a trial without one for twice as long counts as abandoned.
    pub heartbeat: Duration,
}

/// A worker's progress.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StudyEvent {
    /// A trial starts, or resumes after `done` reports.
    Began {
        /// The trial's number.
        number: u64,
        /// Its parameters as the user sees them.
        params: BTreeMap<String, Choice>,
        /// The number of its earlier reports.
        done: usize,
    },
    /// A trial reported.
    Reported {
        /// The trial's number.
        number: u64,
        /// The step, from 0.
        step: i64,
        /// The value.
        value: f64,
    },
    /// A trial ended.
    Ended {
        /// The trial's number.
        number: u64,
        /// Its final state.
        state: State,
        /// Its value.
        value: Option<f64>,
        /// The reason, if it failed or was pruned by something other than the pruner.
        reason: Option<String>,
    },
    /// Another worker has claimed the trial, because this one seemed dead.
    Lost {
        /// The trial's number.
        number: u64,
    },
    /// The trial was released unfinished.
    Released {
        /// The trial's number.
        number: u64,
    },
}

/// The state shared by the threads of a process: one connection, and the request to stop.
struct SharedState<'d> {
    storage: Mutex<&'d mut dyn Storage>,
    /// The keys of trials that run here.
    running: Mutex<BTreeSet<i64>>,
    /// Notified when a trial ends, because another may then start.
    ended: Condvar,
    quit: AtomicBool,
    work: &'d Work<'d>,
    observer: &'d (dyn Fn(&StudyEvent) + Sync),
}

/// Works on `study` until its trials are finished or a stop is requested. `n_jobs` threads call `objective` at the
/// same time to run trials.
///
/// # Errors
/// If the storage fails permanently. Running trials are interrupted, to be resumed later.
pub fn work(
    study: &Study,
    storage: &mut dyn Storage,
    work: &Work<'_>,
    objective: &(dyn Fn(&mut Running<'_>) -> Result<Outcome> + Sync),
    observer: &(dyn Fn(&StudyEvent) + Sync),
) -> Result<()> {
    let worker = SharedState {
        storage: Mutex::new(storage),
        running: Mutex::default(),
        ended: Condvar::new(),
        quit: AtomicBool::new(false),
        work,
        observer,
    };
    let first_error = Mutex::new(None);
    thread::scope(|scope| {
        let run = || record_error(&first_error, &worker, worker.run_trials(study, objective));
        let jobs = started(scope, || worker.keep_alive(&first_error))
            .and_then(|_| (0..work.n_jobs).map(|_| started(scope, run)).collect::<Result<Vec<_>>>());
        match jobs {
            Ok(jobs) => jobs.into_iter().for_each(|job| {
                // Joining cannot fail: panics of trials are caught.
                let _ = job.join();
            }),
            Err(error) => record_error(&first_error, &worker, Err(error)),
        }
        worker.quit();
    });
    first_error.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// A new thread of `scope`.
///
/// # Errors
/// When the system refuses it.
fn started<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<thread::ScopedJoinHandle<'scope, ()>> {
    thread::Builder::new().spawn_scoped(scope, work).map_err(|cause| {
        Error::new(Kind::Unavailable, format!("cannot start a thread: {cause}; try fewer jobs"))
    })
}

/// Records the first error, and stops all threads.
fn record_error(first_error: &Mutex<Option<Error>>, worker: &SharedState<'_>, result: Result<()>) {
    if let Err(error) = result {
        lock(first_error).get_or_insert(error);
        worker.quit();
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data is consistent between calls, so a poisoned lock is safe to use.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkerHandle for SharedState<'_> {
    fn is_stopping(&self) -> bool {
        self.quit.load(Ordering::Relaxed)
            || self.work.stop.load(Ordering::Relaxed)
            || self.work.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn report(
        &self,
        trial: &Trial,
        step: i64,
        value: f64,
        attributes: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()> {
        lock(&self.storage).report(trial.id, step, value, attributes, checkpoint)?;
        (self.observer)(&StudyEvent::Reported { number: trial.number, step, value });
        Ok(())
    }
}

impl SharedState<'_> {
    fn quit(&self) {
        self.quit.store(true, Ordering::Relaxed);
        self.ended.notify_all();
    }

    fn run_trials(
        &self,
        study: &Study,
        objective: &(dyn Fn(&mut Running<'_>) -> Result<Outcome> + Sync),
    ) -> Result<()> {
        let me = Identity::mine();
        while !self.is_stopping() {
            match self.claim(study, &me)? {
                Some(mut running) => {
                    let id = running.trial.id;
                    lock(&self.running).insert(id);
                    let ended = self.run(&mut running, objective);
                    lock(&self.running).remove(&id);
                    self.ended.notify_all();
                    match ended {
                        // Another worker considered this one dead and owns the trial now; continue with others.
                        Err(error) if error.kind() == Kind::Conflict => {
                            (self.observer)(&StudyEvent::Lost { number: running.number() });
                        }
                        ended => ended?,
                    }
                }
                None if self.quit.load(Ordering::Relaxed) => break,
                None => (),
            }
        }
        Ok(())
    }

    /// The next trial to run; `None` after a while without one, or when none is left.
    fn claim<'r>(&'r self, study: &'r Study, me: &Identity) -> Result<Option<Running<'r>>> {
        let mut storage = lock(&self.storage);
        let mut peers = Vec::new();
        let grace = 2 * self.work.heartbeat;
        let claimed = storage.claim(study.record.id, grace, &mut |queue| {
            // Trials that run here are not abandoned, whatever the clocks show.
            let mine = lock(&self.running);
            let stale: Vec<i64> = queue.stale.iter().copied().filter(|id| !mine.contains(id)).collect();
            peers = queue.trials.to_vec();
            study.next(crate::storages::Queue { stale: &stale, ..queue }, me)
        })?;
        match claimed {
            Claimed::Trial(trial) => {
                let checkpoint = storage.checkpoint(trial.id)?;
                drop(storage);
                let peers = study.visible(&peers, trial.number);
                let running = Running::new(study, self, *trial, checkpoint, peers);
                let done = running.reports().len();
                let params =
                    running.params().into_iter().map(|(name, choice)| (name.to_owned(), choice)).collect();
                (self.observer)(&StudyEvent::Began { number: running.number(), params, done });
                Ok(Some(running))
            }
            Claimed::Done => {
                drop(storage);
                self.quit();
                Ok(None)
            }
            Claimed::Wait => {
                const IDLE_WAIT: Duration = Duration::from_millis(20);
                drop(self.ended.wait_timeout(storage, IDLE_WAIT));
                Ok(None)
            }
        }
    }

    fn run(
        &self,
        running: &mut Running<'_>,
        objective: &(dyn Fn(&mut Running<'_>) -> Result<Outcome> + Sync),
    ) -> Result<()> {
        let outcome = match catch_unwind(AssertUnwindSafe(|| objective(running))) {
            Ok(outcome) => outcome?,
            Err(cause) if cause.is::<Stopped>() => Outcome::Interrupted,
            Err(panic) => Outcome::Failed { reason: format!("it panicked: {}", message(panic.as_ref())) },
        };
        let Trial { id, number, .. } = running.trial;
        let last = running.trial.intermediate.last_key_value().map(|(_, value)| *value);
        let none = Attributes::new();
        let (state, value, reason, user_attrs, system_attrs) = match outcome {
            Outcome::Complete { value, user_attrs, system_attrs } if !value.is_nan() => {
                (State::Complete, Some(value), None, user_attrs, system_attrs)
            }
            Outcome::Complete { user_attrs, system_attrs, .. } => {
                (State::Fail, None, Some("its value is not a number".to_owned()), user_attrs, system_attrs)
            }
            // As in Optuna, the value of a pruned trial is its last report.
            Outcome::Pruned { reason, user_attrs, system_attrs } => {
                (State::Pruned, last.filter(|value| !value.is_nan()), reason, user_attrs, system_attrs)
            }
            Outcome::Failed { reason } => (State::Fail, None, Some(reason), none.clone(), none),
            Outcome::Interrupted => return self.release(id, number),
        };
        let reasons = reason.iter().map(|reason| (study::REASON.to_owned(), Value::from(reason.as_str())));
        let system_attrs = system_attrs.into_iter().chain(reasons).collect();
        lock(&self.storage).finish(id, state, value, &user_attrs, &system_attrs)?;
        (self.observer)(&StudyEvent::Ended { number, state, value, reason });
        Ok(())
    }

    fn release(&self, id: i64, number: u64) -> Result<()> {
        let mut storage = lock(&self.storage);
        // Its time counts up to this heartbeat.
        storage.heartbeat(&[id])?;
        for (key, value) in study::release_attrs() {
            storage.set_trial_attr(id, Scope::System, key, &value)?;
        }
        drop(storage);
        (self.observer)(&StudyEvent::Released { number });
        Ok(())
    }

    /// Sends heartbeats for the running trials until all jobs have ended.
    fn keep_alive(&self, first_error: &Mutex<Option<Error>>) {
        const TICK: Duration = Duration::from_millis(20);
        let mut last = Instant::now();
        while !(self.quit.load(Ordering::Relaxed) && lock(&self.running).is_empty()) {
            thread::sleep(TICK);
            if last.elapsed() < self.work.heartbeat {
                continue;
            }
            last = Instant::now();
            let ids: Vec<i64> = lock(&self.running).iter().copied().collect();
            if !ids.is_empty() {
                record_error(first_error, self, lock(&self.storage).heartbeat(&ids));
            }
        }
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
