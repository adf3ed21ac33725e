//! Out-of-fold predictions are those of refits, and of the formula with what a fit keeps.

// Indices are those of the formulas.
#![allow(clippy::needless_range_loop)]

use headsmith_heads::Samples;
use headsmith_heads::head::Folds;
use headsmith_heads::params::Value;
use headsmith_kernels::{MatRef, Matrix, Pool};

use super::super::tables::{Table, text};
use super::super::{Given, with_fitting};
use super::{HEAD, fit_on, moved};

/// The solution of `a x = b` and the logarithm of the determinant, by elimination.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> (Vec<f64>, f64) {
    let (n, mut ln) = (b.len(), 0.0);
    for k in 0..n {
        ln += a[k][k].ln();
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            for j in k..n {
                let v = a[k][j];
                a[i][j] -= factor * v;
            }
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        b[k] = (b[k] - (k + 1..n).map(|j| a[k][j] * b[j]).sum::<f64>()) / a[k][k];
    }
    (b, ln)
}

/// The rows of a class: their weight, mean and sums of products around it.
struct Class {
    n: f64,
    mean: Vec<f64>,
    products: Vec<Vec<f64>>,
}

fn class(table: &Table, weights: &[f32], class: u32, kept: impl Fn(usize) -> bool) -> Class {
    let d = table.x.n_cols();
    let rows: Vec<usize> = (0..table.y.len()).filter(|&i| table.y[i] == class && kept(i)).collect();
    let n: f64 = rows.iter().map(|&i| f64::from(weights[i])).sum();
    let value = |i: usize, j: usize| f64::from(table.x.row(i)[j]);
    let mean: Vec<f64> =
        (0..d).map(|j| rows.iter().map(|&i| f64::from(weights[i]) * value(i, j)).sum::<f64>() / n).collect();
    let sum = |j: usize, l: usize| {
        rows.iter().map(|&i| f64::from(weights[i]) * (value(i, j) - mean[j]) * (value(i, l) - mean[l])).sum()
    };
    let products = (0..d).map(|j| (0..d).map(|l| sum(j, l)).collect()).collect();
    Class { n, mean, products }
}

/// The probabilities of row `i` without the rows that are not `kept`, by the formula of the pages.
fn naive(
    table: &Table,
    weights: &[f32],
    (amounts, full): (&[f64], bool),
    i: usize,
    kept: &dyn Fn(usize) -> bool,
) -> Vec<f64> {
    let (d, k) = (table.x.n_cols(), table.n_classes);
    let all: Vec<Class> = (0..k).map(|c| class(table, weights, c as u32, |_| true)).collect();
    let left: Vec<Class> = (0..k).map(|c| class(table, weights, c as u32, kept)).collect();
    let total = |classes: &[Class]| classes.iter().map(|class| class.n).sum::<f64>();
    let mut pooled = vec![vec![0.0; d]; d];
    for c in 0..k {
        // On features divided by their deviations, the target is the unit matrix: on others, the variances.
        let target = |j: usize| amounts[c] * all[c].products[j][j];
        for j in 0..d {
            for l in 0..d {
                pooled[j][l] +=
                    (1.0 - amounts[c]) * left[c].products[j][l] + if j == l { target(j) } else { 0.0 };
            }
        }
    }
    let scores: Vec<f64> = (0..k)
        .map(|c| {
            let covariance: Vec<Vec<f64>> = (0..d)
                .map(|j| {
                    (0..d)
                        .map(|l| {
                            let own = (1.0 - amounts[c]) * left[c].products[j][l]
                                + if j == l { amounts[c] * all[c].products[j][j] } else { 0.0 };
                            if full { own / left[c].n } else { pooled[j][l] / total(&left) }
                        })
                        .collect()
                })
                .collect();
            let difference: Vec<f64> =
                (0..d).map(|j| f64::from(table.x.row(i)[j]) - left[c].mean[j]).collect();
            let (solution, ln) = solve(covariance, difference.clone());
            let square: f64 = solution.iter().zip(&difference).map(|(a, b)| a * b).sum();
            (left[c].n / total(&left)).ln() - 0.5 * square - if full { 0.5 * ln } else { 0.0 }
        })
        .collect();
    let largest = scores.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
    scores.iter().map(|s| (s - largest).exp() / sum).collect()
}

