//! A training of the network under way: the callbacks around a [`Trainer`], and the network of the best epoch.

use std::sync::Arc;

use headsmith_metrics::Metric;

use super::params::TABLE;
use super::recipe::is_scheduled;
use super::state;
use super::{Mlp, Trainer};
use crate::callbacks::{EarlyStopping, Patience, PlateauOptions, ReduceLrOnPlateau};
use crate::error::Result;
use crate::event::{EpochRecord, StopReason};
use crate::head::{Fitted, Fitting, Job, Resume, State, Step};
use crate::network::NetworkWeights;
use crate::params::Params;

/// A training, epoch by epoch. With a validation set, its metric lowers the learning rate, ends the training and chooses the
/// epoch; without one all epochs are run, and the last one counts.
#[derive(Debug)]
pub(super) struct Training<'a> {
    pub(super) trainer: Trainer<'a>,
    pub(super) best: Option<Best>,
    monitor: Monitor,
    n_epochs: usize,
}

/// The best validated epoch so far.
#[derive(Debug)]
pub(super) struct Best {
    /// From 0.
    pub(super) epoch: usize,
    /// Its value of the metric.
    pub(super) value: f64,
    pub(super) network: Arc<Mlp>,
}

/// Monitors a metric of the validation set.
#[derive(Debug)]
struct Monitor {
    metric: Metric,
    early_stopping: EarlyStopping,
    plateau: Option<ReduceLrOnPlateau>,
    is_exhausted: bool,
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
            return Ok(Training { trainer: Trainer::of(job)?, best: None, monitor, n_epochs });
        };
        let (trainer, best) = state::restore(job, state)?;
        for (epoch, value) in values {
            monitor.update(epoch, value, trainer.learning_rate());
        }
        Ok(Training { trainer, best, monitor, n_epochs })
    }

    /// The network of the best epoch, or that of the last one where nothing was validated.
    pub(super) fn into_network(self) -> Arc<Mlp> {
        match self.best {
            Some(best) => best.network,
            None => Arc::new(self.trainer.finish()),
        }
    }

    /// Updates the callbacks after an epoch; returns the learning rate to continue with, where it changes.
    fn validated(&mut self, record: &mut EpochRecord, value: f64) -> Option<f64> {
        let patience = self.monitor.early_stopping.update(record.epoch, value);
        record.improved = patience == Patience::Improved;
        if record.improved {
            let network = Arc::new(self.trainer.model());
            self.best = Some(Best { epoch: record.epoch, value, network });
        }
        self.monitor.is_exhausted = patience == Patience::Exhausted;
        if self.monitor.is_exhausted {
            return None;
        }
        let now = self.trainer.learning_rate();
        let reduced = self.monitor.plateau.as_mut().and_then(|plateau| plateau.update(value, now));
        if let Some(learning_rate) = reduced {
            self.trainer.set_learning_rate(learning_rate);
        }
        reduced
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
        let value = record.val.map(|scores| scores.get(self.monitor.metric));
        let reduced = value.and_then(|value| self.validated(&mut record, value));
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

impl Monitor {
    fn new(params: &Params, metric: Metric) -> Result<Monitor> {
        Ok(Monitor {
            metric,
            early_stopping: EarlyStopping::new(metric.into(), params.count_or_word("patience")?),
            plateau: plateau(params, metric)?,
            is_exhausted: false,
        })
    }

    /// Repeats the value of an epoch of an earlier process.
    fn update(&mut self, epoch: usize, value: f64, learning_rate: f64) {
        self.is_exhausted |= self.early_stopping.update(epoch, value) == Patience::Exhausted;
        // The learning rate that followed is that of the resumed trainer.
        let _ = self.plateau.as_mut().and_then(|plateau| plateau.update(value, learning_rate));
    }
}

/// The callback that lowers the learning rate on plateaus of `metric`, by `params`; `None` if there is none.
fn plateau(params: &Params, metric: Metric) -> Result<Option<ReduceLrOnPlateau>> {
    let patience = params.count_or_word("plateau_patience")?.filter(|_| !is_scheduled(params));
    let Some(patience) = patience else { return Ok(None) };
    Ok(Some(ReduceLrOnPlateau::new(PlateauOptions {
        mode: metric.into(),
        factor: params.number("plateau_factor")?,
        patience,
        min_delta: params.number("plateau_min_delta")?,
        cooldown: params.count("plateau_cooldown")?,
        min_lr: params.number("min_lr")?,
    })))
}
