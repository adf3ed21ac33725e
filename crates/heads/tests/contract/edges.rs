//! Shapes at the edge of what can be learnt: a head that cannot learn from them says so, and none panics.

use headsmith_heads::error::Kind;
use headsmith_heads::{HEADS, Job, Samples};
use headsmith_kernels::{Matrix, Pool};

use super::{Rows, assert_distributions, fit, quiet, small};

/// Fits every head on `rows`; each must predict distributions.
#[track_caller]
fn all_learn(rows: &Rows) {
    for head in HEADS {
        let (params, pool) = (small(*head), Pool::inline());
        let job = Job { val: Some(rows.samples()), ..Job::new(rows.samples(), &params, 3, &pool) };
        let (fitted, _) =
            fit(*head, job, &mut quiet).unwrap_or_else(|error| panic!("{}: {error}", head.name()));
        let n_rows = rows.x.n_rows().min(50);
        assert_distributions(*head, &fitted.predict_proba(rows.x.view().rows(0, n_rows), &pool));
    }
}

#[test]
fn one_feature() {
    all_learn(&Rows::new(40, 1, 2, 3));
}

#[test]
fn one_row_a_class() {
    all_learn(&Rows::new(4, 5, 4, 4));
}

#[test]
fn constant_features() {
    let mut rows = Rows::new(60, 4, 3, 5);
    for i in 0..60 {
        (rows.x.row_mut(i)[0], rows.x.row_mut(i)[3]) = (0.0, -7.5);
    }
    all_learn(&rows);
    let same =
        Rows { x: Matrix::new(vec![1.5; 80], 20, 4), y: (0..20).map(|i| i % 2).collect(), n_classes: 2 };
    all_learn(&same);
}

#[test]
fn more_features_than_rows() {
    all_learn(&Rows::new(12, 300, 3, 6));
}

#[test]
fn a_class_without_rows() {
    let mut rows = Rows::new(60, 4, 2, 7);
    rows.n_classes = 4;
    all_learn(&rows);
}

#[test]
fn a_thousand_classes() {
    all_learn(&Rows::new(2_000, 3, 1_000, 8));
}

#[test]
fn features_of_65_536() {
    all_learn(&Rows::new(8, 65_536, 2, 9));
}

#[test]
fn large_and_small_values() {
    for factor in [1e-20, 1e15] {
        let mut rows = Rows::new(60, 4, 3, 10);
        rows.x.as_mut_slice().iter_mut().for_each(|v| *v *= factor);
        for head in HEADS {
            let (params, pool) = (small(*head), Pool::inline());
            match fit(*head, Job::new(rows.samples(), &params, 3, &pool), &mut quiet) {
                Ok((fitted, _)) => assert_distributions(*head, &fitted.predict_proba(rows.x.view(), &pool)),
                Err(error) => assert!([Kind::Diverged, Kind::Samples].contains(&error.kind()), "{error}"),
            }
        }
    }
}

#[test]
fn rows_that_cannot_be_learnt_from_are_refused() {
    let pool = Pool::inline();
    let empty = Matrix::zeros(0, 3);
    let mut infinite = Rows::new(20, 3, 2, 11);
    infinite.x.row_mut(7)[1] = f32::INFINITY;
    for head in HEADS {
        let params = small(*head);
        let refused = |samples: Samples<'_>| {
            let error = head.begin(Job::new(samples, &params, 3, &pool), None).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), Kind::Samples, "{}: {error}", head.name());
            error.to_string()
        };
        refused(Samples::new(empty.view(), &[], 2).unwrap());
        let message = refused(infinite.samples());
        assert!(message.contains("feature 1 of row 7"), "{}: {message}", head.name());
    }
}
