//! The contract of every storage, tested on both databases.

use std::collections::BTreeMap;
use std::time::Duration;

use headsmith_study::storages::{Checkpoint, Claim, Claimed, Scope, Storage};
use headsmith_study::{Attributes, Choice, Direction, Distribution, Kind, State};
use serde_json::json;

use crate::patience::wait_for;
use crate::server::Server;
use crate::{LONG, begin, finish, open, params, study, trial, url};

/// Opens another storage on the same database.
type Open<'o> = &'o dyn Fn() -> Box<dyn Storage>;

const CHECKS: [fn(Open<'_>); 11] = [
    studies_are_made_found_renamed_and_deleted,
    a_trial_is_stored_as_reported,
    a_finished_trial_does_not_change,
    a_pruned_trial_has_the_value_of_its_last_report,
    an_enqueued_trial_waits_and_is_begun_under_its_number,
    waiting_changes_nothing,
    a_parameter_keeps_its_kind_scale_and_choices,
    checkpoints_are_kept_until_the_end_of_their_trial,
    a_stale_trial_is_resumed_from_its_checkpoint_and_its_worker_gets_a_conflict,
    a_stale_trial_can_be_failed,
    reused_keys_do_not_revive_deleted_trials,
];

#[test]
fn sqlite_keeps_the_contract() {
    for check in CHECKS {
        let folder = tempfile::tempdir().unwrap();
        check(&|| open(&url(folder.path())));
    }
}

#[test]
fn postgresql_keeps_the_contract() {
    let Some(server) = Server::start() else { return };
    for check in CHECKS {
        let url = server.database();
        check(&|| open(&url));
    }
}

fn attributes(json: serde_json::Value) -> Attributes {
    serde_json::from_value(json).unwrap()
}

fn studies_are_made_found_renamed_and_deleted(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let a = storage.create_study("a", Direction::Minimize).unwrap();
    let b = storage.create_study("ü \"b\"", Direction::Maximize).unwrap();
    assert_eq!(other.create_study("a", Direction::Minimize).unwrap_err().kind(), Kind::Conflict);
    assert_eq!(other.studies().unwrap(), [a.clone(), b.clone()]);
    other.set_study_attr(a.id, Scope::User, "k", &json!({"x": [1, null]})).unwrap();
    other.set_study_attr(a.id, Scope::User, "k", &json!("y")).unwrap();
    other.set_study_attr(a.id, Scope::System, "headsmith:lag", &json!(8)).unwrap();
    other.rename_study(a.id, "c").unwrap();
    other.rename_study(a.id, "c").unwrap();
    assert_eq!(other.rename_study(a.id, "ü \"b\"").unwrap_err().kind(), Kind::Conflict);
    let found = storage.study("c").unwrap().unwrap();
    assert_eq!((found.id, found.direction), (a.id, Direction::Minimize));
    assert_eq!(found.user_attrs, attributes(json!({"k": "y"})));
    assert_eq!(found.system_attrs, attributes(json!({"headsmith:lag": 8})));
    assert_eq!(storage.study("a").unwrap(), None);

    let running = begin(storage, a.id);
    storage.report(running.id, 0, 0.5, &Attributes::new(), Some(b"state")).unwrap();
    other.delete_study(a.id).unwrap();
    assert_eq!(other.delete_study(a.id).unwrap_err().kind(), Kind::NotFound);
    assert_eq!(storage.trials(a.id).unwrap_err().kind(), Kind::NotFound);
    let late = storage.report(running.id, 1, 0.5, &Attributes::new(), None);
    assert_eq!(late.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(storage.studies().unwrap(), [b]);
    assert_eq!(storage.checkpoint(running.id).unwrap(), None);
    let long = storage.create_study(&"x".repeat(513), Direction::Minimize);
    assert_eq!(long.unwrap_err().kind(), Kind::Configuration);
}

fn a_trial_is_stored_as_reported(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let id = study(storage);
    let mut all = params(0.25);
    let choices = vec![Choice::Null, Choice::Bool(true), Choice::Int(2), Choice::Text("ä".into())];
    all.insert("c".into(), (Distribution::Categorical { choices }, 3.0));
    let claimed = storage.claim(id, LONG, &mut |_| {
        Ok(Claim::Begin { params: all.clone(), system_attrs: attributes(json!({"s": 1})) })
    });
    let begun = trial(claimed.unwrap());
    assert_eq!((begun.number, begun.state, &begun.params), (0, State::Running, &all));
    let values = [(0, 0.1), (1, f64::NAN), (2, f64::INFINITY), (3, f64::NEG_INFINITY), (7, 1e-300)];
    for (step, value) in values {
        let remember = attributes(json!({ "completed_rung_0": "Infinity" }));
        storage.report(begun.id, step, value, &remember, None).unwrap();
    }
    storage.report(begun.id, 0, 0.2, &Attributes::new(), None).unwrap();
    storage.set_trial_attr(begun.id, Scope::User, "note", &json!([1.5, "x"])).unwrap();
    let seen = other.trials(id).unwrap();
    assert_eq!((seen.len(), seen[0].state, seen[0].intermediate.len()), (1, State::Running, 5));

    let user = attributes(json!({"f1": 0.75}));
    let system = attributes(json!({"headsmith:reason": null}));
    storage.finish(begun.id, State::Complete, Some(f64::INFINITY), &user, &system).unwrap();
    let seen = other.trials(id).unwrap()[0].clone();
    // NaN equals nothing.
    assert_eq!(format!("{seen:?}"), format!("{:?}", storage.trials(id).unwrap()[0]));
    assert_eq!((seen.state, seen.value, &seen.params), (State::Complete, Some(f64::INFINITY), &all));
    let bits = |values: &BTreeMap<i64, f64>| values.values().map(|v| v.to_bits()).collect::<Vec<_>>();
    let mut expected: BTreeMap<i64, f64> = values.into();
    expected.insert(0, 0.2);
    assert_eq!(bits(&seen.intermediate), bits(&expected));
    assert_eq!(seen.user_attrs, attributes(json!({"f1": 0.75, "note": [1.5, "x"]})));
    assert_eq!(seen.system_attrs["completed_rung_0"], json!("Infinity"));
    assert!(seen.started.unwrap() <= seen.completed.unwrap());
}

fn a_finished_trial_does_not_change(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let id = study(storage);
    let none = Attributes::new();
    let ended = begin(storage, id);
    finish(storage, ended.id, 1.0);
    let before = other.trials(id).unwrap();
    let refused = [
        other.report(ended.id, 0, 0.0, &none, None),
        other.finish(ended.id, State::Fail, None, &none, &none),
        other.set_trial_attr(ended.id, Scope::User, "k", &json!(1)),
        storage.finish(ended.id, State::Complete, Some(2.0), &none, &none),
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), Kind::Conflict);
    }
    other.heartbeat(&[ended.id]).unwrap();
    assert_eq!(open().trials(id).unwrap(), before);
    // Finished trials are cached: this is the same value.
    assert!(std::sync::Arc::ptr_eq(&other.trials(id).unwrap()[0], &before[0]));

    let wrong = begin(storage, id);
    for (state, value) in [(State::Complete, None), (State::Complete, Some(f64::NAN)), (State::Running, None)]
    {
        let error = storage.finish(wrong.id, state, value, &none, &none).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
    }
    let nowhere = storage.report(4711, 0, 0.0, &none, None);
    assert_eq!(nowhere.unwrap_err().kind(), Kind::NotFound);
}

