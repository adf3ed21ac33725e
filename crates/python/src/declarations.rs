//! Everything that the library declares of heads, transforms and metrics, as JSON: Python's classes are generated from it.

use headsmith::heads::params::{Kind, Param, Search, Table};
use headsmith::heads::transform::{TRANSFORMS, TransformKind};
use headsmith::heads::{HEADS, Head};
use headsmith::{HeadConfig, Metric};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use serde_json::{Value, json};

/// The declarations.
#[pyfunction]
pub(crate) fn declarations() -> PyResult<String> {
    let heads: Vec<Value> = HEADS.iter().map(|head| of_head(*head)).collect();
    let transforms: Vec<Value> = TRANSFORMS.iter().map(|kind| of_transform(*kind)).collect();
    let metrics: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    let all = json!({ "heads": heads, "transforms": transforms, "metrics": metrics });
    serde_json::to_string(&all).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

fn of_head(head: &dyn Head) -> Value {
    let Table { title, about, params, .. } = head.table();
    let traits = head.traits();
    json!({
        "name": head.name(), "title": title, "about": about,
        "params": params.iter().map(of_param).collect::<Vec<_>>(),
        "chooses_on_val": chooses_on_val(head),
        "decides": traits.decides,
        "weighs_like_repeated_rows": traits.weights,
    })
}

/// Whether validation rows choose anything, with some word of some parameter.
fn chooses_on_val(head: &dyn Head) -> bool {
    let words = |param: &Param| match param.kind {
        Kind::Choice(words) => words.to_vec(),
        _ => Vec::new(),
    };
    let choices = head.table().params.iter().flat_map(|param| {
        words(param).into_iter().map(|word| HeadConfig::new(head.name(), [(param.name, word.into())]))
    });
    choices.flatten().any(|config| !head.chosen_on_val(config.params()).is_empty())
}

fn of_transform(kind: &dyn TransformKind) -> Value {
    json!({
        "name": kind.name(), "syntax": kind.syntax(), "help": kind.help(),
        "argument": kind.argument().as_ref().map(of_param),
    })
}

fn of_param(param: &Param) -> Value {
    json!({
        "name": param.name,
        "help": param.help,
        "default": param.default.value(),
        "accepts": param.kind.to_string(),
        "kind": of_kind(&param.kind),
        "search": param.search.as_ref().map(of_search),
    })
}

fn of_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Int { words, .. } => json!({ "type": "int", "words": words }),
        Kind::Float { words, .. } => json!({ "type": "float", "words": words }),
        Kind::CountOrFraction { words } => json!({ "type": "count or fraction", "words": words }),
        Kind::Choice(words) => json!({ "type": "word", "words": words }),
        Kind::Bool => json!({ "type": "bool", "words": [] }),
        Kind::Text { .. } => json!({ "type": "text", "words": [] }),
    }
}

fn of_search(search: &Search) -> Value {
    match search {
        Search::Int { low, high, log } => json!({ "low": low, "high": high, "log": log }),
        Search::Float { low, high, log } => json!({ "low": low, "high": high, "log": log }),
    }
}
