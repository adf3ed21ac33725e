//! The parameters of kernel machines.

use crate::kernel_function::KINDS;
use crate::params::{AUTO, Default, Kind, Param, Search, Table};
use crate::{calibration, class_weight};

/// The parameters.
pub static TABLE: Table = Table::new(
    "kernel",
    "kernel machine",
    "Kernel ridge or logistic regression: every training row is a basis function; chooses transform, width and strength by \
     leave-one-out",
    &[
        Param {
            name: "kernel",
            kind: Kind::Choice(KINDS),
            default: Default::Text("rbf"),
            search: None,
            help: "Kernel function; power: exp(-gamma distance^exponent)",
        },
        Param {
            name: "exponent",
            kind: Kind::Float { low: 1.0, high: 2.0, words: &[] },
            default: Default::Float(1.5),
            search: None,
            help: "Exponent of the distance in the kernel power",
        },
        Param {
            name: "degree",
            kind: Kind::Int { low: 1, high: 10, words: &[] },
            default: Default::Int(3),
            search: None,
            help: "Degree of the kernel polynomial",
        },
        Param {
            name: "coef0",
            kind: Kind::Float { low: 0.0, high: 1e6, words: &[] },
            default: Default::Float(1.0),
            search: None,
            help: "Constant in the kernel polynomial",
        },
        Param {
            name: "gamma",
            kind: Kind::Float { low: 1e-6, high: 1e6, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 0.2, high: 5.0, log: true }),
            help: "Factor of distances or products of features scaled to a total variance of 1; 1 is 1/n_features of standardised ones",
        },
        Param {
            name: "alpha",
            kind: Kind::Float { low: 1e-9, high: 1e9, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 0.05, high: 20.0, log: true }),
            help: "Strength of the L2 penalty",
        },
        Param {
            name: "spectrum",
            kind: Kind::Float { low: -1.0, high: 2.0, words: &[AUTO, "none"] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: -0.6, high: 1.0, log: false }),
            help: "Power of the variance by which principal axes are scaled after the transform; -1 whitens",
        },
        Param {
            name: "loss",
            kind: Kind::Choice(&["squared", "logistic"]),
            default: Default::Text("squared"),
            search: None,
            help: "Loss; squared has leave-one-out predictions in closed form",
        },
        Param {
            name: "n_landmarks",
            kind: Kind::Int { low: 10, high: 100_000, words: &[AUTO, "none"] },
            default: Default::Text(AUTO),
            search: None,
            help: "Rows that are basis functions; auto: all of up to 15000, else 4000 or fewer (Nystroem); none: all",
        },
        calibration::PARAM,
        class_weight::PARAM,
        Param {
            name: "screen_rows",
            kind: Kind::Int { low: 100, high: 100_000, words: &[] },
            default: Default::Int(2000),
            search: None,
            help: "Rows on which transform, gamma and alpha are screened before all rows are used",
        },
        Param::transform_or_auto(),
    ],
);
