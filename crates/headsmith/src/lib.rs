//! From tables of embeddings and labels to an evaluated classifier, its predictions and its model file.
//!
//! The steps are available one by one ([`tables`], [`fit`], [`judge`], [`predict`]) or together as [`run`](run::run).
//! Every step reports its progress to a [`View`], can be stopped from outside, and gives the same result for the same
//! seed, whatever the number of threads.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use headsmith::{Context, HeadConfig, Metric, Pool, Progress, data::ReadOptions, fit, model_file, run, tables};
//!
//! # let folder = tempfile::tempdir()?;
//! # let train = folder.path().join("train.csv");
//! # let rows: String = (0..40).map(|i| format!("\"[{}, {}]\",{}\n", i % 2, i % 7, ["no", "yes"][i % 2])).collect();
//! # std::fs::write(&train, format!("embeddings,label\n{rows}"))?;
//! let (pool, stop, options) = (Pool::new(2)?, AtomicBool::new(false), ReadOptions::default());
//! let mut view = |_: &Progress<'_>| {};
//! let mut context = Context { seed: 42, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view };
//!
//! let train = tables::read("train", &train, &options, &mut context)?;
//! let (data, findings) = run::prepare_fit(train, None, 0.0, &[], &options, &mut context)?;
//! let forest = HeadConfig::new("forest", [("n_estimators", 10.into())])?;
//! let fitted = fit::fit(&forest, &data, &fit::FitOptions::default(), &mut context)?;
//! assert_eq!(fitted.report.train.scores.accuracy, 1.0);
//! model_file::save(&fitted.model, &folder.path().join("model.safetensors"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod checked;
mod context;
mod curves;
mod error;
mod evaluate;
pub mod events;
pub mod evidence;
pub mod fit;
pub mod folder;
mod folder_lock;
pub mod folds;
mod head;
pub mod hold_back;
pub mod judge;
pub mod mlflow;
pub mod model_file;
pub mod outputs;
mod predict;
mod progress;
mod record;
pub mod report;
pub mod run;
mod select;
pub mod split;
pub mod studies;
pub mod tables;
mod tensorboard;
pub mod tune;

pub use context::Context;
pub use error::{Error, Result};
pub use evaluate::{Evaluation, evaluate};
pub use head::HeadConfig;
pub use mlflow::{Mlflow, MlflowConfig};
pub use predict::{PredictOptions, predict, predict_table};
pub use progress::{Judged, Progress, UserRequest, View};
pub use record::{RecordedView, Recorder};
pub use tensorboard::TensorBoard;

pub use headsmith_data as data;
pub use headsmith_heads as heads;
pub use headsmith_heads::params;
pub use headsmith_kernels::Pool;
pub use headsmith_metrics as metrics;
pub use headsmith_metrics::Metric;
pub use headsmith_model as model;
pub use headsmith_report::Facts;
pub use headsmith_study as study;
pub use headsmith_study::storages::without_password;
pub use headsmith_tensorboard as event_files;
