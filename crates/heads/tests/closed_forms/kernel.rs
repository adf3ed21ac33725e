//! Kernel machines as their users see them: against elimination in double precision.

use std::f64::consts::PI;

use headsmith_heads::head::Folds;
use headsmith_heads::kernel::HEAD;
use headsmith_heads::params::Value;
use headsmith_heads::{Control, Error, Event, Fitting, Head, Job, Samples, training};
use headsmith_kernels::{MatRef, Pool};

use super::naive::{Rows, assert_close, clipped, solve};
use super::tables::{Table, samples, text};
use super::{Given, assert_absent_classes_have_no_probability};

fn with_fitting<T>(
    samples: Samples<'_>,
    given: Given<'_>,
    then: impl FnOnce(Box<dyn Fitting + '_>) -> T,
) -> Result<T, Error> {
    super::with_fitting(&HEAD, samples, given, &Pool::inline(), then)
}

/// Nothing is chosen, nor calibrated.
fn fixed(kernel: &str, gamma: f64, alpha: f64) -> Vec<(&'static str, Value)> {
    vec![
        ("kernel", text(kernel)),
        ("gamma", Value::Float(gamma)),
        ("alpha", Value::Float(alpha)),
        ("spectrum", text("none")),
        ("transform", text("none")),
        ("calibration", text("none")),
    ]
}

/// The kernel function of rows scaled to a total variance of 1 (`scale`: of squares).
fn kernel(name: &str, gamma: f64, scale: f64, x: &[f32], z: &[f32]) -> f64 {
    let pairs = || x.iter().zip(z).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let distance = (pairs().map(|(a, b)| (a - b).powi(2)).sum::<f64>() * scale).sqrt();
    let dot = pairs().map(|(a, b)| a * b).sum::<f64>();
    match name {
        "rbf" => (-gamma * distance * distance).exp(),
        "laplace" => (-gamma * distance).exp(),
        "power" => (-gamma * distance.powf(1.5)).exp(),
        "polynomial" => (gamma * dot * scale + 1.0).powi(3),
        _ => {
            let norm = |row: &[f32]| row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            let lengths = norm(x) * norm(z);
            let t = (dot / lengths).clamp(-1.0, 1.0).acos();
            lengths * (t.sin() + (PI - t) * t.cos()) / PI
        }
    }
}

fn scale(x: MatRef<'_>) -> f64 {
    let n = x.n_rows() as f64;
    let variance = |j: usize| {
        let column = || (0..x.n_rows()).map(|i| f64::from(x.row(i)[j]));
        let mean = column().sum::<f64>() / n;
        column().map(|v| (v - mean).powi(2)).sum::<f64>() / n
    };
    1.0 / (0..x.n_cols()).map(variance).sum::<f64>()
}

struct Naive<'a> {
    table: &'a Table,
    name: &'a str,
    gamma: f64,
    alpha: f64,
    weights: &'a [f32],
}

impl Naive<'_> {
    /// The probabilities of `queries`, from a fit on the rows `train` alone, with the scale of all rows.
    fn proba(&self, train: &[usize], queries: &[&[f32]]) -> Vec<f64> {
        let (table, scale) = (self.table, scale(self.table.x()));
        let k = |x: &[f32], z: &[f32]| kernel(self.name, self.gamma, scale, x, z);
        let mut a: Rows = train
            .iter()
            .map(|&i| {
                let own = |&j: &usize| {
                    let ridge = if i == j { self.alpha / f64::from(self.weights[i]) } else { 0.0 };
                    k(table.x.row(i), table.x.row(j)) + ridge
                };
                train.iter().map(own).chain([1.0]).collect()
            })
            .collect();
        a.push(vec![1.0; train.len()]);
        a[train.len()].push(0.0);
        let target = |&i: &usize| (0..table.n_classes).map(|c| f64::from(table.y[i] as usize == c)).collect();
        let b = train.iter().map(target).chain([vec![0.0; table.n_classes]]).collect();
        let solution = solve(a, b);
        let output = |q: &&[f32]| {
            let mut f = solution[train.len()].clone();
            for (&i, alpha) in train.iter().zip(&solution) {
                let value = k(q, table.x.row(i));
                f.iter_mut().zip(alpha).for_each(|(f, a)| *f += value * a);
            }
            clipped(&f)
        };
        queries.iter().flat_map(output).collect()
    }

    fn without(&self, folds: &[u32]) -> Vec<f64> {
        let (n, k) = (folds.len(), self.table.n_classes);
        let mut all = vec![0.0; n * k];
        for fold in 0..=*folds.iter().max().unwrap() {
            let (held, train): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| folds[i] == fold);
            let queries: Vec<&[f32]> = held.iter().map(|&i| self.table.x.row(i)).collect();
            for (&i, p) in held.iter().zip(self.proba(&train, &queries).chunks(k)) {
                all[i * k..(i + 1) * k].copy_from_slice(p);
            }
        }
        all
    }
}

