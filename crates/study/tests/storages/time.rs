//! The time of a trial, by a clock that the test sets.

use std::sync::atomic::{AtomicI64, Ordering};

use headsmith_study::storages::{self, Claim, Claimed, Options, Storage};
use headsmith_study::{Attributes, Params, State};
use jiff::Timestamp;

use crate::{LONG, begin, finish, study, url};

static NOW: AtomicI64 = AtomicI64::new(0);

fn clock() -> Timestamp {
    Timestamp::from_second(1_764_000_000 + NOW.load(Ordering::Relaxed)).unwrap()
}

fn at(second: i64) {
    NOW.store(second, Ordering::Relaxed);
}

#[test]
fn time_between_attempts_does_not_count_and_earlier_time_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let open = || storages::open(&url(folder.path()), &Options { clock, ..Options::default() }).unwrap();
    let (mut storage, mut next) = (open(), open());
    let seconds =
        |storage: &mut dyn Storage, id, number: usize| storage.trials(id).unwrap()[number].seconds();
    let none = Attributes::new();
    let id = study(storage.as_mut());

    at(1000);
    let trial = begin(storage.as_mut(), id);
    at(1010);
    storage.report(trial.id, 0, 0.5, &none, None).unwrap();
    at(1025);
    storage.heartbeat(&[trial.id]).unwrap();
    // The worker is killed. Its time counts up to the last heartbeat, however late the trial is read.
    at(4000);
    assert_eq!(seconds(next.as_mut(), id, 0), Some(25.0));
    at(5000);
    let resume = |trial_id| {
        move |_: storages::Queue<'_>| {
            Ok(Claim::Take { trial_id, params: Params::new(), system_attrs: Attributes::new() })
        }
    };
    next.claim(id, LONG, &mut resume(trial.id)).unwrap();
    assert_eq!(seconds(next.as_mut(), id, 0), Some(25.0));
    at(5010);
    next.report(trial.id, 0, 0.5, &none, None).unwrap();
    // Interrupted and resumed once more.
    at(7000);
    storage.claim(id, LONG, &mut resume(trial.id)).unwrap();
    at(7020);
    finish(storage.as_mut(), trial.id, 0.5);
    at(9000);
    assert_eq!(seconds(next.as_mut(), id, 0), Some(25.0 + 10.0 + 20.0));

    let trial = begin(storage.as_mut(), id);
    at(9007);
    storage.heartbeat(&[trial.id]).unwrap();
    at(9999);
    let mut answers =
        [Claim::Fail { trial_id: trial.id, system_attrs: Attributes::new() }, Claim::Done].into_iter();
    let claimed = next.claim(id, LONG, &mut |_| Ok(answers.next().unwrap()));
    assert_eq!(claimed.unwrap(), Claimed::Done);
    let failed = next.trials(id).unwrap()[1].clone();
    assert_eq!((failed.state, failed.seconds()), (State::Fail, Some(7.0)));
}
