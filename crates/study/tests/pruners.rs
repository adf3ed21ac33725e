//! Compares pruners with decisions that Optuna recorded, and tests the intended differences.

// Clippy lets tests unwrap, but not the functions they call.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use headsmith_study::pruners::{Asha, Peers, Pruner, parse};
use headsmith_study::{Attributes, Direction, State, Trial};
use serde_json::Value;

const RECORDED: &str = include_str!("data/pruners.json");

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn running(number: u64) -> Trial {
    Trial {
        id: number as i64,
        number,
        state: State::Running,
        value: None,
        params: BTreeMap::new(),
        intermediate: BTreeMap::new(),
        user_attrs: Attributes::new(),
        system_attrs: Attributes::new(),
        started: None,
        completed: None,
        ..Trial::default()
    }
}

/// Trials by number, running ones included.
#[derive(Default)]
struct Study {
    name: String,
    maximize: bool,
    trials: BTreeMap<u64, Arc<Trial>>,
}

impl Study {
    fn trial(&mut self, number: u64) -> &mut Trial {
        Arc::make_mut(self.trials.entry(number).or_insert_with(|| Arc::new(running(number))))
    }

    /// Reports a value and judges the trial; stores the verdict's attributes.
    fn judge(&mut self, pruner: &dyn Pruner, number: u64) -> bool {
        let others: Vec<Arc<Trial>> =
            self.trials.iter().filter(|(n, _)| **n != number).map(|(_, t)| t.clone()).collect();
        let direction = if self.maximize { Direction::Maximize } else { Direction::Minimize };
        let peers = Peers { study_name: &self.name, direction, trials: &others };
        let verdict = pruner.judge(peers, &self.trials[&number]);
        self.trial(number).system_attrs.extend(verdict.remember);
        verdict.prune
    }

    /// Runs a trial on this curve, from step 0, until it is pruned or at its end; returns its last step.
    fn run(&mut self, pruner: &dyn Pruner, number: u64, curve: &[f64]) -> usize {
        for (step, &value) in curve.iter().enumerate() {
            self.trial(number).intermediate.insert(step as i64, value);
            if self.judge(pruner, number) {
                self.trial(number).state = State::Pruned;
                return step;
            }
        }
        let trial = self.trial(number);
        (trial.state, trial.value) = (State::Complete, curve.last().copied());
        curve.len() - 1
    }
}

/// Each decision and each stored rung of each pruner is Optuna's.
#[test]
fn decisions_are_optunas() {
    let studies: Vec<Value> = serde_json::from_str(RECORDED).unwrap();
    let (mut n_answers, mut n_pruned) = (0, 0);
    for recorded in &studies {
        let text = recorded["pruner"].as_str().unwrap();
        let pruner = parse(text, None).unwrap();
        let mut study = Study {
            name: recorded["study"].as_str().unwrap().into(),
            maximize: recorded["direction"] == "maximize",
            ..Study::default()
        };
        for (i, event) in recorded["events"].as_array().unwrap().iter().enumerate() {
            let place =
                || format!("{text}, {}, {}, event {i}: {event}", recorded["direction"], study_of(recorded));
            let trial_number = event[0].as_u64().unwrap();
            if let Some(state) = event[1].as_str() {
                let trial = study.trial(trial_number);
                trial.state = match state {
                    "complete" => State::Complete,
                    "pruned" => State::Pruned,
                    _ => State::Fail,
                };
                trial.value = (!event[2].is_null()).then(|| number(&event[2]));
                continue;
            }
            study.trial(trial_number).intermediate.insert(event[1].as_i64().unwrap(), number(&event[2]));
            if event.as_array().unwrap().len() == 3 {
                continue;
            }
            let prune = study.judge(pruner.as_ref(), trial_number);
            assert_eq!(prune, event[3] == 1, "{}", place());
            let remembered: Vec<f64> =
                study.trials[&trial_number].system_attrs.values().map(number).collect();
            let expected: Vec<f64> = event[4].as_array().unwrap().iter().map(number).collect();
            assert_eq!(remembered, expected, "{}", place());
            n_answers += 1;
            n_pruned += usize::from(prune);
        }
    }
    assert!(n_answers > 10_000 && n_pruned > 1000, "{n_answers} answers, {n_pruned} pruned");
}

fn study_of(recorded: &Value) -> &str {
    recorded["study"].as_str().unwrap()
}

/// A curve that rises to `end`.
fn rising(end: f64) -> Vec<f64> {
    (0..30).map(|step| end * (1.0 - (-f64::from(step + 1) / 5.0).exp())).collect()
}

fn maximizing() -> Study {
    Study { name: "study".into(), maximize: true, ..Study::default() }
}

