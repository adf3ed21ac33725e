//! A whole fit of the network.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::Mlp;
use super::training::Training;
use crate::error::Result;
use crate::event::{EpochRecord, Observer, StopReason};
use crate::head::Job;
use crate::params::Params;
use crate::samples::Samples;
use crate::training::{self, Checkpoint};

/// The result of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedMlp {
    /// The network of the best epoch.
    pub model: Mlp,
    /// Every epoch's figures.
    pub history: Vec<EpochRecord>,
    /// The epoch, from 0, whose weights the model has.
    pub best_epoch: usize,
    /// Why the fit ended before its last epoch.
    pub stopped: Option<StopReason>,
}

/// Trains a network from fresh weights. With a validation set, its weighted F1 is monitored ([`Job`] takes any metric): it
/// lowers the learning rate, ends the training, decides when to call `checkpoint`, and the model returned is that of its best
/// epoch. Without one nothing is monitored: all epochs are run, `checkpoint` is never called, and the model is
/// that of the last epoch.
///
/// # Errors
/// When the samples cannot be learnt from, `params` are of another table than [`TABLE`](super::TABLE), or the loss leaves the
/// finite numbers before a validated epoch.
pub fn fit(
    train: Samples<'_>,
    val: Option<Samples<'_>>,
    params: &Params,
    seed: u64,
    pool: &Pool,
    observer: &mut dyn Observer,
    checkpoint: Option<Checkpoint<'_>>,
) -> Result<FittedMlp> {
    let mut training = Training::begin(Job { val, ..Job::new(train, params, seed, pool) }, None)?;
    let training::Training { history, best_epoch, stopped, .. } =
        training::run(&mut training, observer, checkpoint)?;
    let model = Arc::unwrap_or_clone(training.into_network());
    Ok(FittedMlp { model, history, best_epoch: best_epoch.unwrap_or(0), stopped })
}
