//! The loop around a [`Trainer`]: callbacks, observer and best weights.

use headsmith_kernels::Pool;

use super::{Mlp, Trainer};
use crate::error::Result;
use crate::event::{EpochRecord, Observer, StopReason};
use crate::params::Params;
use crate::samples::Samples;

/// Saves a model after an epoch that improved; gets the epoch, from 0, and the model.
pub type Checkpoint<'c> = &'c mut dyn FnMut(usize, &Mlp);

/// What a fit comes to.
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

/// Trains a network from fresh weights.
///
/// # Errors
/// When the samples cannot be learnt from, or the loss leaves the finite numbers before any epoch was finite.
pub fn fit(
    train: Samples<'_>,
    val: Option<Samples<'_>>,
    params: &Params,
    seed: u64,
    pool: &Pool,
    observer: &mut dyn Observer,
    checkpoint: Option<Checkpoint<'_>>,
) -> Result<Fitted> {
    run(Trainer::new(train, val, params, seed, 0, pool)?, params, observer, checkpoint)
}

/// The loop of [`fit`] around a trainer that may have epochs behind it.
///
/// # Errors
/// When the loss leaves the finite numbers before any epoch was finite.
pub fn run(
    _trainer: Trainer<'_>,
    _params: &Params,
    _observer: &mut dyn Observer,
    _checkpoint: Option<Checkpoint<'_>>,
) -> Result<Fitted> {
    unimplemented!()
}