fn a_pruned_trial_has_the_value_of_its_last_report(open: Open<'_>) {
    let storage = &mut *open();
    let id = study(storage);
    let none = Attributes::new();
    for (reports, value) in [
        (&[0.5, 0.25][..], Some(0.25)),
        (&[0.5, f64::NAN], None),
        (&[f64::INFINITY], Some(f64::INFINITY)),
        (&[], None),
    ] {
        let pruned = begin(storage, id);
        for (step, report) in reports.iter().enumerate() {
            storage.report(pruned.id, step as i64, *report, &none, None).unwrap();
        }
        storage.finish(pruned.id, State::Pruned, None, &none, &none).unwrap();
        let seen = storage.trials(id).unwrap().last().unwrap().clone();
        assert_eq!((seen.state, seen.value), (State::Pruned, value));
    }
}

fn an_enqueued_trial_waits_and_is_begun_under_its_number(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let id = study(storage);
    let first = begin(storage, id);
    let number = other.enqueue(id, &attributes(json!({"x": 0.5})), &attributes(json!({"u": 1}))).unwrap();
    assert_eq!(number, 1);
    let mut asked = 0;
    let claimed = storage.claim(id, LONG, &mut |queue| {
        asked += 1;
        let waiting = queue.trials.iter().find(|trial| trial.state == State::Waiting).unwrap();
        assert_eq!((waiting.number, waiting.started), (1, None));
        assert_eq!(waiting.system_attrs["fixed_params"], json!({"x": 0.5}));
        let system_attrs = attributes(json!({"headsmith:worker": "w"}));
        Ok(Claim::Take { trial_id: waiting.id, params: params(0.5), system_attrs })
    });
    let begun = trial(claimed.unwrap());
    assert_eq!((asked, begun.number, begun.state), (1, 1, State::Running));
    assert!(begun.started.is_some());
    assert_eq!((&begun.params, &begun.user_attrs["u"]), (&params(0.5), &json!(1)));
    assert_eq!(begin(other, id).number, 2);
    assert_ne!(first.id, begun.id);
}

