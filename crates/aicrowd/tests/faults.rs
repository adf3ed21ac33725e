//! Network failures: each ends with its cause, leaves no incomplete file in place, and does not leak the key.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use headsmith_aicrowd::{Cause, DownloadOptions, Error, Limits, download};

use crate::patience::with_growing_limits;
use crate::server::{Request, Server, head, hush, reply};
use crate::service::{KEY, Log, client, client_of, client_within, dataset, hasty, limits};

type Fault = fn(&Request, &mut dyn Write);

/// The error of a download from a faulty server, and the number of requests.
fn error_of(fault: Fault, options: &DownloadOptions, limits: Limits) -> (Error, usize) {
    let (server, folder, log) = (Server::new(fault), tempfile::tempdir().unwrap(), Log::default());
    let file = dataset(format!("{}/f.bin?X-Signature=s3cret", server.url()));
    let client = client_within(&server, limits);
    let mut done = download(&client, &[&file], folder.path(), options, &|event| log.see(&event)).unwrap();
    assert!(!folder.path().join("f.bin").exists(), "half a file has its name");
    let error = done.pop().unwrap().unwrap_err();
    let words = format!("{error} {error:?} {}", log.text());
    assert!(!words.contains(KEY) && !words.contains("s3cret"), "{words}");
    assert_no_key_in(folder.path());
    if matches!(error.cause(), Cause::NotFound | Cause::Refused | Cause::NotRegistered | Cause::Redirect) {
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "an empty file is left");
    }
    (error, server.requests().len())
}

fn assert_no_key_in(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(KEY));
    }
}

fn endless(_: &Request, out: &mut dyn Write) {
    head(out, 200, &[("Transfer-Encoding", "chunked")], None);
    while out
        .write_all(b"400\r\n")
        .and_then(|()| out.write_all(&[b'x'; 1024]))
        .and_then(|()| out.write_all(b"\r\n"))
        .is_ok()
    {}
}

