//! From tables of embeddings and labels to a judged classifier, its predictions and its model file.
//!
//! The steps can be had one by one ([`tables`], [`fit`], [`judge`], [`predict`]) or as [`run`](run::run), the whole
//! job. Every step says what it does to a [`View`], can be stopped from outside, and gives the same result for the
//! same seed, whatever the number of threads.

mod context;
mod error;
mod evaluate;
pub mod fit;
mod head;
pub mod judge;
pub mod model_file;
mod predict;
mod progress;
pub mod report;
pub mod run;
mod select;
pub mod tables;

pub use context::Context;
pub use error::{Error, Result};
pub use evaluate::{Evaluation, evaluate};
pub use head::{HeadConfig, HeadKind, Preset};
pub use predict::{PredictOptions, predict, predict_table};
pub use progress::{Progress, View};

pub use headsmith_data as data;
pub use headsmith_heads as heads;
pub use headsmith_heads::params;
pub use headsmith_kernels::Pool;
pub use headsmith_metrics as metrics;
pub use headsmith_model as model;
