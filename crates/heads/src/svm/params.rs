//! The parameters of support vector machines.

use crate::class_weight;
use crate::params::{AUTO, Default, Kind, Param, Search, Table};

pub(super) const C: &str = "c";
pub(super) const GAMMA: &str = "gamma";
pub(super) const TOL: &str = "tol";
pub(super) const CALIBRATION: &str = "calibration";

/// The gamma that scikit-learn's SVC has by default.
pub(super) const SCALE: &str = "scale";

/// The parameters, under scikit-learn's names (`SVC`).
pub static TABLE: Table = Table::new(
    "svm",
    "support vector machine",
    "Support vector machine with the RBF kernel, one class against one: libsvm's labels, calibrated probabilities",
    &[
        Param {
            name: C,
            kind: Kind::Float { low: 1e-6, high: 1e6, words: &[AUTO] },
            default: Default::Float(1.0),
            search: Some(Search::Float { low: 0.1, high: 100.0, log: true }),
            help: "Penalty of a margin violation, the upper bound of a row's coefficient; auto: by the log loss of 5 folds",
        },
        Param {
            name: GAMMA,
            kind: Kind::Float { low: 1e-9, high: 1e9, words: &[SCALE, AUTO] },
            default: Default::Text(SCALE),
            search: Some(Search::Float { low: 1e-4, high: 10.0, log: true }),
            help: "Factor of squared distances; scale: 1 / (n_features * variance of all features together); auto: by the log loss of 5 folds",
        },
        Param {
            name: TOL,
            kind: Kind::Float { low: 1e-9, high: 1.0, words: &[] },
            default: Default::Float(1e-3),
            search: None,
            help: "Tolerance of the optimality conditions",
        },
        Param {
            name: CALIBRATION,
            kind: Kind::Choice(&["quadratic", "temperature", "none"]),
            default: Default::Text("quadratic"),
            search: None,
            help: "From decision values to probabilities, fitted on those of 5 folds; none: the softmax of decision values, without folds",
        },
        class_weight::PARAM,
        Param::transform("none"),
    ],
);
