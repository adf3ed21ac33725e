//! The TPE of studies for objectives of Python: Optuna asks for a trial's parameters as its objective does, one after another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use headsmith::kernels::Sequence;
use headsmith::study::samplers::{self, History, TpeOptions, draws};
use headsmith::study::{self, Direction, Distribution, Params, Space, State};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::json;

use crate::distributions::Range;

/// The sampler.
#[pyclass(frozen, module = "headsmith._headsmith")]
pub(crate) struct Tpe {
    tpe: Arc<samplers::Tpe>,
    seed: u64,
}

/// A trial of a study of Optuna's.
#[pyclass(frozen, module = "headsmith._headsmith")]
pub(crate) struct Trial {
    trial: Arc<study::Trial>,
}

/// The parameters of one trial, as far as they were asked for: what the sampler sees is that of the first question.
#[pyclass(frozen, module = "headsmith._headsmith")]
pub(crate) struct Proposal {
    tpe: Arc<samplers::Tpe>,
    direction: Direction,
    finished: Vec<Arc<study::Trial>>,
    running: Vec<(u64, Params)>,
    draws: Mutex<Sequence>,
}

/// The value of a trial's attribute.
#[derive(FromPyObject)]
pub(crate) enum Attribute {
    /// A constraint.
    Number(f64),
    /// Several of them.
    Numbers(Vec<f64>),
    /// A part of the parameters that a running trial will have.
    Text(String),
}

impl From<Attribute> for serde_json::Value {
    fn from(attribute: Attribute) -> serde_json::Value {
        // JSON has no infinities.
        let finite = |number: f64| number.clamp(f64::MIN, f64::MAX);
        match attribute {
            Attribute::Number(number) => json!(finite(number)),
            Attribute::Numbers(numbers) => numbers.into_iter().map(finite).collect(),
            Attribute::Text(text) => text.into(),
        }
    }
}

#[pymethods]
impl Trial {
    /// The trial of this number and state; `params` are distributions with internal values.
    #[new]
    fn new(
        number: u64,
        state: &str,
        value: Option<f64>,
        params: BTreeMap<String, (Range<'_>, f64)>,
        intermediate: BTreeMap<i64, f64>,
        attributes: BTreeMap<String, Attribute>,
    ) -> PyResult<Trial> {
        let state = match state {
            "COMPLETE" => State::Complete,
            "PRUNED" => State::Pruned,
            "RUNNING" => State::Running,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "a trial that is {state} has no result to learn from"
                )));
            }
        };
        let param = |(name, (range, value)): (String, (Range<'_>, f64))| {
            let distribution = range.distribution(&name)?;
            Ok((name, (distribution, value)))
        };
        let params = params.into_iter().map(param).collect::<PyResult<_>>()?;
        let system_attrs = attributes.into_iter().map(|(key, value)| (key, value.into())).collect();
        let trial = study::Trial {
            number,
            state,
            value,
            params,
            intermediate,
            system_attrs,
            ..study::Trial::default()
        };
        Ok(Trial { trial: Arc::new(trial) })
    }
}

#[pymethods]
impl Tpe {
    /// The sampler with these options.
    #[new]
    fn new(
        seed: u64,
        n_startup_trials: usize,
        n_candidates: usize,
        multivariate: bool,
        constant_liar: bool,
    ) -> Tpe {
        let options = TpeOptions { n_startup_trials, n_candidates, multivariate, constant_liar };
        Tpe { tpe: Arc::new(samplers::Tpe::new(options)), seed }
    }

    /// The proposal for trial `number`, after these trials, which are in the order of their numbers.
    fn begin(
        &self,
        number: u64,
        maximises: bool,
        finished: Vec<PyRef<'_, Trial>>,
        running: Vec<PyRef<'_, Trial>>,
    ) -> Proposal {
        let finished: Vec<_> = finished.iter().map(|trial| trial.trial.clone()).collect();
        let open = running.iter().map(|trial| &trial.trial);
        let running = study::running(open, &Space::default(), &finished);
        Proposal {
            tpe: self.tpe.clone(),
            direction: if maximises { Direction::Maximize } else { Direction::Minimize },
            finished,
            running,
            draws: Mutex::new(draws(self.seed, number)),
        }
    }
}

#[pymethods]
impl Proposal {
    /// The names of the parameters that are drawn together: all finished trials have them.
    fn joint(&self, py: Python<'_>) -> Vec<String> {
        let joint = py.detach(|| self.tpe.joint_space(self.history()));
        joint.into_iter().map(|(name, _)| name).collect()
    }

    /// The internal values of these parameters, which are drawn together; none while trials are drawn at random.
    fn together(&self, py: Python<'_>, space: Vec<(String, Range<'_>)>) -> PyResult<BTreeMap<String, f64>> {
        let mut space = space;
        space.sort_by(|(one, _), (other, _)| one.cmp(other));
        let distributions =
            space.iter().map(|(name, range)| range.distribution(name)).collect::<PyResult<Vec<_>>>()?;
        let names: Vec<&str> = space.iter().map(|(name, _)| name.as_str()).collect();
        let params: Vec<(&str, &Distribution)> = names.iter().copied().zip(&distributions).collect();
        let values =
            py.detach(|| self.draw(|draws| self.tpe.sample_relative(self.history(), &params, draws)));
        Ok(names.into_iter().map(str::to_owned).zip(values).collect())
    }

    /// The internal value of one parameter, which is drawn by itself.
    fn alone(&self, py: Python<'_>, name: &str, range: Range<'_>) -> PyResult<f64> {
        let distribution = range.distribution(name)?;
        Ok(py.detach(|| {
            self.draw(|draws| self.tpe.sample_independent(self.history(), name, &distribution, draws))
        }))
    }
}

impl Proposal {
    fn history(&self) -> History<'_> {
        let Proposal { direction, finished, running, .. } = self;
        History { direction: *direction, finished, running }
    }

    fn draw<T>(&self, f: impl FnOnce(&mut Sequence) -> T) -> T {
        f(&mut self.draws.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
