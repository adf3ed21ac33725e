//! The challenge client, from the command line, against a stand-in of the service on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::world::World;

const KEY: &str = "k3y-0123456789";
const RUN: &str = "run --recipe notebook --challenge faces --out out --trials 0 --neurons0 8 --epochs 2 --forest-n-estimators 3 --json --quiet";

/// The service; it has the tables of a world.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn new(world: &World, registered: bool) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (own, noted, folder) = (url.clone(), Arc::clone(&asked), world.path(""));
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &own, &noted, &folder, registered);
            }
        });
        Service { url, asked }
    }

    /// The command, sent to this service, with a home that is the world's folder.
    fn command(&self, world: &World, args: &str) -> Command {
        let mut command = world.command(args);
        for name in ["AICROWD_API_ENDPOINT", "RAILS_HOST", "DATASETS_HOST"] {
            command.env(name, &self.url);
        }
        for name in [
            "XDG_CONFIG_HOME",
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "http_proxy",
            "HTTP_PROXY",
            "ALL_PROXY",
        ] {
            command.env_remove(name);
        }
        command.env("HOME", world.path("")).env("AICROWD_API_KEY", KEY).env("NO_PROXY", "127.0.0.1");
        command
    }

    fn run(&self, world: &World, args: &str, status: i32) -> Output {
        let output = self.command(world, args).output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "headsmith {args}\n{text}");
        assert!(!text.contains(KEY) && !text.contains("panicked"), "headsmith {args}\n{text}");
        output
    }

    fn posts(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with("POST")).cloned().collect()
    }
}

fn serve(stream: TcpStream, url: &str, noted: &Mutex<Vec<String>>, folder: &Path, registered: bool) {
    let mut input = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        match input.read_line(&mut line) {
            Ok(n) if n > 0 && line != "\r\n" => lines.push(line.trim_end().to_owned()),
            _ => break,
        }
    }
    let Some(first) = lines.first() else { return };
    let length =
        lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    input.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
    let asked = first.trim_end_matches(" HTTP/1.1").to_owned();
    let path = asked.split(' ').nth(1).unwrap();
    let body = match path {
        "/api/v1/api_user" => b"{\"id\": 42}".to_vec(),
        "/challenges/?slug=faces" => b"[{\"id\": 7, \"slug\": \"faces\"}]".to_vec(),
        "/challenges/7/participant?participant_id=42" => format!("{{\"registered\": {registered}}}").into_bytes(),
        "/challenges/7/dataset" => {
            let one = |name| format!("{{\"title\": \"{name}\", \"external_url\": \"{url}/files/{name}\"}}");
            format!("[{}]", ["train.csv", "val.csv", "test.csv", "sample_submission.csv"].map(one).join(", ")).into_bytes()
        }
        "/api/v1/submissions?challenge_id=faces" => {
            format!("{{\"success\": true, \"data\": {{\"url\": \"{url}/up\", \"fields\": {{\"key\": \"k/${{filename}}\"}}}}}}").into_bytes()
        }
        "/api/v1/submissions" => b"{\"success\": true, \"data\": {\"submission_id\": 9}}".to_vec(),
        path => path.strip_prefix("/files/").map(|name| std::fs::read(folder.join(name)).unwrap()).unwrap_or_default(),
    };
    noted.lock().unwrap().push(asked);
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let stream = input.get_mut();
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// A world with a sample of so many rows.
fn world(n_rows: usize) -> World {
    let world = World::with_tables();
    world.write("sample_submission.csv", &format!("embeddings,label\n{}", "x,y\n".repeat(n_rows)));
    world
}

#[test]
fn a_run_fetches_its_tables_and_submits_its_predictions() {
    let world = world(60);
    let service = Service::new(&world, true);
    let output = service.run(&world, &format!("{RUN} --submit"), 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["submission"]["submission_id"], 9);
    assert_eq!(service.posts(), ["POST /up", "POST /api/v1/submissions"]);
    for name in ["train.csv", "val.csv", "test.csv"] {
        assert_eq!(world.bytes(&format!("out/data/{name}")), world.bytes(name));
    }
}

#[test]
fn predictions_unlike_the_sample_are_not_submitted() {
    let world = world(61);
    let service = Service::new(&world, true);
    let output = service.run(&world, &format!("{RUN} --submit"), 3);
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected 61 rows, found 60"));
    assert!(service.posts().is_empty());
}

#[test]
fn someone_not_registered_is_told_so_before_the_work() {
    let world = world(60);
    let service = Service::new(&world, false);
    service.run(&world, &format!("{RUN} --submit"), 4);
    assert!(!world.path("out").exists());
    let output =
        service.run(&world, "aicrowd submit faces test.csv --json --sample sample_submission.csv", 4);
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["error"]["cause"], "not_registered");
}

#[test]
fn run_needs_its_tables_or_a_challenge() {
    let world = World::with_tables();
    let stderr = world.error("run --recipe notebook --out out --val val.csv", 2);
    assert!(stderr.contains("not provided:\n  --train <FILE>"), "{stderr}");
    let stderr = world.error("run --recipe notebook --out out --train train.csv --val val.csv --submit", 2);
    assert!(stderr.contains("--challenge <CHALLENGE>"), "{stderr}");
    world.write("h.toml", "train = \"train.csv\"\nval = \"val.csv\"\n");
    world.run(
        "run --recipe notebook --config h.toml --out out --trials 0 --epochs 2 --neurons0 8 --forest-n-estimators 3 --quiet",
        0,
    );
}

#[test]
fn nobody_logged_in_is_said_so() {
    let world = World::with_tables();
    let service = Service::new(&world, true);
    let output = service
        .command(&world, "aicrowd datasets faces --json")
        .env_remove("AICROWD_API_KEY")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = &error["error"];
    assert_eq!(
        (&error["cause"], &error["hints"][0]),
        (&"no_key".into(), &"run: headsmith aicrowd login".into())
    );
    assert!(service.asked.lock().unwrap().is_empty());
}
