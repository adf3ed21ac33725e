//! The weights of a network in training, for observers.

use super::architecture::Architecture;
use super::model;
use super::network::Network;

/// A network's weights after an epoch. They are laid out when they are asked for: who does not ask pays nothing.
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

    /// What the network is made of.
    pub fn architecture(&self) -> &Architecture {
        self.architecture
    }

    /// Shows the weights one tensor after another, by Keras's names: `dense/kernel`, `dense/bias`,
    /// `layer_normalization/gamma` ..
    pub fn each(&self, mut see: impl FnMut(&str, &[f32])) {
        model::each(self.architecture, self.network, self.stored, |name, _, values| see(&name, values));
    }
}
