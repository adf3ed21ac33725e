//! The parameters of k nearest neighbours.

use crate::class_weight;
use crate::params::{Default, Kind, Param, Search, Table};

pub(super) const N_NEIGHBORS: &str = "n_neighbors";
pub(super) const DISTANCE: &str = "distance";
pub(super) const WEIGHTS: &str = "weights";
pub(super) const TEMPERATURE: &str = "temperature";
pub(super) const CLASS_WEIGHT: &str = "class_weight";

/// The distances and the ways to weigh votes, by their names in parameters and files.
pub(super) const DISTANCES: &[&str] = &["cosine", "euclidean"];
pub(super) const WEIGHTINGS: &[&str] = &["temperature", "uniform", "distance"];
const AUTO: &str = "auto";

/// The parameters, under scikit-learn's names (`KNeighborsClassifier`) where it has them.
pub static TABLE: Table = Table::new(
    "knn",
    "k nearest neighbours",
    "k nearest neighbours: the classes of the most similar training rows vote",
    &[
        Param {
            name: N_NEIGHBORS,
            kind: Kind::Int { low: 1, high: i64::MAX, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Int { low: 3, high: 300, log: true }),
            help: "Neighbours that vote; auto: by the leave-one-out log loss of the training rows",
        },
        Param {
            name: DISTANCE,
            kind: Kind::Choice(DISTANCES),
            default: Default::Text("cosine"),
            search: None,
            help: "Distance from a row to a training row; cosine compares directions alone",
        },
        Param {
            name: WEIGHTS,
            kind: Kind::Choice(WEIGHTINGS),
            default: Default::Text(TEMPERATURE),
            search: None,
            help: "Weight of a vote at distance d: exp(-d / temperature); uniform: 1; distance: 1 / d",
        },
        Param {
            name: TEMPERATURE,
            kind: Kind::Float { low: 1e-12, high: 1e12, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: None,
            help: "Temperature of the weights exp(-d / temperature); auto: by the leave-one-out log loss of the training rows",
        },
        class_weight::PARAM,
        Param::transform("none"),
    ],
);
