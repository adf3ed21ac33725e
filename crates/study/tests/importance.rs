//! Compares importances with Optuna's.

// Clippy lets tests unwrap, but not the functions they call.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use headsmith_study::{Attributes, Direction, Distribution, State, Trial, importance};
use serde_json::Value;

const RECORDED: &str = include_str!("data/importance.json");

fn trial(number: usize, recorded: &Value) -> Arc<Trial> {
    let value = &recorded["value"];
    let param = |(name, param): (&String, &Value)| {
        let distribution = Distribution::from_json(param[0].as_str().unwrap()).unwrap();
        (name.clone(), (distribution, param[1].as_f64().unwrap()))
    };
    Arc::new(Trial {
        id: number as i64,
        number: number as u64,
        state: State::Complete,
        value: value.as_f64().or_else(|| value.as_str().unwrap().parse().ok()),
        params: recorded["params"].as_object().unwrap().iter().map(param).collect(),
        intermediate: BTreeMap::new(),
        user_attrs: Attributes::new(),
        system_attrs: Attributes::new(),
        started: None,
        completed: None,
        ..Trial::default()
    })
}

#[test]
fn importances_are_optunas() {
    let studies: Vec<Value> = serde_json::from_str(RECORDED).unwrap();
    for (i, study) in studies.iter().enumerate() {
        let trials: Vec<_> =
            study["trials"].as_array().unwrap().iter().enumerate().map(|(n, t)| trial(n, t)).collect();
        let maximize = study["direction"] == "maximize";
        let found = importance(if maximize { Direction::Maximize } else { Direction::Minimize }, &trials);
        let expected = study["importance"].as_object().unwrap();
        assert_eq!(found.len(), expected.len(), "study {i}");
        for (name, share) in &found {
            let expected = expected[name].as_f64().unwrap();
            assert!((share - expected).abs() < 1e-9, "study {i}, {name}: {share}, Optuna has {expected}");
        }
        assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1), "study {i}: {found:?}");
    }
    assert!(importance(Direction::Minimize, &[]).is_empty());
}
