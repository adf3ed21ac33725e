//! Failures: an error at the start, a count of the losses later, and callers are never blocked.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use headsmith_mlflow::{Client, Limits, NewRun, Tracker};

use crate::patience::{must_end, wait_until, with_growing_limits};
use crate::server::{Request, Server, hush, reply};
use crate::service::{begin, child, client, end, limits, numbers, payloads, service};

type Fault = fn(&Request, &mut dyn Write);

#[test]
fn a_server_that_does_not_answer_as_mlflow_is_an_error_at_once() {
    let cases: [(&str, Fault, &str); 7] = [
        ("401", |_, out| reply(out, 401, &[], b"You are not authenticated. s3cret"), "not allowed"),
        ("403", |_, out| reply(out, 403, &[], b"{\"message\": \"s3cret\"}"), "not allowed (HTTP 403): ***"),
        ("404", |_, out| reply(out, 404, &[], b"<html>"), "no MLflow server at this URL"),
        ("500", |_, out| reply(out, 500, &[], b"{\"error_code\": \"INTERNAL_ERROR\"}"), "INTERNAL_ERROR"),
        (
            "302",
            |_, out| reply(out, 302, &[("Location", "https://u:p@h.org/l?t=s3cret")], b""),
            "redirects to h.org/l",
        ),
        ("HTML", |_, out| reply(out, 200, &[], b"<html>"), "no JSON"),
        ("other JSON", |_, out| reply(out, 200, &[], b"{}"), "no experiment/experiment_id"),
    ];
    for (name, fault, words) in cases {
        assert_eq!(asked_at_a_failed_begin(name, fault, words, limits()), 1, "{name}");
    }
    // On a slow machine a limit may be reached before the server has read the request.
    with_growing_limits(|call| {
        let limits = Limits { call, ..limits() };
        let asked = asked_at_a_failed_begin("silent", |_, _| hush(), "no answer in time", limits);
        assert!(asked <= 1, "a silent server was asked {asked} times");
        (asked == 1).then_some(())
    });
}

/// Fails to begin with an error that contains `words`; returns the number of requests.
fn asked_at_a_failed_begin(name: &str, fault: Fault, words: &str, limits: Limits) -> usize {
    let server = Server::new(fault);
    let url = server.url().replace("http://", "http://u:s3cret@");
    let new = NewRun { name: "top".to_owned(), tags: Vec::new(), started: 0 };
    let error = Tracker::begin(client(&url, limits), "e", new).unwrap_err();
    assert!(error.to_string().contains(words), "{name}: {error}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    server.requests().len()
}

#[test]
fn a_deleted_experiment_and_a_port_without_a_server_are_errors() {
    let deleted = Server::new(|_, out| {
        reply(
            out,
            200,
            &[],
            b"{\"experiment\": {\"experiment_id\": \"7\", \"lifecycle_stage\": \"deleted\"}}",
        );
    });
    assert!(begin(&deleted, limits()).unwrap_err().to_string().contains("is deleted"));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let new = NewRun { name: "top".to_owned(), tags: Vec::new(), started: 0 };
    let error = Tracker::begin(client(&format!("http://127.0.0.1:{port}"), limits()), "e", new).unwrap_err();
    assert!(error.to_string().contains(&port.to_string()) && !error.is_usage(), "{error}");
}

#[test]
fn invalid_environment_variables_are_refused() {
    for (name, value) in
        [("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon"), ("MLFLOW_TRACKING_SERVER_CERT_PATH", "/no/such.pem")]
    {
        let address = headsmith_mlflow::Address::parse("http://h", |_| None).unwrap();
        let env = |asked: &str| (asked == name).then(|| value.to_owned());
        let error = Client::from_env(address, env).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(name), "{error}");
    }
}

/// A service that runs `fault` while `broken` is set.
fn breakable(fault: Fault) -> (Server, Arc<AtomicBool>) {
    let broken: Arc<AtomicBool> = Arc::default();
    let is_broken = Arc::clone(&broken);
    let server = service(move |request, out| {
        let breaks = is_broken.load(Ordering::SeqCst);
        if breaks {
            fault(request, out);
        }
        breaks
    });
    (server, broken)
}