fn waiting_changes_nothing(open: Open<'_>) {
    let storage = &mut *open();
    let id = study(storage);
    assert_eq!(storage.claim(id, LONG, &mut |_| Ok(Claim::Wait)).unwrap(), Claimed::Wait);
    assert_eq!(storage.claim(id, LONG, &mut |_| Ok(Claim::Done)).unwrap(), Claimed::Done);
    let refused = storage.claim(id, LONG, &mut |_| {
        Err(headsmith_study::Error::new(Kind::Configuration, "the sampler says no"))
    });
    assert_eq!(refused.unwrap_err().to_string(), "the sampler says no");
    assert_eq!(storage.trials(id).unwrap(), []);
    assert_eq!(begin(storage, id).number, 0);
}

fn a_parameter_keeps_its_kind_scale_and_choices(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let id = study(storage);
    begin(storage, id);
    let wider = Distribution::Float { low: 1e-9, high: 2.0, log: true, step: None };
    let linear = Distribution::Float { low: 1e-5, high: 1.0, log: false, step: None };
    let kind = Distribution::Int { low: 1, high: 2, log: true, step: 1 };
    for (distribution, fits) in [(linear, false), (kind, false), (wider, true)] {
        let claimed = other.claim(id, LONG, &mut |_| {
            let params = [("x".to_owned(), (distribution.clone(), 1.0))].into();
            Ok(Claim::Begin { params, system_attrs: Attributes::new() })
        });
        assert_eq!(claimed.map_err(|error| error.kind()).is_ok(), fits);
    }
    assert_eq!(storage.trials(id).unwrap().len(), 2, "what was refused has left nothing");
}

fn checkpoints_are_kept_until_the_end_of_their_trial(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let id = study(storage);
    let none = Attributes::new();
    let running = begin(storage, id);
    assert_eq!(other.checkpoint(running.id).unwrap(), None);
    let state: Vec<u8> = (0..100_000).map(|i| (i % 251) as u8).collect();
    storage.report(running.id, 0, 0.5, &none, Some(b"old")).unwrap();
    storage.report(running.id, 4, 0.6, &none, Some(&state)).unwrap();
    storage.report(running.id, 5, 0.7, &none, None).unwrap();
    assert_eq!(other.checkpoint(running.id).unwrap(), Some(Checkpoint { step: 4, state }));
    finish(storage, running.id, 0.7);
    assert_eq!(other.checkpoint(running.id).unwrap(), None);
}

