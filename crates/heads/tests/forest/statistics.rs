//! Forests do as well as scikit-learn's, as far as the spread over seeds can tell: what 20 forests of ours come to
//! against what 20 of scikit-learn did (`tests/data/make_forest.py`), by Welch's t-test.

use headsmith_heads::forest;
use headsmith_heads::params::Value;
use headsmith_kernels::{Matrix, Pool};
use headsmith_metrics::{Confusion, log_loss};
use serde::Deserialize;

use super::{go_on, samples};

#[derive(Deserialize)]
struct Recorded {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    params: serde_json::Map<String, serde_json::Value>,
    /// Of the rows; none where all weigh the same.
    #[serde(default)]
    weights: Vec<f32>,
    scores: Scores,
}

/// A number a forest.
#[derive(Deserialize, Default)]
struct Scores {
    accuracy: Vec<f64>,
    weighted_f1: Vec<f64>,
    log_loss: Vec<f64>,
    nodes: Vec<f64>,
    importance: Vec<f64>,
    oob_accuracy: Vec<f64>,
}

fn score(case: &Case) -> Scores {
    let (train, val) = (samples(0, 500, 16, 4), samples(10_000, 500, 16, 4));
    let bootstrap = case.params.get("bootstrap").is_none_or(|v| v == true);
    let given = case.params.iter();
    let mut given: Vec<(&str, Value)> =
        given.map(|(name, v)| (name.as_str(), serde_json::from_value(v.clone()).unwrap())).collect();
    given.extend([("n_estimators", Value::Int(50)), ("oob_score", Value::Bool(bootstrap))]);
    let mut scores = Scores::default();
    for seed in 0..20 {
        let mut rows = train.samples();
        if !case.weights.is_empty() {
            rows = rows.weighted(&case.weights).unwrap();
        }
        let params = forest::TABLE.resolve(given.clone()).unwrap();
        let forest = forest::fit(rows, &params, seed, &Pool::inline(), &mut go_on).unwrap();
        let proba = forest.predict_proba(val.x(), &Pool::inline());
        let confusion = Confusion::of(&val.y, proba.view());
        scores.accuracy.push(confusion.accuracy());
        scores.weighted_f1.push(confusion.weighted_f1());
        scores.log_loss.push(log_loss(&val.y, clipped(&proba).view()));
        scores.nodes.push(forest.n_nodes() as f64);
        scores.importance.push(forest.feature_importances()[..4].iter().sum());
        scores.oob_accuracy.extend(forest.oob().map(|oob| oob.accuracy));
    }
    scores
}

/// Probabilities of at least 1e-3 before they are scaled to sum 1.
fn clipped(proba: &Matrix) -> Matrix {
    let mut clipped = proba.clone();
    for i in 0..proba.n_rows() {
        let sum: f32 = proba.row(i).iter().map(|p| p.max(1e-3)).sum();
        clipped.row_mut(i).iter_mut().for_each(|p| *p = p.max(1e-3) / sum);
    }
    clipped
}

/// The difference of two means in units of its standard error.
fn welch_t(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let variance = |v: &[f64]| {
        v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>() / (v.len() - 1) as f64 / v.len() as f64
    };
    (mean(a) - mean(b)) / (variance(a) + variance(b)).sqrt().max(1e-12)
}

#[test]
fn scores_do_not_differ_from_those_of_scikit_learn() {
    let recorded: Recorded = serde_json::from_str(include_str!("../data/forest_scores.json")).unwrap();
    assert_eq!(recorded.cases.len(), 20);
    for case in &recorded.cases {
        let (ours, theirs) = (score(case), &case.scores);
        let pairs = [
            ("accuracy", &ours.accuracy, &theirs.accuracy),
            ("weighted F1", &ours.weighted_f1, &theirs.weighted_f1),
            ("log loss", &ours.log_loss, &theirs.log_loss),
            ("nodes", &ours.nodes, &theirs.nodes),
            ("importance of four features", &ours.importance, &theirs.importance),
            ("out-of-bag accuracy", &ours.oob_accuracy, &theirs.oob_accuracy),
        ];
        for (what, ours, theirs) in pairs.into_iter().filter(|(_, _, theirs)| !theirs.is_empty()) {
            assert_eq!(ours.len(), theirs.len());
            let t = welch_t(ours, theirs);
            assert!(
                t.abs() < 3.0,
                "{}: {what}: t = {t}, ours {ours:?}, scikit-learn's {theirs:?}",
                case.name
            );
        }
    }
}
