//! Processes and servers killed at random moments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headsmith_study::State;
use headsmith_study::storages::Storage;

use crate::child::{self, Ack};
use crate::patience::wait_until;
use crate::server::Server;
use crate::{open, outages, study, url};

/// The number of kills of a server and of a worker; `HEADSMITH_KILLS` overrides it.
const SERVER_KILLS: u64 = 5;
const WORKER_KILLS: u64 = 50;

fn kills(usual: u64) -> u64 {
    std::env::var("HEADSMITH_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

/// Pseudo-random numbers, the same in every run.
fn hashed(nth: u64) -> u64 {
    let mixed = (nth + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

fn moment(nth: u64, longest: u64) -> Duration {
    Duration::from_micros(hashed(nth) % longest)
}

#[test]
fn a_killed_worker_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let study_id = study(open(&url).as_mut());
    let (mut reports, mut finished, kills) = (0, 0, kills(WORKER_KILLS));
    for nth in 0..kills {
        let mut worker = child::start(&url, u64::MAX, true);
        let mut output = child::output(&mut worker);
        // Anywhere in the next two trials, or at the very start.
        let mut acks = child::acknowledged(&mut output, hashed(nth) as usize % 28);
        std::thread::sleep(moment(nth, 2_000));
        worker.kill().unwrap();
        acks.extend(child::acknowledged(&mut output, usize::MAX));
        worker.wait().unwrap();
        check(open(&url).as_mut(), study_id, &acks);
        check_integrity(&folder.path().join("study.db"));
        reports += acks.iter().filter(|ack| matches!(ack, Ack::Reported { .. })).count();
        finished += acks.iter().filter(|ack| matches!(ack, Ack::Finished { .. })).count();
    }
    assert!(reports as u64 > kills, "the kills came too early to show anything: {reports} reports");
    let mut storage = open(&url);
    let n_trials = storage.trials(study_id).unwrap().len() as u64;
    child::work(storage.as_mut(), study_id, n_trials, true, &mut |_| ());
    child::check_all(&storage.trials(study_id).unwrap(), n_trials);
    println!("{kills} kills, {reports} reports and {finished} trials acknowledged, none lost");
}

/// Every acknowledged call of one worker is in the storage.
fn check(storage: &mut dyn Storage, study_id: i64, acks: &[Ack]) {
    let trials = storage.trials(study_id).unwrap();
    for ack in acks {
        match ack {
            Ack::Began { number } => assert_eq!(trials[*number as usize].number, *number),
            Ack::Reported { number, step } => {
                let reported = trials[*number as usize].intermediate.get(step).copied();
                assert_eq!(reported, Some(child::value(*number, *step)), "{ack:?}");
            }
            Ack::Finished { number } => assert_eq!(trials[*number as usize].state, State::Complete),
        }
    }
}

pub(crate) fn check_integrity(database: &std::path::Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}

#[test]
fn a_killed_server_loses_nothing_that_was_acknowledged() {
    let Some(server) = Server::start() else { return };
    let kills = kills(SERVER_KILLS);
    let n_trials = 30 * kills;
    let url = server.url();
    let study_id = study(open(&url).as_mut());
    let n_acks = AtomicU64::new(0);
    let acks = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut acks = Vec::new();
                    let mut storage = outages::patient(&url);
                    child::work(storage.as_mut(), study_id, n_trials, false, &mut |ack| {
                        n_acks.fetch_add(1, Ordering::Relaxed);
                        acks.push(ack);
                    });
                    acks
                })
            })
            .collect();
        for nth in 0..kills {
            // There are about 420 for each kill. The workers reconnect before the next one.
            wait_until("acknowledged calls", || n_acks.load(Ordering::Relaxed) >= nth * 300);
            std::thread::sleep(moment(nth, 100_000));
            server.kill();
            server.up();
        }
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    let mut finished: Vec<u64> = acks
        .iter()
        .filter_map(|ack| if let Ack::Finished { number } = ack { Some(*number) } else { None })
        .collect();
    finished.sort_unstable();
    assert_eq!(finished, (0..n_trials).collect::<Vec<_>>(), "each trial was finished once");
    let mut storage = open(&url);
    check(storage.as_mut(), study_id, &acks);
    child::check_all(&storage.trials(study_id).unwrap(), n_trials);
    println!("{kills} kills of the server, {} acknowledged calls, none lost", acks.len());
}
