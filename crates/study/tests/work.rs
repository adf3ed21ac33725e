//! Workers on a study: any number of them, interrupted, killed and resumed, give the same study.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use headsmith_kernels::Sequence;
use headsmith_study::samplers::{History, Sampler};
use headsmith_study::storages::{self, Claim, Options, Scope, Storage};
use headsmith_study::*;

#[allow(dead_code)]
#[path = "../../cli/tests/cli/patience.rs"]
mod patience;

use patience::with_growing_limits;

/// A sampler that depends on everything it sees: the best so far, the number of finished trials, the running ones.
#[derive(Debug)]
struct Sensitive;

impl Sampler for Sensitive {
    fn suggest(
        &self,
        space: &Space,
        history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        let best = history.finished.iter().filter_map(|trial| trial.value).fold(0.0, f64::max);
        let known: f64 = history.finished.iter().map(|trial| trial.number as f64 + 1.0).sum();
        let running: f64 = history.running.iter().map(|(n, params)| *n as f64 + params["x"].1).sum();
        let mut params = fixed.clone();
        for param in &space.params {
            let x = (best + known * 0.37 + running * 0.61 + number as f64 * 0.11 + draws.uniform()).fract();
            params.entry(param.name.clone()).or_insert((param.distribution.clone(), x));
        }
        params
    }
}

fn space() -> Space {
    let x = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
    Space { params: vec![SpaceParam { name: "x".to_owned(), distribution: x, when: None }] }
}

fn study(storage: &mut dyn Storage, n_trials: u64) -> Study {
    let record = match storage.study("s").unwrap() {
        Some(record) => record,
        None => storage.create_study("s", Direction::Maximize).unwrap(),
    };
    Study {
        record,
        space: space(),
        sampler: Box::new(Sensitive),
        pruner: pruners::parse("median:n_startup_trials=2", None).unwrap(),
        seed: 7,
        lag: 8,
        n_trials: Some(n_trials),
        max_attempts: 3,
    }
}

const EPOCHS: i64 = 12;

/// A trial that takes a random time.
fn objective(trial: &mut Running<'_>) -> Result<Outcome> {
    let x = match trial.params()["x"] {
        Choice::Float(x) => x,
        _ => unreachable!(),
    };
    let first = trial.take_checkpoint().map_or(0, |left| {
        assert_eq!(left.state, left.step.to_le_bytes());
        left.step + 1
    });
    for step in first..EPOCHS {
        thread::sleep(Duration::from_micros((x * 7919.0).fract().mul_add(400.0, 10.0) as u64));
        let value = x * (1.0 - (-(step as f64 + 1.0) * x).exp());
        match trial.report(step, value, &mut || Some(step.to_le_bytes().to_vec()))? {
            NextAction::Continue => (),
            NextAction::Prune => {
                let (reason, user_attrs, system_attrs) = Default::default();
                return Ok(Outcome::Pruned { reason, user_attrs, system_attrs });
            }
            NextAction::Stop => return Ok(Outcome::Interrupted),
        }
    }
    if x > 0.9 {
        return Ok(Outcome::Failed { reason: "too good".to_owned() });
    }
    Ok(Outcome::Complete { value: x, user_attrs: Attributes::new(), system_attrs: Attributes::new() })
}

/// So long that a suspended process does not count as dead.
const RARE: Duration = Duration::from_secs(3600);
/// So short that a silent worker soon counts as dead: after twice this time.
const OFTEN: Duration = Duration::from_millis(200);

fn run(study: &Study, storage: &mut dyn Storage, n_jobs: usize, stop: &AtomicBool) -> Result<()> {
    run_observed(study, storage, &Work { n_jobs, stop, deadline: None, heartbeat: RARE }, &|_| ())
}

fn run_observed(
    study: &Study,
    storage: &mut dyn Storage,
    work: &Work<'_>,
    observer: &(dyn Fn(&StudyEvent) + Sync),
) -> Result<()> {
    headsmith_study::work(study, storage, work, &objective, observer)
}

/// One job, which soon considers others dead.
fn run_impatiently(study: &Study, storage: &mut dyn Storage) -> Result<()> {
    let never = AtomicBool::new(false);
    run_observed(study, storage, &Work { n_jobs: 1, stop: &never, deadline: None, heartbeat: OFTEN }, &|_| ())
}

type Content = (u64, State, Option<u64>, String, String);

/// The part of a study that must be equal whoever ran it: everything but keys and times.
fn content(storage: &mut dyn Storage, study: &Study) -> Vec<Content> {
    let bits = |value: f64| value.to_bits();
    let trials = storage.trials(study.record.id).unwrap();
    let content = trials.iter().map(|trial| {
        let params: Vec<_> = trial.params.iter().map(|(name, (_, x))| (name, bits(*x))).collect();
        let reports: Vec<_> = trial.intermediate.iter().map(|(step, value)| (step, bits(*value))).collect();
        (trial.number, trial.state, trial.value.map(bits), format!("{params:?}"), format!("{reports:?}"))
    });
    content.collect()
}

