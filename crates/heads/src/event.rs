//! The events of a running fit, and the controls that an observer returns.

use headsmith_metrics::Metric;
use serde::{Deserialize, Serialize};

use crate::network::NetworkWeights;

/// The progress of a fit, as its observer receives it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The fit is about to begin.
    Started {
        /// How many steps there will be at most.
        total: usize,
        /// The name of a step, in the singular: `epoch`, `tree`, `iteration`.
        unit: &'static str,
    },
    /// An epoch is over, validation included.
    Epoch(EpochRecord),
    /// Some more steps are done, of a head without epochs.
    Steps {
        /// Steps done so far.
        done: usize,
        /// Steps in all, at most.
        total: usize,
        /// The name of a step, in the singular.
        unit: &'static str,
    },
    /// The learning rate was lowered because the monitored value did not improve.
    LearningRateReduced {
        /// The epoch after which it was lowered, from 0.
        epoch: usize,
        /// The learning rate of the epochs that follow.
        learning_rate: f64,
    },
    /// The fit ends before its last step.
    Stopped {
        /// The last step that was done, from 0.
        step: usize,
        /// Why.
        reason: StopReason,
    },
}

/// Why a fit ended before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// The monitored value did not improve for as many epochs as patience allows.
    EarlyStopping,
    /// The observer requested it.
    Asked,
    /// The loss became infinite or NaN; the model is that of the best epoch before.
    Diverged,
}

/// The observer's answer to an event.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Control {
    /// Continue.
    Continue,
    /// End now and keep the best so far.
    Stop,
    /// Continue with this learning rate.
    SetLearningRate(f64),
}

/// Watches a fit: receives every event and returns a [`Control`]. Any `FnMut(&Event) -> Control` is one.
pub trait Observer {
    /// Receives `event`.
    fn on_event(&mut self, event: &Event) -> Control;

    /// Receives a network's weights after `epoch`, before the epoch's event.
    fn on_weights(&mut self, epoch: usize, weights: &dyn NetworkWeights) {
        let _ = (epoch, weights);
    }

    /// Hears before each step that [changes probabilities alone](crate::Fitting::calibrates).
    fn on_calibration(&mut self) {}
}

impl<F: FnMut(&Event) -> Control> Observer for F {
    fn on_event(&mut self, event: &Event) -> Control {
        self(event)
    }
}

/// One epoch's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The learning rate that the epoch was trained with.
    pub learning_rate: f64,
    /// Means over the epoch's own batches, as the weights changed: no second pass.
    pub train: EpochScores,
    /// Scores of the whole validation set after the epoch; `None` without one.
    pub val: Option<EpochScores>,
    /// Whether the monitored value is the best so far.
    pub improved: bool,
}

/// The scores that are followed from epoch to epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochScores {
    /// Mean categorical cross-entropy, in nats.
    pub loss: f64,
    /// Mean absolute error between probabilities and one-hot labels, over samples and classes.
    pub mae: f64,
    /// Mean squared error between probabilities and one-hot labels, over samples and classes.
    pub mse: f64,
    /// The share of samples whose most probable class is the true one.
    pub accuracy: f64,
    /// F1 per class, weighted by the class's share of the samples.
    pub weighted_f1: f64,
    /// F1 averaged over the classes.
    #[serde(default)]
    pub macro_f1: f64,
    /// The mean recall of the classes.
    #[serde(default)]
    pub balanced_accuracy: f64,
    /// Matthews correlation coefficient.
    #[serde(default)]
    pub mcc: f64,
}

impl EpochScores {
    /// The value of `metric`.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::WeightedF1 => self.weighted_f1,
            Metric::MacroF1 => self.macro_f1,
            Metric::BalancedAccuracy => self.balanced_accuracy,
            Metric::Accuracy => self.accuracy,
            Metric::LogLoss => self.loss,
            Metric::Mcc => self.mcc,
        }
    }
}
