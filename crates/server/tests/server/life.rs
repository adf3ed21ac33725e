//! A server's life: models are read again, requests under way are answered at the end, TLS.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use headsmith_server::Limits;
use serde_json::json;

use crate::world::{CLASSES, ROW, World, model, write};

/// Longer than any test takes.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn models_are_read_again_while_requests_go_on() {
    let world = World::new();
    let path = world.folder.path().join("m.safetensors");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let n_answers = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                let (world, stop) = (&world, &stop);
                scope.spawn(move || {
                    let (mut client, mut n) = (world.client(), 0);
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let answer = client.ask("POST", "/predict", &[], ROW.as_bytes());
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        n += 1;
                    }
                    n
                })
            })
            .collect();
        for i in 0..20 {
            write(&path, &model(if i % 2 == 0 { -40.0 } else { 0.5 }));
            world.handle.reload().unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()
    });
    assert!(n_answers > 0);
    write(&path, &model(-40.0));
    world.handle.reload().unwrap();
    assert_eq!(world.post("/predict", ROW).json()["labels"], json!([CLASSES[1]]));
    // A file that is no model changes nothing.
    std::fs::write(&path, b"no model").unwrap();
    assert!(world.handle.reload().unwrap_err().to_string().contains("m.safetensors"));
    assert_eq!(world.post("/predict", ROW).json()["labels"], json!([CLASSES[1]]));
}

#[test]
fn requests_under_way_are_answered_at_the_end() {
    let world = World::with(|options, _| {
        // The request waits for others that do not come: it is under way when the server is told to end.
        options.limits = Limits { batch_wait: std::time::Duration::from_secs(3600), ..Limits::default() };
    });
    let mut client = world.client();
    client.send_row();
    world.wait_for("headsmith_waiting_requests 1");
    let mut idle = world.client();
    assert_eq!(idle.ask("GET", "/v2/health/ready", &[], b"").status, 200);
    let address = world.address;
    world.end();
    assert_eq!(client.answer().unwrap().status, 200);
    assert!(client.is_closed() && idle.is_closed());
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_client_that_never_ends_its_body_does_not_keep_the_server() {
    let world = World::with(|options, _| {
        options.limits = Limits { drain_timeout: std::time::Duration::from_millis(200), ..Limits::default() };
    });
    let mut client = world.client();
    client.send(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
    assert!(world.is_well());
    world.end();
    assert!(client.is_closed());
}

#[test]
fn half_a_header_does_not_keep_the_server() {
    let world = World::with(|options, _| {
        options.limits = Limits { header_timeout: HOUR, drain_timeout: HOUR, ..Limits::default() };
    });
    let mut client = world.client();
    client.send(b"POST /predict HT");
    assert!(world.is_well());
    world.end();
    assert!(client.is_closed());
}

/// An output that takes nothing.
struct Blocked(mpsc::Receiver<()>);

impl Write for Blocked {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.recv();
        Ok(0)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_the_server() {
    let (_held, blocked) = mpsc::channel();
    let world = World::with_log(Blocked(blocked), |_, _| ());
    assert!(world.is_well());
    world.end();
}

#[cfg(target_os = "linux")]
#[test]
fn requests_of_clients_that_are_gone_are_not_predicted() {
    let world = World::with(|options, _| {
        // A batch of two rows: one that waits alone is not predicted.
        options.limits = Limits { batch_rows: 2, batch_wait: HOUR, ..Limits::default() };
    });
    let mut gone = world.client();
    gone.send_row();
    world.wait_for("headsmith_waiting_requests 1");
    rustix::net::sockopt::set_socket_linger(gone.stream.get_ref(), Some(Duration::ZERO)).unwrap();
    drop(gone);
    // The answer needs no memory any more; the row has its own until its turn.
    world.wait_for("headsmith_memory_bytes 32");
    let mut other = world.client();
    other.send_row();
    // A client that ends its side alone is not gone.
    other.stream.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(other.answer().unwrap().status, 200);
    let page = world.get("/metrics").text();
    assert!(page.contains("headsmith_batch_rows_total 1\n"), "{page}");
}

#[cfg(target_os = "linux")]
mod signals {
    use std::io::{BufRead, BufReader, Lines, Read};
    use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

    use headsmith_server::{Options, Server};
    use rustix::process::{Pid, Signal, kill_process};

    use super::*;
    use crate::world::{Client, file};

    const CHILD: &str = "HEADSMITH_SERVER_CHILD";

    #[test]
    #[ignore = "is the process of another test"]
    fn a_process_that_serves() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        write(&path, &model(0.5));
        let mut options = Options::new(file("m", &path));
        options.limits = Limits { body_timeout: HOUR, drain_timeout: HOUR, ..Limits::default() };
        Server::bind(options).unwrap().run().unwrap();
    }

    /// Reads the log to the line of an event, and gives what it is about.
    fn event(log: &mut Lines<BufReader<ChildStderr>>, message: &str) -> String {
        let line = log.map(Result::unwrap).find(|line| line.contains(message)).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        line["about"].as_str().unwrap().to_owned()
    }

    fn terminate(child: &Child) {
        kill_process(Pid::from_child(child), Signal::TERM).unwrap();
    }

    fn ended(mut child: Child) -> ExitStatus {
        child.wait().unwrap()
    }

    #[test]
    fn a_second_signal_ends_the_process_at_once() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "life::signals::a_process_that_serves", "--ignored", "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = event(&mut log, "listening").parse().unwrap();
        let mut client = Client::new(address);
        client.send(
            b"POST /predict HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n",
        );
        // The server waits for the body.
        let mut line = [0; 12];
        client.stream.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"HTTP/1.1 100");
        terminate(&child);
        event(&mut log, "ending");
        terminate(&child);
        assert_eq!(ended(child).code(), Some(143));
    }
}
