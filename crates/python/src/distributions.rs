//! Optuna's distributions as those of our studies.

use headsmith::study::{Choice, Distribution};
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::fit::Given;

/// A distribution of Optuna's, by its attributes. Those of an integer are also a float's, so it comes first.
#[derive(FromPyObject)]
pub(crate) enum Range<'py> {
    /// `CategoricalDistribution`.
    Categorical { choices: Vec<Bound<'py, PyAny>> },
    /// `IntDistribution`.
    Int { low: i64, high: i64, log: bool, step: i64 },
    /// `FloatDistribution`.
    Float { low: f64, high: f64, log: bool, step: Option<f64> },
}

impl Range<'_> {
    /// The distribution of the parameter `name`.
    ///
    /// # Errors
    /// When our studies have none like it: integers beyond 2^53.
    pub(crate) fn distribution(&self, name: &str) -> PyResult<Distribution> {
        let distribution = match *self {
            Range::Categorical { ref choices } => {
                Distribution::Categorical { choices: choices.iter().map(choice).collect::<PyResult<_>>()? }
            }
            Range::Int { low, high, log, step } => Distribution::Int { low, high, log, step },
            Range::Float { low, high, log, step } => Distribution::Float { low, high, log, step },
        };
        distribution.checked(name).map_err(|error| to_python(error.into()))
    }
}

/// A choice. Optuna takes any object for one; those that its storages cannot hold are distinguished by how Python shows them.
fn choice(choice: &Bound<'_, PyAny>) -> PyResult<Choice> {
    if choice.is_none() {
        return Ok(Choice::Null);
    }
    Ok(match choice.extract() {
        Ok(Given::Bool(value)) => Choice::Bool(value),
        Ok(Given::Int(value)) => Choice::Int(value),
        Ok(Given::Float(value)) if !value.is_nan() => Choice::Float(value),
        Ok(Given::Text(value)) => Choice::Text(value),
        _ => Choice::Text(choice.repr()?.to_string()),
    })
}
