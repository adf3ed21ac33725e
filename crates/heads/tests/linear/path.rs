//! The path of strengths: what chooses, and what is found.

use headsmith_heads::linear::{self, Linear};
use headsmith_heads::params::Value;
use headsmith_heads::{Control, Event, Fitted, Head, Job};
use headsmith_kernels::Pool;

use super::{Table, fit, go_on, samples, text};

#[test]
fn the_last_fit_is_that_of_the_chosen_strength() {
    for given in [vec![], vec![("l1_ratio", Value::Float(0.5))], vec![("choose_by", text("leave_one_out"))]] {
        for n_classes in [2, 3] {
            let table = samples(0, 200, 6, n_classes);
            let head = fit(table.samples(), &given).unwrap();
            let choice = head.choice().unwrap();
            let lowest = choice.losses.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert_eq!(lowest.0, choice.c);
            // It is better than the strongest penalty, and the path ended.
            assert!(lowest.1 < choice.losses[0].1 && choice.losses.len() <= 20 && choice.n_rows == 200);
            let mut fixed = given.clone();
            fixed.push(("c", Value::Float(choice.c)));
            let fixed = fit(table.samples(), &fixed).unwrap();
            assert!(fixed.choice().is_none() && head.solution().unwrap().converged);
            let objective = |head: &Linear| head.solution().unwrap().objective;
            assert!((objective(&head) / objective(&fixed) - 1.0).abs() < 1e-6, "{given:?}");
        }
    }
}

#[test]
fn heads_of_a_path_are_those_of_single_fits() {
    let cs = [1e-3, 0.1, 1.0, 100.0];
    for l1_ratio in [0.0, 0.7] {
        let table = samples(0, 150, 40, 3);
        let params = linear::TABLE.resolve([("l1_ratio", Value::Float(l1_ratio))]).unwrap();
        let heads = linear::path(table.samples(), &params, &cs, &Pool::inline()).unwrap();
        for (c, head) in cs.into_iter().zip(&heads) {
            let given = [("c", Value::Float(c)), ("l1_ratio", Value::Float(l1_ratio))];
            let single = fit(table.samples(), &given).unwrap().solution().unwrap();
            let found = head.solution().unwrap();
            assert!(found.converged && (found.objective / single.objective - 1.0).abs() < 1e-6, "{c}");
        }
    }
    let params = linear::TABLE.defaults();
    assert!(linear::path(samples(0, 9, 2, 3).samples(), &params, &[], &Pool::inline()).unwrap().is_empty());
}

#[test]
fn leave_one_out_is_nearly_that_of_single_fits() {
    for n_classes in [2, 3] {
        let table = samples(0, 60, 4, n_classes);
        let head = fit(table.samples(), &[("choose_by", text("leave_one_out"))]).unwrap();
        let choice = head.choice().unwrap();
        let (c, got) = *choice.losses.iter().find(|(c, _)| *c == choice.c).unwrap();
        let losses = (0..60).map(|out| {
            let weights: Vec<f32> = (0..60).map(|i| f32::from(u8::from(i != out))).collect();
            let rows = table.samples().weighted(&weights).unwrap();
            let without = fit(rows, &[("c", Value::Float(c))]).unwrap();
            let proba = without.predict_proba(table.x().rows(out, out + 1), &Pool::inline());
            -f64::from(proba.row(0)[table.y[out] as usize]).ln()
        });
        let expected = losses.sum::<f64>() / 60.0;
        assert!((got / expected - 1.0).abs() < 0.02, "{got}, refits {expected}");
        assert!((got - head.solution().unwrap().objective).abs() > 1e-3);
    }
}

#[test]
fn leave_one_out_refuses_what_it_cannot_do() {
    let table = samples(0, 20, 3000, 3);
    let by = ("choose_by", text("leave_one_out"));
    let message = |given: &[(&str, Value)]| fit(table.samples(), given).map(drop).unwrap_err().to_string();
    assert!(
        message(std::slice::from_ref(&by))
            .contains("3 classes and 3000 features make 6000, expected at most 4096")
    );
    assert!(message(&[by, ("l1_ratio", Value::Float(0.5))]).contains("l1_ratio is 0.5, expected 0"));
}

