//! Fits step by step: events, stopping, resuming.

use headsmith_heads::event::StopReason;
use headsmith_heads::head::Resume;
use headsmith_heads::{Control, Event};

use super::{assert_distributions, each, fit, quiet};

#[test]
fn events_count_the_steps() {
    each(|head, job, _| {
        let mut events = Vec::new();
        let mut observer = |event: &Event| {
            events.push(event.clone());
            Control::Continue
        };
        let (_, training) = fit(head, job, &mut observer).unwrap();
        let Some(Event::Started { total, unit }) = events.first() else {
            panic!("{}: {events:?}", head.name())
        };
        assert!(*total > 0 && !unit.is_empty());
        let steps =
            events.iter().filter(|event| matches!(event, Event::Epoch(_) | Event::Steps { .. })).count();
        assert!(steps > 0 && training.n_steps <= *total, "{}: {events:?}", head.name());
        if let Some(Event::Steps { done, .. }) =
            events.iter().rev().find(|event| matches!(event, Event::Steps { .. }))
        {
            assert_eq!(*done, training.n_steps);
        }
    });
}

#[test]
fn a_fit_that_is_stopped_at_once_ends_early_and_predicts() {
    each(|head, job, val| {
        let (fitted, training) = fit(head, job, &mut |_: &Event| Control::Stop).unwrap();
        let (_, whole) = fit(head, job, &mut quiet).unwrap();
        assert!(training.n_steps <= whole.n_steps, "{}", head.name());
        if training.n_steps < whole.n_steps {
            assert_eq!(training.stopped, Some(StopReason::Asked), "{}", head.name());
        }
        assert_distributions(head, &fitted.predict_proba(val.x.view(), job.pool));
    });
}

#[test]
fn a_resumed_fit_ends_in_the_same_bytes() {
    each(|head, job, _| {
        let (expected, _) = fit(head, job, &mut quiet).unwrap();
        let mut fitting = head.begin(job, None).unwrap();
        let mut values = Vec::new();
        while fitting.done() < fitting.total() && fitting.stopped().is_none() {
            let step = fitting.step().unwrap();
            let Some(state) = fitting.state() else { return };
            values.extend(step.epoch.map(|record| (record.epoch, record.val.unwrap().get(job.metric))));
            // Each step is done by a fit that has nothing but the state.
            fitting = head.begin(job, Some(Resume { state, values: values.clone() })).unwrap();
        }
        let resumed = fitting.finish().unwrap();
        assert_eq!(resumed.tensors(), expected.tensors(), "{}", head.name());
    });
}

#[test]
fn a_damaged_state_is_refused() {
    each(|head, job, _| {
        let mut fitting = head.begin(job, None).unwrap();
        fitting.step().unwrap();
        let Some(state) = fitting.state() else {
            let state = headsmith_heads::head::State { text: "{}".to_owned(), tensors: Default::default() };
            assert!(head.begin(job, Some(Resume { state, values: Vec::new() })).is_err(), "{}", head.name());
            return;
        };
        let mut torn = state.clone();
        torn.text.truncate(torn.text.len() / 2);
        assert!(
            head.begin(job, Some(Resume { state: torn, values: Vec::new() })).is_err(),
            "{}",
            head.name()
        );
        let mut empty = state;
        empty.tensors = Default::default();
        assert!(
            head.begin(job, Some(Resume { state: empty, values: Vec::new() })).is_err(),
            "{}",
            head.name()
        );
    });
}

#[test]
fn parameters_of_another_head_are_refused() {
    each(|head, job, _| {
        for other in headsmith_heads::HEADS.iter().filter(|other| other.name() != head.name()) {
            let params = other.table().defaults();
            let error = head.begin(headsmith_heads::Job { params: &params, ..job }, None).err().unwrap();
            assert!(error.to_string().contains(other.name()), "{error}");
            assert!(head.cost(job.shape(), &params).is_err());
        }
    });
}
