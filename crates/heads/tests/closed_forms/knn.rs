//! k nearest neighbours as its users see it; probabilities are those of scikit-learn's KNeighborsClassifier, as
//! `tests/data/make_knn.py` recorded them.

use std::sync::Arc;

use headsmith_heads::head::Folds;
use headsmith_heads::knn::HEAD;
use headsmith_heads::params::Value;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_heads::{Error, Fitted, Head, Samples};
use headsmith_kernels::{MatRef, Matrix, Pool};
use serde::Deserialize;

use super::tables::{Table, random, samples, text, uniform};
use super::{Given, refusals, with_fitting};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: (u64, u64, usize),
    metric: String,
    weights: String,
    n_neighbors: i64,
    grid: bool,
    n_tied: usize,
    n_tied_equal: usize,
    probabilities: Vec<f64>,
}

fn fit_on(samples: Samples<'_>, given: Given<'_>, pool: &Pool) -> Result<Arc<dyn Fitted>, Error> {
    super::fit_on(&HEAD, samples, given, pool)
}

fn fit(table: &Table, given: Given<'_>) -> Arc<dyn Fitted> {
    super::fit(&HEAD, table, given)
}

fn fact(head: &dyn Fitted, name: &str) -> f64 {
    head.description().facts[name].as_f64().unwrap()
}

/// The samples of the script.
fn moved(start: u64, (n_samples, n_features, n_classes): (u64, u64, usize), grid: bool) -> Table {
    let mut table = samples(start, n_samples, n_features, n_classes);
    let moved = |v: f32| if grid { (2.0 * (v - 0.75)).round_ties_even() / 2.0 } else { v - 0.75 };
    table.x.as_mut_slice().iter_mut().for_each(|v| *v = moved(*v));
    table
}

fn best(proba: &[f32]) -> usize {
    headsmith_metrics::confusion::predicted_class(proba)
}

#[test]
fn probabilities_are_scikit_learns() {
    let file: File = serde_json::from_str(include_str!("../data/knn.json")).unwrap();
    let (mut n_tied, mut n_equal) = (0, 0);
    for case in file.cases {
        let table = moved(0, case.shape, case.grid);
        let other = moved(5000, (40, case.shape.1, case.shape.2), case.grid);
        let queries = [&table.x.as_slice()[..20 * table.x.n_cols()], other.x.as_slice()].concat();
        let given = [
            ("n_neighbors", Value::Int(case.n_neighbors)),
            ("distance", text(&case.metric)),
            ("weights", text(&case.weights)),
        ];
        let proba =
            fit(&table, &given).predict_proba(MatRef::new(&queries, 60, table.x.n_cols()), &Pool::inline());
        for (i, (p, expected)) in proba.as_slice().iter().zip(&case.probabilities).enumerate() {
            let (metric, weights) = (&case.metric, &case.weights);
            assert!((f64::from(*p) - expected).abs() < 2e-6, "{metric}, {weights}, {i}: {p}, {expected}");
        }
        n_tied += case.n_tied;
        n_equal += case.n_tied_equal;
    }
    // Of equal distances the first row is the nearer, which scikit-learn does not promise, but does nearly always.
    assert!(n_tied > 200 && n_equal >= n_tied * 95 / 100, "{n_equal} of {n_tied}");
}

/// The probabilities by all distances in double precision.
fn naive(table: &Table, x: MatRef<'_>, euclidean: bool, k: usize) -> Matrix {
    let mut proba = Matrix::zeros(x.n_rows(), table.n_classes);
    let norm = |row: &[f32]| row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    for i in 0..x.n_rows() {
        let q = x.row(i);
        let distance = |row: &[f32]| {
            let parts = row.iter().zip(q).map(|(a, b)| (f64::from(*a), f64::from(*b)));
            match euclidean {
                true => parts.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt(),
                false => parts.map(|(a, b)| (a / norm(row) - b / norm(q)).powi(2)).sum::<f64>() / 2.0,
            }
        };
        let mut nearest: Vec<(f64, usize)> =
            (0..table.y.len()).map(|j| (distance(table.x.row(j)), j)).collect();
        nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, j) in &nearest[..k.min(nearest.len())] {
            proba.row_mut(i)[table.y[*j] as usize] += 1.0 / k.min(nearest.len()) as f32;
        }
    }
    proba
}

