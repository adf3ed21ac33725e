//! Ends a training whose metric no longer improves (Keras: `EarlyStopping`).

use serde::{Deserialize, Serialize};

use super::Mode;

/// Follows the best value and how long ago it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    mode: Mode,
    patience: Option<usize>,
    best: Option<f64>,
    best_epoch: usize,
    wait: usize,
}

/// The consequence of an epoch's value for the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The best so far: keep these weights.
    Improved,
    /// No better, but patience lasts.
    Waiting,
    /// Patience is exhausted: stop and restore the best weights.
    Exhausted,
}

impl EarlyStopping {
    /// Stops after `patience` epochs without a better value; `None` never stops and only follows the best.
    pub fn new(mode: Mode, patience: Option<usize>) -> EarlyStopping {
        EarlyStopping { mode, patience, best: None, best_epoch: 0, wait: 0 }
    }

    /// Sees the value of `epoch`, counted from 0. Keras never stops after the first epoch.
    pub fn update(&mut self, epoch: usize, value: f64) -> Patience {
        self.wait += 1;
        if self.mode.improves(value, self.best, 0.0) {
            (self.best, self.best_epoch, self.wait) = (Some(value), epoch, 0);
            return Patience::Improved;
        }
        match self.patience {
            Some(patience) if self.wait >= patience && epoch > 0 => Patience::Exhausted,
            _ => Patience::Waiting,
        }
    }

    /// Whether patience is exhausted.
    pub fn is_exhausted(&self) -> bool {
        self.wait > 0 && self.patience.is_some_and(|patience| self.wait >= patience)
    }

    /// The best value so far.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// The epoch of the best value; 0 before any.
    pub fn best_epoch(&self) -> usize {
        self.best_epoch
    }
}
