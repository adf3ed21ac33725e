//! The cost of an answer: the bytes of its model file, and the time of a prediction.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use headsmith_data::Dataset;
use headsmith_kernels::Pool;
use headsmith_model::{Model, Part};

use super::search::Candidate;
use crate::error::Result;

/// Rows that are predicted to time it.
const N_TIMED: usize = 256;

/// The cost of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cost {
    /// The bytes of its file.
    pub(super) n_bytes: u64,
    /// The time of one row among many.
    pub(super) predict: Duration,
    /// Its large tensors, which a pool keeps once where members have the same.
    pub(super) parts: Vec<Part>,
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
        Ok(Cost { n_bytes, predict: start.elapsed() / n_timed.max(1) as u32, parts: model.parts() })
    }
}

/// The cost of a model with these members, about: tensors that members share count once.
pub(super) fn of_members(candidates: &[Candidate], members: &[usize]) -> Cost {
    let (mut sum, mut seen) = (Cost::default(), BTreeSet::new());
    for &member in members {
        let cost = &candidates[member].cost;
        let again: u64 = cost.parts.iter().filter(|part| !seen.insert(**part)).map(|part| part.n_bytes).sum();
        sum.n_bytes += cost.n_bytes.saturating_sub(again);
        sum.predict += cost.predict;
    }
    sum
}
