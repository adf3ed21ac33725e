//! Histories, as written by `data/samplers/make_samplers.py`.

use std::collections::BTreeMap;
use std::sync::Arc;

use headsmith_study::samplers::History;
use headsmith_study::{Attributes, Direction, Distribution, Params, Space, SpaceParam, State, Trial};
use serde::Deserialize;
use serde_json::Value;

/// A float, or a string for one that JSON does not have.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Finite(f64),
    Word(String),
}

impl Number {
    pub(crate) fn get(&self) -> f64 {
        match self {
            Number::Finite(x) => *x,
            Number::Word(word) => word.parse().unwrap(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct RecordedTrial {
    state: String,
    value: Option<Number>,
    params: BTreeMap<String, (usize, f64)>,
    reports: Vec<(i64, Number)>,
    attrs: Attributes,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Shape {
    pub(crate) weights: Vec<f64>,
    pub(crate) kernels: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    direction: String,
    distributions: Vec<(String, String)>,
    trials: Vec<RecordedTrial>,
    pub(crate) joint: Vec<String>,
    pub(crate) space: Vec<(String, String)>,
    pub(crate) points: Vec<Vec<f64>>,
    pub(crate) below: Vec<u64>,
    pub(crate) above: Vec<u64>,
    pub(crate) densities: Vec<Shape>,
    pub(crate) scores: Vec<Number>,
    #[serde(default)]
    pub(crate) shares: Vec<Vec<(f64, f64)>>,
}

/// The data that a history borrows.
#[derive(Debug)]
pub(crate) struct Seen {
    direction: Direction,
    finished: Vec<Arc<Trial>>,
    running: Vec<(u64, Params)>,
}

impl Seen {
    pub(crate) fn history(&self) -> History<'_> {
        History { direction: self.direction, finished: &self.finished, running: &self.running }
    }
}

impl Recorded {
    pub(crate) fn space(&self) -> Vec<(String, Distribution)> {
        self.space.iter().map(|(name, json)| (name.clone(), Distribution::from_json(json).unwrap())).collect()
    }

    /// Its parameters as a space; none where their names or ranges make none.
    pub(crate) fn whole_space(&self) -> Option<Space> {
        let params = self.space().into_iter();
        let params = params.map(|(name, distribution)| SpaceParam { name, distribution, when: None });
        Space::new(params.collect()).ok()
    }

    pub(crate) fn seen(&self) -> Seen {
        let direction = if self.direction == "minimize" { Direction::Minimize } else { Direction::Maximize };
        let distributions: Vec<Distribution> =
            self.distributions.iter().map(|(_, json)| Distribution::from_json(json).unwrap()).collect();
        let mut seen = Seen { direction, finished: Vec::new(), running: Vec::new() };
        for (recorded, number) in self.trials.iter().zip(0..) {
            let params = recorded.params.iter();
            let params: Params = params
                .map(|(name, (d, value))| (name.clone(), (distributions[*d].clone(), *value)))
                .collect();
            match recorded.state.as_str() {
                "RUNNING" => seen.running.push((number, params)),
                state => seen.finished.push(Arc::new(recorded.trial(number, state, params))),
            }
        }
        seen
    }
}

impl RecordedTrial {
    fn trial(&self, number: u64, state: &str, params: Params) -> Trial {
        let state = match state {
            "COMPLETE" => State::Complete,
            "PRUNED" => State::Pruned,
            _ => State::Fail,
        };
        Trial {
            id: number as i64,
            number,
            state,
            value: self.value.as_ref().map(Number::get),
            params,
            intermediate: self.reports.iter().map(|(step, value)| (*step, value.get())).collect(),
            user_attrs: Attributes::new(),
            system_attrs: self.attrs.clone(),
            started: None,
            completed: None,
            ..Trial::default()
        }
    }
}

pub(crate) fn read(json: &str) -> Vec<Recorded> {
    serde_json::from_str(json).unwrap()
}
