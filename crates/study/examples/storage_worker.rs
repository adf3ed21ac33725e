//! A worker with a trivial objective, for referees and peers that run Optuna on the same database.
//!
//!     storage_worker make URL NAME       a study with trials in all states and all kinds of values
//!     storage_worker dump URL NAME       its trials as JSON
//!     storage_worker work URL NAME N     work until the study has N trials
//!     storage_worker time URL NAME N     the seconds that N trials with 5 parameters and 20 reports take

use std::error::Error;
use std::time::{Duration, Instant};

use headsmith_study::storages::{self, Claim, Claimed, Options, Scope, Storage};
use headsmith_study::{Attributes, Choice, Direction, Distribution, Params, State, Trial};
use serde_json::{Value, json};

const GRACE: Duration = Duration::from_secs(120);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let open = |url: &str| storages::open(url, &Options::default());
    match args.as_slice() {
        ["make", url, name] => make(open(url)?.as_mut(), name)?,
        ["dump", url, name] => println!("{}", dump(open(url)?.as_mut(), name)?),
        ["work", url, name, n] => work(open(url)?.as_mut(), name, n.parse()?)?,
        ["time", url, name, n] => println!("{}", time(open(url)?.as_mut(), name, n.parse()?)?),
        _ => return Err("make URL NAME | dump URL NAME | work URL NAME N | time URL NAME N".into()),
    }
    Ok(())
}

fn study_id(storage: &mut dyn Storage, name: &str) -> Result<i64, Box<dyn Error>> {
    Ok(storage.study(name)?.ok_or("there is no such study")?.id)
}

fn params(x: f64, step: f64, n: i64, choice: usize) -> Params {
    let choices = vec![
        Choice::Null,
        Choice::Bool(true),
        Choice::Int(3),
        Choice::Float(0.5),
        Choice::Text("ü \"q\"".into()),
    ];
    let all = [
        ("x", Distribution::Float { low: 1e-5, high: 1.0, log: true, step: None }, x),
        ("s", Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.25) }, step),
        ("n", Distribution::Int { low: 1, high: 9, log: false, step: 2 }, n as f64),
        ("m", Distribution::Int { low: 1, high: 1024, log: true, step: 1 }, (n * n) as f64),
        ("c", Distribution::Categorical { choices }, choice as f64),
    ];
    all.into_iter().map(|(name, distribution, value)| (name.to_owned(), (distribution, value))).collect()
}

/// Creates trials in all states, with values that are hard to store.
fn make(storage: &mut dyn Storage, name: &str) -> Result<(), Box<dyn Error>> {
    let none = Attributes::new();
    let study = storage.create_study(name, Direction::Minimize)?;
    storage.set_study_attr(study.id, Scope::User, "table", &json!({"rows": 10, "ü": [null, 0.5]}))?;
    let ends = [
        (State::Complete, Some(0.25)),
        (State::Pruned, None),
        (State::Fail, None),
        (State::Complete, Some(f64::INFINITY)),
        (State::Complete, Some(f64::NEG_INFINITY)),
        (State::Complete, Some(1e-300)),
    ];
    for (at, (state, value)) in ends.into_iter().enumerate() {
        let trial = begin(storage, study.id, params(0.1 / (at as f64 + 1.0), 0.25, 3, at % 5))?;
        for (step, report) in
            [0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.1 + 0.2].into_iter().enumerate()
        {
            let rung = [("completed_rung_0".to_owned(), json!("Infinity"))].into();
            storage.report(trial.id, step as i64, report, &rung, Some(b"half done"))?;
        }
        let user = [("words".to_owned(), json!(["\u{1f600}", {"deep": -1}]))].into();
        storage.finish(trial.id, state, value, &user, &none)?;
    }
    let running = begin(storage, study.id, params(0.5, 1.0, 9, 4))?;
    storage.report(running.id, 0, 0.5, &none, Some(b"half done"))?;
    let fixed = [("x".to_owned(), json!(0.5)), ("c".to_owned(), json!(3))].into();
    storage.enqueue(study.id, &fixed, &none)?;
    Ok(())
}

