//! A trial under way, as its objective sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::distribution::Choice;
use crate::error::Result;
use crate::pruners::Peers;
use crate::storages::Checkpoint;
use crate::study::Study;
use crate::trial::{Attributes, Trial};

/// A trial under way.
pub struct Running<'r> {
    pub(crate) study: &'r Study,
    pub(crate) desk: &'r dyn Desk,
    pub(crate) trial: Trial,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The trials its pruner sees: they do not change while it runs.
    peers: Vec<Arc<Trial>>,
    checkpoints: Checkpoints,
}

/// What a trial needs of the process it runs in.
pub(crate) trait Desk {
    /// Whether the study was asked to stop.
    fn is_stopping(&self) -> bool;

    /// Remembers a report, and tells it.
    fn report(
        &self,
        trial: &Trial,
        step: i64,
        value: f64,
        attributes: &Attributes,
        checkpoint: Option<&[u8]>,
    ) -> Result<()>;
}

/// What an objective is to do after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoOn {
    /// Go on.
    Yes,
    /// End: the trial is not worth more. Answer [`Outcome::Pruned`].
    Prune,
    /// End: the study was asked to stop. Answer [`Outcome::Interrupted`]; the trial is taken up later.
    Stop,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It ran to its end, with this value.
    Complete {
        /// The trial's value.
        value: f64,
        /// Attributes to keep for people.
        user_attrs: Attributes,
        /// Attributes to keep for programs.
        system_attrs: Attributes,
    },
    /// It was told to end, or cannot be judged any more.
    Pruned {
        /// Why, if not because of the pruner.
        reason: Option<String>,
        /// Attributes to keep for people.
        user_attrs: Attributes,
        /// Attributes to keep for programs.
        system_attrs: Attributes,
    },
    /// It broke.
    Failed {
        /// Why.
        reason: String,
    },
    /// It was told to stop, and is to be taken up where its last report left it.
    Interrupted,
}

impl<'r> Running<'r> {
    /// Takes a trial up after its last checkpoint, or at its beginning: what it reported later it will report again.
    pub(crate) fn new(
        study: &'r Study,
        desk: &'r dyn Desk,
        mut trial: Trial,
        checkpoint: Option<Checkpoint>,
        peers: Vec<Arc<Trial>>,
    ) -> Running<'r> {
        let done = checkpoint.as_ref().map_or(i64::MIN, |checkpoint| checkpoint.step);
        let reports = std::mem::take(&mut trial.intermediate);
        // Pruners remember by attributes, which are of the last report; they say the same again of the same reports.
        trial.system_attrs.retain(|key, _| key.starts_with("headsmith:") || key == "fixed_params");
        let mut running =
            Running { study, desk, trial, checkpoint, peers, checkpoints: Checkpoints::default() };
        for (step, value) in reports.into_iter().filter(|(step, _)| *step <= done) {
            running.judge(step, value);
        }
        running
    }

    /// The trial's number.
    pub fn number(&self) -> u64 {
        self.trial.number
    }

    /// The trial's parameters as their user sees them.
    pub fn params(&self) -> BTreeMap<&str, Choice> {
        let params = self.trial.params.iter();
        params.map(|(name, (distribution, inside))| (name.as_str(), distribution.external(*inside))).collect()
    }

    /// What was reported so far, by step.
    pub fn reports(&self) -> &BTreeMap<i64, f64> {
        &self.trial.intermediate
    }

    /// The state to go on from, if there is one: the objective's own bytes after its step's report.
    pub fn take_checkpoint(&mut self) -> Option<Checkpoint> {
        self.checkpoint.take()
    }

    /// Whether the study was asked to stop: for objectives that do long work before their first report.
    pub fn is_stopping(&self) -> bool {
        self.desk.is_stopping()
    }

    /// Reports the value of `step`. `state` gives the bytes to go on from after this report; it is asked for them now
    /// and then, and may have none.
    ///
    /// # Errors
    /// When the storage fails for good.
    pub fn report(
        &mut self,
        step: i64,
        value: f64,
        state: &mut dyn FnMut() -> Option<Vec<u8>>,
    ) -> Result<GoOn> {
        let (prune, attributes) = self.judge(step, value);
        let stop = self.desk.is_stopping();
        let begin = Instant::now();
        let due = !prune && (stop || self.checkpoints.are_due());
        let state = if due { state() } else { None };
        self.desk.report(&self.trial, step, value, &attributes, state.as_deref())?;
        if due {
            self.checkpoints.made(begin.elapsed());
        }
        Ok(match (prune, stop) {
            (true, _) => GoOn::Prune,
            (false, true) => GoOn::Stop,
            (false, false) => GoOn::Yes,
        })
    }

    /// Adds a report and asks the pruner.
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

/// When checkpoints are made: at most a fiftieth of the time goes into them.
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
    /// No trial is worth a checkpoint that has run for less.
    const AT_LEAST: Duration = Duration::from_secs(5);
    const SHARE: u32 = 50;

    fn are_due(&self) -> bool {
        self.last.elapsed() >= Self::AT_LEAST.max(self.cost * Self::SHARE)
    }

    fn made(&mut self, cost: Duration) {
        (self.last, self.cost) = (Instant::now(), cost);
    }
}
