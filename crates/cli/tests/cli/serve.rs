//! `headsmith serve` as a process of its own, which signals reach as they do from a shell or a cluster.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::interrupt::send;
use crate::patience::{PATIENCE, wait_for, wait_until};
use crate::world::World;

/// A row of the class that [`table`](crate::world) calls negative.
const ROW: &str = r#"{"embeddings": [[4, 0, 0, 4, 0, 0]]}"#;

/// A server that ends with the test.
struct Served {
    process: Child,
    address: String,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Served {
    /// Serves `m.safetensors` on a free port, with time-outs that no test reaches.
    fn new(world: &World) -> Served {
        let mut process = world
            .command("serve m.safetensors --listen 127.0.0.1:0 --body-timeout 3600 --header-timeout 3600 --drain-timeout 3600")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (stderr, lines) = (BufReader::new(process.stderr.take().unwrap()), log.clone());
        std::thread::spawn(move || {
            for line in stderr.lines() {
                let line = line.unwrap();
                let event =
                    serde_json::from_str(&line).unwrap_or_else(|_| panic!("no line of the log: {line}"));
                lines.lock().unwrap().push(event);
            }
        });
        let mut served = Served { process, address: String::new(), log };
        served.address = served.event("listening")["about"].as_str().unwrap().to_owned();
        served
    }

    /// The event of this message, when it comes.
    fn event(&mut self, message: &str) -> Value {
        wait_for(message, || {
            let found = self.log.lock().unwrap().iter().find(|event| event["message"] == message).cloned();
            let has_ended = self.process.try_wait().unwrap().is_some();
            assert!(found.is_some() || !has_ended, "the server ended: {message}");
            found
        })
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(stream))
    }

    /// The label of the row.
    fn label(&self) -> String {
        self.client().label()
    }

    /// The exit status, when the process has ended.
    fn status(&mut self) -> Option<i32> {
        wait_for("the end of the server", || self.process.try_wait().unwrap()).code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The headers of a request for [`ROW`].
    fn head(more: &str) -> String {
        format!("POST /predict HTTP/1.1\r\nhost: localhost\r\n{more}content-length: {}\r\n\r\n", ROW.len())
    }

    fn label(&mut self) -> String {
        self.send(&format!("{}{ROW}", Client::head("")));
        self.labelled()
    }

    /// The label in the next answer, which must be good.
    fn labelled(&mut self) -> String {
        let (status, body) = self.answer();
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["labels"][0].as_str().unwrap().to_owned()
    }

    /// The status and the body of the next answer.
    fn answer(&mut self) -> (u16, String) {
        let lines: Vec<String> =
            self.0.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let status = lines.first().expect("an answer").split(' ').nth(1).unwrap().parse().unwrap();
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }
}

/// A folder with a model, `m.safetensors`, and one that gives other answers, `other.safetensors`.
fn with_models() -> World {
    let world = World::with_tables();
    let train = world.read("train.csv");
    let swapped = train.replace("negative", "?").replace("positive", "negative").replace('?', "positive");
    world.write("swapped.csv", &swapped);
    world.run("fit linear --train train.csv --val val.csv --model m.safetensors --quiet", 0);
    world.run("fit linear --train swapped.csv --val val.csv --model other.safetensors --quiet", 0);
    world
}

#[test]
fn sighup_changes_the_model_and_no_request_fails() {
    let world = with_models();
    let mut served = Served::new(&world);
    assert_eq!(served.label(), "negative");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let mut client = served.client();
            scope.spawn(move || {
                wait_until("the answer of the new model", || {
                    let label = client.label();
                    assert!(label == "negative" || label == "positive", "{label}");
                    label == "positive"
                })
            });
        }
        std::fs::rename(world.path("other.safetensors"), world.path("m.safetensors")).unwrap();
        send("HUP", &served.process);
    });
    assert_eq!(served.label(), "positive");
    world.write("m.safetensors", "no model");
    send("HUP", &served.process);
    assert!(served.event("kept the old models")["about"].as_str().unwrap().contains("m.safetensors"));
    assert_eq!(served.label(), "positive");
}

#[test]
fn sigterm_and_sigint_end_after_the_requests_under_way() {
    let world = with_models();
    for signal in ["TERM", "INT"] {
        let mut served = Served::new(&world);
        let mut client = served.client();
        client.send(&Client::head("expect: 100-continue\r\n"));
        // The server asks for the body: the request is under way.
        assert_eq!(client.answer().0, 100);
        send(signal, &served.process);
        served.event("ending: requests under way are answered");
        assert!(TcpStream::connect(&served.address).is_err(), "{signal}: no new connection is taken");
        client.send(ROW);
        assert_eq!(client.labelled(), "negative", "{signal}");
        assert_eq!(served.status(), Some(0), "{signal}");
    }
}

#[test]
fn a_signal_at_once_ends_an_idle_server() {
    let world = with_models();
    for signal in ["TERM", "INT"] {
        let mut served = Served::new(&world);
        send(signal, &served.process);
        assert_eq!(served.status(), Some(0), "{signal}");
    }
}
