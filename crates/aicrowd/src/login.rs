//! Logging in: with an existing key, or in the browser.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::error::{Cause, Error, Result, plain};
use crate::hosts::is_secure;
use crate::key::ApiKey;

/// The result of a login, with everything that `aicrowd-cli` stores in its configuration file.
#[derive(Debug, Clone)]
pub struct Login {
    /// The key.
    pub key: ApiKey,
    /// A token for the service's GitLab, or empty. Stored for aicrowd-cli; not used here.
    pub oauth_token: Secret,
    /// The user's ID there.
    pub userid: String,
    /// The user's name there.
    pub username: String,
}

/// A text that is not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl std::ops::Deref for Secret {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<ApiKey> for Login {
    fn from(key: ApiKey) -> Login {
        Login { key, oauth_token: Secret::default(), userid: String::new(), username: String::new() }
    }
}

/// The interval and the time limit for polling a login in the browser.
#[derive(Debug, Clone)]
pub struct LoginOptions {
    /// The time between two requests.
    pub poll_every: Duration,
    /// The time that the user has.
    pub at_most: Duration,
}

impl Default for LoginOptions {
    /// The values of aicrowd-cli.
    fn default() -> LoginOptions {
        LoginOptions { poll_every: Duration::from_secs(5), at_most: Duration::from_secs(120) }
    }
}

/// Logs in through the browser: calls `show` with the address that the user must open, and polls the service until the
/// user has logged in.
///
/// # Errors
/// If a request fails, or the user takes too long.
pub fn login_by_browser(client: &Client, options: &LoginOptions, show: impl FnOnce(&str)) -> Result<Login> {
    let answer = client.get_as(&format!("{}/auth/initiate", client.hosts().api), &[], None)?;
    let begun = answer.ok(client)?.json()?;
    let text = |name: &str| begun.get(name).and_then(Value::as_str).unwrap_or_default();
    let (url, otp) = (text("login_url"), text("otp"));
    let name = url.rsplit('/').next().unwrap_or_default();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
    if !is_secure(url) || !is_name || !otp.bytes().all(|b| b.is_ascii_graphic()) || otp.is_empty() {
        return Err(answer.not_understood("no `login_url` and `otp`"));
    }
    show(&plain(url));
    let details = format!("{}/auth/{name}/details", client.hosts().api);
    let start = Instant::now();
    while start.elapsed() < options.at_most {
        // Not yet: any status but 200, as in aicrowd-cli.
        match client.get_as(&details, &[], Some(otp)) {
            Ok(answer) if answer.status == 200 => {
                return login(&answer.json()?).ok_or_else(|| answer.not_understood("no `api_key`"));
            }
            Ok(_) => {}
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error),
        }
        thread::sleep(options.poll_every);
    }
    Err(Error::new(Cause::Timeout, format!("no login within {} s", options.at_most.as_secs()))
        .with_hint("run it again, or give a key: headsmith aicrowd login --api-key-stdin"))
}

fn login(answer: &Value) -> Option<Login> {
    let details = answer.get("details")?;
    let text = |name: &str| match details.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    Some(Login {
        key: ApiKey::new(details.get("api_key")?.as_str()?).ok()?,
        oauth_token: Secret(text("gitlab_oauth_token")),
        userid: text("gitlab_userid"),
        username: text("gitlab_username"),
    })
}
