//! The weights of a network in training, for observers.

use super::architecture::Architecture;
use super::model;
use super::network::Network;
use crate::network::{Layer, NetworkWeights};

/// A network's weights after an epoch.
#[derive(Debug)]
pub struct Weights<'w> {
    architecture: &'w Architecture,
    network: &'w Network,
    /// As [`Network`] stores them.
    stored: &'w [f32],
}

impl<'w> Weights<'w> {
    pub(super) fn new(
        architecture: &'w Architecture,
        network: &'w Network,
        stored: &'w [f32],
    ) -> Weights<'w> {
        Weights { architecture, network, stored }
    }
}

impl NetworkWeights for Weights<'_> {
    fn n_features(&self) -> usize {
        self.architecture.n_features
    }

    fn layers(&self) -> Vec<(String, Layer)> {
        let names = self.architecture.summary().into_iter().map(|line| line.name);
        names.zip(self.architecture.layers.iter().cloned()).collect()
    }

    fn each(&self, see: &mut dyn FnMut(&str, &[f32])) {
        model::each(self.architecture, self.network, self.stored, |name, _, values| see(&name, values));
    }
}
