//! The parameters of multinomial logistic regression.

use crate::class_weight;
use crate::error::Result;
use crate::params::{Added, Default, Kind, Param, Params, Search, Table};

/// The parameters, under scikit-learn's names (`LogisticRegression`, where `c` is `C`) and with its defaults but for the
/// iterations, which end nearer the minimum here.
pub static TABLE: Table = Table {
    head: "linear",
    title: "logistic regression",
    about: "Multinomial logistic regression: the softmax of a linear function, with an L2 or L1 penalty of a strength that folds choose",
    params: &[
        Param {
            name: "c",
            kind: Kind::Float { low: 1e-6, high: 1e10, words: &["auto"] },
            default: Default::Text("auto"),
            search: Some(Search::Float { low: 1e-4, high: 1e4, log: true }),
            help: "Inverse of the strength of the penalty; smaller: stronger; auto: chosen from a path of 20 strengths",
        },
        Param {
            name: "l1_ratio",
            kind: Kind::Float { low: 0.0, high: 1.0, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Share of the L1 term in the penalty (elastic net); 1: lasso, with coefficients that are exactly 0",
        },
        Param {
            name: "choose_by",
            kind: Kind::Choice(&[FOLDS, LEAVE_ONE_OUT]),
            default: Default::Text(FOLDS),
            search: None,
            help: "The loss that chooses c: of rows held out in folds, or an approximation of leave-one-out",
        },
        Param {
            name: "n_folds",
            kind: Kind::Int { low: 2, high: 50, words: &[] },
            default: Default::Int(5),
            search: None,
            help: "Folds that choose c",
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
        Param::transform("power:auto+standardise"),
    ],
    presets: &[],
    trial: &[],
    portfolio: &[],
    added: &[
        Added { name: "l1_ratio", before: Default::Float(0.0), in_models: true },
        Added { name: "choose_by", before: Default::Text(FOLDS), in_models: true },
        Added { name: "n_folds", before: Default::Int(5), in_models: true },
    ],
};

const FOLDS: &str = "folds";
const LEAVE_ONE_OUT: &str = "leave_one_out";

/// The loss that chooses the strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Folds,
    LeaveOneOut,
}

impl By {
    pub(super) fn name(self) -> &'static str {
        match self {
            By::Folds => FOLDS,
            By::LeaveOneOut => LEAVE_ONE_OUT,
        }
    }
}

/// The parameters as a fit uses them, but for the class weights.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The strength; `None`: it is chosen.
    pub(super) c: Option<f64>,
    pub(super) l1_ratio: f64,
    pub(super) by: By,
    pub(super) n_folds: usize,
    pub(super) fit_intercept: bool,
    pub(super) max_iter: usize,
    pub(super) tol: f64,
}

impl Settings {
    /// # Errors
    /// When the parameters are of another head.
    pub(super) fn new(params: &Params) -> Result<Settings> {
        let params = params.of(&TABLE)?;
        Ok(Settings {
            c: params.float("c"),
            l1_ratio: params.number("l1_ratio")?,
            by: if params.word("choose_by")? == LEAVE_ONE_OUT { By::LeaveOneOut } else { By::Folds },
            n_folds: params.count("n_folds")?,
            fit_intercept: params.flag("fit_intercept"),
            max_iter: params.count("max_iter")?,
            tol: params.number("tol")?,
        })
    }

    /// Whether the strength is given and the penalty is L2: nothing but a minimum is to be found.
    pub(super) fn is_plain(&self) -> bool {
        self.c.is_some() && self.l1_ratio == 0.0
    }
}
