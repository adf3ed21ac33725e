//! Heads that a formula fits, as their users see them: beside scikit-learn's recorded numbers, or elimination in double precision.
#![allow(clippy::unwrap_used)]

mod centroid;
mod gaussian;
mod kernel;
mod knn;
mod naive;
mod noise;
mod ridge;
#[path = "../tables/mod.rs"]
mod tables;

use std::sync::Arc;

use headsmith_heads::params::Value;
use headsmith_heads::tensors::Tensors;
use headsmith_heads::{Error, Fitted, Fitting, Head, Job, Samples, training};
use headsmith_kernels::{MatRef, Pool};

use tables::{Table, go_on};

/// Parameters that differ from the defaults.
type Given<'g> = &'g [(&'g str, Value)];

/// Fits `head` to its last step and passes the fit on.
fn with_fitting<T>(
    head: &dyn Head,
    samples: Samples<'_>,
    given: Given<'_>,
    pool: &Pool,
    then: impl FnOnce(Box<dyn Fitting + '_>) -> T,
) -> Result<T, Error> {
    let params = head.table().resolve(given.iter().cloned()).unwrap();
    let mut fitting = head.begin(Job::new(samples, &params, 0, pool), None)?;
    training::run(fitting.as_mut(), &mut go_on, None)?;
    Ok(then(fitting))
}

fn fit_on(
    head: &dyn Head,
    samples: Samples<'_>,
    given: Given<'_>,
    pool: &Pool,
) -> Result<Arc<dyn Fitted>, Error> {
    with_fitting(head, samples, given, pool, |fitting| fitting.finish())?
}

fn fit(head: &dyn Head, table: &Table, given: Given<'_>) -> Arc<dyn Fitted> {
    fit_on(head, table.samples(), given, &Pool::inline()).unwrap()
}

/// The messages about no rows at all, and about an infinite feature; there are two features.
fn refusals(head: &dyn Head) -> [String; 2] {
    [(&[][..], 0), (&[1.0, f32::INFINITY][..], 1)].map(|(x, n_rows)| {
        let y = vec![0; n_rows];
        let samples = Samples::new(MatRef::new(x, n_rows, 2), &y, 1).unwrap();
        fit_on(head, samples, &[], &Pool::inline()).map(drop).unwrap_err().to_string()
    })
}

/// The message about the tensors of `fitted`, of which some were changed.
fn refused(head: &dyn Head, fitted: &dyn Fitted, change: impl FnOnce(&mut Tensors)) -> String {
    let mut tensors = fitted.tensors();
    change(&mut tensors);
    head.restore(fitted.config(), tensors).map(drop).unwrap_err().to_string()
}

/// Asserts that threads change no byte of a fit or of what it predicts, and that row `row` is predicted the same alone.
fn assert_threads_change_no_byte(head: &dyn Head, table: &Table, given: Given<'_>, row: usize) {
    let (pool, fitted) = (Pool::new(3).unwrap(), fit(head, table, given));
    assert_eq!(fit_on(head, table.samples(), given, &pool).unwrap().tensors(), fitted.tensors());
    let proba = fitted.predict_proba(table.x(), &Pool::inline());
    assert_eq!(fitted.predict_proba(table.x(), &pool), proba);
    let alone = fitted.predict_proba(table.x().rows(row, row + 1), &pool);
    assert_eq!(alone.row(0), proba.row(row));
}

/// Asserts that classes 1 and 3 of four, which have no rows, get no probability, where there are two others and where there is one.
fn assert_absent_classes_have_no_probability(head: &dyn Head, given: Given<'_>) {
    let mut table = tables::samples(0, 60, 4, 2);
    table.n_classes = 4;
    table.y.iter_mut().for_each(|y| *y *= 2);
    for one_class in [false, true] {
        if one_class {
            table.y.fill(2);
        }
        let proba = fit(head, &table, given).predict_proba(table.x(), &Pool::inline());
        for row in proba.as_slice().chunks(4) {
            assert!(row[1] == 0.0 && row[3] == 0.0, "{given:?}: {row:?}");
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{given:?}: {row:?}");
        }
    }
}
