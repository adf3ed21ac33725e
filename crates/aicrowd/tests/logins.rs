//! Logging in, and responses of the service about a key.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headsmith_aicrowd::{Cause, ConfigFile, LoginOptions, login_by_browser};

use crate::patience::{PATIENCE, must_end};
use crate::server::reply;
use crate::service::{KEY, client, service};

fn options() -> LoginOptions {
    LoginOptions { poll_every: Duration::from_millis(5), at_most: PATIENCE }
}

const DETAILS: &[u8] = b"{\"details\": {\"api_key\": \"k3y-0123456789\", \"gitlab_oauth_token\": \"oauth\", \
                         \"gitlab_userid\": 5, \"gitlab_username\": \"ann\"}}";

#[test]
fn a_login_in_the_browser_brings_the_key_and_the_gitlab_details() {
    let polls = AtomicUsize::new(0);
    let server = service(move |request, out| {
        match request.path.as_str() {
            "/auth/initiate" => reply(
                out,
                200,
                &[],
                b"{\"login_url\": \"https://www.example.org/login/abc\", \"otp\": \"123456\"}",
            ),
            "/auth/abc/details" if polls.fetch_add(1, Ordering::Relaxed) < 2 => reply(out, 404, &[], b"{}"),
            "/auth/abc/details" => reply(out, 200, &[], DETAILS),
            _ => return false,
        }
        true
    });
    let mut shown = String::new();
    let login = login_by_browser(&client(&server), &options(), |url| shown = url.to_owned()).unwrap();
    assert_eq!(shown, "https://www.example.org/login/abc");
    let requests = server.requests();
    assert_eq!(server.asked()[1..], ["GET /auth/abc/details"; 3]);
    assert_eq!(requests[0].header("authorization"), None);
    assert!(requests[1..].iter().all(|request| request.header("authorization") == Some("123456")));
    assert!(!format!("{login:?}").contains(KEY) && !format!("{login:?}").contains("oauth\""));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let mut config = ConfigFile::read(&path).unwrap();
    config.set(&login);
    config.write().unwrap();
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "aicrowd_api_key = \"k3y-0123456789\"\n\n[gitlab]\noauth_token = \"oauth\"\nuserid = \"5\"\nusername = \"ann\"\n"
    );
}

#[test]
fn a_login_in_the_browser_times_out() {
    let server = service(|request, out| {
        if request.path == "/auth/initiate" {
            reply(out, 200, &[], b"{\"login_url\": \"https://h/x\", \"otp\": \"1\"}");
        } else {
            reply(out, 404, &[], b"");
        }
        true
    });
    let options = LoginOptions { at_most: Duration::from_millis(50), ..options() };
    let client = client(&server);
    let login = must_end("a login", move || login_by_browser(&client, &options, |_| {}));
    assert_eq!(login.unwrap_err().cause(), Cause::Timeout);
}

#[test]
fn addresses_that_are_no_login_pages_are_not_shown() {
    for url in
        ["http://evil.org/x", "javascript:alert/1", "https://h/", "https://h/a?b", "https://h/a/../%2e"]
    {
        let body = format!("{{\"login_url\": \"{url}\", \"otp\": \"1\"}}");
        let server = service(move |_, out| {
            reply(out, 200, &[], body.as_bytes());
            true
        });
        let error =
            login_by_browser(&client(&server), &options(), |url| panic!("{url} was shown")).unwrap_err();
        assert_eq!(error.cause(), Cause::Response, "{url}");
    }
}

#[test]
fn a_key_is_checked_with_one_request() {
    let server = service(|_, _| false);
    assert_eq!(client(&server).user().unwrap(), 42);
    assert_eq!(server.asked(), ["GET /api/v1/api_user"]);
    for status in [401, 403, 404, 422] {
        let server = service(move |_, out| {
            reply(out, status, &[], KEY.as_bytes());
            true
        });
        let error = client(&server).user().unwrap_err();
        assert_eq!((error.cause(), error.cause().exit_status()), (Cause::BadKey, 4), "{status}");
        assert!(!error.to_string().contains(KEY));
    }
}
