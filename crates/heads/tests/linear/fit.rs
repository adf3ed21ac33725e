//! What a fit does beside finding the minimum: threads, scaling, events, tensors.

use headsmith_heads::event::StopReason;
use headsmith_heads::linear::{self, Linear};
use headsmith_heads::params::Value;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_heads::{Control, Event, TransformRows};
use headsmith_kernels::Pool;

use super::{fit, go_on, samples};

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    // Several blocks of rows; and so many scores that blocks are computed one by one.
    for (n_samples, n_features, n_classes) in [(3000, 5, 3), (3000, 5, 2), (600, 900, 4), (520, 1024, 530)] {
        let table = samples(0, n_samples, n_features, n_classes);
        let given = [("max_iter", Value::Int(2)), ("c", Value::Float(1.0))];
        let params = linear::TABLE.resolve(given).unwrap();
        let fit = |n_threads| {
            let pool = Pool::new(n_threads).unwrap();
            let head = linear::fit(table.samples(), &params, &pool, &mut go_on).unwrap();
            let proba = head.predict_proba(table.x(), &pool);
            (head, proba)
        };
        let one = fit(1);
        assert!(one == fit(3));
    }
}

#[derive(Debug)]
struct Times(f32);

impl TransformRows for Times {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        n_inputs
    }

    fn transform(&self, rows: &mut Vec<f32>, n_inputs: usize) {
        self.scale(rows, n_inputs);
    }

    fn scale(&self, rows: &mut [f32], _: usize) -> bool {
        rows.iter_mut().for_each(|v| *v *= self.0);
        true
    }
}

#[test]
fn rows_that_are_transformed_on_access_give_the_same_bytes() {
    let mut table = samples(0, 2500, 7, 3);
    let seen = fit(table.samples().transformed_by(&Times(4.0)), &[]).unwrap();
    table.x.as_mut_slice().iter_mut().for_each(|v| *v *= 4.0);
    assert_eq!(seen, fit(table.samples(), &[]).unwrap());
}

#[test]
fn a_weight_of_two_is_the_row_twice() {
    let table = samples(0, 60, 4, 3);
    let mut doubled = samples(0, 60, 4, 3);
    let mut x = doubled.x.as_slice().to_vec();
    x.extend(&x[..4 * 20].to_vec());
    doubled.y.extend(&doubled.y[..20].to_vec());
    doubled = super::Table::new(&x, &doubled.y);
    let weights: Vec<f32> = (0..60).map(|i| if i < 20 { 2.0 } else { 1.0 }).collect();
    let given = [("c", Value::Float(1.0))];
    let a = fit(table.samples().weighted(&weights).unwrap(), &given).unwrap();
    let b = fit(doubled.samples(), &given).unwrap();
    for (a, b) in a.coef().as_slice().iter().zip(b.coef().as_slice()) {
        assert!((a - b).abs() < 2e-3, "{a} and {b}");
    }
}

#[test]
fn events_count_iterations_and_stop_keeps_those_done() {
    let table = samples(0, 100, 6, 3);
    let params = linear::TABLE.resolve([("c", Value::Float(1.0))]).unwrap();
    let fit = |stop_at: usize| {
        let mut events = Vec::new();
        let mut observe = |event: &Event| {
            events.push(event.clone());
            match event {
                Event::Started { .. } if stop_at == 0 => Control::Stop,
                Event::Steps { done, .. } if *done == stop_at => Control::Stop,
                _ => Control::Continue,
            }
        };
        let head = linear::fit(table.samples(), &params, &Pool::inline(), &mut observe).unwrap();
        (head.solution().unwrap(), events)
    };
    let (whole, events) = fit(usize::MAX);
    assert!(whole.converged && whole.n_iter > 5);
    assert_eq!(events[0], Event::Started { total: 1000, unit: "iteration" });
    assert_eq!(events.len(), 1 + whole.n_iter);
    let mut before = 3f64.ln();
    for n_iter in 1..5 {
        let (solution, events) = fit(n_iter);
        assert_eq!((solution.n_iter, solution.converged), (n_iter, false));
        assert!(solution.objective < before && solution.objective > whole.objective);
        before = solution.objective;
        let stopped = Event::Stopped { step: n_iter - 1, reason: StopReason::Asked };
        assert_eq!(*events.last().unwrap(), stopped);
    }
    assert_eq!(fit(0).0, fit(1).0);
}

#[test]
fn tensors_restore_the_head() {
    let table = samples(0, 100, 6, 3);
    let head = fit(table.samples(), &[]).unwrap();
    let restored = Linear::from_tensors(head.tensors()).unwrap();
    assert_eq!(restored.tensors(), head.tensors());
    let pool = Pool::inline();
    assert_eq!(restored.predict_proba(table.x(), &pool), head.predict_proba(table.x(), &pool));
    assert_eq!((restored.n_features(), restored.n_classes(), restored.solution()), (6, 3, None));
}

#[test]
fn tensors_that_are_no_head_are_refused() {
    let message = |change: &dyn Fn(&mut Tensors)| {
        let mut tensors = Tensors::new();
        tensors.insert("coef", &[2, 3], Values::F32(vec![0.5; 6]));
        tensors.insert("intercept", &[2], Values::F32(vec![0.0; 2]));
        change(&mut tensors);
        Linear::from_tensors(tensors).map(drop).unwrap_err().to_string()
    };
    let set = |name: &'static str, shape: &'static [usize], value: f32| {
        move |tensors: &mut Tensors| {
            tensors.insert(name, shape, Values::F32(vec![value; shape.iter().product()]));
        }
    };
    let cases = [
        (set("coef", &[2, 3], f32::NAN), "tensor `coef` holds NaN at 0, expected a finite number"),
        (set("coef", &[6], 0.0), "tensor `coef` has shape [6], expected a matrix with rows and columns"),
        (
            set("coef", &[0, 3], 0.0),
            "tensor `coef` has shape [0, 3], expected a matrix with rows and columns",
        ),
        (set("intercept", &[3], 0.0), "tensor `intercept` has shape [3], expected [2]"),
        (set("bias", &[1], 0.0), "tensor `bias` does not belong to a logistic regression"),
    ];
    for (change, expected) in cases {
        assert_eq!(message(&change), expected);
    }
    assert_eq!(message(&|tensors| drop(std::mem::take(tensors))), "tensor `coef` is missing");
}