/// A value that a trial reports late does not count against trials that reach a rung early.
#[test]
fn a_late_report_fills_the_rungs_with_the_best_so_far() {
    let mut late = rising(0.8);
    late[11..].fill(0.6);
    for (text, faithful) in [
        ("patient-halving:reduction_factor=3,patience=3", false),
        ("patient-halving:reduction_factor=3,patience=3,faithful=true", true),
    ] {
        let pruner = parse(text, None).unwrap();
        let mut study = maximizing();
        study.run(pruner.as_ref(), 0, &late);
        let rung_0 = study.trials[&0].system_attrs["completed_rung_0"].as_f64().unwrap();
        assert_eq!(rung_0, if faithful { 0.6 } else { late[1] }, "{text}");
    }
}

/// Trials that ran under another pruner, and so have no attributes, compete as well.
#[test]
fn peers_need_no_attributes() {
    let none = parse("none", None).unwrap();
    for (text, last) in [("halving", 1), ("hyperband:max_resource=1", 1), ("halving:faithful=true", 29)] {
        let mut study = maximizing();
        for number in 0..8 {
            study.run(none.as_ref(), number, &rising(0.9));
        }
        assert_eq!(study.run(parse(text, None).unwrap().as_ref(), 8, &rising(0.2)), last, "{text}");
    }
}

#[test]
fn asha_continues_the_first_and_counts_epochs_from_one() {
    let asha = parse("asha", None).unwrap();
    let mut study = maximizing();
    let last_steps: Vec<usize> = [0.9, 0.5, 0.6, 0.3, 0.95, 0.2, 0.92]
        .iter()
        .zip(0..)
        .map(|(&end, number)| study.run(asha.as_ref(), number, &rising(end)))
        .collect();
    // Two trials continue at the rung of the first epoch in any case; then only the best third of those that reach it.
    // The rung of 3 epochs is at step 2, where 0.92 is not the best of four.
    assert_eq!(last_steps, [29, 29, 0, 0, 29, 0, 2]);
}

#[test]
fn asha_lists_late_promotions() {
    let asha = Asha::new(1, 2, 0).unwrap();
    let mut study = maximizing();
    for (number, end) in [(0, 0.9), (1, 0.8), (2, 0.5), (3, 0.4), (4, 0.3), (5, 0.2)] {
        study.run(&asha, number, &rising(end));
    }
    let trials: Vec<Arc<Trial>> = study.trials.values().cloned().collect();
    let peers = Peers { study_name: "study", direction: Direction::Maximize, trials: &trials };
    // Of six at the first rung three are good enough by now: 0 continued, 1 and 2 were pruned there.
    assert_eq!(asha.late_promotions(peers), [1, 2]);
    assert!(asha.late_promotions(Peers { trials: &[], ..peers }).is_empty());
}

#[test]
fn one_epoch_judges_once() {
    let pruner = parse("one-epoch:keep=2", None).unwrap();
    let mut study = maximizing();
    let last_steps: Vec<usize> = [0.5, 0.4, 0.6, 0.55, 0.1]
        .iter()
        .zip(0..)
        .map(|(&end, number)| study.run(pruner.as_ref(), number, &rising(end)))
        .collect();
    assert_eq!(last_steps, [29, 0, 29, 29, 0]);
    assert_eq!(study.run(pruner.as_ref(), 9, &[f64::NAN; 5]), 0);
}

/// Our patience ends on a plateau; Optuna's waits for ever.
#[test]
fn a_plateau_is_no_progress() {
    let mut curve = rising(0.5);
    curve[10..].fill(0.5);
    for (text, last) in [("patient:patience=4", 15), ("patient:patience=4,faithful=true", 29)] {
        assert_eq!(maximizing().run(parse(text, None).unwrap().as_ref(), 0, &curve), last, "{text}");
    }
}

/// No pruner panics on anything a study may contain: no reports, negative steps, only NaN, huge numbers.
#[test]
fn nothing_panics() {
    let curves: [&[(i64, f64)]; 6] = [
        &[],
        &[(-5, 0.1), (-1, f64::NAN)],
        &[(0, f64::NAN)],
        &[(i64::MIN, f64::INFINITY), (i64::MAX, f64::NEG_INFINITY)],
        &[(0, 0.0), (i64::MAX, 1.0)],
        &[(3, 0.5)],
    ];
    let trial = |number: usize| {
        let mut trial = running(number as u64);
        trial.intermediate = curves[number % 6].iter().copied().collect();
        trial.state = if number.is_multiple_of(2) { State::Complete } else { State::Pruned };
        trial.value = Some(f64::NAN);
        Arc::new(trial)
    };
    let trials: Vec<Arc<Trial>> = (0..24).map(trial).collect();
    for name in headsmith_study::pruners::NAMES {
        for prefix in ["", "patient-"].into_iter().filter(|p| name != "patient" || p.is_empty()) {
            let bounds = if name == "threshold" { "lower=0" } else { "" };
            let pruner = parse(&format!("{prefix}{name}:{bounds}"), None).unwrap();
            for direction in [Direction::Minimize, Direction::Maximize] {
                let peers = Peers { study_name: "", direction, trials: &trials };
                trials.iter().for_each(|trial| drop(pruner.judge(peers, trial)));
            }
        }
    }
}
