//! The multilayer perceptron: Keras's dense layers, Gaussian noise, layer normalisation and dropout, trained by
//! Adam on the categorical cross-entropy.
//!
//! [`fit`] does all of it; [`Trainer`] does one epoch at a time for callers with their own loop. The layers
//! are declared in [`Architecture`] and computed in `layers`, one file each.

mod architecture;
mod fit;
mod inference;
mod layers;
mod model;
mod network;
mod params;
mod pass;
mod rows;
mod scores;
mod streams;
mod trainer;
mod weights;

pub use architecture::{Activation, Architecture, Layer, LayerSummary, MAX_WIDTH};
pub use fit::{Checkpoint, Fitted, fit, plateau, run};
pub use model::Mlp;
pub use params::{NOTEBOOK, TABLE, notebook};
pub use trainer::{State, Trainer};
pub use weights::Weights;
