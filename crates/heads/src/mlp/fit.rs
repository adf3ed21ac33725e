//! The loop around a [`Trainer`]: callbacks, observer and best weights.

use headsmith_kernels::Pool;
use headsmith_metrics::Metric;

use super::{Mlp, Trainer};
use crate::callbacks::{EarlyStopping, ModelCheckpoint, Patience, PlateauOptions, ReduceLrOnPlateau};
use crate::error::{Kind, Result};
use crate::event::{Control, EpochRecord, Event, Observer, StopReason};
use crate::params::Params;
use crate::samples::Samples;

/// Saves a model after an epoch that improved; gets the epoch, from 0, and the model.
pub type Checkpoint<'c> = &'c mut dyn FnMut(usize, &Mlp);

/// The result of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The network of the best epoch.
    pub model: Mlp,
    /// Every epoch's figures.
    pub history: Vec<EpochRecord>,
    /// The epoch, from 0, whose weights the model has.
    pub best_epoch: usize,
    /// Why the fit ended before its last epoch.
    pub stopped: Option<StopReason>,
}

/// Trains a network from fresh weights. With a validation set, its weighted F1 is monitored ([`run`] takes any
/// metric): it lowers the learning rate, ends the training, decides when to call `checkpoint`, and the model returned is that of its best
/// epoch. Without one nothing is monitored: all epochs are run, `checkpoint` is never called, and the model is
/// that of the last epoch.
///
/// # Errors
/// When the samples cannot be learnt from, or the loss leaves the finite numbers before a validated epoch.
///
/// # Panics
/// When `params` are of another table than [`TABLE`](super::TABLE).
pub fn fit(
    train: Samples<'_>,
    val: Option<Samples<'_>>,
    params: &Params,
    seed: u64,
    pool: &Pool,
    observer: &mut dyn Observer,
    checkpoint: Option<Checkpoint<'_>>,
) -> Result<Fitted> {
    let trainer = Trainer::new(train, val, params, seed, 0, pool)?;
    run(trainer, params, Metric::default(), observer, checkpoint)
}

/// The loop of [`fit`] around a trainer, which may have epochs behind it: `params` say how many there are to be in
/// all. `metric` on the validation set chooses the epoch, lowers the learning rate and ends the training. The callbacks
/// begin afresh.
///
/// # Errors
/// When the loss leaves the finite numbers before a validated epoch.
///
/// # Panics
/// When `params` are of another table than [`TABLE`](super::TABLE).
pub fn run(
    trainer: Trainer<'_>,
    params: &Params,
    metric: Metric,
    observer: &mut dyn Observer,
    checkpoint: Option<Checkpoint<'_>>,
) -> Result<Fitted> {
    let n_epochs = params.int("epochs").unwrap_or(0) as usize;
    let mut run = Run {
        monitor: Monitor::new(params, metric),
        trainer,
        observer,
        checkpoint,
        best: None,
        stopped: None,
    };
    run.tell(&Event::Started { total: n_epochs, unit: "epoch" });
    let history = run.epochs(n_epochs)?;
    let best_epoch = match run.best {
        Some(_) => run.monitor.early_stopping.best_epoch(),
        None => run.trainer.epoch().saturating_sub(1),
    };
    let model = run.best.unwrap_or_else(|| run.trainer.finish());
    Ok(Fitted { model, history, best_epoch, stopped: run.stopped })
}

/// The callback that lowers the learning rate on plateaus of `metric`, by `params`; `None` if there is none.
///
/// # Panics
/// When `params` are of another table than [`TABLE`](super::TABLE).
pub fn plateau(params: &Params, metric: Metric) -> Option<ReduceLrOnPlateau> {
    let count = |name| params.int(name).map(|v| v as usize);
    let float = |name| params.float(name).unwrap_or(0.0);
    count("plateau_patience").map(|patience| {
        ReduceLrOnPlateau::new(PlateauOptions {
            mode: metric.into(),
            factor: float("plateau_factor"),
            patience,
            min_delta: float("plateau_min_delta"),
            cooldown: count("plateau_cooldown").unwrap_or(0),
            min_lr: float("min_lr"),
        })
    })
}

/// A fit under way.
struct Run<'r, 'c, 'a> {
    trainer: Trainer<'a>,
    monitor: Monitor,
    observer: &'r mut dyn Observer,
    checkpoint: Option<Checkpoint<'c>>,
    /// The model of the best validated epoch.
    best: Option<Mlp>,
    stopped: Option<StopReason>,
}

/// Monitors a metric of the validation set.
struct Monitor {
    metric: Metric,
    early_stopping: EarlyStopping,
    plateau: Option<ReduceLrOnPlateau>,
    checkpoint: ModelCheckpoint,
}

impl Monitor {
    fn new(params: &Params, metric: Metric) -> Monitor {
        let count = |name| params.int(name).map(|v| v as usize);
        Monitor {
            metric,
            early_stopping: EarlyStopping::new(metric.into(), count("patience")),
            plateau: plateau(params, metric),
            checkpoint: ModelCheckpoint::new(metric.into(), None),
        }
    }
}

impl Run<'_, '_, '_> {
    fn epochs(&mut self, n_epochs: usize) -> Result<Vec<EpochRecord>> {
        let mut history = Vec::new();
        while self.stopped.is_none() && self.trainer.epoch() < n_epochs {
            let record = match self.trainer.step_epoch() {
                Err(error) if error.kind() == Kind::Diverged && self.best.is_some() => {
                    self.stop(StopReason::Diverged);
                    break;
                }
                record => record?,
            };
            history.push(self.see(record));
        }
        Ok(history)
    }

    /// Asks the callbacks and tells the observer.
    fn see(&mut self, mut record: EpochRecord) -> EpochRecord {
        let value = record.val.map(|scores| scores.get(self.monitor.metric));
        let patience = value.map(|value| self.monitor.early_stopping.update(record.epoch, value));
        record.improved = patience == Some(Patience::Improved);
        if record.improved {
            self.best = Some(self.trainer.model());
        }
        if let (Some(value), Some(best), Some(checkpoint)) = (value, &self.best, &mut self.checkpoint)
            && self.monitor.checkpoint.update(value)
        {
            checkpoint(record.epoch, best);
        }
        self.observer.on_weights(record.epoch, &self.trainer.weights());
        self.tell(&Event::Epoch(record.clone()));
        match (patience, value) {
            (Some(Patience::Exhausted), _) => self.stop(StopReason::EarlyStopping),
            (_, Some(value)) if self.stopped.is_none() => self.reduce_learning_rate(record.epoch, value),
            _ => (),
        }
        record
    }

    fn reduce_learning_rate(&mut self, epoch: usize, value: f64) {
        let now = self.trainer.learning_rate();
        let reduced = self.monitor.plateau.as_mut().and_then(|plateau| plateau.update(value, now));
        if let Some(learning_rate) = reduced {
            self.trainer.set_learning_rate(learning_rate);
            self.tell(&Event::LearningRateReduced { epoch, learning_rate });
        }
    }

    fn tell(&mut self, event: &Event) {
        match self.observer.on_event(event) {
            Control::Continue => (),
            Control::Stop => self.stop(StopReason::Asked),
            Control::SetLearningRate(learning_rate) => self.trainer.set_learning_rate(learning_rate),
        }
    }

    fn stop(&mut self, reason: StopReason) {
        if self.stopped.is_none() {
            self.stopped = Some(reason);
            let step = self.trainer.epoch().saturating_sub(1);
            // What the observer answers to this changes nothing any more.
            self.observer.on_event(&Event::Stopped { step, reason });
        }
    }
}
