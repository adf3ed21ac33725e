//! Gaussian discriminant analysis as its users see it; probabilities are those of scikit-learn, as `tests/data/make_gaussian.py`
//! recorded them.

mod folds;

use std::sync::Arc;

use headsmith_heads::gaussian::{HEAD, TABLE};
use headsmith_heads::head::Shape;
use headsmith_heads::params::Value;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_heads::{Error, Fitted, Head, Samples};
use headsmith_kernels::{MatRef, Pool};
use serde::Deserialize;

use super::tables::{Table, samples, text};
use super::{Given, assert_threads_change_no_byte, refusals};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: (u64, u64, usize),
    covariance: String,
    shrinkage: Option<f64>,
    uniform: bool,
    var_smoothing: f64,
    constant: bool,
    coefficients: Option<Vec<f64>>,
    probabilities: Vec<f64>,
}

fn fit_on(samples: Samples<'_>, given: Given<'_>, pool: &Pool) -> Result<Arc<dyn Fitted>, Error> {
    super::fit_on(&HEAD, samples, given, pool)
}

fn fit(table: &Table, given: Given<'_>) -> Arc<dyn Fitted> {
    super::fit(&HEAD, table, given)
}

/// The samples of the script.
fn moved(start: u64, (n_samples, n_features, n_classes): (u64, u64, usize), constant: bool) -> Table {
    let mut table = samples(start, n_samples, n_features, n_classes);
    table.x.as_mut_slice().iter_mut().for_each(|v| *v -= 0.75);
    for i in (0..table.y.len()).filter(|_| constant) {
        table.x.row_mut(i)[1] = 0.25;
    }
    table
}

/// Coefficients of each class less their mean.
fn centred(head: &dyn Fitted) -> Vec<f64> {
    let shape = [head.n_classes(), head.n_features()];
    let coef = head.tensors().take_f32("coef", &shape).unwrap();
    let mean =
        |j: usize| (0..shape[0]).map(|k| f64::from(coef[k * shape[1] + j])).sum::<f64>() / shape[0] as f64;
    coef.iter().enumerate().map(|(at, v)| f64::from(*v) - mean(at % shape[1])).collect()
}

#[test]
fn probabilities_and_coefficients_are_scikit_learns() {
    let file: File = serde_json::from_str(include_str!("../data/gaussian.json")).unwrap();
    for case in file.cases {
        let name = format!("{:?} {} {:?} {}", case.shape, case.covariance, case.shrinkage, case.uniform);
        let table = moved(0, case.shape, case.constant);
        let other = moved(5000, (30, case.shape.1, case.shape.2), case.constant);
        let given = [
            ("covariance", text(&case.covariance)),
            ("shrinkage", case.shrinkage.map_or(text("auto"), Value::Float)),
            ("priors", text(if case.uniform { "uniform" } else { "empirical" })),
            ("var_smoothing", Value::Float(case.var_smoothing)),
        ];
        let head = fit(&table, &given);
        let proba = head.predict_proba(other.x(), &Pool::inline());
        for (p, expected) in proba.as_slice().iter().zip(&case.probabilities) {
            let tolerance = if case.covariance == "full" { 5e-5 } else { 5e-6 };
            assert!((f64::from(*p) - expected).abs() < tolerance, "{name}: {p}, scikit-learn {expected}");
        }
        let Some(coefficients) = case.coefficients else { continue };
        let largest = coefficients.iter().fold(0.0f64, |largest, v| largest.max(v.abs()));
        for (got, expected) in centred(&*head).iter().zip(&coefficients) {
            assert!((got - expected).abs() < 1e-6 * largest, "{name}: {got}, scikit-learn {expected}");
        }
    }
}