fn a_stale_trial_is_resumed_from_its_checkpoint_and_its_worker_gets_a_conflict(open: Open<'_>) {
    let (dead, other) = (&mut *open(), &mut *open());
    let id = study(dead);
    let none = Attributes::new();
    let silent = begin(dead, id);
    for step in 0..6 {
        let checkpoint = (step == 3).then_some(&b"epoch 3"[..]);
        dead.report(silent.id, step, 0.1 * step as f64, &none, checkpoint).unwrap();
    }
    let take_up = &mut |queue: headsmith_study::storages::Queue<'_>| {
        Ok(match queue.stale {
            [trial_id] => {
                Claim::Take { trial_id: *trial_id, params: params(1.0), system_attrs: Attributes::new() }
            }
            _ => Claim::Wait,
        })
    };
    assert_eq!(other.claim(id, LONG, take_up).unwrap(), Claimed::Wait, "it was heard of just now");
    assert_eq!(other.silent(id, LONG).unwrap(), [0_i64; 0]);
    std::thread::sleep(Duration::from_millis(150));
    let grace = Duration::from_millis(100);
    assert_eq!(open().silent(id, grace).unwrap(), [silent.id], "who only looks sees it, too");
    // If the process was suspended between two readings of the clocks, it assumes a jump and waits once more.
    let taken =
        wait_for("a claim of the silent trial", || match other.claim(id, grace, &mut *take_up).unwrap() {
            Claimed::Trial(trial) => Some(*trial),
            _ => None,
        });
    assert_eq!((taken.id, taken.number, &taken.params), (silent.id, silent.number, &silent.params));
    assert_eq!(taken.started, silent.started);
    assert_eq!(taken.intermediate.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(other.checkpoint(taken.id).unwrap().unwrap().state, b"epoch 3");
    for late in [
        dead.report(silent.id, 6, 0.6, &none, None),
        dead.finish(silent.id, State::Complete, Some(0.6), &none, &none),
    ] {
        let error = late.unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.to_string().contains("claimed by another worker"), "{error}");
    }
    finish(other, taken.id, 0.7);
    assert_eq!(dead.trials(id).unwrap()[0].value, Some(0.7));
}

fn a_stale_trial_can_be_failed(open: Open<'_>) {
    let (dead, other) = (&mut *open(), &mut *open());
    let id = study(dead);
    let silent = begin(dead, id);
    std::thread::sleep(Duration::from_millis(50));
    let claimed = other.claim(id, Duration::from_millis(20), &mut |queue| {
        Ok(match queue.stale {
            [trial_id] => {
                let system_attrs = attributes(json!({"headsmith:reason": "3 workers died on it"}));
                Claim::Fail { trial_id: *trial_id, system_attrs }
            }
            _ => Claim::Begin { params: params(0.5), system_attrs: Attributes::new() },
        })
    });
    assert_eq!(trial(claimed.unwrap()).number, 1);
    let failed = &other.trials(id).unwrap()[0];
    assert_eq!((failed.id, failed.state, failed.value), (silent.id, State::Fail, None));
    assert!(failed.completed.is_some());
}

fn reused_keys_do_not_revive_deleted_trials(open: Open<'_>) {
    let (storage, other) = (&mut *open(), &mut *open());
    let id = study(storage);
    let old = begin(storage, id);
    storage.report(old.id, 0, 0.5, &Attributes::new(), Some(b"old")).unwrap();
    let ended = begin(storage, id);
    finish(storage, ended.id, 1.0);
    assert_eq!(storage.trials(id).unwrap().len(), 2);
    other.delete_study(id).unwrap();
    let again = study(other);
    let new = begin(other, again);
    assert_eq!(other.checkpoint(new.id).unwrap(), None);
    let seen = storage.trials(again).unwrap();
    assert_eq!((seen.len(), seen[0].state, seen[0].number), (1, State::Running, 0));
}
