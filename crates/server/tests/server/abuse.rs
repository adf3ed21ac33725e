//! Clients that misbehave: none of them brings the server down, and none gets an answer of 5xx but 503.

use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use headsmith_kernels::{Philox, Sequence};
use headsmith_server::{Limits, Options, Server};

use crate::world::{Answer, Client, PATIENCE, ROW, World, file, model, write};

/// Random requests of the test; more by hand, with HEADSMITH_BAD_REQUESTS.
const N_RANDOM: u32 = 4000;

/// Time-outs short enough to wait for, and long enough for good clients of a busy machine.
fn impatient(options: &mut Options) {
    let time = Duration::from_secs(3);
    options.limits = Limits {
        header_timeout: time,
        body_timeout: time,
        write_timeout: time,
        body_bytes: 1 << 20,
        ..Limits::default()
    };
}

/// Sends bytes and nothing more, and reads all answers to the end.
fn answers(world: &World, bytes: &[u8]) -> Vec<Answer> {
    let mut client = world.client();
    client.send(bytes);
    let _ = client.stream.get_ref().shutdown(Shutdown::Write);
    std::iter::from_fn(|| client.answer()).collect()
}

fn is_allowed(answer: &Answer) -> bool {
    answer.status < 500 || answer.status == 503
}

#[test]
fn slow_and_silent_clients_are_cut_off() {
    let world = World::with(|options, _| impatient(options));
    // Nothing; half a header; headers without the rest of the body; a body that trickles; one that is not read; idle after an answer.
    let starts: [&[u8]; 4] = [
        b"",
        b"POST /predict HT",
        b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n\r\n{\"embeddings\": [[",
        b"POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"emb",
    ];
    let mut slow: Vec<Client> = starts
        .iter()
        .map(|bytes| {
            let mut client = world.client();
            client.send(bytes);
            client
        })
        .collect();
    let mut idle = world.client();
    assert_eq!(idle.ask("GET", "/v2", &[], b"").status, 200);
    assert!(world.is_well(), "a good client is answered meanwhile");
    let timeouts: Vec<Option<u16>> =
        slow.iter_mut().map(|client| client.answer().map(|answer| answer.status)).collect();
    assert_eq!(timeouts[2..], [Some(408), Some(408)], "{timeouts:?}");
    assert!(slow.iter_mut().all(Client::is_closed) && idle.is_closed());
    world.wait_for("headsmith_connections 1");
}

#[test]
fn a_client_that_sends_headers_byte_by_byte_is_cut_off() {
    let world = World::with(|options, _| impatient(options));
    let mut client = world.client();
    // A byte every tenth of the time-out would go on for a minute.
    let bytes = b"GET /v2/health/live HTTP/1.1\r\nhost: localhost\r\nx-slow: ";
    let is_cut_off = bytes.iter().chain(std::iter::repeat_n(&b'x', 1000)).any(|byte| {
        std::thread::sleep(Duration::from_millis(300));
        std::io::Write::write_all(client.stream.get_mut(), &[*byte]).is_err()
    });
    assert!(is_cut_off && world.is_well());
}

#[test]
fn a_client_that_takes_no_answers_is_cut_off() {
    let world = World::with(|options, _| impatient(options));
    let mut client = world.client();
    let body = format!(r#"{{"embeddings": [{}]}}"#, vec!["[0,0,0,0]"; 4096].join(","));
    let request =
        format!("POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    // Requests without end, until neither side's buffers take more.
    client.stream.get_ref().set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let is_cut_off =
        (0..10_000).any(|_| std::io::Write::write_all(client.stream.get_mut(), request.as_bytes()).is_err());
    assert!(is_cut_off && world.is_well());
    world.wait_for("headsmith_memory_bytes 0");
}

#[test]
fn bodies_without_end_are_cut_off() {
    let world = World::with(|options, _| impatient(options));
    let mut client = world.client();
    client.send(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = format!("10000\r\n{}\r\n", "[".repeat(0x10000));
    // A megabyte is allowed; many chunks are never kept.
    (0..64).for_each(|_| client.send(chunk.as_bytes()));
    // The answer may be lost where the client is still sending when the connection is closed.
    assert!(client.answer().is_none_or(|answer| answer.status == 413));
    for size in ["ffffffffffffffff", "fffffffffffffffff", "-1", "zz", "7fffffffffffffff"] {
        let head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        let found = answers(&world, format!("{head}{size}\r\n{ROW}").as_bytes());
        assert!(found.iter().all(is_allowed), "{size}: {found:?}");
    }
    assert!(world.is_well());
    world.wait_for("headsmith_memory_bytes 0");
}

#[test]
fn a_client_that_sends_too_much_gets_its_answer() {
    let world = World::with(|options, _| {
        options.limits = Limits { body_bytes: 1 << 16, ..Limits::default() };
    });
    // Many clients send all before they read, and fail when the connection is reset meanwhile.
    let body = vec![b' '; 8 << 20];
    let mut client = world.client();
    client.send(
        format!("POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len())
            .as_bytes(),
    );
    std::io::Write::write_all(client.stream.get_mut(), &body).unwrap();
    assert_eq!(client.answer().unwrap().status, 413);
    assert!(client.is_closed());
}

#[test]
fn malformed_requests_are_refused() {
    let world = World::with(|options, _| impatient(options));
    let deep = "[".repeat(1 << 19);
    let keys = r#"{"embeddings":"#.repeat(1 << 15);
    let head = "POST /predict HTTP/1.1\r\nhost: localhost\r\n";
    let with_body = |body: &str| format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    for request in [
        with_body(&deep),
        with_body(&keys),
        with_body(&format!(r#"{{"embeddings": {deep}"#)),
        with_body(r#"{"embeddings": [[1e400, 0, 0, 0]]}"#),
        with_body(r#"{"embeddings": [[NaN, 0, 0, 0]]}"#),
        with_body("\u{0}\u{1}"),
        with_body("null"),
        format!("{head}content-length: 5\r\ncontent-length: 6\r\n\r\n{ROW}"),
        format!("{head}content-length: -5\r\n\r\n{ROW}"),
        format!("{head}content-length: 99999999999999999999\r\n\r\n{ROW}"),
        format!("{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n{ROW}"),
        format!("{head}content-length: 10000\r\n\r\n{ROW}"),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET /v2 HTTP/1.1\r\n\r\n".to_owned(),
        "GET http://evil.example/v2 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
        "GET /v2 HTTP/1.1\r\nhost: localhost\r\n folded: x\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "CONNECT evil.example:80 HTTP/1.1\r\nhost: evil.example:80\r\n\r\n".to_owned(),
        "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
    ] {
        let found = answers(&world, request.as_bytes());
        let short = &request[..request.len().min(120)];
        assert!(found.iter().all(|answer| answer.status >= 400 && is_allowed(answer)), "{short}: {found:?}");
    }
    assert!(world.is_well());
}

#[cfg(target_os = "linux")]
#[test]
fn many_connections_at_once_wait_to_be_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.safetensors");
    write(&path, &model(0.5));
    // It listens, and accepts none as long as it does not run.
    let server = Server::bind(Options::new(file("m", &path))).unwrap();
    let address = server.address().unwrap();
    let connected: Vec<_> = (0..300).map(|_| TcpStream::connect_timeout(&address, PATIENCE)).collect();
    assert!(connected.iter().all(Result::is_ok));
}

/// A request like a sound one, with some bytes changed, cut out or doubled.
fn mutated(sound: &[u8], random: &mut Sequence) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len() as u32) as usize;
        let end = (at + random.below(20) as usize).min(bytes.len());
        match random.below(4) {
            0 => bytes[at] = random.below(256) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => bytes = [&bytes[..end], &bytes[at..]].concat(),
            _ => bytes[at] = b"[]{}\",:0-9eE.\r\n "[random.below(16) as usize],
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn random_requests_do_no_harm() {
    let world = World::new();
    let infer = r#"{"id": "a", "inputs": [{"name": "embeddings", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 0]}], "outputs": [{"name": "label"}]}"#;
    let binary = r#"{"inputs": [{"name": "embeddings", "shape": [1, 4], "datatype": "FP32", "parameters": {"binary_data_size": 16}}]}"#;
    let post = |path: &str, more: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\n{more}content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    };
    let zeros = "\0".repeat(16);
    let length = format!("inference-header-content-length: {}\r\n", binary.len());
    let sound = [
        post("/predict", "", ROW),
        post("/v2/models/m/infer", "", infer),
        post("/v2/models/m/infer", &length, &format!("{binary}{zeros}")),
        post(
            "/invocations",
            "",
            r#"{"dataframe_split": {"columns": ["a", "b", "c", "d"], "data": [[0, 0, 0, 0]]}}"#,
        ),
        post("/invocations", "", r#"{"dataframe_records": [{"a": 0, "b": 0, "c": 0, "d": 0}]}"#),
        b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
    ];
    for request in &sound {
        let found = answers(&world, request);
        assert_eq!(found.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200], "{found:?}");
    }
    let n = std::env::var("HEADSMITH_BAD_REQUESTS").ok().and_then(|n| n.parse().ok()).unwrap_or(N_RANDOM);
    for i in 0..n {
        let mut random = Philox::new(17, 0, 0).sequence(0, i);
        let request = match i % 8 {
            0 => (0..random.below(300)).map(|_| random.below(256) as u8).collect(),
            _ => mutated(&sound[i as usize % sound.len()], &mut random),
        };
        for answer in answers(&world, &request) {
            assert!(is_allowed(&answer), "request {i}: {}: {answer:?}", String::from_utf8_lossy(&request));
        }
        assert!(i % 500 > 0 || world.is_well(), "request {i}");
    }
    assert!(world.is_well());
    world.wait_for("headsmith_memory_bytes 0");
}
