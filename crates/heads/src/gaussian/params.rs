//! The parameters of Gaussian discriminant analysis.

use crate::class_weight;
use crate::error::Result;
use crate::params::{Default, Kind, Param, Params, Search, Table};

const COVARIANCE: &str = "covariance";
const SHRINKAGE: &str = "shrinkage";
const PRIORS: &str = "priors";
const VAR_SMOOTHING: &str = "var_smoothing";
pub(super) const CLASS_WEIGHT: &str = "class_weight";

/// The parameters, under scikit-learn's names where it has them.
pub static TABLE: Table = Table::new(
    "gaussian",
    "Gaussian discriminant analysis",
    "Gaussian discriminant analysis: a normal distribution for each class (LDA, naive Bayes, QDA)",
    &[
        Param {
            name: COVARIANCE,
            kind: Kind::Choice(&["shared", "diagonal", "full"]),
            default: Default::Text("shared"),
            search: None,
            help: "Covariances of the classes: one for all (LDA), one each without correlations (naive Bayes), or one each (QDA)",
        },
        Param {
            name: SHRINKAGE,
            kind: Kind::Float { low: 0.0, high: 1.0, words: &["auto"] },
            default: Default::Text("auto"),
            search: Some(Search::Float { low: 1e-4, high: 1.0, log: true }),
            help: "Shrinkage of the covariances towards a diagonal; auto: by the lemma of Ledoit and Wolf. Not with diagonal",
        },
        Param {
            name: PRIORS,
            kind: Kind::Choice(&["empirical", "uniform"]),
            default: Default::Text("empirical"),
            search: None,
            help: "Probabilities of the classes before a row is seen: their shares of the training rows, or equal",
        },
        Param {
            name: VAR_SMOOTHING,
            kind: Kind::Float { low: 0.0, high: 1e6, words: &[] },
            default: Default::Float(1e-9),
            search: None,
            help: "Share of the largest variance that is added to all variances; only with diagonal",
        },
        class_weight::PARAM,
        Param::transform("none"),
    ],
);

/// The form of the covariances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covariance {
    Shared,
    Diagonal,
    Full,
}

/// The parameters' values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Options {
    pub(super) covariance: Covariance,
    /// The amount; `None`: by the lemma of Ledoit and Wolf.
    pub(super) shrinkage: Option<f64>,
    pub(super) uniform_priors: bool,
    pub(super) var_smoothing: f64,
}

impl Options {
    pub(super) fn new(params: &Params) -> Result<Options> {
        let covariance = match params.word(COVARIANCE)? {
            "diagonal" => Covariance::Diagonal,
            "full" => Covariance::Full,
            _ => Covariance::Shared,
        };
        Ok(Options {
            covariance,
            shrinkage: params.float(SHRINKAGE),
            uniform_priors: params.word(PRIORS)? == "uniform",
            var_smoothing: params.number(VAR_SMOOTHING)?,
        })
    }
}
