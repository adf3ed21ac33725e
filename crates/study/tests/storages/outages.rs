//! A server that disappears and comes back, and lost acknowledgements.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headsmith_study::storages::{Retry, Storage};
use headsmith_study::{Attributes, Direction, Kind, State};

use crate::patience::{PATIENCE, wait_until};
use crate::server::Server;
use crate::{begin, finish, open, study};

/// A storage that waits out outages.
pub(crate) fn patient(url: &str) -> Box<dyn Storage> {
    Box::new(Retry::new(open(url), PATIENCE, |_| ControlFlow::Continue(())))
}

#[test]
fn an_outage_is_waited_out() {
    let Some(server) = Server::start() else { return };
    let n_notices = Arc::new(AtomicUsize::new(0));
    let mut storage = Retry::new(open(&server.url()), PATIENCE, {
        let n_notices = Arc::clone(&n_notices);
        move |outage| {
            assert!(outage.error.to_string().contains("cannot be reached"), "{}", outage.error);
            n_notices.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Continue(())
        }
    });
    let id = study(&mut storage);
    let trial = begin(&mut storage, id);
    server.down();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("a word of three failed tries", || n_notices.load(Ordering::Relaxed) >= 3);
            server.up();
        });
        storage.report(trial.id, 0, 0.5, &Attributes::new(), None).unwrap();
    });
    assert!(n_notices.load(Ordering::Relaxed) >= 3);
    finish(&mut storage, trial.id, 0.5);
    assert_eq!(storage.trials(id).unwrap()[0].value, Some(0.5));
}

#[test]
fn a_restart_between_two_calls_goes_unnoticed() {
    let Some(server) = Server::start() else { return };
    let mut storage = open(&server.url());
    let id = study(storage.as_mut());
    let trial = begin(storage.as_mut(), id);
    server.down();
    let error = storage.report(trial.id, 0, 0.5, &Attributes::new(), None).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    server.up();
    // The first checkpoint looks for its table, before the transaction of the report.
    storage.report(trial.id, 0, 0.5, &Attributes::new(), Some(b"state")).unwrap();
    server.down();
    server.up();
    finish(storage.as_mut(), trial.id, 0.5);
}

#[test]
fn waiting_ends_at_its_limit_and_on_request() {
    let Some(server) = Server::start() else { return };
    let impatient = open(&server.url());
    let limit = Duration::from_millis(300);
    let mut impatient = Retry::new(impatient, limit, move |outage| {
        assert!(outage.lasting < limit, "it waits on after {:?}", outage.lasting);
        ControlFlow::Continue(())
    });
    let mut stopped = Retry::new(open(&server.url()), Retry::LIMIT, |_| ControlFlow::Break(()));
    server.down();
    let start = Instant::now();
    assert_eq!(stopped.studies().unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(impatient.studies().unwrap_err().kind(), Kind::Unavailable);
    assert!(start.elapsed() >= limit);
}

/// A proxy between client and server that cuts the connection after a COMMIT, before its acknowledgement.
struct Proxy {
    port: u16,
    armed: Arc<AtomicBool>,
}

impl Proxy {
    fn start(socket: PathBuf) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&armed);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = UnixStream::connect(&socket).unwrap();
                join(client, server, &own);
            }
        });
        Proxy { port, armed }
    }
}

fn join(client: TcpStream, server: UnixStream, armed: &Arc<AtomicBool>) {
    let cutting = Arc::new(Mutex::new(false));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (own, armed) = (Arc::clone(&cutting), Arc::clone(armed));
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(n @ 1..) = from_client.read(&mut bytes) {
            if bytes[..n].windows(6).any(|word| word == b"COMMIT") && armed.swap(false, Ordering::SeqCst) {
                *own.lock().unwrap() = true;
            }
            to_server.write_all(&bytes[..n]).unwrap();
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        while let Ok(n @ 1..) = from_server.read(&mut bytes) {
            // The server answers only after it is done.
            if *cutting.lock().unwrap() || to_client.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

#[test]
fn unacknowledged_changes_are_recognised() {
    let Some(server) = Server::start() else { return };
    let direct = server.url();
    let folder = direct.split_once("host=").unwrap().1.to_owned();
    let proxy = Proxy::start(PathBuf::from(folder).join(".s.PGSQL.5432"));
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", proxy.port);
    let storage = &mut *patient(&url);
    let none = Attributes::new();
    let lose = || proxy.armed.store(true, Ordering::SeqCst);

    lose();
    let id = storage.create_study("s", Direction::Maximize).unwrap().id;
    lose();
    let trial = begin(storage, id);
    lose();
    assert_eq!(storage.enqueue(id, &none, &none).unwrap(), 1);
    lose();
    storage.report(trial.id, 0, 0.5, &none, Some(b"state")).unwrap();
    lose();
    storage.finish(trial.id, State::Complete, Some(0.5), &none, &none).unwrap();
    let states: Vec<State> = storage.trials(id).unwrap().iter().map(|trial| trial.state).collect();
    assert_eq!(states, [State::Complete, State::Waiting], "nothing was done twice");
    assert_eq!(storage.enqueue(id, &none, &none).unwrap(), 2, "another is another");
    lose();
    storage.delete_study(id).unwrap();
    assert!(!proxy.armed.load(Ordering::SeqCst), "each acknowledgement was lost");
    assert_eq!(open(&direct).studies().unwrap(), []);
}