fn memory() -> Box<dyn Storage> {
    storages::open(":memory:", &Options::default()).unwrap()
}

#[test]
fn any_number_of_workers_up_to_the_lag_gives_the_same_study() {
    let never = AtomicBool::new(false);
    let mut first = None;
    for n_jobs in [1, 2, 4, 8] {
        let mut storage = memory();
        let study = study(storage.as_mut(), 60);
        run(&study, storage.as_mut(), n_jobs, &never).unwrap();
        let content = content(storage.as_mut(), &study);
        let states: Vec<State> = content.iter().map(|trial| trial.1).collect();
        for state in [State::Complete, State::Pruned, State::Fail] {
            assert!(states.contains(&state), "{state:?} is not among {states:?}");
        }
        assert_eq!(content.len(), 60);
        assert_eq!(*first.get_or_insert_with(|| content.clone()), content, "{n_jobs} workers");
    }
}

#[test]
fn random_interruptions_give_the_same_study() {
    let mut whole = memory();
    let of_whole = study(whole.as_mut(), 24);
    run(&of_whole, whole.as_mut(), 3, &AtomicBool::new(false)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:////{}", folder.path().join("s.db").display());
    let (mut stops, mut done) = (0u64, false);
    while !done {
        let mut storage = storages::open(&url, &Options::default()).unwrap();
        let study = study(storage.as_mut(), 24);
        let stop = AtomicBool::new(false);
        // Stops somewhere in the next trials, at a different moment for each job.
        let left = AtomicU64::new(2 + (stops * 7919) % 23);
        let count = |_: &StudyEvent| {
            if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let n_jobs = 1 + stops as usize % 4;
        let work = Work { n_jobs, stop: &stop, deadline: None, heartbeat: RARE };
        run_observed(&study, storage.as_mut(), &work, &count).unwrap();
        stops += 1;
        let trials = storage.trials(study.record.id).unwrap();
        done = trials.len() == 24 && trials.iter().all(|trial| trial.state.is_finished());
        if done {
            assert_eq!(
                content(storage.as_mut(), &study),
                content(whole.as_mut(), &of_whole),
                "after {stops} stops"
            );
        }
        assert!(stops < 2000, "it never ends");
    }
    assert!(stops > 3, "it was never stopped");
}

#[test]
fn two_processes_share_a_study() {
    let mut alone = memory();
    let of_alone = study(alone.as_mut(), 50);
    run(&of_alone, alone.as_mut(), 1, &AtomicBool::new(false)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:////{}", folder.path().join("s.db").display());
    let mut storage = storages::open(&url, &Options::default()).unwrap();
    let study = study(storage.as_mut(), 50);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut storage = storages::open(&url, &Options::default()).unwrap();
                run(&study, storage.as_mut(), 2, &AtomicBool::new(false)).unwrap();
            });
        }
    });
    assert_eq!(content(storage.as_mut(), &study), content(alone.as_mut(), &of_alone));
}

/// Leaves a trial running, as a killed worker of that name would.
fn abandoned(storage: &mut dyn Storage, study: &Study, worker: &str, attempts: u64) {
    let system_attrs =
        [("headsmith:worker".to_owned(), worker.into()), ("headsmith:attempts".to_owned(), attempts.into())];
    let x = (study.space.params[0].distribution.clone(), 0.5);
    let params: Params = [("x".to_owned(), x)].into();
    let claim = Claim::Begin { params, system_attrs: system_attrs.into() };
    storage.claim(study.record.id, Duration::from_secs(60), &mut |_| Ok(claim.clone())).unwrap();
}

#[test]
fn a_dead_workers_trial_is_resumed_until_its_attempts_are_used_up() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let me = Identity::mine();
    let mut parts: Vec<String> = me.token().rsplitn(3, '/').map(str::to_owned).collect();
    parts[1] = child.id().to_string();
    let dead = format!("{}/{}/{}", parts[2], parts[1], parts[0]);
    let mut storage = memory();
    let study = study(storage.as_mut(), 12);
    abandoned(storage.as_mut(), &study, &dead, 1);
    abandoned(storage.as_mut(), &study, &dead, 3);
    run(&study, storage.as_mut(), 2, &AtomicBool::new(false)).unwrap();
    let trials = storage.trials(study.record.id).unwrap();
    assert_eq!(trials.len(), 12);
    assert_eq!((trials[0].state, trials[0].value), (State::Complete, Some(0.5)));
    assert_eq!(trials[1].state, State::Fail);
    assert_eq!(trials[1].system_attrs[REASON], "its worker died 3 times");
}

#[test]
fn a_remote_worker_without_heartbeats_loses_its_trial() {
    let mut storage = memory();
    let study = study(storage.as_mut(), 3);
    let start = Instant::now();
    abandoned(storage.as_mut(), &study, "another machine/7/7", 1);
    run_impatiently(&study, storage.as_mut()).unwrap();
    // The storage's clock has a different resolution.
    assert!(start.elapsed() >= OFTEN * 2 * 9 / 10, "it was taken from a worker that may be alive");
    let trials = storage.trials(study.record.id).unwrap();
    assert!(trials.iter().all(|trial| trial.state.is_finished()));
    assert_eq!((trials.len(), trials[0].value), (3, Some(0.5)));
}