#[test]
fn an_unavailable_server_blocks_nothing_and_losses_are_counted() {
    let cases: [(Fault, &str); 4] = [
        (|_, out| reply(out, 500, &[], b"{\"message\": \"no disk\"}"), "no disk"),
        (|_, out| reply(out, 503, &[], b""), "not available"),
        (|_, _| hush(), "no answer in time"),
        (|_, _| (), "127.0.0.1"),
    ];
    for (fault, words) in cases {
        let (server, broken) = breakable(fault);
        // The run must be created in time.
        let begun = |call| begin(&server, Limits { call, grace: Duration::from_millis(50), ..limits() }).ok();
        let tracker = with_growing_limits(begun);
        broken.store(true, Ordering::SeqCst);
        tracker.send(child(1));
        (0..200).for_each(|_| tracker.send(numbers(1, 3)));
        tracker.send(end(1));
        let lost = must_end("the last messages to a broken server", || tracker.finish()).unwrap();
        assert_eq!((lost.n_lost, lost.n_records), (602, 602), "{lost}");
        assert!(lost.why.contains(words), "{lost}");
    }
}

#[test]
fn a_server_that_comes_back_gets_everything() {
    let (server, broken) = breakable(|_, _| ());
    let grace = Duration::from_millis(50);
    let tracker = begin(&server, Limits { grace, ..limits() }).unwrap();
    broken.store(true, Ordering::SeqCst);
    let n_before = server.requests().len();
    tracker.send(child(1));
    tracker.send(numbers(1, 1200));
    // Longer than the wait for a server at the end, and than a few attempts.
    thread::sleep(2 * grace);
    wait_until("three attempts", || server.requests().len() >= n_before + 3);
    broken.store(false, Ordering::SeqCst);
    let n_logged = || -> usize {
        let logged = payloads(&server, "runs/log-batch");
        logged.iter().map(|batch| batch["metrics"].as_array().unwrap().len()).sum()
    };
    wait_until("all numbers", || n_logged() >= 1200);
    tracker.send(end(1));
    assert_eq!(tracker.finish(), None);
    assert_eq!((n_logged(), payloads(&server, "runs/update").len()), (1200, 1));
}

#[test]
fn a_run_whose_response_was_lost_is_not_created_twice() {
    let n_created = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&n_created);
    let server = service(move |request, out| {
        if request.path.ends_with("runs/search") {
            let filter = String::from_utf8_lossy(&request.body).into_owned();
            assert!(filter.contains("trial-1") && filter.contains("'r0'"), "{filter}");
            assert!(filter.contains("start_time = 6"), "{filter}");
            reply(out, 200, &[], b"{\"runs\": [{\"info\": {\"run_id\": \"found\"}}]}");
            return true;
        }
        // The second creation succeeds, but its response is lost.
        request.path.ends_with("runs/create") && counted.fetch_add(1, Ordering::SeqCst) == 1
    });
    let tracker = begin(&server, limits()).unwrap();
    tracker.send(child(1));
    tracker.send(numbers(1, 1));
    tracker.send(end(1));
    assert_eq!(tracker.finish(), None);
    assert_eq!(n_created.load(Ordering::SeqCst), 2);
    assert_eq!(payloads(&server, "runs/log-batch")[0]["run_id"], "found");
}

#[test]
fn a_refused_record_is_the_only_loss() {
    let server = service(|request, out| {
        let refused = request.body.windows(7).any(|part| part == b"trial-1");
        if refused {
            reply(out, 400, &[], b"{\"error_code\": \"INVALID_PARAMETER_VALUE\", \"message\": \"no\"}");
        }
        refused
    });
    let tracker = begin(&server, limits()).unwrap();
    for run in [1, 2] {
        tracker.send(child(run));
        tracker.send(numbers(run, 3));
        tracker.send(end(run));
    }
    let lost = tracker.finish().unwrap();
    assert_eq!((lost.n_lost, lost.n_records), (5, 10), "{lost}");
    assert!(lost.why.contains("INVALID_PARAMETER_VALUE: no"), "{lost}");
}

#[test]
fn a_slow_server_loses_numbers_and_no_runs() {
    let gate = Arc::new(Barrier::new(2));
    let held = Arc::clone(&gate);
    let once = AtomicBool::new(true);
    let server = service(move |request, _| {
        if request.path.ends_with("log-batch") && once.swap(false, Ordering::SeqCst) {
            held.wait();
            held.wait();
        }
        false
    });
    let limits = Limits { n_waiting: 100, ..limits() };
    let tracker = begin(&server, limits).unwrap();
    tracker.send(numbers(Tracker::PARENT, 1));
    gate.wait();
    tracker.send(child(1));
    (0..50).for_each(|_| tracker.send(numbers(1, 11)));
    tracker.send(end(1));
    gate.wait();
    let lost = tracker.finish().unwrap();
    // One for the start, and 99 of 550.
    assert_eq!((lost.n_lost, lost.n_records), (550 - 99, 1 + 552), "{lost}");
    assert!(lost.why.contains("too slowly"));
    assert_eq!(payloads(&server, "runs/update").len(), 1);
}
