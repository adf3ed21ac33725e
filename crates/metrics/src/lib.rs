//! Metrics of classifiers, with scikit-learn's conventions, and bootstrap intervals around them.
//!
//! The input is always the same: `y_true`, a class index in `0 .. n_classes` for each sample, and `proba`, an
//! `n_samples x n_classes` matrix of probabilities. The predicted class of a sample is its most probable one, the
//! first of equals ([`predicted_class`]), unless [`Predictions`] have another decided class for it. Metrics of predicted classes are functions of the [`Confusion`] matrix;
//! metrics of probabilities use the `f32` numbers widened to `f64`, neither rescaled nor rounded. scikit-learn
//! computes the same from `proba.astype(numpy.float64)`; given `float32` itself, it computes in single precision.
//!
//! [`score`] checks the input and computes everything; [`bootstrap`] computes confidence intervals. The functions for
//! single metrics do not check: they panic if lengths or classes do not fit.
//!
//! ```
//! use headsmith_kernels::MatRef;
//! let proba = [0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.5, 0.1, 0.4];
//! let scores = headsmith_metrics::score(&[0, 1, 2], MatRef::new(&proba, 3, 3))?;
//! assert_eq!(scores.accuracy, 2.0 / 3.0);
//! assert_eq!(scores.confusion, [[1, 0, 0], [0, 1, 0], [1, 0, 0]]);
//! # Ok::<(), headsmith_metrics::Error>(())
//! ```

pub mod accuracy;
pub mod average_precision;
pub mod balanced_accuracy;
pub mod bootstrap;
pub mod brier;
pub mod calibration;
mod check;
pub mod cohen_kappa;
pub mod conformal;
pub mod confusion;
pub mod curves;
pub mod decision;
pub mod f1;
pub mod log_loss;
pub mod mcc;
pub mod metric;
mod predictions;
mod ranking;
pub mod roc_auc;
pub mod scores;

pub use accuracy::accuracy;
pub use average_precision::average_precision;
pub use balanced_accuracy::balanced_accuracy;
pub use brier::brier;
pub use calibration::{expected_calibration_error, reliability};
pub use check::{Error, Result};
pub use cohen_kappa::cohen_kappa;
pub use conformal::{ConformalSets, SetScores};
pub use confusion::{Confusion, predicted_class};
pub use curves::{both_curves, precision_recall_curve, roc_curve};
pub use f1::{f1, macro_average, micro_f1, precision, recall, weighted_average};
pub use log_loss::log_loss;
pub use mcc::mcc;
pub use metric::{ByMetric, Metric};
pub use predictions::Predictions;
pub use roc_auc::{roc_auc, roc_auc_macro, roc_auc_weighted};
pub use scores::{PerClass, Scores, score};
