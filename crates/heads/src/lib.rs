//! Classifier heads: what turns rows of embeddings into class probabilities.
//!
//! A head is declared once by its parameter table ([`params::Table`]), fitted from [`Samples`] while it reports
//! [`Event`]s to an observer, and comes out as a value that predicts. Nothing here reads a clock, a file or the
//! environment: seed, threads and observer are passed in.

pub mod callbacks;
pub mod class_weight;
pub mod error;
pub mod event;
pub mod forest;
pub mod loss;
pub mod mlp;
pub mod optim;
pub mod params;
pub mod samples;
pub mod tensors;

pub use error::Error;
pub use event::{Control, EpochRecord, EpochScores, Event, Observer};
pub use samples::{Samples, ScaleRows};
