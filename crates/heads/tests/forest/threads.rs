//! The same seed gives the same bytes for any number of threads; different seeds give different forests.

use headsmith_heads::event::StopReason;
use headsmith_heads::params::Value;
use headsmith_heads::{Control, Event, forest};
use headsmith_kernels::Pool;

use super::{go_on, samples, text};

#[test]
fn any_number_of_threads_gives_the_same_forest_and_predictions() {
    let (train, val) = (samples(0, 300, 12, 3), samples(5000, 301, 12, 3));
    let given = [
        ("n_estimators", Value::Int(70)),
        ("oob_score", Value::Bool(true)),
        ("class_weight", text("balanced_subsample")),
    ];
    let params = forest::TABLE.resolve(given).unwrap();
    let fit = |seed, n_threads| {
        let pool = Pool::new(n_threads).unwrap();
        let fitted = forest::fit(train.samples(), &params, seed, &pool, &mut go_on).unwrap();
        let proba = fitted.predict_proba(val.x(), &pool);
        (fitted, proba)
    };
    let (one, proba) = fit(7, 1);
    for n_threads in [2, 5] {
        let (fitted, same) = fit(7, n_threads);
        assert_eq!(fitted, one);
        assert_eq!(same.as_slice(), proba.as_slice());
    }
    assert_ne!(fit(8, 1).0, one);
}

#[test]
fn a_forest_of_more_trees_begins_with_the_same_trees() {
    let train = samples(0, 80, 5, 3);
    let tensors = |n| train.fit(&[("n_estimators", Value::Int(n))], 3).tensors();
    let (few, many) = (tensors(4), tensors(9));
    let threshold = |mut t: headsmith_heads::tensors::Tensors| {
        let n = t.shape("threshold").unwrap()[0];
        t.take_f32("threshold", &[n]).unwrap()
    };
    let (few, many) = (threshold(few), threshold(many));
    assert_eq!(many[..few.len()], few);
}

#[test]
fn events_count_the_trees_and_stop_keeps_those_grown() {
    let train = samples(0, 60, 4, 3);
    let params = forest::TABLE.resolve([("n_estimators", Value::Int(150))]).unwrap();
    let fit = |stop_at: usize| {
        let mut events = Vec::new();
        let mut observe = |event: &Event| {
            events.push(event.clone());
            match event {
                Event::Steps { done, .. } if *done >= stop_at => Control::Stop,
                _ => Control::Continue,
            }
        };
        let fitted = forest::fit(train.samples(), &params, 1, &Pool::inline(), &mut observe).unwrap();
        (fitted, events)
    };
    let (whole, events) = fit(usize::MAX);
    assert_eq!(whole.n_trees(), 150);
    assert_eq!(events[0], Event::Started { total: 150, unit: "tree" });
    assert_eq!(events[events.len() - 1], Event::Steps { done: 150, total: 150, unit: "tree" });

    let (part, events) = fit(1);
    assert!(part.n_trees() < 150);
    assert_eq!(events[events.len() - 2], Event::Steps { done: part.n_trees(), total: 150, unit: "tree" });
    let stopped = Event::Stopped { step: part.n_trees() - 1, reason: StopReason::Asked };
    assert_eq!(events[events.len() - 1], stopped);
    assert_eq!(part.feature_importances().len(), 4);
}
