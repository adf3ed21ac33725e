//! The parameters of a running trial, including those it has not asked for yet.
//!
//! A trial of Optuna's gets its parameters in the storage one by one, as its objective asks for them. The values that
//! TPE drew for all of them together are in the system attributes `tpe:relative_params:0`, `:1` and so on from the
//! start: JSON of values by name, in pieces of at most 2045 characters. Optuna 5.0.0, `samplers/_tpe/sampler.py`,
//! `_get_params`.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::distribution::{Choice, Distribution};
use crate::space::Space;
use crate::trial::{Params, Trial};

const RELATIVE: &str = "tpe:relative_params";

/// The number of each running trial with its parameters, including those it will get, of trials that have some. Their
/// distributions are looked up in `space`, or else in the last trial of `finished` that has them.
pub fn running<'t>(
    trials: impl Iterator<Item = &'t Arc<Trial>>,
    space: &Space,
    finished: &[Arc<Trial>],
) -> Vec<(u64, Params)> {
    let params = trials.map(|trial| (trial.number, running_params(trial, space, finished)));
    params.filter(|(_, params)| !params.is_empty()).collect()
}

fn running_params(trial: &Trial, space: &Space, finished: &[Arc<Trial>]) -> Params {
    let mut params = trial.params.clone();
    for (name, value) in drawn(trial).unwrap_or_default() {
        let Ok(value) = serde_json::from_value(value) else { continue };
        if params.contains_key(&name) {
            continue;
        }
        let declared = space.params.iter().find(|param| param.name == name).map(|param| &param.distribution);
        let known = || finished.iter().rev().find_map(|trial| trial.params.get(&name).map(|(d, _)| d));
        if let Some((distribution, inside)) =
            declared.or_else(known).and_then(|d| Some((d, inside(d, &name, &value)?)))
        {
            params.insert(name, (distribution.clone(), inside));
        }
    }
    params
}

/// The values in the attributes; `None` if there are none, or some of the pieces are still missing.
fn drawn(trial: &Trial) -> Option<Map<String, Value>> {
    let piece = |i: usize| trial.system_attrs.get(&format!("{RELATIVE}:{i}")).and_then(Value::as_str);
    let text: String = (0..).map_while(piece).collect();
    serde_json::from_str(&text).ok()
}

/// Optuna's `to_internal_repr`: a number is not checked against the range.
fn inside(distribution: &Distribution, name: &str, value: &Choice) -> Option<f64> {
    match distribution {
        Distribution::Categorical { .. } => distribution.internal(name, value).ok(),
        _ => value.number(),
    }
}
