//! A failure of one record or one file affects nothing else.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use headsmith_mlflow::{Limits, Message, Tracker};

use crate::patience::{PATIENCE, wait_for, with_growing_limits};
use crate::server::{hush, reply};
use crate::service::{begin, end, limits, numbers, payloads, service};

const TOP: u64 = Tracker::PARENT;

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, b"{}").unwrap();
    (folder, path)
}

#[test]
fn the_answer_to_a_file_may_take_longer_than_that_to_a_call() {
    // The calls around it must be answered in time; a slow machine needs a longer limit.
    with_growing_limits(|call| {
        let server = service(move |request, _| {
            if request.method == "PUT" {
                thread::sleep(3 * call);
            }
            false
        });
        let tracker = begin(&server, Limits { call, ..limits() }).ok()?;
        let (_folder, path) = file();
        tracker.send(Message::File { path });
        tracker.finish().is_none().then_some(())
    });
}

#[test]
fn a_rejected_file_is_the_only_loss() {
    let server = service(|request, _| {
        let put = request.method == "PUT";
        if put {
            hush();
        }
        put
    });
    let limits = Limits { upload: Duration::from_millis(50), ..limits() };
    let tracker = begin(&server, limits).unwrap();
    let (_folder, path) = file();
    tracker.send(numbers(TOP, 1));
    tracker.send(Message::File { path });
    tracker.send(numbers(TOP, 2));
    tracker.send(end(TOP));
    let lost = tracker.finish().unwrap();
    assert_eq!((lost.n_lost, lost.n_records), (1, 5), "{lost}");
    assert_eq!(payloads(&server, "runs/update").len(), 1);
    let at = |part: &str| server.asked().iter().position(|asked| asked.contains(part));
    // The file was sent; a slow server may not have read it yet.
    let file = wait_for("the file", || at("mlflow-artifacts"));
    assert!(at("log-batch").unwrap() < file, "{:?}", server.asked());
}

#[test]
fn a_record_at_which_the_server_fails_slowly_is_the_only_loss() {
    let grace = Duration::from_millis(50);
    let server = service(move |request, out| {
        let fails = request.path.ends_with("log-batch");
        if fails {
            thread::sleep(2 * grace);
            reply(out, 500, &[], b"{}");
        }
        fails
    });
    // Nothing is sent before the work has ended; the grace period starts then.
    let tracker = begin(&server, Limits { grace, pause: PATIENCE, ..limits() }).unwrap();
    tracker.send(numbers(TOP, 2));
    tracker.send(end(TOP));
    let lost = tracker.finish().unwrap();
    assert_eq!((lost.n_lost, lost.n_records), (2, 3), "{lost}");
    assert_eq!(payloads(&server, "runs/update").len(), 1);
}

#[test]
fn a_timed_out_request_is_retried() {
    let once = AtomicBool::new(true);
    let server = service(move |request, out| {
        let late = request.path.ends_with("log-batch") && once.swap(false, Ordering::SeqCst);
        if late {
            reply(out, 408, &[], b"");
        }
        late
    });
    let tracker = begin(&server, limits()).unwrap();
    tracker.send(numbers(TOP, 2));
    assert_eq!(tracker.finish(), None);
}

#[test]
fn only_the_invalid_part_of_a_batch_is_lost() {
    let server = service(|request, out| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let bad = body.contains("\"step\":77,") || body.contains("\"step\":77}") || body.contains("wrong");
        if bad {
            reply(out, 400, &[], b"{\"error_code\": \"INVALID_PARAMETER_VALUE\"}");
        }
        bad
    });
    let tracker = begin(&server, limits()).unwrap();
    let pairs = ["good", "wrong", "fine"].map(|name| (name.to_owned(), "1".to_owned())).to_vec();
    tracker.send(numbers(TOP, 300));
    tracker.send(Message::params(TOP, pairs.clone()));
    tracker.send(Message::tags(TOP, pairs));
    tracker.send(end(TOP));
    let lost = tracker.finish().unwrap();
    assert_eq!((lost.n_lost, lost.n_records), (3, 307), "{lost}");
    assert_eq!(payloads(&server, "runs/update").len(), 1);
}
