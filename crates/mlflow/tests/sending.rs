//! The requests that a server receives.

use headsmith_mlflow::{Key, Message, NewRun, Status, Tracker};
use serde_json::{Value, json};

use crate::server::reply;
use crate::service::{begin, child, client, end, limits, numbers, payloads, service};

const TOP: Key = Tracker::PARENT;

fn pairs(n: usize) -> Vec<(String, String)> {
    (0..n).map(|i| (format!("p{i}"), i.to_string())).collect()
}

#[test]
fn runs_are_created_filled_and_ended_in_order() {
    let server = service(|_, _| false);
    let tracker = begin(&server, limits()).unwrap();
    tracker.send(Message::params(TOP, vec![("lr".to_owned(), "0.1".to_owned())]));
    tracker.send(child(1));
    tracker.send(numbers(1, 3));
    tracker.send(Message::End { run: 1, status: Status::Killed, time: 8 });
    tracker.send(end(TOP));
    assert_eq!(tracker.finish(), None);
    let created = payloads(&server, "runs/create");
    assert_eq!(
        created[0],
        json!({
            "experiment_id": "7", "run_name": "top", "start_time": 5, "tags": [{ "key": "a", "value": "b" }],
        })
    );
    assert_eq!(created[1]["tags"], json!([{ "key": "mlflow.parentRunId", "value": "r0" }]));
    let logged = payloads(&server, "runs/log-batch");
    let of = |id: &str| logged.iter().find(|logged| logged["run_id"] == id).unwrap();
    assert_eq!(of("r0")["params"], json!([{ "key": "lr", "value": "0.1" }]));
    let metric = json!({ "key": "loss", "value": 2.0 / 3.0, "timestamp": 9, "step": 2 });
    assert_eq!((of("r1")["metrics"].as_array().unwrap().len(), &of("r1")["metrics"][2]), (3, &metric));
    let ended = payloads(&server, "runs/update");
    assert_eq!(ended[0], json!({ "run_id": "r1", "status": "KILLED", "end_time": 8 }));
    assert_eq!((ended.len(), &ended[1]["status"]), (2, &json!("FINISHED")));
}

#[test]
fn no_request_exceeds_the_api_limits() {
    let server = service(|_, _| false);
    let tracker = begin(&server, limits()).unwrap();
    for _ in 0..5 {
        tracker.send(numbers(TOP, 700));
    }
    tracker.send(Message::Log { run: TOP, metrics: Vec::new(), params: pairs(230), tags: pairs(101) });
    assert_eq!(tracker.finish(), None);
    let mut sums = [0; 3];
    for batch in payloads(&server, "runs/log-batch") {
        let [metrics, params, tags] =
            ["metrics", "params", "tags"].map(|kind| batch[kind].as_array().map_or(0, Vec::len));
        assert!(metrics + params + tags <= 1000 && params <= 100 && tags <= 100, "{metrics} {params} {tags}");
        sums = [sums[0] + metrics, sums[1] + params, sums[2] + tags];
    }
    assert_eq!(sums, [3500, 230, 101]);
}

#[test]
fn a_missing_experiment_is_created() {
    let server = service(|request, out| {
        let made = request.path.ends_with("experiments/create");
        if made {
            reply(out, 200, &[], b"{\"experiment_id\": \"11\"}");
        }
        made
    });
    let new = NewRun { name: "top".to_owned(), tags: Vec::new(), started: 0 };
    let tracker = Tracker::begin(client(&server.url(), limits()), "new one", new).unwrap();
    assert_eq!(tracker.finish(), None);
    assert!(server.asked()[0].ends_with("experiment_name=new%20one"), "{:?}", server.asked());
    assert_eq!(payloads(&server, "experiments/create"), [json!({ "name": "new one" })]);
    assert_eq!(payloads(&server, "runs/create")[0]["experiment_id"], "11");
}

#[test]
fn a_file_is_stored_completely_on_the_server_or_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m #1.bin");
    let bytes: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    std::fs::write(&path, &bytes).unwrap();
    let server = service(|_, _| false);
    let tracker = begin(&server, limits()).unwrap();
    tracker.send(Message::File { path: path.clone() });
    assert_eq!(tracker.finish(), None);
    let put = server.requests().into_iter().find(|request| request.method == "PUT").unwrap();
    assert_eq!(put.path, "/api/2.0/mlflow-artifacts/artifacts/7/r0/artifacts/m%20%231.bin");
    assert!(put.body == bytes && put.header("content-length") == Some("300000"));

    let there = folder.path().join("store/7");
    let uri = json!({ "run": { "info": { "run_id": "r", "artifact_uri": there } } });
    let own = service(move |request, out| {
        let created = request.path.ends_with("runs/create");
        if created {
            reply(out, 200, &[], uri.to_string().as_bytes());
        }
        created
    });
    let tracker = begin(&own, limits()).unwrap();
    tracker.send(Message::File { path });
    assert_eq!(tracker.finish(), None);
    assert!(std::fs::read(there.join("m #1.bin")).unwrap() == bytes);
}

#[test]
fn an_unreachable_artifact_store_is_reported_and_loses_nothing() {
    let server = service(|request, out| {
        let created = request.path.ends_with("runs/create");
        if created {
            reply(
                out,
                200,
                &[],
                b"{\"run\": {\"info\": {\"run_id\": \"r\", \"artifact_uri\": \"s3://bucket/1\"}}}",
            );
        }
        created
    });
    let tracker = begin(&server, limits()).unwrap();
    assert!(tracker.no_artifacts().unwrap().contains("s3://bucket/1"));
    tracker.send(Message::File { path: "nothing".into() });
    assert_eq!(tracker.finish(), None);
}

#[test]
fn every_request_has_the_credentials() {
    let server = service(|_, _| false);
    let url = server.url().replace("http://", "http://u:p@");
    let new = NewRun { name: "top".to_owned(), tags: Vec::new(), started: 0 };
    let tracker = Tracker::begin(client(&url, limits()), "e", new).unwrap();
    tracker.send(numbers(TOP, 1));
    tracker.send(Message::File {
        path: file!().rsplit('/').next().map(|name| format!("tests/{name}")).unwrap().into(),
    });
    assert_eq!(tracker.finish(), None);
    let headers: Vec<Option<String>> =
        server.requests().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!(headers, vec![Some("Basic dTpw".to_owned()); 4]);
    let none: Option<Value> = payloads(&server, "runs/update").pop();
    assert_eq!(none, None);
}
