//! Whatever goes wrong on the way: an end within the time-outs, a cause, nothing half in its place, no key let out.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use headsmith_aicrowd::{Cause, DownloadOptions, Error, download};

use crate::server::{Request, Server, head, hush, reply};
use crate::service::{KEY, Log, client, client_of, dataset};

type Fault = fn(&Request, &mut dyn Write);

/// The error of a download from a server with a fault.
fn error_of(fault: Fault, options: &DownloadOptions) -> (Error, usize) {
    let (server, folder, log) = (Server::new(fault), tempfile::tempdir().unwrap(), Log::default());
    let file = dataset(format!("{}/f.bin?X-Signature=s3cret", server.url()));
    let start = Instant::now();
    let mut done =
        download(&client(&server), &[&file], folder.path(), options, &|event| log.see(&event)).unwrap();
    assert!(start.elapsed() < Duration::from_secs(6), "it took {:?}", start.elapsed());
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
        hush(0.05);
    }
}

#[test]
fn a_download_that_goes_wrong_ends_with_its_cause() {
    // The fault, what it comes to, and how often it is tried.
    let cases: [(&str, Fault, Cause, usize); 17] = [
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
        ("silent", |_, _| hush(2.0), Cause::Timeout, 3),
        (
            "silent within",
            |_, out| {
                head(out, 200, &[], Some(100));
                let _ = out.flush();
                hush(2.0);
            },
            Cause::Timeout,
            3,
        ),
        ("dribbles", dribble, Cause::Timeout, 3),
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
        let (error, asked) = error_of(fault, &options);
        assert_eq!((error.cause(), asked), (cause, attempts), "{name}: {error}");
    }
}

#[test]
fn redirects_are_followed_so_far_and_to_nothing_insecure() {
    let round: Fault = |_, out| reply(out, 302, &[("Location", "/f.bin")], b"");
    let (error, asked) = error_of(round, &DownloadOptions::default());
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
    assert_eq!(error_of(to_nowhere, &DownloadOptions::default()).0.cause(), Cause::Refused);
}

#[test]
fn a_call_of_the_api_that_goes_wrong_ends_with_its_cause() {
    let cases: [(&str, Fault, Cause, usize); 13] = [
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
        ("silent", |_, _| hush(3.0), Cause::Timeout, 3),
        ("dribbles", dribble, Cause::Timeout, 3),
    ];
    for (name, fault, cause, attempts) in cases {
        let (server, start) = (Server::new(fault), Instant::now());
        let error = client(&server).challenge("faces").unwrap_err();
        assert_eq!((error.cause(), server.requests().len()), (cause, attempts), "{name}: {error}");
        assert!(start.elapsed() < Duration::from_secs(5), "{name} took {:?}", start.elapsed());
        assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    }
}

#[test]
fn the_api_that_leads_elsewhere_is_not_followed() {
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
fn a_server_that_is_not_there_is_said_so() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(client_of(&url, &url).user().unwrap_err().cause(), Cause::Network);
}
