//! Who may ask, and how much. Each test has the like of a fault that another server had.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use headsmith_server::{Limits, ModelFile, Options, Server};

use crate::world::{Client, ROW, World, file};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A server as off loopback, though only this machine reaches it.
fn open_world() -> World {
    World::with(|options, _| {
        options.listen = "0.0.0.0:0".parse().unwrap();
        options.token = Some(TOKEN.to_owned());
        options.allowed_hosts = vec!["models.example".to_owned()];
    })
}

#[test]
fn off_loopback_a_token_is_required() {
    // Ray's jobs, and TorchServe's management, listened on all addresses and asked for nothing.
    let refused = |listen: &str, token: Option<&str>| {
        let listen: SocketAddr = listen.parse().unwrap();
        let mut options = Options::new(file("m", "none".as_ref()));
        (options.listen, options.token) = (listen, token.map(str::to_owned));
        Server::bind(options).err().unwrap()
    };
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = refused(listen, None);
        assert!(error.is_usage() && error.to_string().contains("--token-file"), "{listen}: {error}");
    }
    for token in ["", "short", "0123456789 abcdef", "0123456789abcdef\n0"] {
        assert!(refused("0.0.0.0:0", Some(token)).to_string().contains("at least 16 characters"), "{token}");
    }
    // With a token, or on loopback, the next error is that of the file.
    assert!(refused("0.0.0.0:0", Some(TOKEN)).to_string().contains("model file"));
    assert!(refused("127.0.0.1:0", None).to_string().contains("model file"));
}

#[test]
fn the_token_guards_everything_but_health() {
    let world = open_world();
    let address = SocketAddr::from(([127, 0, 0, 1], world.address.port()));
    let status = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let body = if method == "POST" { ROW } else { "" };
        Client::new(address).ask(method, path, headers, body.as_bytes()).status
    };
    let bearer = format!("Bearer {TOKEN}");
    for (method, path) in [
        ("POST", "/predict"),
        ("POST", "/v2/models/m/infer"),
        ("POST", "/invocations"),
        ("GET", "/v2"),
        ("GET", "/v2/models/m"),
        ("GET", "/v2/models/m/ready"),
        ("GET", "/metrics"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/nothing"),
    ] {
        assert_eq!(status(method, path, &[]), 401, "{path}");
        let almost = format!("{}0", &bearer[..bearer.len() - 1]);
        assert_eq!(status(method, path, &[("authorization", &almost)]), 401, "{path}");
        assert_ne!(status(method, path, &[("authorization", &bearer)]), 401, "{path}");
        assert_eq!(
            status(method, path, &[("authorization", &bearer), ("host", "evil.example")]),
            403,
            "{path}"
        );
    }
    assert_eq!(status("POST", "/predict", &[("authorization", &bearer), ("host", "models.example")]), 200);
    for path in ["/v2/health/live", "/v2/health/ready"] {
        assert_eq!(status("GET", path, &[("host", "10-1-2-3.pods.example")]), 200, "{path}");
    }
}

#[test]
fn pages_of_the_web_cannot_ask() {
    // MLflow's tracking server was open to pages that its user visits, by DNS rebinding and by requests across origins.
    let world = World::new();
    let status = |headers: &[(&str, &str)]| world.ask("POST", "/predict", headers, ROW.as_bytes()).status;
    assert_eq!(status(&[]), 200);
    assert_eq!(status(&[("host", "rebound.example")]), 403);
    assert_eq!(status(&[("origin", "https://evil.example")]), 403);
    assert_eq!(status(&[("origin", "null")]), 403);
    assert_eq!(status(&[("sec-fetch-site", "cross-site")]), 403);
    assert_eq!(status(&[("origin", "http://localhost"), ("sec-fetch-site", "same-origin")]), 200);
    // A form's types, which a page may send without asking first.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        assert_eq!(status(&[("content-type", kind)]), 415, "{kind}");
    }
    assert_eq!(status(&[("content-type", "application/json; charset=utf-8")]), 200);
    // Nobody is told that other pages may read.
    let answer = world.ask("OPTIONS", "/predict", &[("origin", "https://evil.example")], b"");
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{answer:?}");
}