fn weights(n: usize) -> Vec<f32> {
    (0..n).map(|i| [0.5, 1.0, 2.0, 3.0][i % 4]).collect()
}

fn check(table: &Table, name: &str, weights: &[f32], leave_one_out: bool) {
    let (gamma, alpha, n) = (0.7, 0.8, table.y.len());
    // Values of the polynomial are in the hundreds, and their inner products are rounded to single precision.
    let tolerance = if name == "polynomial" { 2e-3 } else { 2e-4 };
    let naive = Naive { table, name, gamma, alpha, weights };
    let samples = table.samples().weighted(weights).unwrap();
    let folds: Vec<u32> = (0..n as u32).map(|i| i * 7 % 4).collect();
    with_fitting(samples, &fixed(name, gamma, alpha), |fitting| {
        let each: Vec<u32> = (0..n as u32).collect();
        if leave_one_out {
            let found = fitting.out_of_fold(Folds::LeaveOneOut).unwrap();
            assert_close(
                found.as_slice(),
                &naive.without(&each),
                tolerance,
                &format!("{name}, leave-one-out"),
            );
        }
        let found = fitting.out_of_fold(Folds::Of(&folds)).unwrap();
        assert_close(found.as_slice(), &naive.without(&folds), tolerance, &format!("{name}, folds"));
        let other = super::tables::samples(9000, 20, table.x.n_cols() as u64, table.n_classes);
        let queries: Vec<&[f32]> = (0..20).map(|i| other.x.row(i)).collect();
        let all: Vec<usize> = (0..n).collect();
        let proba = fitting.finish().unwrap().predict_proba(other.x(), &Pool::inline());
        assert_close(
            proba.as_slice(),
            &naive.proba(&all, &queries),
            tolerance,
            &format!("{name}, predictions"),
        );
    })
    .unwrap();
}

#[test]
fn predictions_and_out_of_fold_ones_are_those_of_refits() {
    let table = samples(0, 60, 5, 3);
    for name in ["rbf", "laplace", "power", "arc-cosine", "polynomial"] {
        check(&table, name, &[1.0; 60], true);
        check(&table, name, &weights(60), true);
    }
}

#[test]
fn rows_of_several_tiles_are_solved_exactly() {
    check(&samples(0, 300, 5, 3), "rbf", &weights(300), false);
}

#[test]
fn rows_of_a_unit_are_left_out_together() {
    let (table, weights, each) = (samples(0, 60, 5, 3), weights(60), (0..60).collect::<Vec<u32>>());
    let units: Vec<u32> = each.iter().map(|i| if *i < 20 { *i } else { 20 + i / 3 % 9 }).collect();
    let folds: Vec<u32> = each.iter().map(|i| i * 7 % 4).collect();
    // So strong that no probability is 0.
    let alpha = 20.0;
    let naive = Naive { table: &table, name: "rbf", gamma: 0.7, alpha, weights: &weights };
    let samples = table.samples().weighted(&weights).unwrap().in_units(&units).unwrap();
    let log_loss = with_fitting(samples, &fixed("rbf", 0.7, alpha), |fitting| {
        let asked = [(Folds::LeaveOneOut, &each), (Folds::Of(&units), &units), (Folds::Of(&folds), &folds)];
        for (found, folds) in asked {
            let found = fitting.out_of_fold(found).unwrap();
            assert_close(found.as_slice(), &naive.without(folds), 2e-4, "out of fold");
        }
        fitting.finish().unwrap().description().facts["leave_one_out_log_loss"].as_f64().unwrap()
    });
    // The loss that chooses is that of these outputs.
    let (mut sum, mut total) = (0.0, 0.0);
    for ((row, y), w) in naive.without(&units).chunks(3).zip(&table.y).zip(&weights) {
        sum -= f64::from(*w) * row[*y as usize].ln();
        total += f64::from(*w);
    }
    let log_loss = log_loss.unwrap();
    assert!((log_loss - sum / total).abs() < 1e-3, "{log_loss}, expected {}", sum / total);
}

