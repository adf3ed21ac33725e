//! A training of the network under way: the monitor beside a [`Trainer`], and the network of the best epoch.

use std::sync::Arc;

use super::monitor::{Monitor, Validated};
use super::params::TABLE;
use super::state::{self, Restored};
use super::{Mlp, Trainer};
use crate::error::Result;
use crate::event::{EpochRecord, EpochScores, StopReason};
use crate::head::{Fitted, Fitting, Job, Resume, State, Step};
use crate::network::NetworkWeights;

/// A training, epoch by epoch. With a validation set, what is monitored lowers the learning rate, ends the training and chooses the
/// epoch; without one, or where nothing is monitored, all epochs are run, and the last one counts.
#[derive(Debug)]
pub(super) struct Training<'a> {
    pub(super) trainer: Trainer<'a>,
    pub(super) best: Option<Best>,
    pub(super) monitor: Monitor,
    n_epochs: usize,
}

/// The best validated epoch so far.
#[derive(Debug)]
pub(super) struct Best {
    /// From 0.
    pub(super) epoch: usize,
    /// Its value of the job's metric.
    pub(super) value: f64,
    /// Its network, calibrated where that is asked for.
    pub(super) network: Arc<Mlp>,
}

impl<'a> Training<'a> {
    /// Begins a training, or resumes one.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, parameters are of another head, or `resume` is damaged.
    pub(super) fn begin(job: Job<'a>, resume: Option<Resume>) -> Result<Training<'a>> {
        let params = job.params.of(&TABLE)?;
        let (n_epochs, mut monitor) = (params.count("epochs")?, Monitor::new(params, job.metric)?);
        let Some(Resume { state, values }) = resume else {
            let trainer = Trainer::of(job)?.refining(monitor.refines());
            return Ok(Training { trainer, best: None, monitor, n_epochs });
        };
        let Restored { trainer, best, callbacks } = state::restore(job, state)?;
        monitor.resume(callbacks, &values, trainer.learning_rate());
        Ok(Training { trainer: trainer.refining(monitor.refines()), best, monitor, n_epochs })
    }

    /// The network of the best epoch, or that of the last one where nothing was validated.
    pub(super) fn into_network(self) -> Arc<Mlp> {
        match self.best {
            Some(best) => best.network,
            None => Arc::new(self.trainer.finish()),
        }
    }

    /// Updates the monitor after an epoch; returns the learning rate to continue with, where it changes.
    fn validated(&mut self, record: &mut EpochRecord, scores: EpochScores) -> Option<f64> {
        let temperature = self.trainer.temperature();
        let validated = Validated { scores, refined: temperature.map(|temperature| temperature.loss) };
        let decision = self.monitor.update(record.epoch, &validated, self.trainer.learning_rate());
        record.improved = decision.is_best;
        if decision.is_best {
            let slope = temperature.filter(|_| self.monitor.calibrates).map_or(1.0, |found| found.slope);
            self.best = Some(Best {
                epoch: record.epoch,
                value: self.monitor.metric_of(&validated),
                network: Arc::new(self.trainer.model().sharpened(slope)),
            });
        }
        if let Some(learning_rate) = decision.reduced {
            self.trainer.set_learning_rate(learning_rate);
        }
        decision.reduced
    }
}

impl Fitting for Training<'_> {
    fn unit(&self) -> &'static str {
        "epoch"
    }

    fn total(&self) -> usize {
        self.n_epochs
    }

    fn done(&self) -> usize {
        self.trainer.epoch()
    }

    fn stopped(&self) -> Option<StopReason> {
        self.monitor.is_exhausted.then_some(StopReason::EarlyStopping)
    }

    fn step(&mut self) -> Result<Step> {
        let mut record = self.trainer.step_epoch()?;
        let reduced = record.val.and_then(|scores| self.validated(&mut record, scores));
        Ok(Step { epoch: Some(record), reduced })
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.trainer.set_learning_rate(learning_rate);
    }

    fn best_epoch(&self) -> Option<(usize, f64)> {
        self.best.as_ref().map(|best| (best.epoch, best.value))
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        Some(match &self.best {
            Some(best) => best.network.clone(),
            None => Arc::new(self.trainer.model()),
        })
    }

    fn network(&self) -> Option<Box<dyn NetworkWeights + '_>> {
        Some(Box::new(self.trainer.weights()))
    }

    fn state(&self) -> Option<State> {
        state::save(self)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        Ok(self.into_network())
    }
}
