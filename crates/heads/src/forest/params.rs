//! The parameters of forests, under scikit-learn's names and with its defaults (`RandomForestClassifier`, `ExtraTreesClassifier`), and the
//! counts that they give for samples of one shape.

use crate::class_weight;
use crate::error::{Error, Result};
use crate::params::{Default, Kind, Param, Params, Search, Table, Value};

use super::criterion::Criterion;
use super::cuts::Cuts;

/// The parameters of the random forest.
pub static TABLE: Table = Table::new(
    "forest",
    "random forest",
    "Random forest: the mean of decision trees grown on bootstrap samples and random features",
    &RANDOM,
);

/// The parameters of extremely randomised trees.
pub static EXTRA_TABLE: Table = Table::new(
    "extra-trees",
    "extremely randomised trees",
    "Extremely randomised trees: as the random forest, but grown on all samples, with a random cut of each feature",
    &EXTRA,
);

const RANDOM: [Param; 12] = params(true);
const EXTRA: [Param; 12] = params(false);

/// The parameters of a forest whose trees are grown on bootstrap samples, or not, unless it is asked for.
const fn params(bootstrap: bool) -> [Param; 12] {
    [
        Param {
            name: "n_estimators",
            kind: Kind::Int { low: 1, high: 1_000_000, words: &[] },
            default: Default::Int(100),
            search: Some(Search::Int { low: 50, high: 500, log: true }),
            help: "Number of trees",
        },
        Param {
            name: "criterion",
            kind: Kind::Choice(&["gini", "entropy", "log_loss"]),
            default: Default::Text("gini"),
            search: None,
            help: "Split criterion: Gini impurity or entropy (log_loss is another name for it)",
        },
        Param {
            name: "max_features",
            kind: Kind::CountOrFraction { words: &["sqrt", "log2", "all"] },
            default: Default::Text("sqrt"),
            search: Some(Search::Float { low: 0.01, high: 1.0, log: true }),
            help: "Number of features to consider at each split",
        },
        Param {
            name: "max_depth",
            kind: Kind::Int { low: 1, high: i64::MAX, words: &["none"] },
            default: Default::Text("none"),
            search: Some(Search::Int { low: 4, high: 64, log: true }),
            help: "Maximum depth of a tree; none: no limit",
        },
        Param {
            name: "min_samples_split",
            kind: Kind::CountOrFraction { words: &[] },
            default: Default::Int(2),
            search: None,
            help: "Minimum number of samples (count of at least 2, or fraction) to split a node",
        },
        Param {
            name: "min_samples_leaf",
            kind: Kind::CountOrFraction { words: &[] },
            default: Default::Int(1),
            search: Some(Search::Int { low: 1, high: 20, log: true }),
            help: "Minimum number of samples (count, or fraction) in a leaf",
        },
        Param {
            name: "min_impurity_decrease",
            kind: Kind::Float { low: 0.0, high: f64::INFINITY, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Minimum decrease of impurity of a split, weighted by the node's share of the samples",
        },
        Param {
            name: "class_weight",
            kind: Kind::Text { syntax: CLASS_WEIGHT, check: is_class_weight },
            default: Default::Text("none"),
            search: None,
            help: "Class weights: none, balanced over all samples, balanced within each bootstrap sample, or by name",
        },
        Param {
            name: "bootstrap",
            kind: Kind::Bool,
            default: Default::Bool(bootstrap),
            search: None,
            help: "Grow each tree on a bootstrap sample instead of all samples",
        },
        Param {
            name: "max_samples",
            kind: Kind::CountOrFraction { words: &["all"] },
            default: Default::Text("all"),
            search: None,
            help: "Size of each bootstrap sample; all: as many as there are samples",
        },
        Param {
            name: "oob_score",
            kind: Kind::Bool,
            default: Default::Bool(false),
            search: None,
            help: "Also compute out-of-bag scores",
        },
        Param::transform("none"),
    ]
}

const CLASS_WEIGHT: &str = "none, balanced, balanced_subsample or LABEL:WEIGHT,..";
const SUBSAMPLE: &str = "balanced_subsample";

fn is_class_weight(text: &str) -> bool {
    text == SUBSAMPLE || class_weight::is_class_weight(text)
}

/// How classes are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClassWeight {
    None,
    Balanced,
    BalancedSubsample,
    /// Each by its name.
    Named,
}

