//! Training, epoch by epoch.

use std::marker::PhantomData;

use headsmith_kernels::Pool;

use super::model::Mlp;
use crate::error::Result;
use crate::event::EpochRecord;
use crate::params::Params;
use crate::samples::Samples;
use crate::tensors::Tensors;

/// A training that can be left and taken up after any epoch: the same bytes come out.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Weights and both of Adam's moments, under `weights/`, `momentums/` and `velocities/`.
    pub tensors: Tensors,
    /// Epochs done.
    pub epoch: usize,
    /// Training steps done.
    pub step: u64,
    /// The learning rate of the next epoch.
    pub learning_rate: f64,
}

/// Trains a network, one epoch at a call.
pub struct Trainer<'a> {
    data: PhantomData<&'a ()>,
}

impl<'a> Trainer<'a> {
    /// A network with fresh weights.
    ///
    /// # Errors
    /// When the samples cannot be learnt from.
    pub fn new(
        _train: Samples<'a>,
        _val: Option<Samples<'a>>,
        _params: &Params,
        _seed: u64,
        _trial: u32,
        _pool: &'a Pool,
    ) -> Result<Trainer<'a>> {
        unimplemented!()
    }

    /// Takes up a training where `state` left it, with the samples, parameters, seed and trial it began with.
    ///
    /// # Errors
    /// When the samples cannot be learnt from or the state is of another network.
    pub fn from_state(
        _train: Samples<'a>,
        _val: Option<Samples<'a>>,
        _params: &Params,
        _seed: u64,
        _trial: u32,
        _pool: &'a Pool,
        _state: State,
    ) -> Result<Trainer<'a>> {
        unimplemented!()
    }

    /// Trains one epoch and validates.
    ///
    /// # Errors
    /// When the loss leaves the finite numbers.
    pub fn step_epoch(&mut self) -> Result<EpochRecord> {
        unimplemented!()
    }

    /// What is needed to go on later.
    pub fn state(&self) -> State {
        unimplemented!()
    }

    /// The learning rate of the next epoch.
    pub fn learning_rate(&self) -> f64 {
        unimplemented!()
    }

    /// Trains on with this learning rate.
    pub fn set_learning_rate(&mut self, _learning_rate: f64) {
        unimplemented!()
    }

    /// The network as it is now.
    pub fn model(&self) -> Mlp {
        unimplemented!()
    }

    /// The network, the training ended.
    pub fn finish(self) -> Mlp {
        unimplemented!()
    }
}