#[test]
fn a_row_counts_by_its_weight_and_a_class_by_its_own() {
    let table = samples(0, 60, 3, 2);
    let weights: Vec<f32> = (0..60).map(|i| (i % 3) as f32).collect();
    let rows: Vec<usize> = (0..60).flat_map(|i| vec![i; i % 3]).collect();
    let x: Vec<f32> = rows.iter().flat_map(|&i| table.x.row(i).to_vec()).collect();
    let y: Vec<u32> = rows.iter().map(|&i| table.y[i]).collect();
    let pool = Pool::inline();
    for covariance in ["shared", "diagonal", "full"] {
        let given = [("covariance", text(covariance))];
        let weighted = fit_on(table.samples().weighted(&weights).unwrap(), &given, &pool).unwrap();
        let repeated = fit(&Table::new(&x, &y), &given);
        let [a, b] = [weighted, repeated].map(|head| head.predict_proba(table.x(), &pool));
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            assert!((a - b).abs() < 1e-6, "{covariance}: {a} {b}");
        }
        // Balanced classes have equal priors.
        let balanced = fit(&table, &[given[0].clone(), ("class_weight", text("balanced"))]);
        let uniform = fit(&table, &[given[0].clone(), ("priors", text("uniform"))]);
        let [a, b] = [balanced, uniform].map(|head| head.predict_proba(table.x(), &pool));
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            assert!((a - b).abs() < 1e-6, "{covariance}: {a} {b}");
        }
    }
}

#[test]
fn threads_change_no_byte() {
    for shape in [(2100, 9, 4), (40, 300, 3)] {
        let table = samples(0, shape.0, shape.1, shape.2);
        for covariance in ["shared", "diagonal", "full"] {
            let given = [("covariance", text(covariance))];
            assert_threads_change_no_byte(&HEAD, &table, &given, 33);
            let (head, pool) = (fit(&table, &given), Pool::new(3).unwrap());
            let proba = head.predict_proba(table.x(), &Pool::inline());
            let restored = HEAD.restore(head.config(), head.tensors()).unwrap();
            assert_eq!(restored.predict_proba(table.x(), &pool), proba, "{covariance}");
            assert_eq!(restored.tensors(), head.tensors());
        }
    }
}

#[test]
fn rows_far_from_the_origin_keep_their_digits() {
    let near = samples(0, 300, 5, 3);
    let mut far = Table { x: near.x.clone(), y: near.y.clone(), n_classes: 3 };
    // As many digits as both have: multiples of 2^-10.
    let round = |v: f32| (v * 1024.0).round() / 1024.0;
    let mut near = near;
    near.x.as_mut_slice().iter_mut().for_each(|v| *v = round(*v));
    far.x.as_mut_slice().iter_mut().for_each(|v| *v = round(*v) + 4096.0);
    for covariance in ["shared", "diagonal", "full"] {
        let proba = |table: &Table| {
            fit(table, &[("covariance", text(covariance)), ("var_smoothing", Value::Float(0.0))])
                .predict_proba(table.x(), &Pool::inline())
        };
        for (a, b) in proba(&near).as_slice().iter().zip(proba(&far).as_slice()) {
            assert!((a - b).abs() < 1e-5, "{covariance}: {a} {b}");
        }
    }
}

#[test]
fn the_edges_have_probabilities() {
    let wide: Vec<f32> = (0..80).map(|v| ((v * 37) % 23) as f32).collect();
    let tables = [
        ("one row", Table::new(&[1.0], &[0])),
        ("one row a class", Table::new(&[1.0, 2.0, 4.0], &[0, 1, 2])),
        ("one class", Table::new(&[1.0, 2.0], &[0, 0])),
        ("equal rows", Table::new(&[1.0; 6], &[0, 1, 1])),
        ("rows of zeros", Table::new(&[0.0; 6], &[0, 1, 1])),
        ("no variance within", Table::new(&[1.0, 1.0, 2.0, 2.0], &[0, 0, 1, 1])),
        ("no rows of a class", Table::new(&[1.0, 1.5, 2.0, 2.5], &[1, 1, 3, 3])),
        ("equal features", Table::new(&[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 5.0, 5.0], &[0, 0, 1, 1])),
        ("fewer rows than features", Table::new(&wide, &[0, 1, 0, 1])),
        ("large", Table::new(&[1e30, 2e30, 3e30, -3e30], &[0, 0, 1, 1])),
        ("small", Table::new(&[1e-30, 2e-30, 3e-30, 5e-30], &[0, 0, 1, 1])),
    ];
    for (name, table) in tables {
        for covariance in ["shared", "diagonal", "full"] {
            for shrinkage in [text("auto"), Value::Float(0.0), Value::Float(0.5)] {
                let given = [
                    ("covariance", text(covariance)),
                    ("shrinkage", shrinkage),
                    ("var_smoothing", Value::Float(0.0)),
                ];
                let proba = fit(&table, &given).predict_proba(table.x(), &Pool::inline());
                for i in 0..table.y.len() {
                    let sum: f32 = proba.row(i).iter().sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{name}, {covariance}: {:?}", proba.row(i));
                    let absent = (0..table.n_classes).filter(|class| !table.y.contains(&(*class as u32)));
                    assert!(absent.map(|class| proba.row(i)[class]).all(|p| p == 0.0), "{name}");
                    if covariance == "shared" && (name == "no variance within" || name == "one row a class") {
                        let best = headsmith_metrics::confusion::predicted_class(proba.row(i));
                        assert_eq!(best, table.y[i] as usize, "{name}: {:?}", proba.row(i));
                    }
                }
            }
        }
    }
}

