//! Support vector machines as their users see them; decisions are those of scikit-learn's SVC, as `tests/data/make_svm.py` recorded them.
#![allow(clippy::unwrap_used)]

mod tables;

use std::sync::Arc;

use headsmith_heads::head::Head;
use headsmith_heads::params::Value;
use headsmith_heads::svm::{HEAD, Svm, TABLE, fit};
use headsmith_heads::{Fitted, Job, Samples, training};
use headsmith_kernels::{Matrix, Pool};
use serde::Deserialize;

use tables::{Table, go_on, samples, text};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: (u64, u64, usize),
    c: f64,
    gamma: serde_json::Value,
    weighted: bool,
    class_weight: String,
    used_gamma: f64,
    n_support: usize,
    decisions: Vec<f64>,
    labels: Vec<u32>,
    objectives: Vec<f64>,
}

type Given<'g> = &'g [(&'g str, Value)];

fn fitted(samples: Samples<'_>, given: Given<'_>) -> Arc<Svm> {
    let params = TABLE.resolve(given.iter().cloned()).unwrap();
    fit(Job::new(samples, &params, 1, &Pool::inline())).unwrap()
}

fn fact(svm: &Svm, name: &str) -> f64 {
    svm.description().facts[name].as_f64().unwrap()
}

/// The decided classes of the rows of `x`.
fn decided(svm: &dyn Fitted, x: &Matrix) -> Vec<u32> {
    svm.predict(x.view(), &Pool::inline()).1.unwrap()
}

#[test]
fn decisions_are_scikit_learns() {
    let file: File = serde_json::from_str(include_str!("data/svm.json")).unwrap();
    assert!(file.cases.len() > 10);
    for case in file.cases {
        let (n_samples, n_features, n_classes) = case.shape;
        let (table, queries) =
            (samples(0, n_samples, n_features, n_classes), samples(5000, 60, n_features, n_classes));
        let weights: Vec<f32> = (0..n_samples).map(|i| (i % 4 + 1) as f32 / 2.0).collect();
        let names: Vec<String> = (0..n_classes).map(|class| class.to_string()).collect();
        let rows = table.samples().named(&names);
        let rows = if case.weighted { rows.weighted(&weights).unwrap() } else { rows };
        let gamma = case.gamma.as_f64().map_or_else(|| text("scale"), Value::Float);
        let svm = fitted(
            rows,
            &[
                ("c", Value::Float(case.c)),
                ("gamma", gamma),
                ("tol", Value::Float(1e-5)),
                ("class_weight", text(&case.class_weight)),
            ],
        );
        let name = format!("{:?}, C {}, {}", case.shape, case.c, case.class_weight);
        assert!((fact(&svm, "gamma") / case.used_gamma - 1.0).abs() < 1e-6, "{name}");
        let n_support = fact(&svm, "n_support");
        assert!(
            (n_support - case.n_support as f64).abs() <= 2.0,
            "{name}: {n_support} of {}",
            case.n_support
        );
        for (objective, expected) in svm.dual_objectives().iter().zip(&case.objectives) {
            assert!((objective / expected - 1.0).abs() < 1e-4, "{name}: {objective}, {expected}");
        }
        let decisions = svm.decision_function(queries.x.view(), &Pool::inline());
        assert_eq!(decisions.len(), case.decisions.len());
        for (decision, expected) in decisions.iter().zip(&case.decisions) {
            assert!((decision - expected).abs() < 1e-3, "{name}: {decision}, {expected}");
        }
        let n_pairs = n_classes * (n_classes - 1) / 2;
        let rows = case.decisions.chunks(n_pairs).zip(decided(svm.as_ref(), &queries.x)).zip(&case.labels);
        for ((decisions, label), expected) in rows {
            let is_clear = decisions.iter().all(|decision| decision.abs() > 1e-3);
            assert!(!is_clear || label == *expected, "{name}: {label}, {expected}");
        }
    }
}

#[test]
fn probabilities_are_calibrated_by_folds_and_votes_stay() {
    let table = samples(0, 600, 4, 3);
    let svm = fitted(table.samples(), &[]);
    let plain = fitted(table.samples(), &[("calibration", text("none"))]);
    let other = samples(7000, 2000, 4, 3);
    assert_eq!(decided(svm.as_ref(), &other.x), decided(plain.as_ref(), &other.x));
    let pool = Pool::inline();
    let loss = |svm: &Svm| {
        let proba = svm.predict_proba(other.x.view(), &pool);
        headsmith_metrics::score(&other.y, proba.view()).unwrap().log_loss
    };
    let (calibrated, softmax) = (loss(&svm), loss(&plain));
    println!("log loss {calibrated:.4} calibrated, {softmax:.4} softmax");
    assert!(calibrated < softmax - 0.02);
    // What the folds promise is what other rows get.
    let promised = fact(&svm, "out_of_fold_log_loss");
    assert!((promised - calibrated).abs() < 0.06, "{promised} promised, {calibrated}");
    assert!(plain.description().facts["out_of_fold_log_loss"].is_null());
}

#[test]
fn values_that_are_left_to_the_fit_are_chosen_by_folds() {
    let table = samples(0, 300, 4, 3);
    let params = TABLE.resolve([("c", text("auto")), ("gamma", text("auto"))]).unwrap();
    let pool = Pool::inline();
    let mut fitting = HEAD.begin(Job::new(table.samples(), &params, 1, &pool), None).unwrap();
    assert_eq!(fitting.total(), 3);
    training::run(fitting.as_mut(), &mut go_on, None).unwrap();
    let fitted = fitting.finish().unwrap();
    let facts = fitted.description().facts;
    let tried = facts["tried"].as_array().unwrap();
    let number = |tried: &serde_json::Value, name: &str| tried[name].as_f64().unwrap();
    let best = tried.iter().min_by(|a, b| number(a, "log_loss").total_cmp(&number(b, "log_loss"))).unwrap();
    assert!(tried.len() > 4);
    assert_eq!(facts["gamma"], best["gamma"]);
    assert_eq!(facts["c"], best["c"]);
    let chosen: Vec<&str> = fitted.chosen().into_iter().map(|(name, _)| name).collect();
    assert_eq!(chosen, ["c", "gamma"]);
}

#[test]
fn rows_that_are_too_large_are_refused() {
    let table = Table::new(&[0.5, 0.0, 3e30, 1.0, 0.0, 2.0], &[0, 1, 1]);
    let params = TABLE.resolve([("gamma", Value::Float(1.0))]).unwrap();
    let error = fit(Job::new(table.samples(), &params, 1, &Pool::inline())).unwrap_err().to_string();
    assert!(error.starts_with("the features are too large for gamma 1e0 in single precision"), "{error}");
}
