//! Storages from outside: one contract for both databases, parallel workers, and failures of everything below a study.
//! Tests of PostgreSQL start their own server.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod child;
mod concurrency;
mod contract;
mod crashes;
mod faults;
mod objectives;
mod outages;
#[allow(dead_code)]
#[path = "../../../cli/tests/cli/patience.rs"]
mod patience;
mod server;
mod time;

use std::path::Path;
use std::time::Duration;

use headsmith_study::storages::{self, Claim, Claimed, Options, Storage};
use headsmith_study::{Attributes, Direction, Distribution, Params, State, Trial};

/// Long enough that nothing is stale.
const LONG: Duration = Duration::from_secs(3600);

fn url(folder: &Path) -> String {
    format!("sqlite:///{}", folder.join("study.db").display())
}

fn open(url: &str) -> Box<dyn Storage> {
    storages::open(url, &Options::default()).expect("the storage opens")
}

fn params(x: f64) -> Params {
    let x_of = Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None };
    let n_of = Distribution::Int { low: 1, high: 9, log: false, step: 2 };
    [("x".to_owned(), (x_of, x)), ("n".to_owned(), (n_of, 3.0))].into()
}

/// Begins the next trial.
fn begin(storage: &mut dyn Storage, study_id: i64) -> Trial {
    let claimed = storage.claim(study_id, LONG, &mut |queue| {
        let x = 1.0 / (1.0 + queue.trials.len() as f64);
        Ok(Claim::Begin { params: params(x), system_attrs: Attributes::new() })
    });
    trial(claimed.expect("a trial is begun"))
}

fn trial(claimed: Claimed) -> Trial {
    match claimed {
        Claimed::Trial(trial) => *trial,
        other => panic!("no trial, but {other:?}"),
    }
}

fn finish(storage: &mut dyn Storage, trial_id: i64, value: f64) {
    let none = Attributes::new();
    storage.finish(trial_id, State::Complete, Some(value), &none, &none).expect("the trial ends");
}

fn study(storage: &mut dyn Storage) -> i64 {
    storage.create_study("s", Direction::Maximize).expect("the study is made").id
}
