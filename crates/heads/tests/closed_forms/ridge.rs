//! Ridge regression on the classes as its users see it: against elimination in double precision.

use headsmith_heads::head::Folds;
use headsmith_heads::params::Value;
use headsmith_heads::ridge::HEAD;
use headsmith_heads::{Fitting, Samples};
use headsmith_kernels::Pool;

use super::naive::{Rows, assert_close, clipped, solve};
use super::tables::{Table, samples, text};
use super::{Given, assert_absent_classes_have_no_probability};

fn with_fitting<T>(
    samples: Samples<'_>,
    given: Given<'_>,
    then: impl FnOnce(Box<dyn Fitting + '_>) -> T,
) -> T {
    super::with_fitting(&HEAD, samples, given, &Pool::inline(), then).unwrap()
}

fn fixed(alpha: Value) -> [(&'static str, Value); 3] {
    [("alpha", alpha), ("calibration", text("none")), ("transform", text("none"))]
}

/// The outputs for `queries` of the fit on the rows `train` alone, by the normal equations.
fn outputs(table: &Table, weights: &[f32], alpha: f64, train: &[usize], queries: &[usize]) -> Rows {
    let row = |i: usize| table.x.row(i).iter().map(|v| f64::from(*v)).chain([1.0]).collect::<Vec<f64>>();
    let size = table.x.n_cols() + 1;
    let (mut a, mut b) = (vec![vec![0.0; size]; size], vec![vec![0.0; table.n_classes]; size]);
    (0..size - 1).for_each(|j| a[j][j] = alpha);
    for &i in train {
        let (x, w) = (row(i), f64::from(weights[i]));
        for j in 0..size {
            a[j].iter_mut().zip(&x).for_each(|(to, v)| *to += w * x[j] * v);
            b[j][table.y[i] as usize] += w * x[j];
        }
    }
    let coef = solve(a, b);
    let output = |&i: &usize| {
        let x = row(i);
        (0..table.n_classes).map(|c| x.iter().zip(&coef).map(|(v, coef)| v * coef[c]).sum()).collect()
    };
    queries.iter().map(output).collect()
}

fn without(table: &Table, weights: &[f32], alpha: f64, folds: &[u32]) -> Rows {
    let mut all = vec![Vec::new(); folds.len()];
    for fold in 0..=*folds.iter().max().unwrap() {
        let (held, train): (Vec<usize>, Vec<usize>) = (0..folds.len()).partition(|&i| folds[i] == fold);
        for (&i, row) in held.iter().zip(outputs(table, weights, alpha, &train, &held)) {
            all[i] = row;
        }
    }
    all
}

fn proba(outputs: &Rows) -> Vec<f64> {
    outputs.iter().flat_map(|row| clipped(row)).collect()
}

fn mixed(n: usize) -> Vec<f32> {
    (0..n).map(|i| [0.5, 1.0, 2.0, 3.0][i % 4]).collect()
}

#[test]
fn predictions_and_out_of_fold_ones_are_those_of_refits() {
    for (n, weights) in [(80, vec![1.0; 80]), (80, mixed(80)), (600, mixed(600))] {
        let (table, alpha) = (samples(0, n as u64, 5, 3), 2.0);
        let samples = table.samples().weighted(&weights).unwrap();
        let (each, all): (Vec<u32>, Vec<usize>) = ((0..n as u32).collect(), (0..n).collect());
        let folds: Vec<u32> = each.iter().map(|i| i * 7 % 4).collect();
        with_fitting(samples, &fixed(Value::Float(alpha)), |fitting| {
            for (found, folds) in [(Folds::LeaveOneOut, &each), (Folds::Of(&folds), &folds)] {
                let found = fitting.out_of_fold(found).unwrap();
                let expected = proba(&without(&table, &weights, alpha, folds));
                assert_close(found.as_slice(), &expected, 2e-5, &format!("{n} rows"));
            }
            let found = fitting.finish().unwrap().predict_proba(table.x(), &Pool::inline());
            let expected = proba(&outputs(&table, &weights, alpha, &all, &all));
            assert_close(found.as_slice(), &expected, 2e-5, "predictions");
        });
    }
}

/// Rows of 80 in units: alone, in pairs, and one of 20 rows, which are more than there are features.
fn unit(i: u32) -> u32 {
    match i {
        0..40 => i,
        40..60 => i / 2,
        _ => 99,
    }
}

/// The tried strengths have the errors of refits without each of these units, and the chosen one the least.
fn check_strengths(units: &[u32]) {
    let (table, weights) = (samples(0, 80, 12, 3), mixed(80));
    let samples = table.samples().weighted(&weights).unwrap().in_units(units).unwrap();
    let head = with_fitting(samples, &fixed(text("auto")), |fitting| fitting.finish().unwrap());
    let facts = head.description().facts;
    let (mut best, mut least) = (0.0, f64::INFINITY);
    let tried = facts["tried"].as_array().unwrap();
    assert_eq!(tried.len(), 20);
    for tried in tried {
        let alpha = tried["alpha"].as_f64().unwrap();
        let mut error = 0.0;
        for (i, row) in without(&table, &weights, alpha, units).iter().enumerate() {
            for (c, f) in row.iter().enumerate() {
                let y = f64::from(u8::from(table.y[i] as usize == c));
                error += f64::from(weights[i]) * (y - f).powi(2);
            }
        }
        error /= weights.iter().map(|w| f64::from(*w)).sum::<f64>();
        let found = tried["squared_error"].as_f64().unwrap();
        assert!((found - error).abs() < 1e-4 * error, "{alpha}: {found}, {error}");
        if error < least {
            (best, least) = (alpha, error);
        }
    }
    assert_eq!(facts["alpha"].as_f64().unwrap(), best);
    assert!(head.description().summary.contains(&format!("alpha {best:.4e}")));
}

#[test]
fn the_strength_has_the_smallest_squared_error() {
    check_strengths(&(0..80).collect::<Vec<u32>>());
    check_strengths(&(0..80).map(unit).collect::<Vec<u32>>());
}

#[test]
fn rows_of_units_have_the_outputs_of_refits() {
    let (table, weights, alpha) = (samples(0, 80, 12, 3), mixed(80), 2.0);
    let each: Vec<u32> = (0..80).collect();
    let [units, folds] = [unit, |i| i * 7 % 4].map(|of| each.iter().map(|i| of(*i)).collect::<Vec<u32>>());
    let samples = table.samples().weighted(&weights).unwrap().in_units(&units).unwrap();
    with_fitting(samples, &fixed(Value::Float(alpha)), |fitting| {
        let asked = [(Folds::LeaveOneOut, &each), (Folds::Of(&units), &units), (Folds::Of(&folds), &folds)];
        for (found, folds) in asked {
            let found = fitting.out_of_fold(found).unwrap();
            let expected = proba(&without(&table, &weights, alpha, folds));
            assert_close(found.as_slice(), &expected, 2e-5, "out of fold");
        }
    });
    // All rows are one unit: each is left out by itself.
    let one = [7; 80];
    let all_alike = table.samples().in_units(&one).unwrap();
    let chosen = |rows| {
        with_fitting(rows, &fixed(text("auto")), |f| f.finish().unwrap()).description().facts["alpha"].clone()
    };
    assert_eq!(chosen(all_alike), chosen(table.samples()));
}

#[test]
fn absent_classes_have_no_probability() {
    for calibration in ["quadratic", "temperature", "none"] {
        assert_absent_classes_have_no_probability(&HEAD, &[("calibration", text(calibration))]);
    }
}

#[test]
fn calibration_lowers_the_log_loss_of_rows_that_it_was_not_fitted_on() {
    let table = samples(0, 240, 5, 3);
    let loss = |calibration: &str| {
        let given = [("calibration", text(calibration)), ("alpha", Value::Float(1000.0))];
        let proba = with_fitting(table.samples(), &given, |f| f.out_of_fold(Folds::LeaveOneOut).unwrap());
        let losses = table.y.iter().enumerate().map(|(i, &y)| {
            assert!((proba.row(i).iter().sum::<f32>() - 1.0).abs() < 1e-5);
            -f64::from(proba.row(i)[y as usize]).max(1e-9).ln()
        });
        losses.sum::<f64>() / 240.0
    };
    // A strong penalty draws all outputs to the shares of the classes.
    let (clipped, quadratic) = (loss("none"), loss("quadratic"));
    assert!(quadratic < 0.95 * clipped, "{quadratic}, {clipped}");
}