#[test]
fn the_seed_draws_the_folds() {
    let (table, params, pool) = (samples(0, 200, 6, 3), linear::TABLE.defaults(), Pool::inline());
    let path = |seed| {
        let mut fitting = linear::HEAD.begin(Job::new(table.samples(), &params, seed, &pool), None).unwrap();
        headsmith_heads::training::run(fitting.as_mut(), &mut go_on, None).unwrap();
        fitting.finish().unwrap().description().facts["path"].clone()
    };
    assert_eq!(path(1), path(1));
    assert_ne!(path(1), path(2));
}

#[test]
fn a_fit_may_be_stopped_anywhere_on_the_path() {
    let (table, params) = (samples(0, 200, 6, 3), linear::TABLE.defaults());
    let fit = |stop_at: usize| {
        let mut n_events = 0;
        let mut observe = |event: &Event| {
            n_events += usize::from(matches!(event, Event::Steps { .. }));
            if n_events >= stop_at { Control::Stop } else { Control::Continue }
        };
        let head = linear::fit(table.samples(), &params, &Pool::inline(), &mut observe).unwrap();
        (head, n_events)
    };
    let (whole, n_events) = fit(usize::MAX);
    assert!(n_events > 8 && whole.choice().is_some());
    for stop_at in [0, 1, 3, n_events / 2] {
        let (head, n) = fit(stop_at);
        assert_eq!(n, stop_at.max(1));
        assert!(head.choice().is_none() && head.solution().is_none());
        let proba = head.predict_proba(table.x(), &Pool::inline());
        assert!(proba.as_slice().iter().all(|p| (0.0..=1.0).contains(p)));
    }
}

#[test]
fn a_part_of_many_rows_chooses() {
    let table = samples(0, 21_000, 3, 3);
    let head = fit(table.samples(), &[]).unwrap();
    let choice = head.choice().unwrap();
    assert!((19_990..=20_010).contains(&choice.n_rows), "{}", choice.n_rows);
    assert!(head.solution().unwrap().converged);
}

#[test]
fn a_model_says_the_strength() {
    let table = samples(0, 90, 4, 3);
    let head = fit(table.samples(), &[]).unwrap();
    let restored = linear::HEAD.restore(Fitted::config(&head), Fitted::tensors(&head)).unwrap();
    assert_eq!(restored.description().facts["c"], head.choice().unwrap().c);
    assert!(restored.description().summary.contains("chosen by folds"), "{}", restored.description().summary);
    let fixed = fit(table.samples(), &[("c", Value::Float(1.0))]).unwrap();
    assert!(Fitted::config(&fixed).is_empty());
}

/// Rows of length 1, of which weak penalties separate the classes.
fn unit_rows(n: usize, d: usize, n_classes: usize) -> Table {
    let table = samples(3, n as u64, d as u64, n_classes);
    let mut x = table.x().as_slice().to_vec();
    for row in x.chunks_mut(d) {
        // Most features vary little, as most directions of embeddings do.
        row.iter_mut().skip(5).for_each(|v| *v *= 0.05);
        let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        row.iter_mut().for_each(|v| *v /= norm);
    }
    Table::new(&x, &table.y)
}

/// The objective in double precision: with `w` of `n_scores x (d + 1)`, the last of each row an intercept without penalty; with its gradient and
/// Hessian.
fn objective(table: &Table, w: &[f64], penalty: f64) -> (f64, Vec<f64>, Vec<f64>) {
    let (n, d) = (table.x().n_rows(), table.x().n_cols());
    let (k, p) = (w.len() / (d + 1), d + 1);
    let (mut value, mut gradient, mut hessian) = (0.0, vec![0.0; k * p], vec![0.0; k * p * k * p]);
    for (i, class) in table.y.iter().enumerate() {
        let row: Vec<f64> = table.x().row(i).iter().map(|v| f64::from(*v)).chain([1.0]).collect();
        let scores = w.chunks(p).map(|w| w.iter().zip(&row).map(|(w, x)| w * x).sum::<f64>());
        let mut scores: Vec<f64> = scores.collect();
        // One score is against a score of 0.
        let first = usize::from(k == 1);
        if k == 1 {
            scores.insert(0, 0.0);
        }
        let max = scores.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
        value += (sum.ln() + max - scores[*class as usize]) / n as f64;
        let proba: Vec<f64> = scores[first..].iter().map(|s| (s - max).exp() / sum).collect();
        for a in 0..k {
            let residual = proba[a] - f64::from(u8::from(*class as usize == a + first));
            (0..p).for_each(|j| gradient[a * p + j] += residual * row[j] / n as f64);
            for b in 0..k {
                let curvature = proba[a] * (f64::from(u8::from(a == b)) - proba[b]) / n as f64;
                for (j, l) in (0..p).flat_map(|j| (0..p).map(move |l| (j, l))) {
                    hessian[(a * p + j) * k * p + b * p + l] += curvature * row[j] * row[l];
                }
            }
        }
    }
    for at in (0..k * p).filter(|at| at % p < d) {
        value += 0.5 * penalty * w[at] * w[at];
        gradient[at] += penalty * w[at];
        hessian[at * k * p + at] += penalty;
    }
    (value, gradient, hessian)
}

