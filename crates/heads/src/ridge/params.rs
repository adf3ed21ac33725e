//! The parameters of ridge regression.

use crate::params::{AUTO, Default, Kind, Param, Search, Table};
use crate::{calibration, class_weight};

/// The parameters.
pub static TABLE: Table = Table::new(
    "ridge",
    "ridge regression",
    "Ridge regression on the classes: least squares with an L2 penalty, whose strength leave-one-out chooses",
    &[
        Param {
            name: "alpha",
            kind: Kind::Float { low: 1e-9, high: 1e12, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 1e-1, high: 1e6, log: true }),
            help: "Strength of the L2 penalty; auto: the best of 20 by leave-one-out",
        },
        calibration::PARAM,
        class_weight::PARAM,
        Param::transform("power:auto+standardise"),
    ],
);
