//! Submissions are sent once, as checked, and a refusal has its reason.

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use headsmith_aicrowd::{
    Cause, Challenge, Client, Result, State, Submission, Submitted, WaitOptions, check, plan, submit, wait,
};
use serde_json::{Value, json};

use crate::patience::{PATIENCE, must_end};
use crate::server::{Request, Server, reply};
use crate::service::{KEY, client, service};

fn faces() -> Challenge {
    Challenge { id: 7, slug: "faces".to_owned() }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Submits a small table.
fn send(client: &Client) -> Result<Submitted> {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "my.csv", "embeddings,label\n\"[1, 2]\",a\n\"[3,\n4]\",b\n");
    let mut submission = Submission::prepare(&path, None, "first \"try\"")?;
    submit(client, &faces(), &mut submission, &|_| {})
}

fn text(request: &Request) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

#[test]
fn a_table_is_packed_sent_and_announced() {
    let server = service(|_, _| false);
    let submitted = send(&client(&server)).unwrap();
    assert_eq!(submitted.submission_id, Some(1234));
    assert_eq!(submitted.url, format!("{}/challenges/faces/submissions/1234", server.url()));
    assert_eq!(
        server.asked(),
        ["GET /api/v1/submissions?challenge_id=faces", "POST /upload", "POST /api/v1/submissions"]
    );
    let requests = server.requests();
    assert!(!format!("{:?}", requests[1]).contains(KEY), "the storage was given the key");
    let form = text(&requests[1]);
    let order: Vec<usize> = [
        "name=\"policy\"",
        "name=\"key\"\r\n\r\nsub/my.zip\r\n",
        "name=\"sig\"",
        "name=\"file\"; filename=\"my.zip\"",
    ]
    .iter()
    .map(|part| form.find(part).unwrap())
    .collect();
    assert!(order.is_sorted(), "{order:?}");
    let announced: Value = serde_json::from_slice(&requests[2].body).unwrap();
    assert_eq!(
        announced,
        json!({"challenge_id": "faces", "submission": {"description": "first \"try\""}, "submission_files": [{"submission_file_s3_key": "sub/my.zip"}]})
    );
    let start = requests[1].body.windows(4).position(|bytes| bytes == b"PK\x03\x04").unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(&requests[1].body[start..])).unwrap();
    let mut table = String::new();
    zip.by_name("my.csv").unwrap().read_to_string(&mut table).unwrap();
    assert!(table.starts_with("embeddings,label\n"));
}

#[test]
fn a_problem_of_a_challenge_is_submitted_to_the_challenge() {
    let server = service(|request, out| {
        if request.path != "/api/v1/submissions?challenge_id=faces" {
            return false;
        }
        reply(out, 302, &[("Location", "/challenges/meta/problems/faces/submissions/new")], b"");
        true
    });
    let submitted = send(&client(&server)).unwrap();
    assert_eq!(submitted.url, format!("{}/challenges/meta/problems/faces/submissions/1234", server.url()));
    let requests = server.requests();
    assert_eq!(requests[1].path, "/api/v1/submissions?challenge_id=meta");
    let announced: Value = serde_json::from_slice(&requests[3].body).unwrap();
    assert_eq!(
        (&announced["meta_challenge_id"], &announced["challenge_id"]),
        (&json!("meta"), &json!("faces"))
    );
}

#[test]
fn a_redirect_to_anything_else_is_not_followed() {
    for to in [
        "https://evil.org/challenges/a/problems/b/",
        "/challenges/a",
        "/challenges/a/problems/",
        "/participants/sign_in",
    ] {
        let server = service(move |_, out| {
            reply(out, 302, &[("Location", to)], b"");
            true
        });
        assert_eq!(send(&client(&server)).unwrap_err().cause(), Cause::Redirect, "{to}");
        assert_eq!(server.requests().len(), 1);
    }
}

/// The result of a refusal at the path `at`.
fn refused(at: &'static str, status: u16, body: &'static str) -> (headsmith_aicrowd::Error, Server) {
    let server = service(move |request, out| {
        let hit = format!("{} {}", request.method, request.path) == at;
        if hit {
            reply(out, status, &[], body.as_bytes());
        }
        hit
    });
    (send(&client(&server)).unwrap_err(), server)
}