/// The parameters as counts, for samples of one shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) cuts: Cuts,
    pub(super) n_trees: usize,
    pub(super) criterion: Criterion,
    pub(super) max_features: usize,
    pub(super) max_depth: usize,
    pub(super) min_samples_split: usize,
    pub(super) min_samples_leaf: usize,
    pub(super) min_impurity_decrease: f64,
    pub(super) class_weight: ClassWeight,
    /// How many rows are drawn for a tree; `None`: no bootstrap, every row once.
    pub(super) n_drawn: Option<u32>,
    pub(super) oob_score: bool,
}

impl Settings {
    /// Works the parameters out for `n_samples` rows of `n_features`.
    ///
    /// # Errors
    /// When parameters contradict one another.
    pub(super) fn new(params: &Params, n_samples: usize, n_features: usize) -> Result<Settings> {
        let bootstrap = params.flag("bootstrap");
        if !bootstrap && params.flag("oob_score") {
            return Err(Error::parameter(
                "oob_score needs bootstrap: without it no tree leaves a sample out",
            ));
        }
        if !bootstrap && params.text("max_samples") != Some("all") {
            return Err(Error::parameter(
                "max_samples needs bootstrap: without it every tree sees all samples",
            ));
        }
        let min_samples_leaf = rounded_up(params, "min_samples_leaf", n_samples);
        Ok(Settings {
            cuts: Cuts::of(params)?,
            n_trees: count(params.int("n_estimators"), 1),
            criterion: match params.text("criterion") {
                Some("gini") => Criterion::Gini,
                _ => Criterion::Entropy,
            },
            max_features: max_features(params, n_features),
            max_depth: count(params.int("max_depth"), usize::MAX),
            min_samples_split: min_samples_split(params, n_samples)?.max(2 * min_samples_leaf),
            min_samples_leaf,
            min_impurity_decrease: params.number("min_impurity_decrease")?,
            class_weight: match params.text("class_weight") {
                Some("balanced") => ClassWeight::Balanced,
                Some(SUBSAMPLE) if bootstrap => ClassWeight::BalancedSubsample,
                // Without a bootstrap sample the subsample is all samples.
                Some(SUBSAMPLE) => ClassWeight::Balanced,
                None | Some("none") => ClassWeight::None,
                Some(_) => ClassWeight::Named,
            },
            n_drawn: if bootstrap { Some(n_drawn(params, n_samples)?) } else { None },
            oob_score: params.flag("oob_score"),
        })
    }
}

fn count(value: Option<i64>, without: usize) -> usize {
    value.map_or(without, |v| usize::try_from(v).unwrap_or(usize::MAX))
}

fn max_features(params: &Params, n_features: usize) -> usize {
    let n = n_features as f64;
    let wanted = match params.get("max_features") {
        Some(Value::Int(v)) => count(Some(*v), n_features),
        Some(Value::Float(share)) => (share * n) as usize,
        Some(Value::Text(word)) if word == "sqrt" => n.sqrt() as usize,
        Some(Value::Text(word)) if word == "log2" => n.log2() as usize,
        _ => n_features,
    };
    wanted.clamp(1, n_features.max(1))
}

fn min_samples_split(params: &Params, n_samples: usize) -> Result<usize> {
    match params.get("min_samples_split") {
        Some(Value::Int(v)) if *v < 2 => {
            Err(Error::parameter(format!("min_samples_split is {v}, expected a count of at least 2")))
        }
        _ => Ok(rounded_up(params, "min_samples_split", n_samples).max(2)),
    }
}

/// A count, or a fraction of `n_samples` rounded up.
fn rounded_up(params: &Params, name: &str, n_samples: usize) -> usize {
    match params.get(name) {
        Some(Value::Int(v)) => count(Some(*v), 1),
        _ => params.float(name).map_or(1, |share| (share * n_samples as f64).ceil() as usize),
    }
}

fn n_drawn(params: &Params, n_samples: usize) -> Result<u32> {
    let wanted = match params.get("max_samples") {
        Some(Value::Int(v)) => count(Some(*v), n_samples),
        Some(Value::Float(share)) => ((share * n_samples as f64) as usize).max(1),
        _ => n_samples,
    };
    u32::try_from(wanted)
        .map_err(|_| Error::parameter(format!("max_samples is {wanted}, expected at most {}", u32::MAX)))
}
