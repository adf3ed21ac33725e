//! Samples at the edges of what can be learnt from.

use headsmith_heads::params::Value;
use headsmith_heads::{Samples, forest};
use headsmith_kernels::{MatRef, Pool};

use super::{Table, go_on, samples, text};

fn everything() -> [(&'static str, Value); 3] {
    [("n_estimators", Value::Int(5)), ("bootstrap", Value::Bool(false)), ("max_features", text("all"))]
}

fn predict(table: &Table, given: &[(&str, Value)]) -> Vec<f32> {
    table.fit(given, 0).predict_proba(table.x(), &Pool::inline()).into_vec()
}

#[test]
fn one_sample_is_its_own_leaf() {
    let table = Table::new(&[1.0, 2.0], &[0]);
    for bootstrap in [true, false] {
        let forest = table.fit(&[("bootstrap", Value::Bool(bootstrap))], 0);
        assert_eq!((forest.n_trees(), forest.n_nodes(), forest.max_depth()), (100, 100, 0));
        assert_eq!(forest.predict_proba(table.x(), &Pool::inline()).as_slice(), [1.0]);
        assert_eq!(forest.feature_importances(), [0.0, 0.0]);
    }
}

#[test]
fn without_a_feature_that_varies_there_is_no_split() {
    let table = Table::new(&[1.0, 7.0, 1.0, 7.0, 1.0, 7.0], &[0, 1, 1]);
    let forest = table.fit(&everything(), 0);
    assert_eq!(forest.n_nodes(), 5);
    let proba = forest.predict_proba(table.x(), &Pool::inline());
    assert_eq!(proba.row(0), [1.0 / 3.0, 2.0 / 3.0]);
}

#[test]
fn equal_rows_of_different_classes_share_a_leaf() {
    let table = Table::new(&[1.0, 1.0, 2.0, 2.0, 2.0, 3.0], &[0, 1, 2, 2, 0, 1]);
    let proba = predict(&table, &everything());
    assert_eq!(proba[..3], [0.5, 0.5, 0.0]);
    assert_eq!(proba[6..9], [1.0 / 3.0, 0.0, 2.0 / 3.0]);
    assert_eq!(proba[15..], [0.0, 1.0, 0.0]);
}

#[test]
fn constant_features_are_drawn_on_until_one_varies() {
    // One feature in 40 varies, and one is drawn a split: scikit-learn's rule finds it nevertheless.
    let x: Vec<f32> = (0..400).map(|i| if i % 40 == 17 { (i / 40) as f32 } else { 3.0 }).collect();
    let table = Table::new(&x, &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let forest = table.fit(&[("max_features", Value::Int(1)), ("bootstrap", Value::Bool(false))], 0);
    let proba = forest.predict_proba(table.x(), &Pool::inline());
    assert!((0..10).all(|i| proba.row(i)[i % 2] == 1.0));
    assert_eq!(forest.feature_importances()[17], 1.0);
}

#[test]
fn values_no_further_apart_than_1e_7_are_equal() {
    let table = Table::new(&[0.0, 1e-7, 1.5e-7, 3e-7], &[0, 1, 0, 1]);
    let proba = predict(&table, &everything());
    assert_eq!(proba[..6], [2.0 / 3.0, 1.0 / 3.0].repeat(3));
    assert_eq!(proba[6..], [0.0, 1.0]);
}

#[test]
fn thresholds_lie_between_neighbouring_floats_of_any_size() {
    for low in [f32::MIN, -1.0, -0.0, 1e-3, 1.0, 3e38] {
        let high = if low == -0.0 { 2e-7 } else { low.next_up().next_up() };
        if high <= low + 1e-7 {
            continue;
        }
        let table = Table::new(&[low, high], &[0, 1]);
        assert_eq!(predict(&table, &everything()), [1.0, 0.0, 0.0, 1.0], "{low} and {high}");
    }
}

#[test]
fn a_class_without_samples_has_no_probability() {
    let x: Vec<f32> = (0..30).map(|i| i as f32).collect();
    let mut table = Table::new(&x, &[1; 30]);
    table.n_classes = 4;
    for (i, class) in table.y.iter_mut().enumerate() {
        *class = [1, 3][i % 2];
    }
    for class_weight in ["none", "balanced", "balanced_subsample"] {
        let forest = table.fit(&[("class_weight", text(class_weight))], 0);
        let proba = forest.predict_proba(table.x(), &Pool::inline());
        assert_eq!(proba.n_cols(), 4);
        assert!((0..30).all(|i| proba.row(i)[0] == 0.0 && proba.row(i)[2] == 0.0));
    }
}

#[test]
fn more_classes_than_fit_a_byte() {
    let x: Vec<f32> = (0..600).map(|i| i as f32).collect();
    let y: Vec<u32> = (0..600).map(|i| i / 2).collect();
    let proba = predict(&Table::new(&x, &y), &everything());
    assert!((0..600).all(|i| proba[i * 300 + i / 2] == 1.0));
}

#[test]
fn more_rows_than_16_bits_count() {
    let train = samples(0, 70_000, 2, 2);
    let given =
        [("n_estimators", Value::Int(2)), ("max_depth", Value::Int(3)), ("oob_score", Value::Bool(true))];
    let forest = train.fit(&given, 0);
    assert_eq!(forest.max_depth(), 3);
    let part = samples(0, 7_000, 2, 2).fit(&given, 0);
    let difference = forest.oob().unwrap().accuracy - part.oob().unwrap().accuracy;
    assert!(difference.abs() < 0.05, "{difference}");
}

#[test]
fn samples_that_cannot_be_learnt_from_are_refused() {
    let message = |x: &[f32], n_rows, n_cols| {
        let y = vec![0; n_rows];
        let samples = Samples::new(MatRef::new(x, n_rows, n_cols), &y, 1).unwrap();
        let params = forest::TABLE.defaults();
        forest::fit(samples, &params, 0, &Pool::inline(), &mut go_on).unwrap_err().to_string()
    };
    assert_eq!(message(&[], 0, 3), "a forest needs rows and features; there are 0 rows of 3 features");
    assert_eq!(message(&[], 2, 0), "a forest needs rows and features; there are 2 rows of 0 features");
    assert_eq!(
        message(&[1.0, 2.0, 3.0, f32::NAN], 2, 2),
        "feature 1 of row 1 is NaN, expected a finite number"
    );
    assert_eq!(message(&[f32::INFINITY, 2.0], 1, 2), "feature 0 of row 0 is inf, expected a finite number");
}

#[test]
fn a_nan_goes_left_when_predicting() {
    let table = Table::new(&[1.0, 2.0], &[0, 1]);
    let forest = table.fit(&everything(), 0);
    let proba = forest
        .predict_proba(MatRef::new(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], 3, 1), &Pool::inline());
    assert_eq!(proba.as_slice(), [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
}
