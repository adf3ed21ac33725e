//! Fits of heads on arrays.

use std::collections::BTreeMap;

use headsmith::data::Classes;
use headsmith::fit::{FitData, TrainedHead, fit_rows};
use headsmith::params::Value;
use headsmith::{Context, Error, FitRows, HeadConfig, Metric, Result, Rows};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::json;

use crate::arrays::{features, values};
use crate::errors::to_python;
use crate::model::Model;
use crate::words::Caller;
use crate::work::{self, Conditions};

/// A value of a parameter.
#[derive(Clone, FromPyObject)]
pub(crate) enum Given {
    /// Yes or no.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A word.
    Text(String),
}

impl From<Given> for Value {
    fn from(given: Given) -> Value {
        match given {
            Given::Bool(value) => Value::Bool(value),
            Given::Int(value) => Value::Int(value),
            Given::Float(value) => Value::Float(value),
            Given::Text(value) => Value::Text(value),
        }
    }
}

/// Rows with their classes.
#[derive(FromPyObject)]
pub(crate) struct Labelled<'py> {
    pub(crate) x: PyReadonlyArray2<'py, f32>,
    pub(crate) y: PyReadonlyArray1<'py, u32>,
    pub(crate) weights: Option<PyReadonlyArray1<'py, f32>>,
    pub(crate) groups: Option<PyReadonlyArray1<'py, u32>>,
}

impl Labelled<'_> {
    /// The rows, where they are.
    ///
    /// # Errors
    /// When an array is not as it must be, or a feature is not finite.
    pub(crate) fn rows<'a>(&'a self, classes: &'a Classes) -> PyResult<Rows<'a>> {
        let rows = Rows::new(features(&self.x)?, values(&self.y)?, classes);
        let weights = self.weights.as_ref().map(values).transpose()?;
        let units = self.groups.as_ref().map(values).transpose()?;
        Ok(Rows { weights, units, ..rows })
    }
}

/// How a fit is done, as Python gives it.
#[derive(FromPyObject)]
pub(crate) struct Options<'py> {
    pub(crate) feature_names: Vec<String>,
    pub(crate) metric: String,
    pub(crate) seed: u64,
    pub(crate) n_jobs: usize,
    pub(crate) listener: Bound<'py, PyAny>,
    pub(crate) follows: bool,
}

impl Options<'_> {
    /// The conditions of the work.
    ///
    /// # Errors
    /// When there is no such metric.
    pub(crate) fn conditions(&self) -> PyResult<Conditions<'_>> {
        let metric: Metric = self
            .metric
            .parse()
            .map_err(|error: headsmith::metrics::Error| PyValueError::new_err(error.to_string()))?;
        let Options { seed, n_jobs, listener, follows, .. } = self;
        Ok(Conditions {
            seed: *seed,
            metric,
            n_jobs: *n_jobs,
            listener,
            follows: *follows,
            caller: Caller::Arrays,
        })
    }
}

/// Classes of these names.
///
/// # Errors
/// When they are fewer than two, or not all different.
pub(crate) fn classes(names: Vec<String>) -> PyResult<Classes> {
    Classes::new(names).map_err(|error| to_python(error.into()))
}

/// Fits the head `head` with the parameters `params`; gives the model, and what there is to say of the fit as JSON.
///
/// `validation` are rows that choose; without them, the share `val_share` of the rows is split off for that.
#[pyfunction]
pub(crate) fn fit(
    head: &str,
    params: BTreeMap<String, Given>,
    train: Labelled<'_>,
    names: Vec<String>,
    validation: Option<Labelled<'_>>,
    val_share: f64,
    options: Options<'_>,
) -> PyResult<(Model, String)> {
    let head = HeadConfig::new(head, params.into_iter().map(|(name, value)| (name, value.into())))
        .map_err(to_python)?;
    let classes = classes(names)?;
    let rows = train.rows(&classes)?;
    let val = validation.as_ref().map(|val| val.rows(&classes)).transpose()?;
    let names = options.feature_names.clone();
    let trained = work::run(&options.conditions()?, |context| match val_share {
        0.0 => fit_rows(&head, &FitRows::new(rows, val, names, context.pool), context),
        share => fit_split(&head, rows, (share, names), context),
    })?;
    let facts = facts(&head, &trained).to_string();
    Ok((Model::new(trained.model), facts))
}

/// Fits on a part of the rows, the others choose.
fn fit_split(
    head: &HeadConfig,
    rows: Rows<'_>,
    (share, names): (f64, Vec<String>),
    context: &mut Context<'_>,
) -> Result<TrainedHead> {
    if !(0.0..1.0).contains(&share) {
        return Err(Error::usage(format!("validation_fraction is {share}, expected a number in 0..1")));
    }
    let mut data = FitData::new(rows.to_dataset()).split(share, context)?;
    data.record.feature_names = names;
    fit_rows(head, &FitRows::from(&data), context)
}

fn facts(head: &HeadConfig, trained: &TrainedHead) -> serde_json::Value {
    let TrainedHead { training, chosen, description, scaling, seconds, .. } = trained;
    let chosen: BTreeMap<&str, &Value> = chosen.iter().map(|(name, value)| (*name, value)).collect();
    json!({
        "history": training.history, "best_epoch": training.best_epoch, "stopped": training.stopped,
        "n_steps": training.n_steps, "chosen": chosen, "summary": description.summary,
        "description": description, "scaling": scaling, "seconds": seconds, "chosen_on_val": head.chosen_on_val(),
    })
}
