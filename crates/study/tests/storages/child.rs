//! A worker in a process of its own that can be killed: this test binary, run again.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use headsmith_study::storages::{Claim, Claimed, Storage};
use headsmith_study::{Attributes, State, Trial};

use crate::patience::PATIENCE;
use crate::{LONG, open, params};

const URL: &str = "HEADSMITH_TEST_URL";
const N_TRIALS: &str = "HEADSMITH_TEST_TRIALS";
const ALONE: &str = "HEADSMITH_TEST_ALONE";
pub(crate) const N_STEPS: i64 = 12;

/// Starts a worker on the study `s`. A worker that is `alone` resumes abandoned trials at once.
pub(crate) fn start(url: &str, n_trials: u64, alone: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", "child::run_as_worker", "--ignored", "--nocapture"]);
    command.env(URL, url).env(N_TRIALS, n_trials.to_string()).stdout(Stdio::piped());
    if alone {
        command.env(ALONE, "yes");
    }
    command.spawn().expect("the worker starts")
}

/// An acknowledged call, as the worker prints it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ack {
    Began { number: u64 },
    Reported { number: u64, step: i64 },
    Finished { number: u64 },
}

/// The worker's output.
pub(crate) fn output(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::new(child.stdout.take().expect("its output"))
}

/// The next `n` acknowledgements, or all until the worker ends; a truncated line does not count.
pub(crate) fn acknowledged(output: &mut BufReader<ChildStdout>, n: usize) -> Vec<Ack> {
    let (mut acks, mut line) = (Vec::new(), String::new());
    while acks.len() < n && output.read_line(&mut line).expect("text") > 0 {
        let texts: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| texts[at].parse().expect("a number");
        match texts.as_slice() {
            ["ack", "began", _, "."] => acks.push(Ack::Began { number: number(2) }),
            ["ack", "reported", _, _, "."] => {
                acks.push(Ack::Reported { number: number(2), step: number(3) as i64 })
            }
            ["ack", "finished", _, "."] => acks.push(Ack::Finished { number: number(2) }),
            _ => (),
        }
        line.clear();
    }
    acks
}

/// The value reported at a step.
pub(crate) fn value(number: u64, step: i64) -> f64 {
    (number as f64 + 1.0).sqrt() + step as f64 / 64.0
}

#[test]
#[ignore = "run by other tests"]
fn run_as_worker() {
    let Ok(url) = std::env::var(URL) else { return };
    let n_trials = std::env::var(N_TRIALS).expect("trials").parse().expect("a number");
    let mut storage = open(&url);
    let study_id = storage.study("s").expect("read").expect("the study").id;
    let alone = std::env::var_os(ALONE).is_some();
    work(storage.as_mut(), study_id, n_trials, alone, &mut |ack| match ack {
        Ack::Began { number } => println!("ack began {number} ."),
        Ack::Reported { number, step } => println!("ack reported {number} {step} ."),
        Ack::Finished { number } => println!("ack finished {number} ."),
    });
}

/// Works until the study has `n_trials` finished trials.
pub(crate) fn work(
    storage: &mut dyn Storage,
    study_id: i64,
    n_trials: u64,
    alone: bool,
    acknowledge: &mut dyn FnMut(Ack),
) {
    let mut waiting_since = Instant::now();
    loop {
        let claimed = storage.claim(study_id, LONG, &mut |queue| {
            let running = queue.trials.iter().find(|trial| trial.state == State::Running);
            let system_attrs = Attributes::new();
            Ok(match running {
                Some(trial) if alone => {
                    Claim::Take { trial_id: trial.id, params: trial.params.clone(), system_attrs }
                }
                _ if (queue.trials.len() as u64) < n_trials => {
                    let x = 1.0 / (1.0 + queue.trials.len() as f64);
                    Claim::Begin { params: params(x), system_attrs }
                }
                Some(_) => Claim::Wait,
                None => Claim::Done,
            })
        });
        match claimed.expect("it claims") {
            Claimed::Done => return,
            Claimed::Wait => {
                // Its worker may have panicked: then the trial is never finished.
                assert!(waiting_since.elapsed() < 2 * PATIENCE, "another worker never finished its trial");
                std::thread::sleep(Duration::from_millis(5));
            }
            Claimed::Trial(trial) => {
                run(storage, &trial, acknowledge);
                waiting_since = Instant::now();
            }
        }
    }
}

fn run(storage: &mut dyn Storage, trial: &Trial, acknowledge: &mut dyn FnMut(Ack)) {
    let (number, none) = (trial.number, Attributes::new());
    acknowledge(Ack::Began { number });
    let checkpoint = storage.checkpoint(trial.id).expect("it reads its checkpoint");
    let first = checkpoint.map_or(0, |checkpoint| {
        assert_eq!(checkpoint.state, number.to_le_bytes(), "the checkpoint is the trial's own");
        checkpoint.step + 1
    });
    assert_eq!(trial.intermediate.len() as i64, first, "all reports up to the checkpoint are there");
    for step in first..N_STEPS {
        let state = (step % 4 == 3).then(|| number.to_le_bytes());
        let state = state.as_ref().map(<[u8; 8]>::as_slice);
        storage.report(trial.id, step, value(number, step), &none, state).expect("it reports");
        acknowledge(Ack::Reported { number, step });
    }
    let value = value(number, N_STEPS - 1);
    storage.finish(trial.id, State::Complete, Some(value), &none, &none).expect("it finishes");
    acknowledge(Ack::Finished { number });
}

/// Checks that each trial exists once, complete and with the right values.
pub(crate) fn check_all(trials: &[std::sync::Arc<Trial>], n_trials: u64) {
    let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, (0..n_trials).collect::<Vec<_>>(), "numbers without gaps");
    for trial in trials {
        assert_eq!(trial.state, State::Complete);
        assert_eq!(trial.value, Some(value(trial.number, N_STEPS - 1)));
        let expected = (0..N_STEPS).map(|step| (step, value(trial.number, step))).collect();
        assert_eq!(trial.intermediate, expected);
    }
}