#[test]
fn neighbours_are_exact_for_rows_of_any_size() {
    let table = samples(0, 700, 9, 4);
    type Change = fn(usize, f32) -> f32;
    let changes: [(&str, Change); 8] = [
        ("as they are", |_, v| v),
        ("far from the origin", |_, v| v + 300.0),
        ("tiny", |_, v| v * 1e-21),
        ("huge", |_, v| v * 1e30),
        ("small", |_, v| v * 1e-9),
        ("large", |_, v| v * 1e12),
        ("of mixed sizes", |row, v| if row % 5 == 0 { v * 1e10 } else { v }),
        ("nearly equal", |_, v| 1.0 + v * 1e-6),
    ];
    for (name, change) in changes {
        let mut table = Table { x: table.x.clone(), y: table.y.clone(), n_classes: 4 };
        for i in 0..700 {
            table.x.row_mut(i).iter_mut().for_each(|v| *v = change(i, *v));
        }
        let queries = table.x.view().rows(0, 300);
        for (euclidean, k) in [(true, 1), (true, 17), (false, 17), (true, 900)] {
            let distance = if euclidean { "euclidean" } else { "cosine" };
            let given =
                [("n_neighbors", Value::Int(k)), ("distance", text(distance)), ("weights", text("uniform"))];
            let proba = fit(&table, &given).predict_proba(queries, &Pool::inline());
            let expected = naive(&table, queries, euclidean, k as usize);
            let wrong =
                proba.as_slice().iter().zip(expected.as_slice()).filter(|(a, b)| (**a - **b).abs() > 1e-5);
            // Rows of so few different bits have cosines that differ by the rounding of double precision.
            let most = if name == "nearly equal" && !euclidean { 4 } else { 0 };
            let n_wrong = wrong.count();
            assert!(n_wrong <= most, "{name}, {distance}, {k}: {n_wrong}");
        }
    }
}

#[test]
fn threads_and_other_rows_change_no_byte() {
    // More rows than a part has, and more queries than a block.
    let (table, other) = (samples(0, 5000, 5, 3), samples(9000, 300, 5, 3));
    for (n_neighbors, weights) in [(7, "uniform"), (30, "distance"), (30, "temperature")] {
        let given = [
            ("n_neighbors", Value::Int(n_neighbors)),
            ("weights", text(weights)),
            ("temperature", Value::Float(0.02)),
        ];
        let head = fit(&table, &given);
        let proba = head.predict_proba(other.x(), &Pool::inline());
        assert_eq!(head.predict_proba(other.x(), &Pool::new(3).unwrap()), proba);
        for i in [0, 127, 128, 299] {
            let alone = head.predict_proba(other.x().rows(i, i + 1), &Pool::new(2).unwrap());
            assert_eq!(alone.row(0), proba.row(i), "row {i}");
        }
    }
}

#[test]
fn the_first_rows_of_equal_distances_and_the_first_class_of_equal_votes_win() {
    let table = Table::new(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0], &[2, 1, 2, 1, 0, 0]);
    let predict = |k: i64| {
        let given =
            [("n_neighbors", Value::Int(k)), ("distance", text("euclidean")), ("weights", text("uniform"))];
        fit(&table, &given).predict_proba(MatRef::new(&[0.0], 1, 1), &Pool::inline())
    };
    assert_eq!(predict(1).row(0), [0.0, 0.0, 1.0]);
    let proba = predict(2);
    assert_eq!((proba.row(0), best(proba.row(0))), (&[0.0, 0.5, 0.5][..], 1));
    assert_eq!(predict(4).row(0), [0.0, 0.5, 0.5]);
    assert_eq!(best(predict(6).row(0)), 0);
    // All rows vote where there are fewer than are asked for.
    assert_eq!(predict(60), predict(6));
}

