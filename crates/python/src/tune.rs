//! Studies: what the command `tune` does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use headsmith::data::Files;
use headsmith::params::Value;
use headsmith::tune::{StudyConfig, TuneConfig};
use headsmith::{HeadConfig, Result};
use pyo3::prelude::*;

use crate::errors::to_caller;
use crate::fit::{Given, Options};
use crate::model::json;
use crate::search::seconds;
use crate::tables::Reading;
use crate::words::Caller;
use crate::work;

/// A study, as Python asks for it.
#[derive(FromPyObject)]
pub(crate) struct Study {
    head: String,
    params: BTreeMap<String, Given>,
    val_share: f64,
    hold_back: f64,
    /// The text of a space file.
    space: Option<String>,
    trials: Option<u64>,
    timeout: Option<f64>,
    storage: String,
    name: Option<String>,
    sampler: String,
    pruner: String,
    random_start: bool,
    lag: Option<u64>,
}

/// Begins or resumes a study on the tables in files; gives its report as JSON.
#[pyfunction]
pub(crate) fn tune(
    train: Vec<PathBuf>,
    val: Vec<PathBuf>,
    reading: Reading,
    study: Study,
    options: Options<'_>,
) -> PyResult<String> {
    let config = TuneConfig {
        val: (!val.is_empty()).then(|| Files::new(val)),
        val_share: study.val_share,
        hold_back: study.hold_back,
        read: reading.into(),
        ..TuneConfig::new(Files::new(train), study.config(options.n_jobs).map_err(to_caller(Caller::Files))?)
    };
    let conditions = options.conditions()?.of_files();
    json(&work::run(&conditions, |context| headsmith::tune::tune(&config, context))?)
}

impl Study {
    fn config(&self, n_jobs: usize) -> Result<StudyConfig> {
        let given = self.params.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
        let head = HeadConfig::new(&self.head, given)?;
        // A trial has less of some parameters than a last fit, unless they are given.
        let trial = head.trial().iter().filter(|(name, _)| !self.params.contains_key(*name));
        let head = head.with(trial.map(|(name, value)| (*name, value.value())))?;
        Ok(StudyConfig {
            fixed: self.params.keys().cloned().collect(),
            space: self.space.clone().map(|text| (PathBuf::from("space"), text)),
            n_trials: self.trials,
            timeout: self.timeout.map(|limit| seconds("timeout", limit)).transpose()?,
            n_jobs,
            name: self.name.clone(),
            sampler: self.sampler.clone(),
            pruner: self.pruner.clone(),
            listed: !self.random_start,
            lag: self.lag,
            ..StudyConfig::new(head, self.storage.clone())
        })
    }
}
