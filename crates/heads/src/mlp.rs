//! The multilayer perceptron: Keras's dense layers, Gaussian noise, layer normalisation and dropout, trained by
//! Adam on the categorical cross-entropy.
//!
//! [`fit`] does all of it; [`Trainer`] does one epoch at a time for callers with their own loop. The layers
//! are declared in [`Architecture`] and computed in `layers`, one file each.

mod architecture;
mod classic;
mod fit;
mod graph;
mod head;
mod inference;
mod layers;
mod mixup;
mod model;
mod monitor;
mod network;
mod params;
mod pass;
mod recipe;
mod rows;
mod scores;
mod state;
mod streams;
mod temperature;
mod trainer;
mod training;
mod weights;

pub use architecture::Architecture;
pub use fit::{FittedMlp, fit};
pub use model::Mlp;
pub use params::TABLE;
pub use trainer::{Trainer, TrainerState};

use inference::BLOCK_ROWS;

/// The network as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: head::MlpHead = head::MlpHead;