#[test]
fn the_choice_has_the_least_leave_one_out_loss() {
    let table = moved(0, (300, 6, 3), false);
    let chosen = fit(&table, &[]);
    let loss = |given: Given<'_>| {
        let proba = with_fitting(&HEAD, table.samples(), given, &Pool::inline(), |fitting| {
            fitting.out_of_fold(Folds::LeaveOneOut).unwrap()
        });
        let proba = proba.unwrap();
        let losses =
            table.y.iter().enumerate().map(|(i, class)| -f64::from(proba.row(i)[*class as usize]).ln());
        losses.sum::<f64>() / 300.0
    };
    let given = |n: f64, t: f64| [("n_neighbors", Value::Int(n as i64)), ("temperature", Value::Float(t))];
    let (n, t) = (fact(&*chosen, "n_neighbors"), fact(&*chosen, "temperature"));
    let least = loss(&given(n, t));
    assert_eq!(least, loss(&[]));
    for n in [5.0, 10.0, 20.0, 40.0, 80.0, 160.0] {
        for power in [-6, -2, -1, 0, 1, 2, 6] {
            // The loss of the choice counts the shares of all rows, not only of the others.
            let other = loss(&given(n, t * 2.0f64.powf(0.5 * f64::from(power))));
            assert!(least < other + 1e-4, "{n}, {power}: {least}, {other}");
        }
    }
    // A given parameter stays, and the other is chosen.
    assert_eq!(fact(&*fit(&table, &[("n_neighbors", Value::Int(3))]), "n_neighbors"), 3.0);
    assert_eq!(fact(&*fit(&table, &[("temperature", Value::Float(0.5))]), "temperature"), 0.5);
}

#[test]
fn copies_of_a_row_do_not_choose() {
    // With every row there twice, the copy is the nearest neighbour: but for it, the choice is the same.
    let table = moved(0, (200, 6, 3), false);
    let rows: Vec<f32> = (0..200).flat_map(|i| [table.x.row(i), table.x.row(i)].concat()).collect();
    let twice = Table::new(&rows, &table.y.iter().flat_map(|y| [*y, *y]).collect::<Vec<_>>());
    let weighted = fit_on(table.samples().weighted(&[2.0; 200]).unwrap(), &[], &Pool::inline()).unwrap();
    let (a, b) = (fit(&twice, &[]), weighted);
    assert_eq!(fact(&*a, "n_neighbors"), fact(&*b, "n_neighbors"));
    assert!((fact(&*a, "temperature") / fact(&*b, "temperature") - 1.0).abs() < 1e-9);
    assert!(fact(&*a, "n_neighbors") > 5.0);
}

#[test]
fn rows_of_a_unit_do_not_choose_for_one_another() {
    // Two rows that are nearly alike have the same class, which depends on nothing else.
    let half = samples(0, 150, 4, 2);
    let near: Vec<f32> = half.x.as_slice().iter().map(|v| v + 1e-4).collect();
    let labels: Vec<u32> = (0..150).map(|i| (random(i) % 2) as u32).collect();
    let table = Table::new(&[half.x.as_slice(), &near[..]].concat(), &[&labels[..], &labels[..]].concat());
    let units: Vec<u32> = (0..300).map(|i| i % 150).collect();
    let n_neighbors = |rows: Samples<'_>| fact(&*fit_on(rows, &[], &Pool::inline()).unwrap(), "n_neighbors");
    assert!(n_neighbors(table.samples()) <= 10.0);
    assert!(n_neighbors(table.samples().in_units(&units).unwrap()) >= 80.0);
}

