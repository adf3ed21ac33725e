//! Python workers on the same study: the parameters that their running trials will have are seen.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headsmith_kernels::Sequence;
use headsmith_study::samplers::{History, Random, Sampler, Tpe};
use headsmith_study::storages::{self, Options};
use headsmith_study::*;
use serde::Deserialize;

/// The file written by `data/running/make_running.py`.
#[derive(Debug, Deserialize)]
struct Recorded {
    running: BTreeMap<u64, BTreeMap<String, Choice>>,
    space: Vec<(String, String)>,
    points: Vec<Vec<f64>>,
    above: Vec<u64>,
    scores: Vec<f64>,
}

type SeenHistory = (Direction, Vec<Arc<Trial>>, Vec<(u64, Params)>);

/// Records the history it gets.
#[derive(Debug, Default)]
struct Spy(Arc<Mutex<Option<SeenHistory>>>);

impl Sampler for Spy {
    fn suggest(
        &self,
        space: &Space,
        history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        let shown = (history.direction, history.finished.to_vec(), history.running.to_vec());
        self.0.lock().unwrap().replace(shown);
        Random.suggest(space, history, number, fixed, draws)
    }
}

#[test]
fn planned_parameters_of_python_trials_are_seen() {
    let recorded: Recorded = serde_json::from_str(include_str!("data/running/running.json")).unwrap();
    let params = recorded.space.iter().map(|(name, json)| SpaceParam {
        name: name.clone(),
        distribution: Distribution::from_json(json).unwrap(),
        when: None,
    });
    let space = Space::new(params.collect()).unwrap();
    let (direction, finished, running) = history_of_the_next_trial(&space);
    let external = |params: &Params| -> BTreeMap<String, Choice> {
        params.iter().map(|(name, (d, inside))| (name.clone(), d.external(*inside))).collect()
    };
    let found: BTreeMap<u64, _> =
        running.iter().map(|(number, params)| (*number, external(params))).collect();
    let expected: BTreeMap<u64, _> =
        recorded.running.into_iter().filter(|(_, params)| !params.is_empty()).collect();
    assert_eq!(found, expected);
    assert!(expected.values().filter(|params| params.len() == space.params.len()).count() >= 2);

    let history = History { direction, finished: &finished, running: &running };
    let params: Vec<(&str, &Distribution)> =
        space.params.iter().map(|param| (param.name.as_str(), &param.distribution)).collect();
    let found = Tpe::default().score(history, &params, &recorded.points);
    // Trials without parameters do not count; Optuna lists them all the same.
    assert!(found.above.iter().all(|number| recorded.above.contains(number)));
    for (score, expected) in found.scores.iter().zip(&recorded.scores) {
        assert!(
            (score - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{score:?}, expected {expected:?}"
        );
    }
}

/// The history that our sampler sees when a worker begins a trial of the recorded study.
fn history_of_the_next_trial(space: &Space) -> SeenHistory {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("study.db");
    let sql = format!("PRAGMA foreign_keys = OFF; {}", include_str!("data/running/study.sql"));
    rusqlite::Connection::open(&file).unwrap().execute_batch(&sql).unwrap();
    let mut storage = storages::open(&format!("sqlite:///{}", file.display()), &Options::default()).unwrap();
    let record = storage.study("python").unwrap().unwrap();
    let n_trials = storage.trials(record.id).unwrap().len() as u64;
    let spy = Spy::default();
    let shown = spy.0.clone();
    let study = Study {
        record,
        space: space.clone(),
        sampler: Box::new(spy),
        pruner: Box::new(pruners::Nop),
        seed: 1,
        lag: 8,
        n_trials: Some(n_trials + 1),
        max_attempts: 1,
    };
    let stop = AtomicBool::new(false);
    let options = Work { n_jobs: 1, stop: &stop, deadline: None, heartbeat: Duration::from_secs(60) };
    let done = |_: &mut Running<'_>| {
        let (user_attrs, system_attrs) = Default::default();
        Ok(Outcome::Complete { value: 0.0, user_attrs, system_attrs })
    };
    work(&study, storage.as_mut(), &options, &done, &|_| ()).unwrap();
    shown.lock().unwrap().take().unwrap()
}
