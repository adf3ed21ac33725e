//! Scores of probabilities, with their intervals.

use headsmith::Error;
use headsmith::metrics::{bootstrap, score};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays::{rows, values};
use crate::fit::Options;
use crate::model::json;
use crate::work;

/// How intervals are drawn.
#[derive(FromPyObject)]
pub(crate) struct Resampling<'py> {
    n_resamples: u32,
    confidence: f64,
    groups: Option<PyReadonlyArray1<'py, u32>>,
}

/// The scores and intervals of the probabilities `proba` of rows of the classes `y`, as JSON. No intervals are drawn by 0 resamples.
#[pyfunction]
pub(crate) fn scores(
    y: PyReadonlyArray1<'_, u32>,
    proba: PyReadonlyArray2<'_, f32>,
    resampling: Resampling<'_>,
    options: Options<'_>,
) -> PyResult<String> {
    let (y, proba) = (values(&y)?, rows(&proba)?);
    let units = resampling.groups.as_ref().map(values).transpose()?;
    let Resampling { n_resamples, confidence, .. } = resampling;
    let drawn = bootstrap::Options { n_resamples, confidence, seed: options.seed, units };
    let (scores, intervals) = work::run(&options.conditions()?, |context| {
        let scores = score(y, proba).map_err(Error::from)?;
        let intervals = match n_resamples {
            0 => None,
            _ => Some(bootstrap::intervals(y, proba, &drawn, context.pool).map_err(Error::from)?),
        };
        Ok((scores, intervals))
    })?;
    json(&serde_json::json!({ "scores": scores, "intervals": intervals }))
}