/// Out-of-fold predictions, and those of refits without each fold.
fn compare_folds(given: Given<'_>, weights: Option<&[f32]>, folds: &[u32]) {
    let table = moved(0, (60, 4, 3), false);
    let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
    let rows = table.samples().named(&names);
    let rows = weights.map_or(rows, |weights| rows.weighted(weights).unwrap());
    let pool = Pool::new(2).unwrap();
    let (config, proba) = with_fitting(&HEAD, rows, given, &pool, |fitting| {
        let all_alone = (0..60).all(|i| folds[i] == i as u32);
        let proba = fitting.out_of_fold(Folds::Of(folds)).unwrap();
        if all_alone {
            assert_eq!(fitting.out_of_fold(Folds::LeaveOneOut).unwrap(), proba);
        }
        (fitting.finish().unwrap().config(), proba)
    })
    .unwrap();
    let mut fixed = given.to_vec();
    fixed.push(("n_neighbors", Value::Int(config["n_neighbors"].as_i64().unwrap())));
    fixed.extend(config.get("temperature").map(|t| ("temperature", Value::Float(t.as_f64().unwrap()))));
    for fold in folds {
        let kept: Vec<usize> = (0..60).filter(|i| folds[*i] != *fold).collect();
        let x: Vec<f32> = kept.iter().flat_map(|&i| table.x.row(i).to_vec()).collect();
        let y: Vec<u32> = kept.iter().map(|&i| table.y[i]).collect();
        let rest = Samples::new(MatRef::new(&x, kept.len(), 4), &y, 3).unwrap().named(&names);
        let of_rest: Vec<f32> = kept.iter().map(|&i| weights.map_or(1.0, |weights| weights[i])).collect();
        let rest = if weights.is_some() { rest.weighted(&of_rest).unwrap() } else { rest };
        let refit = fit_on(rest, &fixed, &pool).unwrap().predict_proba(table.x(), &pool);
        for i in (0..60).filter(|i| folds[*i] == *fold) {
            for (p, expected) in proba.row(i).iter().zip(refit.row(i)) {
                assert!((p - expected).abs() < 1e-6, "{given:?}, row {i}: {p}, a refit {expected}");
            }
        }
    }
}

#[test]
fn out_of_fold_predictions_are_those_of_refits() {
    let weights: Vec<f32> = (0..60).map(|i| (i % 4) as f32 * 0.75).collect();
    let balanced =
        [("class_weight", text("balanced")), ("weights", text("uniform")), ("n_neighbors", Value::Int(9))];
    let named =
        [("class_weight", text("a:3,c:0.5")), ("distance", text("euclidean")), ("weights", text("distance"))];
    let (five, alone): (Vec<u32>, Vec<u32>) = (0..60).map(|i| (7 * (i % 5), i)).unzip();
    for folds in [&five, &alone] {
        for weights in [None, Some(&weights[..])] {
            compare_folds(&[], weights, folds);
            compare_folds(&balanced, weights, folds);
            compare_folds(&named, weights, folds);
        }
    }
    let table = samples(0, 20, 3, 2);
    let none = with_fitting(&HEAD, table.samples(), &[], &Pool::inline(), |fitting| {
        assert!(fitting.out_of_fold(Folds::Of(&[3; 20])).is_none(), "a fold of all rows leaves none");
        fitting.out_of_fold(Folds::LeaveOneOut).is_some()
    });
    assert!(none.unwrap());
}

#[test]
fn votes_weigh_as_rows_and_classes_do() {
    let table = Table::new(&[0.0, 1.0, 2.0, 3.0], &[0, 1, 1, 0]);
    let names = ["a".to_owned(), "b".to_owned()];
    let predict = |weights: [f32; 4], class_weight: &str| {
        let given = [
            ("n_neighbors", Value::Int(2)),
            ("distance", text("euclidean")),
            ("weights", text("uniform")),
            ("class_weight", text(class_weight)),
        ];
        let samples = table.samples().named(&names).weighted(&weights).unwrap();
        let head = fit_on(samples, &given, &Pool::inline()).unwrap();
        head.predict_proba(MatRef::new(&[-1.0], 1, 1), &Pool::inline()).row(0).to_vec()
    };
    assert_eq!(predict([1.0; 4], "none"), [0.5, 0.5]);
    assert_eq!(predict([2.0, 1.0, 1.0, 1.0], "none"), [1.0, 0.0]);
    assert_eq!(predict([0.5, 1.0, 3.0, 1.0], "none"), [0.25, 0.75]);
    assert_eq!(predict([0.0, 1.0, 0.0, 1.0], "none"), [0.5, 0.5]);
    assert_eq!(predict([1.0; 4], "b:3"), [0.25, 0.75]);
    // Nobody has a vote: the shares of the rows.
    assert_eq!(predict([0.0, 1.0, 1.0, 1.0], "b:0"), [1.0, 0.0]);
}

