//! The parameters of multinomial logistic regression.

use crate::class_weight;
use crate::params::{Default, Kind, Param, Search, Table};

/// The parameters, under scikit-learn's names (`LogisticRegression`, where `c` is `C`) and with its defaults but for the
/// iterations, which end nearer the minimum here.
pub static TABLE: Table = Table::new(
    "linear",
    "logistic regression",
    "Multinomial logistic regression: the softmax of a linear function, with an L2 penalty",
    &[
        Param {
            name: "c",
            kind: Kind::Float { low: 1e-6, high: 1e10, words: &[] },
            default: Default::Float(1.0),
            search: Some(Search::Float { low: 1e-4, high: 1e4, log: true }),
            help: "Inverse of the strength of the L2 penalty; smaller: stronger",
        },
        Param {
            name: "fit_intercept",
            kind: Kind::Bool,
            default: Default::Bool(true),
            search: None,
            help: "Fit an intercept for each class, without a penalty",
        },
        class_weight::PARAM,
        Param {
            name: "max_iter",
            kind: Kind::Int { low: 1, high: 1_000_000, words: &[] },
            default: Default::Int(1000),
            search: None,
            help: "Maximum number of iterations of L-BFGS",
        },
        Param {
            name: "tol",
            kind: Kind::Float { low: 0.0, high: 1.0, words: &[] },
            default: Default::Float(1e-5),
            search: None,
            help: "Largest element of the gradient at which the fit ends; with a loss below 1, its share of the loss",
        },
        Param::transform("standardise"),
    ],
);
