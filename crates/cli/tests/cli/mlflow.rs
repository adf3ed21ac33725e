//! `--mlflow` and a server that is not there, fails or hangs. What a real server gets is for
//! `bench/referees/mlflow_server.py`.

use std::io::Write;
use std::process::Output;

use serde_json::Value;

use crate::http_server::{Request, Server, hush, reply};
use crate::patience::PATIENCE;
use crate::world::World;

const FIT: &str = "fit mlp --preset classic --train train.csv --val val.csv --epochs 9 --neurons1 6 --neurons2 6 --lr 0.01 --json";
const TUNE: &str =
    "tune --train train.csv --val val.csv --epochs 6 --neurons1 6 --neurons2 6 --study s --trials 6";

type Fault = fn(&Request, &mut dyn Write);

/// Answers as MLflow does until a run is made, and then by `later`.
fn server(later: Fault) -> Server {
    Server::new(move |request, out| {
        match request.path.rsplit('/').next().unwrap() {
        "create" => reply(
            out,
            200,
            &[],
            b"{\"run\": {\"info\": {\"run_id\": \"r\", \"artifact_uri\": \"mlflow-artifacts:/7/r/artifacts\"}}}",
        ),
        name if name.starts_with("get-by-name") => {
            reply(out, 200, &[], b"{\"experiment\": {\"experiment_id\": \"7\"}}");
        }
        _ => later(request, out),
    }
    })
}

/// The command, logged to `server`, which has so many seconds for an answer.
fn logged(world: &World, command: &str, server: &Server, seconds: u64) -> Output {
    let mut command = world.command(&format!("{command} --mlflow {}", server.url()));
    command.env("MLFLOW_HTTP_REQUEST_TIMEOUT", seconds.to_string()).env("NO_PROXY", "127.0.0.1");
    command.output().unwrap()
}

fn stderr_of_success(output: Output) -> String {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    stderr
}

#[test]
fn a_server_that_is_not_there_ends_the_command_before_anything_is_read() {
    let world = World::with_tables();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let files = world.names();
    for (url, status, words) in [
        (format!("http://u:s3cret@127.0.0.1:{port}"), 1, "cannot log to MLflow: http://127.0.0.1:"),
        ("localhost:5000".to_owned(), 2, "it does not begin with http:// or https://"),
        ("ftp://u:s3cret@h".to_owned(), 2, "its scheme is not http or https but `ftp`"),
        ("u:s3cret@https://h".to_owned(), 2, "not a valid URL of an MLflow server"),
    ] {
        let error = world.error(&format!("{FIT} --model m.safetensors --mlflow {url}"), status);
        assert!(error.contains(words) && error.contains("hint: "), "{error}");
        assert!(!error.contains("read ") && !error.contains("s3cret"), "{error}");
        assert_eq!(world.names(), files);
    }
}

#[test]
fn a_server_that_fails_or_hangs_later_changes_nothing_and_is_told_at_the_end() {
    let world = World::with_tables();
    world.json(&format!("{FIT} --model plain.safetensors"));
    let faults: [(Fault, &str); 3] = [
        (|_, out| reply(out, 500, &[], b"{\"message\": \"no disk\"}"), "no disk"),
        (|_, _| hush(), "no answer in time"),
        (|_, _| (), "127.0.0.1"),
    ];
    for (fault, words) in faults {
        let (server, command) = (server(fault), format!("{FIT} --model watched.safetensors"));
        // On a slow machine even a run is not begun within the shortest time.
        let output = [1, 10, 60].into_iter().find_map(|seconds| {
            let output = logged(&world, &command, &server, seconds);
            let is_late = output.status.code() == Some(1)
                && String::from_utf8_lossy(&output.stderr).contains("no answer in time");
            (!is_late).then_some(output)
        });
        let stderr = stderr_of_success(output.expect("the run is begun"));
        assert!(stderr.contains("are whole: ") && stderr.contains(words), "{stderr}");
        let counts = stderr.split("are whole: ").nth(1).unwrap();
        let counts: Vec<u32> = counts.split(' ').filter_map(|word| word.parse().ok()).take(2).collect();
        // Nine epochs of eleven figures, and more.
        assert!(counts[0] == counts[1] && counts[1] > 99, "{stderr}");
        assert_eq!(stderr.matches("warning").count(), 1, "{stderr}");
        assert_eq!(world.bytes("plain.safetensors"), world.bytes("watched.safetensors"));
    }
}

#[test]
fn a_study_is_kept_with_its_trials_below_it() {
    let world = World::with_tables();
    let server = server(|request, out| match request.method.as_str() {
        "PUT" => reply(out, 200, &[], b""),
        _ => reply(out, 200, &[], b"{}"),
    });
    let output = logged(&world, &format!("{TUNE} --storage s.db --quiet"), &server, PATIENCE.as_secs());
    assert_eq!(stderr_of_success(output), "");
    let bodies = |name: &str| -> Vec<Value> {
        let requests = server.requests().into_iter().filter(|request| request.path.ends_with(name));
        requests.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    };
    let created = bodies("runs/create");
    let names: Vec<&str> = created.iter().map(|run| run["run_name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 1 + 6, "{names:?}");
    assert_eq!(names[0], "tune");
    assert!((0..6).all(|trial| names.contains(&format!("trial-{trial:04}").as_str())), "{names:?}");
    let ended = bodies("runs/update");
    assert_eq!((ended.len(), ended.last().unwrap()["status"].as_str()), (7, Some("FINISHED")));
}