fn dribble(_: &Request, out: &mut dyn Write) {
    head(out, 200, &[], Some(1000));
    while out.write_all(b"x").and_then(|()| out.flush()).is_ok() {
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_failed_download_ends_with_its_cause() {
    // The fault, its cause, and the number of attempts.
    let cases: [(&str, Fault, Cause, usize); 14] = [
        ("401", |_, out| reply(out, 401, &[], b"register <a href=x>"), Cause::NotRegistered, 1),
        ("403", |_, out| reply(out, 403, &[], b""), Cause::NotRegistered, 1),
        ("404", |_, out| reply(out, 404, &[], b""), Cause::NotFound, 1),
        ("418", |_, out| reply(out, 418, &[], b"{\"message\": \"k3y-0123456789\"}"), Cause::Refused, 1),
        ("429", |_, out| reply(out, 429, &[("Retry-After", "0")], b""), Cause::RateLimited, 3),
        ("500", |_, out| reply(out, 500, &[], b"k3y-0123456789\x1b[2J"), Cause::Server, 3),
        (
            "truncated",
            |_, out| {
                head(out, 200, &[], Some(100));
                let _ = out.write_all(b"short");
            },
            Cause::Network,
            3,
        ),
        (
            "truncated chunks",
            |_, out| {
                head(out, 200, &[("Transfer-Encoding", "chunked")], None);
                let _ = out.write_all(b"5\r\nab");
            },
            Cause::Network,
            3,
        ),
        (
            "no HTTP",
            |_, out| {
                let _ = out.write_all(b"220 mail ready\r\n\r\n");
            },
            Cause::Network,
            3,
        ),
        ("hangs up", |_, _| {}, Cause::Network, 3),
        ("endless", endless, Cause::Response, 1),
        (
            "endless head",
            |_, out| while out.write_all(b"X-A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n").is_ok() {},
            Cause::Network,
            3,
        ),
        ("too large", |_, out| head(out, 200, &[], Some(1 << 40)), Cause::Response, 1),
        ("packed", |_, out| reply(out, 200, &[("Content-Encoding", "gzip")], b"x"), Cause::Response, 1),
    ];
    let options = DownloadOptions { max_bytes: 1 << 20, ..DownloadOptions::default() };
    for (name, fault, cause, attempts) in cases {
        let (error, asked) = error_of(fault, &options, limits());
        assert_eq!((error.cause(), asked), (cause, attempts), "{name}: {error}");
    }
}

/// Calls `fail` with limits that are reached: each attempt times out, and there are three.
fn times_out(name: &str, mut fail: impl FnMut(Limits) -> (Error, usize)) {
    with_growing_limits(|limit| {
        let (error, asked) = fail(hasty(limit));
        assert_eq!(error.cause(), Cause::Timeout, "{name}: {error}");
        assert!(asked <= 3, "{name} was asked {asked} times");
        // On a slow machine a limit may be reached before the server has read the request.
        (asked == 3).then_some(())
    });
}

#[test]
fn a_download_that_is_silent_or_too_slow_times_out() {
    let silent_within: Fault = |_, out| {
        head(out, 200, &[], Some(100));
        let _ = out.flush();
        hush();
    };
    let cases: [(&str, Fault); 3] =
        [("silent", |_, _| hush()), ("silent within", silent_within), ("dribbles", dribble)];
    for (name, fault) in cases {
        times_out(name, |limits| error_of(fault, &DownloadOptions::default(), limits));
    }
}

#[test]
fn redirects_are_followed_so_far_and_to_nothing_insecure() {
    let round: Fault = |_, out| reply(out, 302, &[("Location", "/f.bin")], b"");
    let (error, asked) = error_of(round, &DownloadOptions::default(), limits());
    assert_eq!((error.cause(), asked), (Cause::Redirect, 6));
    for to in
        ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "http://127.0.0.1@example.org/"]
    {
        let server = Server::new(move |_, out| reply(out, 302, &[("Location", to)], b""));
        let file = dataset(format!("{}/f.bin", server.url()));
        let folder = tempfile::tempdir().unwrap();
        let done = download(&client(&server), &[&file], folder.path(), &DownloadOptions::default(), &|_| {})
            .unwrap();
        assert_eq!(done[0].as_ref().unwrap_err().cause(), Cause::Redirect, "{to}");
    }
    let to_nowhere: Fault = |_, out| reply(out, 302, &[], b"");
    assert_eq!(error_of(to_nowhere, &DownloadOptions::default(), limits()).0.cause(), Cause::Refused);
}

#[test]
fn a_failed_call_of_the_api_ends_with_its_cause() {
    let cases: [(&str, Fault, Cause, usize); 11] = [
        ("401", |_, out| reply(out, 401, &[], b""), Cause::BadKey, 1),
        ("403", |_, out| reply(out, 403, &[], b"{\"message\": \"no k3y-0123456789\"}"), Cause::Refused, 1),
        ("404", |_, out| reply(out, 404, &[], b""), Cause::NotFound, 1),
        ("429", |_, out| reply(out, 429, &[], b""), Cause::RateLimited, 1),
        ("500", |_, out| reply(out, 500, &[], b"k3y-0123456789"), Cause::Server, 3),
        ("503", |_, out| reply(out, 503, &[("Retry-After", "0")], b"<html>"), Cause::Server, 3),
        ("no JSON", |_, out| reply(out, 200, &[], b"<html>"), Cause::Response, 1),
        ("other JSON", |_, out| reply(out, 200, &[], b"{\"a\": [{}]}"), Cause::Response, 1),
        (
            "a list of others",
            |_, out| reply(out, 200, &[], b"[{\"id\": 1, \"slug\": \"../x\"}]"),
            Cause::Response,
            1,
        ),
        (
            "truncated",
            |_, out| {
                head(out, 200, &[], Some(100));
                let _ = out.write_all(b"[]");
            },
            Cause::Network,
            3,
        ),
        ("endless", endless, Cause::Response, 1),
    ];
    for (name, fault, cause, attempts) in cases {
        let (error, asked) = error_of_call(fault, limits());
        assert_eq!((error.cause(), asked), (cause, attempts), "{name}: {error}");
    }
}

/// The error of a call of the API, and the number of requests.
fn error_of_call(fault: Fault, limits: Limits) -> (Error, usize) {
    let server = Server::new(fault);
    let error = client_within(&server, limits).challenge("faces").unwrap_err();
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    (error, server.requests().len())
}

#[test]
fn a_call_of_the_api_that_is_silent_or_too_slow_times_out() {
    let cases: [(&str, Fault); 2] = [("silent", |_, _| hush()), ("dribbles", dribble)];
    for (name, fault) in cases {
        times_out(name, |limits| error_of_call(fault, limits));
    }
}

#[test]
fn redirects_of_the_api_are_not_followed() {
    let elsewhere = Server::new(|_, out| reply(out, 200, &[], b"[{\"id\": 7, \"slug\": \"faces\"}]"));
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/x?a=b", elsewhere.url());
        let server = Server::new(move |_, out| reply(out, status, &[("Location", &to)], b""));
        let error = client(&server).challenge("faces").unwrap_err();
        assert_eq!(error.cause(), Cause::Redirect);
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn an_unreachable_server_is_reported() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(client_of(&url, &url).user().unwrap_err().cause(), Cause::Network);
}