#[test]
fn stale_trials_of_other_programs_fail_and_never_run_twice() {
    let mut storage = memory();
    let study = study(storage.as_mut(), 4);
    let none = Claim::Begin { params: Params::new(), system_attrs: Attributes::new() };
    storage.claim(study.record.id, Duration::from_secs(60), &mut |_| Ok(none.clone())).unwrap();
    // Longer than the grace period: it is stale from the start.
    thread::sleep(3 * OFTEN);
    run_impatiently(&study, storage.as_mut()).unwrap();
    let trials = storage.trials(study.record.id).unwrap();
    assert_eq!(trials[0].state, State::Fail);
    assert_eq!(trials.len(), 4);
    assert!(trials[1..].iter().all(|trial| trial.state.is_finished() && !trial.params.is_empty()));
}

#[test]
fn enqueued_trials_run_first_with_their_values() {
    let mut storage = memory();
    let study = study(storage.as_mut(), 5);
    let fixed: Attributes = [("x".to_owned(), 0.25.into())].into();
    assert_eq!(storage.enqueue(study.record.id, &fixed, &Attributes::new()).unwrap(), 0);
    run(&study, storage.as_mut(), 2, &AtomicBool::new(false)).unwrap();
    let trials = storage.trials(study.record.id).unwrap();
    assert_eq!((trials.len(), trials[0].params["x"].1), (5, 0.25));

    let wrong: Attributes = [("x".to_owned(), 3.into())].into();
    storage.enqueue(study.record.id, &wrong, &Attributes::new()).unwrap();
    let error = run(&study, storage.as_mut(), 1, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("x = 3"), "{error}");
}

#[test]
fn a_failing_objective_fails_only_its_trial() {
    let mut storage = memory();
    let study = study(storage.as_mut(), 3);
    let calls = AtomicU64::new(0);
    let breaks = |_: &mut Running<'_>| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("out of luck"),
        1 => Ok(Outcome::Complete {
            value: f64::NAN,
            user_attrs: Attributes::new(),
            system_attrs: Attributes::new(),
        }),
        _ => Ok(Outcome::Failed { reason: "the loss is not finite".to_owned() }),
    };
    let never = AtomicBool::new(false);
    let work = Work { n_jobs: 1, stop: &never, deadline: None, heartbeat: RARE };
    headsmith_study::work(&study, storage.as_mut(), &work, &breaks, &|_| ()).unwrap();
    let trials = storage.trials(study.record.id).unwrap();
    let reasons: Vec<&str> =
        trials.iter().map(|trial| trial.system_attrs[REASON].as_str().unwrap()).collect();
    assert!(trials.iter().all(|trial| trial.state == State::Fail));
    assert_eq!(reasons, ["it panicked: out of luck", "its value is not a number", "the loss is not finite"]);
}

#[test]
fn a_deadline_leaves_a_prefix_of_the_study() {
    let mut whole = memory();
    let of_whole = study(whole.as_mut(), 30);
    run(&of_whole, whole.as_mut(), 2, &AtomicBool::new(false)).unwrap();
    let whole = content(whole.as_mut(), &of_whole);
    // A slow machine may not finish a trial before the deadline.
    with_growing_limits(|limit| {
        let mut storage = memory();
        let study = Study { n_trials: None, ..study(storage.as_mut(), 0) };
        let never = AtomicBool::new(false);
        let work = Work { n_jobs: 2, stop: &never, deadline: Some(Instant::now() + limit), heartbeat: RARE };
        run_observed(&study, storage.as_mut(), &work, &|_| ()).unwrap();
        is_part_of(&whole, storage.as_mut(), &study).then_some(())
    });
}

/// Compares the finished trials of a study that ended early with the whole study, and returns whether there was one.
/// No unfinished trial may be claimed.
fn is_part_of(whole: &[Content], storage: &mut dyn Storage, study: &Study) -> bool {
    let part = content(storage, study);
    let finished: Vec<_> = part.iter().zip(whole).filter(|(trial, _)| trial.1.is_finished()).collect();
    finished.iter().for_each(|(trial, of_whole)| assert_eq!(trial, of_whole));
    let worker = |trial: &Arc<Trial>| trial.system_attrs["headsmith:worker"].clone();
    for trial in storage.trials(study.record.id).unwrap().iter().filter(|trial| !trial.state.is_finished()) {
        assert_eq!(worker(trial), "nobody");
        assert!(storage.checkpoint(trial.id).unwrap().is_some_and(|left| left.step >= 0));
    }
    storage.set_study_attr(study.record.id, Scope::User, "seen", &true.into()).unwrap();
    !finished.is_empty()
}