fn out_of_fold(samples: Samples<'_>, given: Given<'_>, folds: Folds<'_>) -> (Option<Matrix>, Vec<f64>) {
    let pool = Pool::new(2).unwrap();
    with_fitting(&HEAD, samples, given, &pool, |fitting| {
        let proba = fitting.out_of_fold(folds);
        let facts = fitting.finish().unwrap().description().facts;
        let amounts =
            facts["shrinkage"].as_array().map(|list| list.iter().map(|v| v.as_f64().unwrap()).collect());
        (proba, amounts.unwrap_or_default())
    })
    .unwrap()
}

fn weights(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 4) as f32 * 0.75).collect()
}

#[test]
fn shrinkage_stays_and_the_rest_is_exact() {
    // In the space of the features, and in that of the rows.
    for shape in [(60, 4, 3), (30, 100, 2)] {
        let (table, n) = (moved(0, shape, false), shape.0 as usize);
        let ones = vec![1.0; n];
        for (covariance, weights) in
            [("shared", &ones), ("shared", &weights(n)), ("full", &ones), ("full", &weights(n))]
        {
            let given = [("covariance", text(covariance))];
            let samples = table.samples().weighted(weights).unwrap();
            let of: Vec<u32> = (0..n as u32).map(|i| 7 * (i % 4)).collect();
            let alone: Vec<u32> = (0..n as u32).collect();
            for folds in [&of, &alone] {
                let (proba, amounts) = out_of_fold(samples, &given, Folds::Of(folds));
                let proba = proba.unwrap();
                if folds == &alone {
                    assert_eq!(out_of_fold(samples, &given, Folds::LeaveOneOut).0, Some(proba.clone()));
                }
                for i in 0..n {
                    let kept = |j: usize| folds[j] != folds[i];
                    let expected = naive(&table, weights, (&amounts, covariance == "full"), i, &kept);
                    for (p, expected) in proba.row(i).iter().zip(expected) {
                        assert!(
                            (f64::from(*p) - expected).abs() < 2e-6,
                            "{covariance}, {shape:?}, row {i}: {p}, {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn without_shrinkage_predictions_are_those_of_refits() {
    let table = moved(0, (60, 4, 3), false);
    let pool = Pool::inline();
    for covariance in ["shared", "diagonal", "full"] {
        let given = [
            ("covariance", text(covariance)),
            ("shrinkage", Value::Float(0.0)),
            ("var_smoothing", Value::Float(0.0)),
        ];
        for weights in [vec![1.0; 60], weights(60)] {
            let samples = table.samples().weighted(&weights).unwrap();
            for n_folds in [4, 60] {
                let folds: Vec<u32> = (0..60).map(|i| i % n_folds).collect();
                let (proba, _) = out_of_fold(samples, &given, Folds::Of(&folds));
                let proba = proba.unwrap();
                for fold in 0..n_folds {
                    let kept: Vec<usize> = (0..60).filter(|i| folds[*i] != fold).collect();
                    let x: Vec<f32> = kept.iter().flat_map(|&i| table.x.row(i).to_vec()).collect();
                    let y: Vec<u32> = kept.iter().map(|&i| table.y[i]).collect();
                    let of_kept: Vec<f32> = kept.iter().map(|&i| weights[i]).collect();
                    let rest = Samples::new(MatRef::new(&x, kept.len(), 4), &y, 3).unwrap();
                    let refit = fit_on(rest.weighted(&of_kept).unwrap(), &given, &pool).unwrap();
                    let refit = refit.predict_proba(table.x(), &pool);
                    for i in (0..60).filter(|i| folds[*i] == fold) {
                        for (p, expected) in proba.row(i).iter().zip(refit.row(i)) {
                            assert!(
                                (p - expected).abs() < 1e-5,
                                "{covariance}, row {i}: {p}, a refit {expected}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_class_that_a_fold_empties_is_not_predicted() {
    let table = Table::new(&[0.0, 1.0, 2.0, 3.5, 9.0, 5.0], &[0, 0, 1, 1, 2, 1]);
    for covariance in ["shared", "diagonal", "full"] {
        let given = [("covariance", text(covariance))];
        let (proba, _) = out_of_fold(table.samples(), &given, Folds::LeaveOneOut);
        let proba = proba.unwrap();
        assert_eq!(proba.row(4)[2], 0.0, "{covariance}");
        assert!((proba.row(4).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let (proba, _) = out_of_fold(table.samples(), &given, Folds::Of(&[1, 1, 0, 0, 0, 0]));
        assert_eq!(proba.unwrap().row(0)[0], 0.0, "{covariance}");
        assert_eq!(out_of_fold(table.samples(), &given, Folds::Of(&[1; 6])).0, None, "{covariance}");
    }
}