#[test]
fn the_choice_has_the_smallest_loss() {
    let table = samples(0, 90, 4, 3);
    let head = with_fitting(table.samples(), &[], |fitting| fitting.finish().unwrap()).unwrap();
    let facts = head.description().facts;
    let tried = facts["tried"].as_array().unwrap();
    let best = tried
        .iter()
        .min_by(|a, b| a["log_loss"].as_f64().unwrap().total_cmp(&b["log_loss"].as_f64().unwrap()));
    let best = best.unwrap();
    assert!(tried.len() > 2);
    for name in ["gamma", "alpha", "transform"] {
        assert_eq!(best[name], facts[name], "{name}");
    }
    let loss = facts["leave_one_out_log_loss"].as_f64().unwrap();
    assert!((loss - best["log_loss"].as_f64().unwrap()).abs() < 1e-4);
}

#[test]
fn a_fit_that_stops_at_any_step_predicts_as_its_best_candidate() {
    let table = samples(0, 120, 4, 3);
    let (head, pool) = (&HEAD, Pool::inline());
    let params = head.table().resolve([("kernel", text("rbf"))]).unwrap();
    for n_steps in [0, 1, 12, 23, 24, 25, 26] {
        let mut fitting = head.begin(Job::new(table.samples(), &params, 0, &pool), None).unwrap();
        let mut left = n_steps;
        while left > 0 && fitting.done() < fitting.total() {
            fitting.step().unwrap();
            left -= 1;
        }
        let best = fitting.best();
        let last = fitting.finish().unwrap();
        let proba = last.predict_proba(table.x(), &pool);
        assert!(proba.as_slice().iter().all(|p| p.is_finite()));
        if let Some(best) = best {
            let early = best.predict_proba(table.x(), &pool);
            let expected: Vec<f64> = proba.as_slice().iter().map(|p| f64::from(*p)).collect();
            assert_close(early.as_slice(), &expected, 1e-3, &format!("after {n_steps} steps"));
        }
    }
    let mut fitting = head.begin(Job::new(table.samples(), &params, 0, &pool), None).unwrap();
    training::run(fitting.as_mut(), &mut |_: &Event| Control::Stop, None).unwrap();
    assert_eq!(fitting.finish().unwrap().n_classes(), 3);
}

#[test]
fn absent_classes_have_no_probability() {
    assert_absent_classes_have_no_probability(&HEAD, &fixed("rbf", 1.0, 1.0));
}

#[test]
fn duplicates_with_a_tiny_penalty_are_solved_in_double_precision() {
    let half = samples(0, 40, 3, 2);
    let x = [half.x.as_slice(), half.x.as_slice()].concat();
    let table = Table::new(&x, &[&half.y[..], &half.y[..]].concat());
    let head = with_fitting(table.samples(), &fixed("rbf", 1.0, 1e-7), |f| f.finish().unwrap()).unwrap();
    assert_eq!(head.description().facts["double_precision"], true);
    assert!(head.predict_proba(table.x(), &Pool::inline()).as_slice().iter().all(|p| p.is_finite()));
}

#[test]
fn the_gradient_of_the_logistic_loss_is_zero() {
    let table = samples(0, 80, 4, 3);
    let (weights, alpha) = (weights(80), 0.5);
    let mut given = fixed("rbf", 1.0, alpha);
    given.push(("loss", text("logistic")));
    let samples = table.samples().weighted(&weights).unwrap();
    let head = with_fitting(samples, &given, |f| f.finish().unwrap()).unwrap();
    let mut tensors = head.tensors();
    let coef = tensors.take_f32("alpha", &[80, 3]).unwrap();
    let intercept = tensors.take_f64("intercept", &[3]).unwrap();
    let scale = scale(table.x());
    for i in 0..80 {
        let mut f = intercept.clone();
        for j in 0..80 {
            let value = kernel("rbf", 1.0, scale, table.x.row(i), table.x.row(j));
            f.iter_mut().enumerate().for_each(|(c, f)| *f += value * f64::from(coef[j * 3 + c]));
        }
        let sum: f64 = f.iter().map(|f| f.exp()).sum();
        for (c, f) in f.iter().enumerate() {
            let residual = f64::from(u8::from(table.y[i] as usize == c)) - f.exp() / sum;
            let expected = residual * f64::from(weights[i]) / alpha;
            assert!((f64::from(coef[i * 3 + c]) - expected).abs() < 0.05, "{i}, {c}: {expected}");
        }
    }
}
