//! A simulated tracking server, and a tracker for it.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headsmith_mlflow::{Address, Client, Key, Limits, Message, Metric, NewRun, Result, Status, Tracker};
use serde_json::{Value, json};

use crate::patience::PATIENCE;
use crate::server::{Request, Server, reply};

/// Limits that no response reaches, with short pauses.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: PATIENCE,
        call: PATIENCE,
        upload: PATIENCE,
        silence: PATIENCE,
        grace: PATIENCE,
        pause: Duration::from_millis(20),
        backoff: Duration::from_millis(10),
        ..Limits::default()
    }
}

pub(crate) fn client(url: &str, limits: Limits) -> Client {
    Client::new(Address::parse(url, |_| None).unwrap(), limits, None).unwrap()
}

pub(crate) fn begin(server: &Server, limits: Limits) -> Result<Tracker> {
    let new = NewRun { name: "top".to_owned(), tags: vec![("a".to_owned(), "b".to_owned())], started: 5 };
    Tracker::begin(client(&server.url(), limits), "e", new)
}

/// A service that answers with `first`, or correctly if that returns false. The runs' IDs are `r0`, `r1` ..
pub(crate) fn service(first: impl Fn(&Request, &mut dyn Write) -> bool + Send + Sync + 'static) -> Server {
    let n_runs = AtomicUsize::new(0);
    Server::new(move |request, out| {
        if !first(request, out) {
            answer(request, out, &n_runs);
        }
    })
}

fn answer(request: &Request, out: &mut dyn Write, n_runs: &AtomicUsize) {
    let json = |out: &mut dyn Write, value: Value| reply(out, 200, &[], value.to_string().as_bytes());
    let path = request.path.as_str();
    match (request.method.as_str(), path.rsplit("/mlflow/").next().unwrap_or_default()) {
        ("GET", "experiments/get-by-name?experiment_name=e") => {
            json(out, json!({ "experiment": { "experiment_id": "7", "lifecycle_stage": "active" } }))
        }
        ("POST", "runs/create") => {
            let id = format!("r{}", n_runs.fetch_add(1, Ordering::SeqCst));
            let artifacts = format!("mlflow-artifacts:/7/{id}/artifacts");
            json(out, json!({ "run": { "info": { "run_id": id, "artifact_uri": artifacts } } }))
        }
        ("POST", "runs/log-batch" | "runs/update" | "runs/search") => json(out, json!({})),
        ("PUT", _) => reply(out, 200, &[], b""),
        _ => reply(out, 404, &[], b"{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\"}"),
    }
}

/// The payloads of the calls to `api`.
pub(crate) fn payloads(server: &Server, api: &str) -> Vec<Value> {
    let path = format!("/api/2.0/mlflow/{api}");
    let requests = server.requests().into_iter().filter(|request| request.path == path);
    requests.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

pub(crate) fn numbers(run: Key, n: usize) -> Message {
    let metric = |step| Metric { key: "loss".to_owned(), value: step as f64 / 3.0, step, time: 9 };
    Message::metrics(run, (0..n as i64).map(metric).collect())
}

pub(crate) fn child(run: Key) -> Message {
    Message::Begin { run, new: NewRun { name: format!("trial-{run}"), tags: Vec::new(), started: 6 } }
}

pub(crate) fn end(run: Key) -> Message {
    Message::End { run, status: Status::Finished, time: 8 }
}
