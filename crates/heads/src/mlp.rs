//! The multilayer perceptron: Keras's dense layers, Gaussian noise, layer normalisation and dropout, trained by
//! Adam on the categorical cross-entropy.

mod architecture;
mod fit;
mod model;
mod params;
mod trainer;

pub use architecture::{Activation, Architecture, Layer, LayerSummary, MAX_WIDTH};
pub use fit::{Checkpoint, Fitted, fit, run};
pub use model::Mlp;
pub use params::{NOTEBOOK, TABLE, notebook};
pub use trainer::{State, Trainer};
