//! A running trial, as its objective sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::distribution::Choice;
use crate::error::Result;
use crate::pruners::Peers;
use crate::storages::Checkpoint;
use crate::study::Study;
use crate::trial::{Attributes, Trial};

/// A running trial.
pub struct Running<'r> {
    pub(crate) study: &'r Study,
    pub(crate) worker: &'r dyn WorkerHandle,
    pub(crate) trial: Trial,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The trials that its pruner sees; they do not change while it runs.
    peers: Vec<Arc<Trial>>,
    checkpoints: Checkpoints,
}

/// The worker process, as a running trial sees it.
pub(crate) trait WorkerHandle {
    /// Whether the study was asked to stop.
    fn is_stopping(&self) -> bool;

    /// Stores a report and notifies the observer.
    fn report(
        &self,
        trial: &Trial,
        step: i64,
        value: f64,
        attributes: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()>;
}

/// The action of an objective after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextAction {
    /// Continue.
    Continue,
    /// End, because the trial is not promising: return [`Outcome::Pruned`].
    Prune,
    /// End, because the study was asked to stop: return [`Outcome::Interrupted`]. The trial is resumed later.
    Stop,
}

/// The result of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It ran to its end, with this value.
    Complete {
        /// The trial's value.
        value: f64,
        /// User attributes to store.
        user_attrs: Attributes,
        /// System attributes to store.
        system_attrs: Attributes,
    },
    /// The pruner ended it, or it cannot be judged any more.
    Pruned {
        /// The reason, if it was not the pruner.
        reason: Option<String>,
        /// User attributes to store.
        user_attrs: Attributes,
        /// System attributes to store.
        system_attrs: Attributes,
    },
    /// It failed.
    Failed {
        /// The reason.
        reason: String,
    },
    /// It was asked to stop, and will be resumed from its last checkpoint.
    Interrupted,
}

impl<'r> Running<'r> {
    /// Resumes a trial from its last checkpoint, or from its start. Later reports are dropped: the trial will repeat
    /// them.
    pub(crate) fn new(
        study: &'r Study,
        worker: &'r dyn WorkerHandle,
        mut trial: Trial,
        checkpoint: Option<Checkpoint>,
        peers: Vec<Arc<Trial>>,
    ) -> Running<'r> {
        let done = checkpoint.as_ref().map_or(i64::MIN, |checkpoint| checkpoint.step);
        let reports = std::mem::take(&mut trial.intermediate);
        // Pruners store attributes with the last report; replaying the same reports restores them.
        trial.system_attrs.retain(|key, _| key.starts_with("headsmith:") || key == "fixed_params");
        let mut running =
            Running { study, worker, trial, checkpoint, peers, checkpoints: Checkpoints::default() };
        for (step, value) in reports.into_iter().filter(|(step, _)| *step <= done) {
            running.judge(step, value);
        }
        running
    }

    /// The trial's number.
    pub fn number(&self) -> u64 {
        self.trial.number
    }

    /// The trial's parameters as the user sees them.
    pub fn params(&self) -> BTreeMap<&str, Choice> {
        let params = self.trial.params.iter();
        params.map(|(name, (distribution, inside))| (name.as_str(), distribution.external(*inside))).collect()
    }

    /// The reports so far, by step.
    pub fn reports(&self) -> &BTreeMap<i64, f64> {
        &self.trial.intermediate
    }

    /// The state to resume from, if there is one: the objective's own bytes after its step's report.
    pub fn take_checkpoint(&mut self) -> Option<Checkpoint> {
        self.checkpoint.take()
    }

    /// Whether the study was asked to stop: for objectives that do long work before their first report.
    pub fn is_stopping(&self) -> bool {
        self.worker.is_stopping()
    }

    /// Reports the value of `step`. `state` returns the bytes to resume from after this report, if it has any; it is
    /// called only when a checkpoint is due.
    ///
    /// # Errors
    /// If the storage fails permanently.
    pub fn report(
        &mut self,
        step: i64,
        value: f64,
        state: &mut dyn FnMut() -> Option<Vec<u8>>,
    ) -> Result<NextAction> {
        let (prune, attributes) = self.judge(step, value);
        let stop = self.worker.is_stopping();
        let begin = Instant::now();
        let due = !prune && (stop || self.checkpoints.are_due());
        let state = if due { state() } else { None };
        self.worker.report(&self.trial, step, value, &attributes, state.as_deref())?;
        if due {
            self.checkpoints.made(begin.elapsed());
        }
        Ok(match (prune, stop) {
            (true, _) => NextAction::Prune,
            (false, true) => NextAction::Stop,
            (false, false) => NextAction::Continue,
        })
    }

    /// Adds a report and calls the pruner.
    fn judge(&mut self, step: i64, value: f64) -> (bool, Attributes) {
        self.trial.intermediate.insert(step, value);
        let peers = Peers {
            study_name: &self.study.record.name,
            direction: self.study.record.direction,
            trials: &self.peers,
        };
        let verdict = self.study.pruner.judge(peers, &self.trial);
        self.trial.system_attrs.extend(verdict.remember.clone());
        (verdict.prune, verdict.remember)
    }
}

/// Decides when to save checkpoints: they take at most a fiftieth of the time.
struct Checkpoints {
    last: Instant,
    cost: Duration,
}

impl Default for Checkpoints {
    fn default() -> Checkpoints {
        Checkpoints { last: Instant::now(), cost: Duration::ZERO }
    }
}

impl Checkpoints {
    /// A trial that has run for less is not worth a checkpoint.
    const AT_LEAST: Duration = Duration::from_secs(5);
    const SHARE: u32 = 50;

    fn are_due(&self) -> bool {
        self.last.elapsed() >= Self::AT_LEAST.max(self.cost * Self::SHARE)
    }

    fn made(&mut self, cost: Duration) {
        (self.last, self.cost) = (Instant::now(), cost);
    }
}
