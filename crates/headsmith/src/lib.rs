//! From tables of embeddings and labels to an evaluated classifier, its predictions and its model file.
//!
//! A [`Session`] holds seed, metric, threads and view, and does the steps: it reads tables, fits heads, tunes, and runs the
//! whole job. The steps are functions as well ([`tables`], [`fit`], [`judge`], [`predict`]()), of a [`Context`]. Every step
//! reports its progress to a [`View`], can be stopped from outside, and gives the same result for the same seed, whatever the
//! number of threads. `docs/guide/library.md` is the guide; `examples/` has a program for each task.
//!
//! ```
//! use headsmith::data::Dataset;
//! use headsmith::fit::FitData;
//! use headsmith::{HeadConfig, Matrix, Session, model_file};
//!
//! # let folder = tempfile::tempdir()?;
//! let x = Matrix::new((0..80).map(|i| (i % 4) as f32).collect(), 40, 2);
//! let labels: Vec<&str> = (0..40).map(|i| ["no", "yes"][i % 2]).collect();
//! let data = FitData::new(Dataset::from_arrays(x, &labels)?);
//! let forest = HeadConfig::new("forest", [("n_estimators", 10.into())])?;
//! let fitted = Session::new().seed(42).fit(&forest, &data)?;
//! assert_eq!(fitted.report.train.as_ref().map(|train| train.scores.accuracy), Some(1.0));
//! model_file::save(&fitted.model, &folder.path().join("model.safetensors"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod auto;
pub mod checked;
pub mod conformal;
mod context;
mod curves;
mod error;
mod evaluate;
pub mod evaluated;
pub mod events;
pub mod evidence;
pub mod export;
pub mod fit;
mod fit_data;
pub mod folder;
mod folder_lock;
pub mod folds;
mod head;
pub mod hold_back;
pub mod judge;
mod memory;
pub mod mlflow;
pub mod model_file;
pub mod outputs;
mod partition;
mod plan;
mod predict;
mod progress;
mod record;
pub mod report;
mod rows;
pub mod run;
mod select;
mod session;
mod snapshot;
pub mod split;
mod statistics;
pub mod studies;
pub mod tables;
mod tensorboard;
pub mod tune;

pub use conformal::ConformalOptions;
pub use context::Context;
pub use error::{Error, Result};
pub use evaluate::{Evaluation, evaluate};
pub use head::HeadConfig;
pub use mlflow::{Mlflow, MlflowConfig};
pub use predict::{PredictOptions, is_finished, predict, predict_table};
pub use progress::{Judged, Progress, UserRequest, View};
pub use record::{RecordedView, Recorder};
pub use rows::{FitRows, Rows};
pub use session::Session;
pub use tensorboard::TensorBoard;

pub use headsmith_data as data;
pub use headsmith_heads as heads;
pub use headsmith_heads::params;
pub use headsmith_kernels as kernels;
pub use headsmith_kernels::{MatRef, Matrix, Pool};
pub use headsmith_metrics as metrics;
pub use headsmith_metrics::Metric;
pub use headsmith_model as model;
pub use headsmith_report::Facts;
pub use headsmith_study as study;
pub use headsmith_study::storages::without_password;
pub use headsmith_tensorboard as event_files;
