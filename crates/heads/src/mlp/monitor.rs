//! Decisions by the validation rows after each epoch: which epoch counts, the learning rate, and the end.

use headsmith_metrics::Metric;
use serde::{Deserialize, Serialize};

use super::params::{NO_MONITOR, REFINED, TABLE, TEMPERATURE};
use super::recipe::is_scheduled;
use crate::callbacks::{EarlyStopping, Mode, Patience, PlateauOptions, ReduceLrOnPlateau};
use crate::error::Result;
use crate::event::EpochScores;
use crate::params::Params;

/// Monitors a value of the validation rows.
#[derive(Debug)]
pub(super) struct Monitor {
    metric: Metric,
    value: Monitored,
    /// Whether the model's probabilities are calibrated on the validation rows.
    pub(super) calibrates: bool,
    callbacks: Callbacks,
    pub(super) is_exhausted: bool,
}

/// The callbacks with their memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Callbacks {
    early_stopping: EarlyStopping,
    plateau: Option<ReduceLrOnPlateau>,
}

/// The value that is monitored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Monitored {
    /// The job's metric.
    Metric,
    /// The log loss after the best temperature (Berta, Holzmüller, Jordan and Bach, "Rethinking early stopping: refine, then
    /// calibrate", 2025).
    Refined,
    /// None: the last epoch counts.
    Nothing,
}

/// The decision after an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    /// Whether the epoch is the best so far.
    pub(super) is_best: bool,
    /// The learning rate to continue with, where it changes.
    pub(super) reduced: Option<f64>,
}

/// An epoch's validation scores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validated {
    pub(super) scores: EpochScores,
    /// The log loss after the best temperature; computed where [`Monitor::refines`].
    pub(super) refined: Option<f64>,
}

impl Monitor {
    /// The monitor that `params` ask for, by `metric` or by what they name in its place.
    ///
    /// # Errors
    /// When they are of another table.
    pub(super) fn new(params: &Params, metric: Metric) -> Result<Monitor> {
        let params = params.of(&TABLE)?;
        let calibrates = calibrates(params);
        let value = match params.word("monitor")? {
            NO_MONITOR => Monitored::Nothing,
            REFINED => Monitored::Refined,
            // The log loss of the model as it will be.
            _ if calibrates && metric == Metric::LogLoss => Monitored::Refined,
            _ => Monitored::Metric,
        };
        let mode = match value {
            Monitored::Refined => Mode::Min,
            Monitored::Metric | Monitored::Nothing => metric.into(),
        };
        let patience = match value {
            Monitored::Nothing => None,
            _ => params.count_or_word("patience")?,
        };
        Ok(Monitor {
            metric,
            value,
            calibrates,
            callbacks: Callbacks {
                early_stopping: EarlyStopping::new(mode, patience),
                plateau: reduces(params).then(|| plateau(params, mode)).transpose()?,
            },
            is_exhausted: false,
        })
    }

    /// Whether the best temperature is needed after each epoch.
    pub(super) fn refines(&self) -> bool {
        self.calibrates || self.value == Monitored::Refined
    }

    /// The memory to resume from; `None` where the job's metric is monitored, whose values the caller remembers.
    pub(super) fn state(&self) -> Option<Callbacks> {
        (self.value != Monitored::Metric).then(|| self.callbacks.clone())
    }

    /// Resumes from the memory of an earlier process, or by repeating the values of the metric that the caller remembers; the
    /// learning rate that followed is that of the resumed trainer.
    pub(super) fn resume(&mut self, state: Option<Callbacks>, values: &[(usize, f64)], learning_rate: f64) {
        match state {
            Some(callbacks) => {
                self.is_exhausted = callbacks.early_stopping.is_exhausted();
                self.callbacks = callbacks;
            }
            None => values.iter().for_each(|(epoch, value)| {
                self.update_value(*epoch, *value, learning_rate);
            }),
        }
    }

    /// The epoch's value of the job's metric, of the model as it would be.
    pub(super) fn metric_of(&self, epoch: &Validated) -> f64 {
        match epoch.refined {
            Some(refined) if self.calibrates && self.metric == Metric::LogLoss => refined,
            _ => epoch.scores.get(self.metric),
        }
    }

    /// Updates the callbacks with an epoch that had `learning_rate`.
    pub(super) fn update(&mut self, epoch: usize, validated: &Validated, learning_rate: f64) -> Decision {
        let value = match (self.value, validated.refined) {
            (Monitored::Nothing, _) => return Decision { is_best: true, reduced: None },
            (Monitored::Refined, Some(refined)) => refined,
            _ => validated.scores.get(self.metric),
        };
        self.update_value(epoch, value, learning_rate)
    }

    fn update_value(&mut self, epoch: usize, value: f64, learning_rate: f64) -> Decision {
        let patience = self.callbacks.early_stopping.update(epoch, value);
        self.is_exhausted |= patience == Patience::Exhausted;
        let plateau = self.callbacks.plateau.as_mut().filter(|_| patience != Patience::Exhausted);
        let reduced = plateau.and_then(|plateau| plateau.update(value, learning_rate));
        Decision { is_best: patience == Patience::Improved, reduced }
    }
}

/// The choices of the validation rows of a fit with `params`.
pub(super) fn choices(params: &Params) -> Vec<&'static str> {
    let is_monitored = params.text("monitor") != Some(NO_MONITOR);
    let all = [
        (is_monitored, "epoch"),
        (is_monitored && reduces(params), "learning_rate"),
        (calibrates(params), "calibration"),
    ];
    all.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, what)| what).collect()
}

fn calibrates(params: &Params) -> bool {
    params.text("calibration") == Some(TEMPERATURE)
}

/// Whether a plateau lowers the learning rate.
fn reduces(params: &Params) -> bool {
    !is_scheduled(params) && params.int("plateau_patience").is_some()
}

/// The callback that lowers the learning rate on plateaus.
fn plateau(params: &Params, mode: Mode) -> Result<ReduceLrOnPlateau> {
    Ok(ReduceLrOnPlateau::new(PlateauOptions {
        mode,
        factor: params.number("plateau_factor")?,
        patience: params.count("plateau_patience")?,
        min_delta: params.number("plateau_min_delta")?,
        cooldown: params.count("plateau_cooldown")?,
        min_lr: params.number("min_lr")?,
    }))
}
