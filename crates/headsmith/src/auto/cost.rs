//! The cost of an answer: the bytes of its model file, and the time of a prediction.

use std::time::{Duration, Instant};

use headsmith_data::Dataset;
use headsmith_kernels::Pool;
use headsmith_model::Model;

use crate::error::Result;

/// Rows that are predicted to time it.
const N_TIMED: usize = 256;

/// The cost of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// The bytes of its file.
    pub(super) n_bytes: u64,
    /// The time of one row among many.
    pub(super) predict: Duration,
}

impl Cost {
    /// The cost of `model`, timed on some of `rows`.
    ///
    /// # Errors
    /// When the model cannot be written or does not take the rows.
    pub(super) fn of(model: &Model, rows: &Dataset, pool: &Pool) -> Result<Cost> {
        let n_bytes = model.to_bytes()?.len() as u64;
        let n_timed = rows.x.n_rows().min(N_TIMED);
        let start = Instant::now();
        model.predict_proba(rows.x.view().rows(0, n_timed), pool)?;
        Ok(Cost { n_bytes, predict: start.elapsed() / n_timed.max(1) as u32 })
    }

    /// The cost of a model that holds the models of both.
    pub(super) fn and(self, other: Cost) -> Cost {
        Cost { n_bytes: self.n_bytes + other.n_bytes, predict: self.predict + other.predict }
    }
}
