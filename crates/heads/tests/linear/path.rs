//! The path of strengths: what chooses, and what is found.

use headsmith_heads::linear::{self, Linear};
use headsmith_heads::params::Value;
use headsmith_heads::{Control, Event, Fitted, Head, Job};
use headsmith_kernels::Pool;

use super::{fit, go_on, samples, text};

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
