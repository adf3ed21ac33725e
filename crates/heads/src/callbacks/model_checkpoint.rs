//! Decides after which epochs the model is worth saving (Keras: `ModelCheckpoint` with `save_best_only`).

use serde::{Deserialize, Serialize};

use super::Mode;

/// Follows the best value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCheckpoint {
    mode: Mode,
    best: Option<f64>,
}

impl ModelCheckpoint {
    /// Before any epoch: the first model is saved. With `best`, only a model that beats that value.
    pub fn new(mode: Mode, best: Option<f64>) -> ModelCheckpoint {
        ModelCheckpoint { mode, best }
    }

    /// Updates with an epoch's value; returns whether its model is to be saved.
    pub fn update(&mut self, value: f64) -> bool {
        let save = self.mode.improves(value, self.best, 0.0);
        if save {
            self.best = Some(value);
        }
        save
    }
}
