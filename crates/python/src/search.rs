//! The search for the best model of arrays: what the command `auto` does with files.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use headsmith::auto::{Bounds, Limits, Search, ValUse};
use headsmith::data::{ArrayLabels, Files, ReadOptions, Table};
use headsmith::run::{self, InMemory, RunConfig, RunHead};
use headsmith::tables::{self, RoleTable};
use headsmith::{ConformalOptions, Error, Result, Rows, folder, model_file};
use pyo3::prelude::*;

use crate::errors::to_python;
use crate::fit::{Labelled, Options, classes};
use crate::model::{Model, json};
use crate::work;

/// The limits and choices of a search, as Python gives them.
#[derive(FromPyObject)]
pub(crate) struct Limit {
    time: Option<f64>,
    steps: Option<usize>,
    folds: usize,
    heads: Vec<String>,
    reduced: Vec<String>,
    val_is: String,
    prefer: String,
    max_model_size: Option<u64>,
    max_predict_time: Option<f64>,
    memory: Option<u64>,
    refit: bool,
    conformal: Option<f64>,
    distil: Option<String>,
    trials: u64,
    /// The seconds since the caller began.
    elapsed: f64,
}

/// Searches for the best model; gives it and the report as JSON. The files of the command go to the folder `out`.
#[pyfunction]
pub(crate) fn search(
    train: Labelled<'_>,
    names: Vec<String>,
    validation: Option<Labelled<'_>>,
    limit: Limit,
    out: PathBuf,
    options: Options<'_>,
) -> PyResult<(Model, String)> {
    let classes = classes(names)?;
    let (train, val) =
        (train.rows(&classes)?, validation.as_ref().map(|val| val.rows(&classes)).transpose()?);
    let search = limit.search(&out, options.n_jobs).map_err(to_python)?;
    let config = RunConfig {
        val_share: 0.0,
        search: Some(search),
        ..RunConfig::new(Files::default(), &out, Vec::new())
    };
    let names = &options.feature_names;
    let report = work::run(&options.conditions()?, |context| {
        let tables = InMemory {
            val: val.map(|val| table("val", val, names)).transpose()?,
            weights: train.weights.map(<[f32]>::to_vec),
            groups: train.units.map(<[u32]>::to_vec),
            train: table("train", train, names)?,
        };
        run::run_in_memory(&config, tables, context)
    })?;
    let model = model_file::load(&out.join(folder::MODEL)).map_err(to_python)?;
    Ok((Model::new(model), json(&report)?))
}

impl Limit {
    fn search(self, out: &std::path::Path, n_jobs: usize) -> Result<Search> {
        let val_use = ValUse::ALL.into_iter().find(|val_use| val_use.name() == self.val_is);
        let val_use = val_use.ok_or_else(|| wrong("val_is", &self.val_is, &ValUse::ALL.map(ValUse::name)))?;
        let prefers_simple = match self.prefer.as_str() {
            "best" => false,
            "simple" => true,
            other => return Err(wrong("prefer", other, &["best", "simple"])),
        };
        let bounds = Bounds {
            max_model_bytes: self.max_model_size,
            max_predict_time: self
                .max_predict_time
                .map(|limit| seconds("max_predict_time", limit))
                .transpose()?,
            max_memory: self.memory,
        };
        let search = Search {
            limits: Limits {
                time: self.time.map(|limit| seconds("time", limit)).transpose()?,
                steps: self.steps,
            },
            started: Instant::now()
                .checked_sub(seconds("elapsed", self.elapsed)?)
                .unwrap_or_else(Instant::now),
            n_folds: self.folds,
            heads: self.heads,
            reduced: self.reduced,
            tuned: Some(RunHead::tuned_in_search(out, n_jobs, Some(self.trials))?),
            val_use,
            bounds,
            refits: self.refit,
            prefers_simple,
            conformal: self.conformal.map(ConformalOptions::new).transpose()?,
            distil: self.distil,
        };
        search.check()?;
        Ok(search)
    }
}

fn wrong(name: &str, value: &str, expected: &[&str]) -> Error {
    Error::usage(format!("{name} is {value}, expected one of {}", expected.join(", ")))
}

/// The time that the parameter `name` gives in seconds.
///
/// # Errors
/// When it is none.
pub(crate) fn seconds(name: &str, seconds: f64) -> Result<Duration> {
    let wrong = |_| Error::usage(format!("{name} is {seconds}, expected seconds of at least 0"));
    Duration::try_from_secs_f64(seconds).map_err(wrong)
}

/// Rows as a table, a copy of them.
pub(crate) fn table(role: &str, rows: Rows<'_>, feature_names: &[String]) -> Result<RoleTable> {
    let labels = ArrayLabels { names: rows.classes.names().to_vec(), codes: rows.y.to_vec() };
    let table = Table::of_arrays(role, rows.x.to_matrix(), Some(labels), feature_names.to_vec())?;
    Ok(tables::of_table(role, table, &ReadOptions::default(), 0.0))
}
