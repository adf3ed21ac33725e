//! The minimum is that of scikit-learn's LogisticRegression, as `tests/data/make_linear.py` recorded it.

use headsmith_heads::linear::Linear;
use headsmith_heads::params::Value;
use headsmith_kernels::Pool;
use serde::Deserialize;

use super::tables::uniform;
use super::{Table, fit, samples, text};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    shape: (u64, u64, usize),
    c: f64,
    l1_ratio: f64,
    weighted: bool,
    class_weight: String,
    fit_intercept: bool,
    objective: f64,
    probabilities: Vec<f64>,
}

fn sample_weights(n: usize) -> Vec<f32> {
    let weight = |i: usize| if i % 7 == 3 { 0.0 } else { 3.0 * uniform(4_000_000 + i as u64) };
    (0..n).map(|i| weight(i) as f32).collect()
}

/// The weights of the rows as `class_weight` changes them, by the formulas of scikit-learn.
fn all_weights(table: &Table, weights: &[f32], class_weight: &str) -> Vec<f64> {
    let mut of_class = vec![0.0; table.n_classes];
    let rows = || weights.iter().map(|w| f64::from(*w)).zip(&table.y);
    rows().for_each(|(weight, class)| of_class[*class as usize] += weight);
    let total: f64 = of_class.iter().sum();
    let factor = |class: usize| match class_weight {
        "none" => 1.0,
        "balanced" => total / (table.n_classes as f64 * of_class[class]),
        named => {
            let found = named.split(',').filter_map(|part| part.strip_prefix(&format!("class{class}:")));
            found.map(|weight| weight.parse().unwrap()).next().unwrap_or(1.0)
        }
    };
    rows().map(|(weight, class)| weight * factor(*class as usize)).collect()
}

/// The objective of a head, in double precision. Two classes have one row of coefficients.
fn objective(head: &Linear, table: &Table, weights: &[f64], (c, l1_ratio): (f64, f64)) -> f64 {
    let coef = head.coef();
    let score = |i: usize, class: usize| {
        let products = table.x.row(i).iter().zip(coef.row(class)).map(|(x, w)| f64::from(*x) * f64::from(*w));
        products.sum::<f64>() + f64::from(head.intercept()[class])
    };
    let losses = (0..table.y.len()).map(|i| {
        let own = score(i, table.y[i] as usize);
        weights[i] * (0..table.n_classes).map(|class| (score(i, class) - own).exp()).sum::<f64>().ln()
    });
    let square = |v: f64| (1.0 - l1_ratio) * v * v / 2.0 + l1_ratio * v.abs();
    let penalty: f64 = match table.n_classes {
        2 => (0..coef.n_cols()).map(|j| square(f64::from(coef.row(1)[j] - coef.row(0)[j]))).sum(),
        _ => coef.as_slice().iter().map(|w| square(f64::from(*w))).sum(),
    };
    (losses.sum::<f64>() + penalty / c) / weights.iter().sum::<f64>()
}

#[test]
fn the_minimum_is_scikit_learns() {
    let file: File = serde_json::from_str(include_str!("../data/linear.json")).unwrap();
    for case in file.cases {
        let name = &case.name;
        let table = samples(0, case.shape.0, case.shape.1, case.shape.2);
        let names: Vec<String> = (0..table.n_classes).map(|class| format!("class{class}")).collect();
        let weights = if case.weighted { sample_weights(table.y.len()) } else { vec![1.0; table.y.len()] };
        let mut rows = table.samples().named(&names);
        if case.weighted {
            rows = rows.weighted(&weights).unwrap();
        }
        let given = [
            ("c", Value::Float(case.c)),
            ("l1_ratio", Value::Float(case.l1_ratio)),
            ("class_weight", text(&case.class_weight)),
            ("fit_intercept", Value::Bool(case.fit_intercept)),
        ];
        let head = fit(rows, &given).unwrap();
        let solution = head.solution().unwrap();
        assert!(solution.converged, "{name}: {solution:?}");
        let weights = all_weights(&table, &weights, &case.class_weight);
        let got = objective(&head, &table, &weights, (case.c, case.l1_ratio));
        let excess = got / case.objective - 1.0;
        assert!((-1e-9..1e-6).contains(&excess), "{name}: {excess:e} above scikit-learn, {solution:?}");
        // What the solver says of itself, from single precision.
        assert!((solution.objective / got - 1.0).abs() < 1e-5, "{name}: {} is {got}", solution.objective);
        let proba = head.predict_proba(table.x().rows(0, 5), &Pool::inline());
        for (p, expected) in proba.as_slice().iter().zip(&case.probabilities) {
            assert!((f64::from(*p) - expected).abs() < 1e-3, "{name}: {p}, scikit-learn {expected}");
        }
    }
}