#[test]
fn each_refusal_has_its_reason() {
    const SLOT: &str = "GET /api/v1/submissions?challenge_id=faces";
    const NOTE: &str = "POST /api/v1/submissions";
    let no = |status, body, cause| (SLOT, status, body, cause);
    for (at, status, body, cause) in [
        no(401, "{}", Cause::BadKey),
        no(403, "{\"message\": \"You have not registered for this challenge\"}", Cause::NotRegistered),
        no(403, "{\"message\": \"Submissions are closed\"}", Cause::Closed),
        no(422, "{\"success\": false, \"message\": \"The challenge has ended\"}", Cause::Closed),
        no(
            200,
            "{\"success\": false, \"message\": \"Submission limit reached, 0 remaining\"}",
            Cause::RateLimited,
        ),
        no(429, "", Cause::RateLimited),
        no(404, "{}", Cause::NotFound),
        no(200, "{\"success\": false, \"message\": \"k3y-0123456789 is odd\"}", Cause::Refused),
        no(200, "<html>", Cause::Response),
        no(
            200,
            "{\"success\": true, \"data\": {\"url\": \"http://evil.org/\", \"fields\": {\"key\": \"k\"}}}",
            Cause::Response,
        ),
        no(200, "{\"success\": true, \"data\": {\"url\": \"https://h/\", \"fields\": {}}}", Cause::Response),
        (
            "POST /upload",
            403,
            "<Error><Code>X</Code><Message>Policy expired</Message></Error>",
            Cause::Refused,
        ),
        ("POST /upload", 500, "", Cause::Server),
        ("POST /upload", 307, "", Cause::Redirect),
        (NOTE, 200, "{\"success\": false, \"message\": \"too many submissions\"}", Cause::RateLimited),
        (NOTE, 500, "", Cause::Server),
    ] {
        let (error, server) = refused(at, status, body);
        assert_eq!(error.cause(), cause, "{at} {status} {body}: {error}");
        assert!(!error.to_string().contains(KEY), "{error}");
        if at != SLOT {
            let posts = server.asked().iter().filter(|asked| *asked == at).count();
            // An upload submits nothing yet: it is tried again after a failure of the service.
            let expected = if (at, status) == ("POST /upload", 500) { 3 } else { 1 };
            assert_eq!(posts, expected, "{at}");
        }
    }
    assert!(
        refused("POST /upload", 403, "<Error><Message>Policy expired</Message></Error>")
            .0
            .to_string()
            .contains("Policy expired")
    );
}

#[test]
fn a_lost_last_response_is_reported_as_uncertain() {
    let server = service(|request, _| request.method == "POST" && request.path != "/upload");
    let error = send(&client(&server)).unwrap_err();
    assert!(error.to_string().contains("it is unknown whether it was submitted"), "{error}");
    assert_eq!(server.asked().iter().filter(|asked| asked.starts_with("POST /api")).count(), 1);
}

#[test]
fn an_unregistered_user_gets_the_registration_page() {
    let server = service(|request, out| {
        let hit = request.path.contains("participant?");
        if hit {
            reply(out, 200, &[], b"{\"registered\": false}");
        }
        hit
    });
    let error = client(&server).require_registration(&faces(), 42).unwrap_err();
    assert_eq!((error.cause(), error.cause().exit_status()), (Cause::NotRegistered, 4));
    assert!(error.to_string().contains("/challenges/faces"), "{error}");
}

#[test]
fn a_table_unlike_the_sample_is_not_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let sample = write(folder.path(), "Sample_submission.csv", "embeddings,label\na,b\nc,d\n");
    let cases = [
        ("label,embeddings\na,b\nc,d\n", "expected the columns embeddings, label; found label, embeddings"),
        ("label\na\nb\n", "found label"),
        ("embeddings,label\na,b\n", "expected 2 rows, found 1"),
        ("embeddings,label\na,b\nc\n", "line 3: expected 2 cells as in the first line, found 1"),
        ("embeddings,label\n", "no rows"),
        ("", "no rows"),
    ];
    for (table, expected) in cases {
        let path = write(folder.path(), "s.csv", table);
        let error = Submission::prepare(&path, Some(&sample), "").unwrap_err();
        assert_eq!((error.cause(), error.cause().exit_status()), (Cause::Mismatch, 3));
        assert!(error.to_string().contains(expected), "{error}");
    }
    let path = write(folder.path(), "s.csv", "\u{feff}embeddings,label\r\na,b\r\n\"c\nc\",d\r\n");
    assert_eq!(Submission::prepare(&path, Some(&sample), "").unwrap().shape.unwrap().n_rows, 2);
    for (name, cause) in [("s.txt", Cause::Parameter), ("none.csv", Cause::File)] {
        let _ = fs::write(folder.path().join("s.txt"), "x");
        assert_eq!(Submission::prepare(&folder.path().join(name), None, "").unwrap_err().cause(), cause);
    }
    let no_zip = write(folder.path(), "s.zip", "no archive");
    assert_eq!(Submission::prepare(&no_zip, None, "").unwrap_err().cause(), Cause::Archive);
}

