//! Where a parameter's values lie.

use serde::{Deserialize, Serialize};

/// The values of one parameter, as Optuna's distributions of the same names mean them.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Floats in `low ..= high`; with a `step`, `low`, `low + step` and so on.
    Float {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// Whether to draw evenly on a logarithmic scale; not with a step.
        log: bool,
        /// The distance of neighbouring values.
        step: Option<f64>,
    },
    /// Integers in `low ..= high`, `step` apart.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
        /// Whether to draw evenly on a logarithmic scale; only with a step of 1.
        log: bool,
        /// The distance of neighbouring values, at least 1.
        step: i64,
    },
    /// One of these. Inside, a value is the choice's index.
    Categorical {
        /// The choices, at least one.
        choices: Vec<Choice>,
    },
}

/// A choice, or any parameter's value as its user sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// Python's `None`.
    Null,
    /// Yes or no.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A word.
    Text(String),
}
