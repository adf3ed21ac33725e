//! Samples at the edges of what can be learnt from.

use headsmith_heads::error::Kind;
use headsmith_heads::head::Shape;
use headsmith_heads::params::Value;
use headsmith_heads::{Head, Samples, linear};
use headsmith_kernels::{MatRef, Pool};

use super::{Table, fit, samples, text};

fn proba(table: &Table, given: &[(&str, Value)]) -> Vec<f32> {
    let head = fit(table.samples(), given).unwrap();
    assert!(head.coef().as_slice().iter().chain(head.intercept()).all(|w| w.is_finite()));
    let proba = head.predict_proba(table.x(), &Pool::inline());
    for i in 0..proba.n_rows() {
        assert!((proba.row(i).iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    proba.into_vec()
}

#[test]
fn one_row_a_class_and_one_feature_are_enough() {
    let p = proba(&Table::new(&[1.0, 2.0], &[0, 1]), &[]);
    assert!(p[0] > 0.5 && p[3] > 0.5);
    let p = proba(&Table::new(&[1.0, 2.0, 3.0], &[0, 1, 2]), &[("c", Value::Float(100.0))]);
    assert!(p[0] > 0.5 && p[8] > 0.5);
}

#[test]
fn constant_features_leave_the_shares_of_the_classes() {
    for (y, shares) in [(vec![0, 1, 1, 1], vec![0.25, 0.75]), (vec![0, 1, 2, 2], vec![0.25, 0.25, 0.5])] {
        let table = Table::new(&[3.0; 8], &y);
        for (i, p) in proba(&table, &[]).iter().enumerate() {
            assert!(
                (p - shares[i % shares.len()]).abs() < 1e-3,
                "{p}, expected {}",
                shares[i % shares.len()]
            );
        }
    }
}

#[test]
fn one_class_is_certain() {
    assert_eq!(proba(&Table::new(&[1.0, 2.0], &[0, 0]), &[]), [1.0, 1.0]);
    assert_eq!(proba(&Table::new(&[1.0, 2.0], &[1, 1]), &[]), [0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn a_class_without_rows_has_no_probability_and_changes_no_other() {
    let mut table = samples(0, 80, 5, 3);
    let three = proba(&table, &[]);
    table.y.iter_mut().for_each(|class| *class = 2 * *class + 1);
    table.n_classes = 7;
    let seven = proba(&table, &[]);
    for (three, seven) in three.chunks(3).zip(seven.chunks(7)) {
        assert_eq!([seven[1], seven[3], seven[5]], three);
        assert_eq!([seven[0], seven[2], seven[4], seven[6]], [0.0; 4]);
    }
    // Of two classes that are left, too; and a class that weighs nothing is none.
    let mut table = samples(0, 80, 5, 2);
    let two = proba(&table, &[]);
    table.n_classes = 3;
    for (two, three) in two.chunks(2).zip(proba(&table, &[]).chunks(3)) {
        assert_eq!(*three, [two[0], two[1], 0.0]);
    }
    let names = ["a", "b", "c"].map(str::to_owned);
    let table = samples(0, 80, 5, 3);
    let head = fit(table.samples().named(&names), &[("class_weight", text("b:0"))]).unwrap();
    let p = head.predict_proba(table.x(), &Pool::inline());
    assert!((0..80).all(|i| p.row(i)[1] == 0.0 && p.row(i)[0] > 0.0));
}

#[test]
fn rows_that_are_separated_have_finite_coefficients() {
    let x: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { -1.0 } else { 1.0 }).collect();
    let y: Vec<u32> = (0..40).map(|i| i % 2).collect();
    let p = proba(&Table::new(&x, &y), &[("c", Value::Float(1e10))]);
    assert!(p[0] > 0.999_9 && p[3] > 0.999_9);
}

#[test]
fn large_and_small_features_do_not_break_it() {
    for factor in [1e-30, 1e-6, 1e6, 1e15] {
        let mut table = samples(0, 60, 3, 3);
        table.x.as_mut_slice().iter_mut().for_each(|v| *v *= factor);
        proba(&table, &[("max_iter", Value::Int(50))]);
    }
}

#[test]
fn many_classes_of_one_row_each() {
    let n = 300;
    let x: Vec<f32> = (0..n * 2).map(|i| (i as f32 * 0.7).sin()).collect();
    let y: Vec<u32> = (0..n as u32).collect();
    proba(&Table::new(&x, &y), &[("max_iter", Value::Int(5))]);
}

#[test]
fn samples_that_cannot_be_learnt_from_are_refused() {
    let error = |x: &[f32], n_rows: usize, n_cols, n_classes| {
        let y: Vec<u32> = (0..n_rows as u32).map(|i| i % n_classes).collect();
        let samples = Samples::new(MatRef::new(x, n_rows, n_cols), &y, n_classes as usize).unwrap();
        fit(samples, &[]).map(drop).unwrap_err()
    };
    let message = |x: &[f32], n_rows, n_cols, n_classes| error(x, n_rows, n_cols, n_classes).to_string();
    let none = "a logistic regression needs rows and features; there are 0 rows of 3 features";
    assert_eq!(message(&[], 0, 3, 2), none);
    assert!(message(&[], 2, 0, 2).ends_with("there are 2 rows of 0 features"));
    for n_classes in [1, 2, 3] {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN, 7.0, 8.0];
        assert_eq!(message(&x, 4, 2, n_classes), "feature 1 of row 2 is NaN, expected a finite number");
    }
    let huge = error(&[3e38, -3e38, 3e38, 3e38, 3e38, 3e38], 3, 2, 3);
    assert_eq!(huge.kind(), Kind::Diverged);
    assert_eq!(huge.to_string(), "the features are too large for a finite loss; scale them");
}

#[test]
fn sample_weights_are_checked() {
    let table = samples(0, 3, 2, 2);
    let message = |weights: &[f32]| table.samples().weighted(weights).map(drop).unwrap_err().to_string();
    assert_eq!(message(&[1.0; 2]), "3 rows of features but 2 sample weights");
    assert_eq!(
        message(&[1.0, -1.0, 1.0]),
        "the weight of row 1 is -1, expected a finite number of at least 0"
    );
    assert!(message(&[1.0, 1.0, f32::NAN]).starts_with("the weight of row 2 is NaN"));
    assert_eq!(message(&[0.0; 3]), "all sample weights are 0, expected one above 0 at least");
}

#[test]
fn memory_is_estimated_without_allocating() {
    let gib = |n_features, n_classes| {
        let shape = Shape { n_samples: 10_000, n_val: 0, n_features, n_classes };
        let cost = linear::HEAD.cost(shape, &linear::TABLE.defaults()).unwrap();
        cost.bytes as f64 / f64::from(1 << 30)
    };
    assert!(gib(512, 3) < 0.1, "{}", gib(512, 3));
    let large = gib(65_536, 1000);
    assert!((1.0..12.0).contains(&large), "{large} GiB");
}