/// The least value, by Newton's method from `w`.
fn minimum(table: &Table, w: &mut [f64], penalty: f64) -> f64 {
    let (n, p) = (w.len(), table.x().n_cols() + 1);
    for _ in 0..100 {
        let (value, gradient, mut system) = objective(table, w, penalty);
        // All intercepts together change nothing.
        for (a, b) in (0..n / p).flat_map(|a| (0..n / p).map(move |b| (a, b))).filter(|_| n > p) {
            system[(a * p + p - 1) * n + b * p + p - 1] += 1.0;
        }
        let mut step = gradient.clone();
        for i in 0..n {
            for row in i + 1..n {
                let factor = system[row * n + i] / system[i * n + i];
                (i..n).for_each(|j| system[row * n + j] -= factor * system[i * n + j]);
                step[row] -= factor * step[i];
            }
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| system[i * n + j] * step[j]).sum();
            step[i] = (step[i] - known) / system[i * n + i];
        }
        let slope: f64 = gradient.iter().zip(&step).map(|(g, s)| g * s).sum();
        if slope <= 1e-12 * value {
            return value;
        }
        let at = |length: f64| w.iter().zip(&step).map(|(w, s)| w - length * s).collect::<Vec<f64>>();
        let mut length = 1.0;
        while objective(table, &at(length), penalty).0 > value - 1e-4 * length * slope {
            length *= 0.5;
        }
        let to = at(length);
        w.copy_from_slice(&to);
    }
    panic!("no minimum");
}

#[test]
fn every_strength_is_within_a_millionth_of_its_minimum() {
    let cs: Vec<f64> = (0..9).map(|i| 10f64.powi(i - 4)).collect();
    for (n_classes, n_features) in [(2, 30), (3, 30)] {
        let table = unit_rows(250, n_features, n_classes);
        let path = |pool: &Pool| {
            let given = [("transform", text("none"))];
            let params = linear::TABLE.resolve(given).unwrap();
            linear::path(table.samples(), &params, &cs, pool).unwrap()
        };
        let heads = path(&Pool::inline());
        for n_threads in [2, 3, 8] {
            assert!(heads == path(&Pool::new(n_threads).unwrap()));
        }
        let n_scores = if n_classes == 2 { 1 } else { n_classes };
        let mut w = vec![0.0; n_scores * (n_features + 1)];
        for (c, head) in cs.iter().zip(&heads) {
            let penalty = 1.0 / (c * 250.0);
            let least = minimum(&table, &mut w, penalty);
            let (coef, intercept) = (head.coef(), head.intercept());
            // Two classes have half of their score each.
            let factor = if n_classes == 2 { 2.0 } else { 1.0 };
            let found: Vec<f64> = (n_classes - n_scores..n_classes)
                .flat_map(|class| {
                    coef.row(class)
                        .iter()
                        .chain([&intercept[class]])
                        .map(|v| factor * f64::from(*v))
                        .collect::<Vec<f64>>()
                })
                .collect();
            let excess = objective(&table, &found, penalty).0 / least - 1.0;
            assert!(
                excess.abs() <= 1e-6 && head.solution().unwrap().converged,
                "{n_classes} classes, {c}: {excess}"
            );
        }
    }
}
