//! Classifier heads: small models that turn rows of embeddings into class probabilities.
//!
//! A head is one folder and one line in [`HEADS`](head::HEADS): its parameter table ([`params::Table`]), its fits
//! ([`head::Fitting`]) of [`Samples`], which report [`Event`]s to an observer, and the fitted value that predicts
//! ([`head::Fitted`]). Nothing here reads a clock, a file or the environment: seed, threads and observer are passed in.

mod affine;
pub mod calibration;
pub mod callbacks;
pub mod centroid;
pub mod class_weight;
pub mod description;
pub mod error;
pub mod event;
pub mod forest;
pub mod gaussian;
pub mod graph;
pub mod head;
pub mod kernel;
mod kernel_function;
pub mod knn;
mod linalg;
pub mod linear;
pub mod loss;
pub mod mlp;
pub mod network;
pub mod once;
mod one_hot;
pub mod optim;
pub mod params;
pub mod pool;
pub mod ridge;
pub mod samples;
pub mod svm;
pub mod tensors;
pub mod training;
pub mod transform;

pub use description::Description;
pub use error::Error;
pub use event::{Control, EpochRecord, EpochScores, Event, Observer};
pub use head::{Fitted, Fitting, HEADS, Head, Job};
pub use samples::{Samples, TransformRows};
