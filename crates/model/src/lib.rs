//! Fitted models: what stands between rows of embeddings and class probabilities, and its file.
//!
//! A [`Model`] is a tree of [`Node`]s: a fitted [`Transform`] followed by a head, a head alone, or a weighted
//! ensemble of such trees. It predicts, and [`Model::to_bytes`] and [`Model::from_bytes`] turn it into a safetensors
//! file and back. Nothing here reads a clock, a file or the environment, so that the same model is the same bytes.

mod error;
mod file;
mod model;
mod node;
mod record;
mod scaling;
mod transform;

pub use error::{Error, Result};
pub use file::FORMAT_VERSION;
pub use model::{Model, most_probable};
pub use node::Node;
pub use record::{DataRecord, Record};
pub use scaling::Scaling;
pub use transform::Transform;