#[test]
fn no_path_of_the_file_system_is_reached_or_told() {
    // MLflow's traversal (CVE-2023-6909, CVE-2024-1483, CVE-2024-3848): `..`, encodings of it, and fragments.
    let world = World::new();
    let folder = world.folder.path().to_str().unwrap().to_owned();
    for path in [
        "/../../../../etc/passwd",
        "/v2/models/../../../etc/passwd",
        "/v2/models/..%2f..%2f..%2fetc%2fpasswd",
        "/v2/models/%2e%2e/%2e%2e/etc/passwd",
        "/v2/models/m%00.safetensors",
        "/predict/..%5c..%5cwindows",
        "/v2/models/m.safetensors",
        "/get-artifact?path=../../etc/passwd",
        "/model-versions/get-artifact?path=passwd&name=m#/../../",
        &format!("/v2/models/{folder}/m.safetensors"),
    ] {
        for method in ["GET", "POST"] {
            let answer = world.ask(method, path, &[], if method == "GET" { b"" } else { ROW.as_bytes() });
            assert!([400, 404, 405].contains(&answer.status), "{method} {path}: {}", answer.status);
            let text = answer.text();
            assert!(
                !text.contains("safetensors") && !text.contains(&folder) && !text.contains("root:"),
                "{text}"
            );
        }
    }
}

#[test]
fn no_model_is_loaded_or_replaced_by_a_request() {
    // TorchServe registered models from any address (CVE-2023-43654); Triton's repository loads files that a request names (CVE-2024-0087), and its
    // shared memory reaches where it should not (CVE-2023-31036).
    let world = World::new();
    for (method, path) in [
        ("POST", "/models?url=http://evil.example/m.mar"),
        ("POST", "/v2/repository/models/m/load"),
        ("POST", "/v2/repository/models/m/unload"),
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/systemsharedmemory/region/x/register"),
        ("POST", "/v2/logging"),
        ("PUT", "/v2/models/m"),
        ("DELETE", "/v2/models/m"),
        ("POST", "/api/jobs/"),
        ("POST", "/shutdown"),
    ] {
        let body = br#"{"entrypoint": "id", "log_file": "/tmp/x"}"#;
        let status = world.ask(method, path, &[], body).status;
        assert!([404, 405].contains(&status), "{method} {path}: {status}");
    }
    let input = r#"{"inputs": [{"name": "embeddings", "shape": [1, 4], "datatype": "FP32", "parameters": {"shared_memory_region": "x", "shared_memory_byte_size": 16}}]}"#;
    let answer = world.post("/v2/models/m/infer", input);
    assert!(answer.status == 400 && answer.text().contains("shared memory"), "{}", answer.text());
    assert!(world.is_well());
}