fn begin(storage: &mut dyn Storage, study_id: i64, params: Params) -> Result<Trial, Box<dyn Error>> {
    let system_attrs = [("headsmith:worker".to_owned(), json!("example"))].into();
    let mut choice = Some(Claim::Begin { params, system_attrs });
    match storage.claim(study_id, GRACE, &mut |_| Ok(choice.take().unwrap_or(Claim::Wait)))? {
        Claimed::Trial(trial) => Ok(*trial),
        _ => Err("no trial was begun".into()),
    }
}

fn dump(storage: &mut dyn Storage, name: &str) -> Result<Value, Box<dyn Error>> {
    let id = study_id(storage, name)?;
    Ok(storage.trials(id)?.iter().map(|trial| described(trial)).collect())
}

fn described(trial: &Trial) -> Value {
    let params = trial.params.iter().map(|(name, (distribution, value))| {
        (name.clone(), serde_json::to_value(distribution.external(*value)).unwrap_or_default())
    });
    let reports = trial.intermediate.iter().map(|(step, value)| (step.to_string(), float(*value)));
    json!({
        "number": trial.number,
        "state": format!("{:?}", trial.state).to_uppercase(),
        "value": trial.value.map(float),
        "params": params.collect::<serde_json::Map<_, _>>(),
        "intermediate": reports.collect::<serde_json::Map<_, _>>(),
        "user_attrs": trial.user_attrs,
        "system_attrs": trial.system_attrs,
        "started": trial.started.map(|time| time.as_microsecond()),
        "completed": trial.completed.map(|time| time.as_microsecond()),
    })
}

fn float(value: f64) -> Value {
    if value.is_finite() { value.into() } else { format!("{value}").into() }
}

/// Resumes waiting trials, and starts new ones until there are `n_trials`.
fn work(storage: &mut dyn Storage, name: &str, n_trials: usize) -> Result<(), Box<dyn Error>> {
    let id = study_id(storage, name)?;
    loop {
        let claimed = storage.claim(id, GRACE, &mut |queue| {
            let system_attrs = [("worker".to_owned(), json!("rust"))].into();
            let x = (1 + queue.trials.len() % 97) as f64 / 100.0;
            let waiting = queue.trials.iter().find(|trial| trial.state == State::Waiting);
            Ok(match waiting {
                Some(trial) => Claim::Take { trial_id: trial.id, params: only_x(x), system_attrs },
                None if queue.trials.len() < n_trials => Claim::Begin { params: only_x(x), system_attrs },
                None => Claim::Done,
            })
        })?;
        let Claimed::Trial(trial) = claimed else { return Ok(()) };
        let x = trial.params.get("x").map_or(0.0, |(_, x)| *x);
        for step in 0..3 {
            storage.report(trial.id, step, x / (1 + step) as f64, &Attributes::new(), None)?;
        }
        let user = [("by".to_owned(), json!("rust"))].into();
        storage.finish(trial.id, State::Complete, Some(x), &user, &Attributes::new())?;
    }
}

fn only_x(x: f64) -> Params {
    [("x".to_owned(), (Distribution::Float { low: 0.0, high: 1.0, log: false, step: None }, x))].into()
}

/// The storage's time for `n_trials`: each is claimed, reports 20 times and is finished, and all trials are read in
/// between.
fn time(storage: &mut dyn Storage, name: &str, n_trials: usize) -> Result<f64, Box<dyn Error>> {
    let id = storage.create_study(name, Direction::Minimize)?.id;
    let none = Attributes::new();
    let start = Instant::now();
    for nth in 0..n_trials {
        let trial = begin(storage, id, params(1.0 / (1.0 + nth as f64), 0.5, 3, nth % 5))?;
        for step in 0..20 {
            storage.report(trial.id, step, 1.0 / (1.0 + step as f64), &none, None)?;
        }
        storage.finish(trial.id, State::Complete, Some(0.05), &none, &none)?;
    }
    Ok(start.elapsed().as_secs_f64())
}
