//! Many workers on one study: no trial is lost, none is done twice.

use crate::child::{self, Ack};
use crate::server::Server;
use crate::{open, study, url};

const N_TRIALS: u64 = 60;

fn threads_share(url: &str) {
    let study_id = study(open(url).as_mut());
    let acks = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    let mut acks = Vec::new();
                    child::work(open(url).as_mut(), study_id, N_TRIALS, false, &mut |ack| acks.push(ack));
                    acks
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    check_each_once(acks);
    child::check_all(&open(url).trials(study_id).unwrap(), N_TRIALS);
}

fn processes_share(url: &str) {
    let study_id = study(open(url).as_mut());
    let workers: Vec<_> = (0..3).map(|_| child::start(url, N_TRIALS, false)).collect();
    let mut acks = Vec::new();
    for mut worker in workers {
        acks.extend(child::acknowledged(&mut child::output(&mut worker), usize::MAX));
        assert!(worker.wait().unwrap().success());
    }
    check_each_once(acks);
    child::check_all(&open(url).trials(study_id).unwrap(), N_TRIALS);
}

fn check_each_once(acks: Vec<Ack>) {
    for wanted in [|number| Ack::Began { number }, |number| Ack::Finished { number }] {
        for number in 0..N_TRIALS {
            let count = acks.iter().filter(|ack| **ack == wanted(number)).count();
            assert_eq!(count, 1, "{:?}", wanted(number));
        }
    }
}

fn many_open_at_once(url: &str) {
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..6).map(|_| scope.spawn(|| open(url).studies().unwrap())).collect();
        openers.into_iter().for_each(|opener| assert_eq!(opener.join().unwrap(), []));
    });
}

#[test]
fn threads_and_processes_share_a_study_in_sqlite() {
    for share in [many_open_at_once, threads_share, processes_share] {
        let folder = tempfile::tempdir().unwrap();
        share(&url(folder.path()));
    }
}

#[test]
fn threads_and_processes_share_a_study_in_postgresql() {
    let Some(server) = Server::start() else { return };
    for share in [many_open_at_once, threads_share, processes_share] {
        share(&server.database());
    }
}