#[test]
fn rows_bodies_and_headers_are_bounded() {
    let world = World::with(|options, _| {
        options.limits = Limits { body_bytes: 2000, rows: 10, ..Limits::default() };
    });
    let rows = |n: usize| format!(r#"{{"embeddings": [{}]}}"#, vec!["[0, 0, 0, 0]"; n].join(","));
    assert_eq!(world.post("/predict", rows(10)).status, 200);
    assert_eq!(world.post("/predict", rows(11)).status, 413);
    assert_eq!(world.post("/predict", rows(500)).status, 413);
    let wide = format!(r#"{{"embeddings": [[{}0]]}}"#, "0,".repeat(900));
    assert_eq!(world.post("/predict", wide).status, 400);
    // A claimed length is refused before a byte of it came.
    let answer = world.ask("POST", "/predict", &[("content-length", "9223372036854775807")], b"");
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    let long = "x".repeat(20_000);
    let answer = world.ask("GET", "/v2", &[("x-long", &long)], b"");
    assert_eq!(answer.status, 431);
    let many: Vec<(&str, &str)> = vec![("x-a", "b"); 200];
    assert_eq!(world.ask("GET", "/v2", &many, b"").status, 431);
    let encoded = |encodings: &[&str]| {
        let headers: Vec<(&str, &str)> = encodings.iter().map(|name| ("content-encoding", *name)).collect();
        world.ask("POST", "/predict", &headers, ROW.as_bytes()).status
    };
    assert_eq!((encoded(&["gzip"]), encoded(&["identity", "gzip"]), encoded(&["Identity"])), (415, 415, 200));
    assert!(world.is_well());
}

#[test]
fn connections_above_the_limit_are_told_to_come_back() {
    let world = World::with(|options, _| {
        options.limits = Limits { connections: 2, ..Limits::default() };
    });
    let mut first = world.client();
    let mut second = world.client();
    assert_eq!(first.ask("GET", "/v2", &[], b"").status, 200);
    assert_eq!(second.ask("GET", "/v2", &[], b"").status, 200);
    // It is read to its end, also where the client has sent something.
    let mut third = world.client();
    third.send_row();
    let mut text = String::new();
    third.stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 503") && text.contains("retry-after: 1"), "{text}");
    assert_eq!(first.ask("GET", "/v2", &[], b"").status, 200);
}

#[test]
fn requests_above_the_memory_are_told_to_come_back() {
    let world = World::with(|options, _| {
        options.limits = Limits { body_bytes: 1000, memory_bytes: 1000, ..Limits::default() };
    });
    let mut first = world.client();
    let body = format!("{}{ROW}", " ".repeat(930));
    let head = format!("POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    first.send(head.as_bytes());
    first.send(&body.as_bytes()[..900]);
    world.wait_for("headsmith_memory_bytes 900");
    let answer = world.post("/predict", " ".repeat(200));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    first.send(&body.as_bytes()[900..]);
    // The answer has memory only because the body was given back before.
    assert_eq!(first.answer().unwrap().status, 200);
    world.wait_for("headsmith_memory_bytes 0");
    assert!(world.is_well(), "the memory was given back");
}

#[test]
fn rows_are_counted_as_they_are_decoded() {
    let world = World::with(|options, _| {
        // The request waits for others that do not come.
        options.limits = Limits { batch_wait: Duration::from_secs(3600), ..Limits::default() };
    });
    let json = r#"{"inputs": [{"name": "embeddings", "shape": [20, 4], "datatype": "INT8", "parameters": {"binary_data_size": 80}}]}"#;
    let (length, mut client) = (json.len(), world.client());
    let head = format!(
        "POST /v2/models/m/infer HTTP/1.1\r\nhost: localhost\r\ninference-header-content-length: {length}\r\ncontent-length: {}\r\n\r\n",
        length + 80
    );
    client.send(&[head.as_bytes(), json.as_bytes(), &[0; 80]].concat());
    world.wait_for("headsmith_waiting_requests 1");
    // The body was given back; 80 numbers have 4 bytes each, and 60 probabilities 16 as numbers and text.
    let page = world.get("/metrics").text();
    assert!(page.contains("headsmith_memory_bytes 1280\n"), "{page}");
    world.end();
    assert_eq!(client.answer().unwrap().status, 200);
}

#[test]
fn the_memory_holds_at_least_a_body() {
    let mut options = Options::new(file("m", "none".as_ref()));
    options.limits.memory_bytes = options.limits.body_bytes - 1;
    let error = Server::bind(options.clone()).err().unwrap();
    assert!(error.is_usage() && error.to_string().contains("--max-memory"), "{error}");
    options.limits.memory_bytes += 1;
    assert!(Server::bind(options).err().unwrap().to_string().contains("model file"));
}

#[test]
fn names_of_models_cannot_be_paths() {
    for text in ["../m=x", "a/b=x", "..=x", "=x"] {
        let name = ModelFile::parse(text);
        assert!(name.is_err() || !format!("{name:?}").contains("name: \"../"), "{text}");
    }
}