#[test]
fn the_sample_is_found_among_the_downloads() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check::find_sample(folder.path()).unwrap(), None);
    fs::create_dir(folder.path().join("data")).unwrap();
    let sample = write(&folder.path().join("data"), "sample_submission.csv", "a\nb\n");
    write(folder.path(), "train.csv", "");
    write(folder.path(), "sample_submission.zip", "");
    assert_eq!(check::find_sample(folder.path()).unwrap(), Some(sample));
    write(folder.path(), "another-sample.csv", "");
    assert_eq!(check::find_sample(folder.path()).unwrap_err().cause(), Cause::Parameter);
}

#[test]
fn a_dry_run_asks_nothing_and_shows_no_key() {
    let server = service(|_, _| false);
    let (client, folder) = (client(&server), tempfile::tempdir().unwrap());
    let path = write(folder.path(), "my.csv", "a\nb\n");
    let submission = Submission::prepare(&path, None, "").unwrap();
    let planned = plan::submit(&client, "faces", &submission);
    let urls: Vec<String> =
        planned.iter().map(|one| format!("{} {}", one.method, one.url.replace(&server.url(), ""))).collect();
    assert_eq!(
        urls,
        [
            "GET /api/v1/api_user",
            "GET /challenges/?slug=faces",
            "GET /challenges/{id}/participant?participant_id={user}",
            "GET /api/v1/submissions?challenge_id=faces",
            "POST {url of the answer before}",
            "POST /api/v1/submissions"
        ]
    );
    assert!(!format!("{planned:?} {client:?}").contains(KEY));
    assert!(server.requests().is_empty());
}

/// Waits for a submission's end at a service that returns these states, and then repeats the last.
fn states(
    answers: &'static [(u16, &'static str)],
    at_most: Duration,
) -> (Result<State>, Vec<String>, Server) {
    let n = std::sync::atomic::AtomicUsize::new(0);
    let server = service(move |request, out| {
        let hit = request.path == "/api/submissions/9";
        if hit {
            let i = n.fetch_add(1, std::sync::atomic::Ordering::Relaxed).min(answers.len() - 1);
            reply(out, answers[i].0, &[], answers[i].1.as_bytes());
        }
        hit
    });
    let options = WaitOptions { poll_every: Duration::from_millis(5), at_most };
    let mut seen = Vec::new();
    let state = wait(&client(&server), 9, &options, |state| seen.push(state.grading_status.clone()));
    (state, seen, server)
}

#[test]
fn the_state_is_polled_until_it_is_final() {
    let answers = &[
        (200, "{\"grading_status_cd\": \"submitted\"}"),
        (200, "{\"grading_status_cd\": \"initiated\"}"),
        (200, "{\"grading_status_cd\": \"initiated\"}"),
        (200, "{\"grading_status_cd\": \"graded\", \"score\": 0.75, \"grading_message\": \"well done\"}"),
    ];
    let (state, seen, server) = states(answers, PATIENCE);
    let state = state.unwrap();
    assert_eq!((state.score, state.message.as_str()), (json!(0.75), "well done"));
    assert_eq!(seen, ["submitted", "initiated", "graded"]);
    assert_eq!(server.requests().len(), 4);
    let never = || states(&[(200, "{\"grading_status_cd\": \"submitted\"}")], Duration::from_millis(50)).0;
    assert_eq!(must_end("the wait for a grade", never).unwrap_err().cause(), Cause::Timeout);
    for status in [302, 401, 403, 404] {
        let answers: &'static [(u16, &str)] = Box::leak(Box::new([(status, "")]));
        let error = states(answers, PATIENCE).0.unwrap_err();
        assert_eq!(error.cause(), Cause::Refused);
        assert!(error.to_string().contains("it stays submitted"), "{error}");
    }
}
