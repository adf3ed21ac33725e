//! The page of a model on rows that were brought after its fit.

use std::path::PathBuf;

use headsmith::evaluated::{self, KnownFit};
use headsmith::{Facts, folder};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::fit::{Labelled, Options, classes};
use crate::model::Model;
use crate::search::table;
use crate::work;

/// Writes the page to `path`: how `model` does on `rows`, which were used for `used_for` before. `fit` are the facts of its fit, as JSON.
#[pyfunction]
pub(crate) fn report(
    model: PyRef<'_, Model>,
    rows: Labelled<'_>,
    fit: &str,
    used_for: Vec<String>,
    path: PathBuf,
    options: Options<'_>,
) -> PyResult<()> {
    let fit: KnownFit = serde_json::from_str(fit)
        .map_err(|error| PyValueError::new_err(format!("fit_info_ is not as fit left it: {error}")))?;
    let classes = classes(model.model.classes().to_vec())?;
    let (model, rows) = (&model.model, rows.rows(&classes)?);
    let names = &options.feature_names;
    let report = work::run(&options.conditions()?, |context| {
        evaluated::report(model, table("val", rows, names)?, (fit, used_for), context)
    })?;
    folder::write_page(&Facts { report, ..Facts::default() }, &path).map_err(to_python)
}
