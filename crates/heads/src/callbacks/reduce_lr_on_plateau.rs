//! Lowers the learning rate when the metric stops improving (Keras: `ReduceLROnPlateau`).

use serde::{Deserialize, Serialize};

use super::Mode;

/// When and by how much to lower the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlateauOptions {
    /// Which way the metric is better.
    pub mode: Mode,
    /// The factor of the learning rate, below 1.
    pub factor: f64,
    /// Epochs without improvement that make a plateau.
    pub patience: usize,
    /// By how much a value must beat the best to count as better.
    pub min_delta: f64,
    /// Epochs after a reduction in which nothing is counted.
    pub cooldown: usize,
    /// The lowest learning rate.
    pub min_lr: f64,
}

/// Follows the plateau.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateau {
    options: PlateauOptions,
    best: Option<f64>,
    wait: usize,
    cooldown_left: usize,
}

impl ReduceLrOnPlateau {
    /// Before any epoch.
    pub fn new(options: PlateauOptions) -> ReduceLrOnPlateau {
        ReduceLrOnPlateau { options, best: None, wait: 0, cooldown_left: 0 }
    }

    /// Sees an epoch's value and the learning rate that the epoch had; gives the lower learning rate of the
    /// epochs that follow, if it is to change.
    pub fn update(&mut self, value: f64, learning_rate: f64) -> Option<f64> {
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.wait = 0;
        }
        if self.options.mode.improves(value, self.best, self.options.min_delta) {
            (self.best, self.wait) = (Some(value), 0);
            return None;
        }
        if self.cooldown_left > 0 {
            return None;
        }
        self.wait += 1;
        // At the floor the wait is not reset either: Keras counts on.
        if self.wait < self.options.patience || learning_rate <= self.options.min_lr {
            return None;
        }
        (self.cooldown_left, self.wait) = (self.options.cooldown, 0);
        Some((learning_rate * self.options.factor).max(self.options.min_lr))
    }
}
