//! Compares every score with the numbers that `tests/data/make_metrics.py` recorded from scikit-learn.

use headsmith_kernels::MatRef;
use headsmith_metrics::{Scores, score};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    name: String,
    y_true: Vec<u32>,
    proba: Vec<Vec<f32>>,
    scores: Value,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../data/metrics.json")).unwrap()
}

fn scores_of(case: &Case) -> Scores {
    let proba = case.proba.concat();
    score(&case.y_true, MatRef::new(&proba, case.proba.len(), case.proba[0].len())).unwrap()
}

/// Compares two JSON trees: numbers to 1e-12, everything else exactly.
fn assert_same(ours: &Value, recorded: &Value, place: &str) {
    match (ours, recorded) {
        (Value::Object(a), Value::Object(b)) => {
            let names = |object: &serde_json::Map<String, Value>| -> Vec<String> {
                let mut names: Vec<String> = object.keys().cloned().collect();
                names.sort();
                names
            };
            assert_eq!(names(a), names(b), "{place}");
            a.iter().for_each(|(name, value)| assert_same(value, &b[name], &format!("{place}, {name}")));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| assert_same(a, b, &format!("{place}[{i}]")));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{place}: {a}, scikit-learn: {b}");
        }
        _ => assert_eq!(ours, recorded, "{place}"),
    }
}

#[test]
fn scores_equal_scikit_learns() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for case in cases {
        let ours = serde_json::to_value(scores_of(&case)).unwrap();
        assert_same(&ours, &case.scores, &case.name);
    }
}

#[test]
fn scores_round_trip_through_json() {
    for case in cases() {
        let scores = scores_of(&case);
        let text = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), scores, "{}", case.name);
    }
}