#[test]
fn the_edges_have_probabilities() {
    let tables = [
        ("one row", Table::new(&[1.0], &[0])),
        ("one row a class", Table::new(&[1.0, 2.0, 4.0], &[0, 1, 2])),
        ("equal rows", Table::new(&[1.0; 6], &[0, 1, 1])),
        ("rows of zeros", Table::new(&[0.0; 6], &[0, 1, 1])),
        ("some zeros", Table::new(&[0.0, 0.0, 1.0, 2.0, -0.0, 0.0], &[0, 1, 1])),
        ("no rows of a class", Table::new(&[1.0, 1.5, 2.0, 2.5], &[1, 1, 3, 3])),
        ("large", Table::new(&[1e38, 2e38, 3e38, -3e38], &[0, 0, 1, 1])),
        ("small", Table::new(&[1e-40, 2e-40, 3e-45, 5e-15], &[0, 0, 1, 1])),
    ];
    for (name, table) in tables {
        for distance in ["euclidean", "cosine"] {
            for weights in ["uniform", "distance", "temperature"] {
                let given = [("distance", text(distance)), ("weights", text(weights))];
                let proba = fit(&table, &given).predict_proba(table.x(), &Pool::inline());
                for i in 0..table.y.len() {
                    let sum: f32 = proba.row(i).iter().sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{name}, {distance}: {:?}", proba.row(i));
                    let absent = (0..table.n_classes).filter(|class| !table.y.contains(&(*class as u32)));
                    assert!(absent.map(|class| proba.row(i)[class]).all(|p| p == 0.0), "{name}");
                    let own = proba.row(i)[table.y[i] as usize];
                    assert!(weights != "temperature" || own > 0.0, "{name}: {:?}", proba.row(i));
                }
            }
        }
    }
}

#[test]
fn what_is_no_head_is_refused() {
    let [no_rows, infinite] = refusals(&HEAD);
    assert_eq!(no_rows, "a search for neighbours needs rows and features; there are 0 rows of 2 features");
    assert_eq!(infinite, "feature 1 of row 0 is inf, expected a finite number");

    let head = fit(&samples(0, 20, 3, 2), &[]);
    let stored = |change: &dyn Fn(&mut Tensors)| super::refused(&HEAD, &*head, change);
    assert!(
        stored(&|t| t.insert("classes", &[20], Values::U32(vec![2; 20])))
            .contains("holds 2, expected below 2")
    );
    assert!(stored(&|t| t.insert("weights", &[20], Values::F32(vec![0.0; 20]))).contains("no row or class"));
    assert!(
        stored(&|t| t.insert("class_weights", &[2], Values::F32(vec![-1.0; 2]))).contains("no row or class")
    );
    let configured = |key: &str, value: serde_json::Value| {
        let mut config = head.config();
        config.insert(key.to_owned(), value);
        HEAD.restore(config, head.tensors()).map(drop).unwrap_err().to_string()
    };
    assert!(configured("n_neighbors", 0.into()).contains("n_neighbors is 0"));
    assert!(configured("n_neighbors", "auto".into()).contains("is no number"));
    assert!(configured("temperature", (-1.0).into()).contains("temperature is -1.0"));
    assert!(configured("distance", "manhattan".into()).contains("distance is manhattan"));
    assert!(configured("weights", "uniform".into()).contains("do not go together"));
    assert!(configured("weights", vec![1].into()).contains("of another type"));
}

#[test]
fn rows_of_a_large_table_choose_by_a_part_of_them() {
    let (n, pool) = (9000, Pool::new(2).unwrap());
    let x: Vec<f32> = (0..2 * n).map(|k| (uniform(k) - 0.5) as f32).collect();
    let y: Vec<u32> = (0..n as usize).map(|i| u32::from(x[2 * i] > 0.0)).collect();
    let table = Table::new(&x, &y);
    let given = [("distance", text("euclidean"))];
    let head = fit_on(table.samples(), &given, &pool).unwrap();
    assert!(fact(&*head, "n_neighbors") >= 5.0);
    let proba = head.predict_proba(table.x(), &pool);
    let right = (0..n as usize).filter(|&i| best(proba.row(i)) == y[i] as usize).count();
    assert!(right > 8800, "{right}");
}