#[test]
fn covariances_that_are_too_large_are_refused_before_they_are_allocated() {
    // 4 rows of 20,000 features: 4 classes x 20,000^2 x 8 bytes.
    let x = vec![0.5; 80_000];
    let samples = Samples::new(MatRef::new(&x, 4, 20_000), &[0, 1, 2, 3], 4).unwrap();
    let full = [("covariance", text("full"))];
    let mut message = String::new();
    let taken = allocation_counter::measure(|| {
        message = fit_on(samples, &full, &Pool::inline()).map(drop).unwrap_err().to_string();
    });
    assert!(taken.bytes_max < 1 << 16, "{taken:?}");
    assert_eq!(
        message,
        "covariance full needs 12.8 GB, n_classes x n_features^2 x 8 bytes for 4 classes of 20000 features, expected at most 4.0 GB; \
         use fewer features (transform pca:K), or covariance shared"
    );
    let shape = Shape { n_samples: 400, n_val: 0, n_features: 100, n_classes: 3 };
    let params = TABLE.resolve(full).unwrap();
    assert!(HEAD.cost(shape, &params).unwrap().bytes > 3 * 100 * 100 * 8);
}

#[test]
fn every_covariance_stays_within_its_cost() {
    for (n, d, k) in [(400, 64, 3), (3_000, 16, 10), (90, 200, 2), (60, 500, 2), (500, 8, 100)] {
        let table = samples(0, n, d, k);
        for covariance in ["shared", "diagonal", "full"] {
            let given = [("covariance", text(covariance))];
            let shape = Shape { n_samples: n as usize, n_val: 0, n_features: d as usize, n_classes: k };
            let cost = HEAD.cost(shape, &TABLE.resolve(given.clone()).unwrap()).unwrap().bytes;
            let taken = allocation_counter::measure(|| drop(fit(&table, &given))).bytes_max;
            assert!(taken <= cost + (1 << 20), "{covariance} on {n} x {d}: {taken} bytes, {cost} expected");
        }
    }
}

#[test]
fn what_is_no_head_is_refused() {
    let [no_rows, infinite] = refusals(&HEAD);
    assert_eq!(
        no_rows,
        "a Gaussian discriminant analysis needs rows and features; there are 0 rows of 2 features"
    );
    assert_eq!(infinite, "feature 1 of row 0 is inf, expected a finite number");
    let refused = |covariance: &str, change: &dyn Fn(&mut Tensors)| {
        let head = fit(&samples(0, 20, 3, 2), &[("covariance", text(covariance))]);
        super::refused(&HEAD, &*head, change)
    };
    let never = "no class of the head had rows";
    assert_eq!(refused("shared", &|t| t.insert("intercept", &[2], Values::F32(vec![-1e30; 2]))), never);
    assert_eq!(refused("diagonal", &|t| t.insert("log_priors", &[2], Values::F64(vec![-1e30; 2]))), never);
    assert_eq!(refused("full", &|t| t.insert("constants", &[2], Values::F64(vec![-1e30; 2]))), never);
    let zero = refused("diagonal", &|t| t.insert("variances", &[2, 3], Values::F64(vec![0.0; 6])));
    assert_eq!(zero, "tensor `variances` holds a variance that is not above 0");
    let nan = refused("full", &|t| t.insert("means", &[2, 3], Values::F64(vec![f64::NAN; 6])));
    assert_eq!(nan, "tensor `means` holds NaN, expected finite numbers");
    let head = fit(&samples(0, 20, 3, 2), &[]);
    let mut config = head.config();
    config.insert("covariance".to_owned(), "tied".into());
    let error = HEAD.restore(config, head.tensors()).map(drop).unwrap_err().to_string();
    assert_eq!(error, "the covariance \"tied\" is not shared, diagonal or full");
}
