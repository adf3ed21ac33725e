//! Callbacks monitor a training's metric and decide: stop, lower the learning rate, keep this model. Each is a value
//! that is updated with one epoch after another and returns a decision; none of them holds a model or an optimizer. Decisions are Keras 3's own (`keras/src/callbacks/`).

mod early_stopping;
mod model_checkpoint;
mod reduce_lr_on_plateau;

pub use early_stopping::{EarlyStopping, Patience};
pub use model_checkpoint::ModelCheckpoint;
pub use reduce_lr_on_plateau::{PlateauOptions, ReduceLrOnPlateau};

use headsmith_metrics::Metric;
use serde::{Deserialize, Serialize};

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

impl From<Metric> for Mode {
    fn from(metric: Metric) -> Mode {
        if metric.is_greater_better() { Mode::Max } else { Mode::Min }
    }
}

impl Mode {
    /// Whether `value` beats `best` by more than `min_delta`; anything beats nothing. NaN beats no number and no
    /// number beats NaN, so a first value that is NaN stays the best, as in Keras. Compared in single precision,
    /// because Keras compares there and ties are decided by it.
    pub fn improves(self, value: f64, best: Option<f64>, min_delta: f64) -> bool {
        let Some(best) = best else { return true };
        match self {
            Mode::Min => ((value + min_delta) as f32) < best as f32,
            Mode::Max => ((value - min_delta) as f32) > best as f32,
        }
    }
}
