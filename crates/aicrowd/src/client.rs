//! Requests to the API: credentials, time and size limits of responses, and the meaning of failures.

use std::fmt;
use std::thread;
use std::time::Duration;

use headsmith_http_client::Timeouts;
use serde_json::Value;
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use crate::error::{Cause, Error, Result, plain, shown_url};
use crate::hosts::Hosts;
use crate::key::ApiKey;

/// The largest response in bytes: the API's are short.
const LONGEST_ANSWER: u64 = 4 << 20;

/// Time limits and numbers of attempts.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time for a connection, including its TLS handshake.
    pub connect: Duration,
    /// The time for the next byte of a download or upload: a connection silent for longer counts as broken.
    pub silence: Duration,
    /// The time for a whole call of the API, and for the response to an upload.
    pub call: Duration,
    /// The number of attempts after temporary failures.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles for each further one, up to half a minute.
    pub backoff: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            call: Duration::from_secs(60),
            attempts: 5,
            backoff: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// Does `once` up to `attempts` times, again after temporary failures; `before_retry` is called with the failure and the wait that follows.
    pub(crate) fn retrying<T>(
        &self,
        attempts: u32,
        mut once: impl FnMut() -> Result<T>,
        before_retry: impl Fn(&Error, Duration),
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            match once() {
                Err(error) if error.is_transient() && attempt < attempts => {
                    let wait = self.wait(attempt, &error);
                    before_retry(&error, wait);
                    thread::sleep(wait);
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    /// The wait after the failure of attempt `attempt` (from 1).
    fn wait(&self, attempt: u32, error: &Error) -> Duration {
        const LONGEST: Duration = Duration::from_secs(30);
        let doubled = self.backoff.saturating_mul(1 << (attempt - 1).min(10));
        error.retry_after().unwrap_or_default().max(doubled).min(LONGEST)
    }
}

/// A client of the service.
pub struct Client {
    pub(crate) agent: Agent,
    pub(crate) limits: Limits,
    hosts: Hosts,
    key: Option<ApiKey>,
}

/// A challenge, as returned by the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its ID.
    pub id: u64,
    /// Its name in URLs.
    pub slug: String,
}

/// A response of the API.
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    url: String,
}

impl Client {
    /// A client without a key. `roots` are the trusted certificates, in PEM; by default those of the web.
    ///
    /// # Errors
    /// If `roots` contains no certificate.
    pub fn new(hosts: Hosts, limits: Limits, roots: Option<&[u8]>) -> Result<Client> {
        let timeouts = Timeouts {
            connect: limits.connect,
            answer: limits.call,
            read: limits.call,
            write: limits.silence,
        };
        let agent = headsmith_http_client::agent(timeouts, roots).map_err(Error::certificates)?;
        Ok(Client { agent, hosts, limits, key: None })
    }

    /// A client of the hosts in the environment variables, with the certificates of the file `SSL_CERT_FILE` or
    /// `REQUESTS_CA_BUNDLE`, if one of them is set.
    ///
    /// # Errors
    /// If one of the variables is invalid.
    pub fn from_env(env: impl Fn(&str) -> Option<String>, limits: Limits) -> Result<Client> {
        let roots = headsmith_http_client::roots_of_env(&["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"], &env)
            .map_err(Error::certificates)?;
        Client::new(Hosts::from_env(env)?, limits, roots.as_deref())
    }

    /// The same client, for the user of `key`.
    pub fn with_key(mut self, key: ApiKey) -> Client {
        self.key = Some(key);
        self
    }

    /// The hosts of the service.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The ID of the key's user.
    ///
    /// # Errors
    /// [`Cause::BadKey`] if the service rejects the key; otherwise the cause of the failed request.
    pub fn user(&self) -> Result<u64> {
        let answer = self.get(&format!("{}/api/v1/api_user", self.hosts.rails), &[])?;
        match answer.status {
            // Whatever the message, the key is rejected.
            400 | 403 | 404 | 422 => Err(bad_key()),
            _ => answer.ok(self)?.number("id"),
        }
    }

    /// Looks up a challenge by its ID, its slug or the URL of its page.
    ///
    /// # Errors
    /// [`Cause::NotFound`] if there is none; otherwise the cause of the failed request.
    pub fn challenge(&self, named: &str) -> Result<Challenge> {
        let (field, value) = self.challenge_filter(named);
        let answer = self.get(&format!("{}/challenges/", self.hosts.api), &[(field, &value)])?;
        let not_found = || {
            Error::new(Cause::NotFound, format!("no challenge `{}`", plain(named)))
                .with_hint("give its number, its slug or the URL of its page")
        };
        if answer.status == 404 {
            return Err(not_found());
        }
        let found = answer.ok(self)?.json()?;
        let first = found.as_array().ok_or_else(|| answer.not_understood("no list"))?.first();
        let first = first.ok_or_else(not_found)?;
        let slug = first.get("slug").and_then(Value::as_str).filter(|slug| is_slug(slug));
        match (number(first.get("id")), slug) {
            (Some(id), Some(slug)) => Ok(Challenge { id, slug: slug.to_owned() }),
            _ => Err(answer.not_understood("no `id` and `slug`")),
        }
    }

    /// Checks that the user of the key is registered for `challenge`.
    ///
    /// # Errors
    /// [`Cause::NotRegistered`] if not; otherwise the cause of the failed request.
    pub fn require_registration(&self, challenge: &Challenge, user: u64) -> Result<()> {
        let url = format!("{}/challenges/{}/participant", self.hosts.api, challenge.id);
        let answer = self.get(&url, &[("participant_id", &user.to_string())])?;
        let registered = answer.ok(self)?.json()?.get("registered").and_then(Value::as_bool);
        if registered == Some(true) { Ok(()) } else { Err(self.not_registered(&challenge.slug)) }
    }

    pub(crate) fn not_registered(&self, slug: &str) -> Error {
        let page = self.hosts.challenge_page(slug);
        Error::new(Cause::NotRegistered, "you are not registered for this challenge")
            .with_hint(format!("accept its rules on {page}"))
    }

    /// The query filter for a challenge.
    pub(crate) fn challenge_filter(&self, named: &str) -> (&'static str, String) {
        if !named.is_empty() && named.bytes().all(|b| b.is_ascii_digit()) {
            return ("id", named.to_owned());
        }
        let page = named.strip_prefix(&self.hosts.challenge_page(""));
        ("slug", page.map_or(named, |rest| rest.split(['/', '?', '#']).next().unwrap_or(rest)).to_owned())
    }

    /// Sends a GET request to `url` with the key, and retries temporary failures.
    pub(crate) fn get(&self, url: &str, query: &[(&str, &str)]) -> Result<ApiResponse> {
        self.get_as(url, query, self.authorization(url)?.as_deref())
    }

    /// Sends a GET request to `url` with the given `Authorization`.
    pub(crate) fn get_as(&self, url: &str, query: &[(&str, &str)], who: Option<&str>) -> Result<ApiResponse> {
        let once = || {
            let mut request = self.agent.get(url).query_pairs(query.iter().copied());
            if let Some(who) = who {
                request = request.header("Authorization", who);
            }
            let sent = request.config().timeout_global(Some(self.limits.call)).build().call();
            let answer = read(url, sent.map_err(|error| Error::transport(url, error))?)?;
            match answer.status {
                500.. => Err(answer.failure(self)),
                _ => Ok(answer),
            }
        };
        self.limits.retrying(self.limits.attempts.min(3), once, |_, _| {})
    }

    /// Posts JSON with the key. There is only one attempt, because an accepted request must not be repeated.
    pub(crate) fn post_json(&self, url: &str, payload: &Value) -> Result<ApiResponse> {
        let mut request = self.agent.post(url).header("Content-Type", "application/json");
        if let Some(who) = self.authorization(url)? {
            request = request.header("Authorization", who);
        }
        let request = request.config().timeout_global(Some(self.limits.call)).build();
        let sent = request.send(payload.to_string().as_str());
        read(url, sent.map_err(|error| Error::transport(url, error))?)
    }

    /// The header with the key, if the address may receive it.
    pub(crate) fn authorization(&self, url: &str) -> Result<Option<String>> {
        match &self.key {
            Some(key) if self.hosts.takes_key(url) => Ok(Some(key.header())),
            Some(_) => Err(Error::new(
                Cause::Configuration,
                format!("{}: the key is not sent there", shown_url(url)),
            )),
            None => Ok(None),
        }
    }

    /// The error message in a response's body, sanitised.
    pub(crate) fn error_message(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let of_json = serde_json::from_slice::<Value>(body).ok().and_then(|value| {
            ["message", "error", "detail"]
                .into_iter()
                .find_map(|name| Some(value.get(name)?.as_str()?.to_owned()))
        });
        let of_xml = || {
            text.split_once("<Message>")?.1.split_once("</Message>").map(|(message, _)| message.to_owned())
        };
        let message = of_json.or_else(of_xml).unwrap_or_else(|| {
            if text.trim_start().starts_with(['<', '{', '[']) { String::new() } else { text.into_owned() }
        });
        plain(&self.key.as_ref().map_or(message.clone(), |key| key.hide_in(&message)))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("hosts", &self.hosts).field("key", &self.key).finish_non_exhaustive()
    }
}

impl ApiResponse {
    /// The response, if it is a success.
    pub(crate) fn ok(&self, client: &Client) -> Result<&ApiResponse> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.failure(client)) }
    }

    /// The error of a response that is not a success.
    pub(crate) fn failure(&self, client: &Client) -> Error {
        if (300..400).contains(&self.status) {
            let to = self.location().map(|to| shown_url(&to)).unwrap_or_default();
            return Error::new(
                Cause::Redirect,
                format!("{}: redirects to {to}; the key is not sent there", shown_url(&self.url)),
            );
        }
        status_error(&self.url, self.status, &client.error_message(&self.body))
            .with_retry_after(retry_after(&self.headers))
    }

    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).map_err(|_| self.not_understood("no JSON"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64> {
        number(self.json()?.get(name)).ok_or_else(|| self.not_understood(&format!("no number `{name}`")))
    }

    pub(crate) fn not_understood(&self, what: &str) -> Error {
        Error::new(Cause::Response, format!("{}: unexpected response: {what}", shown_url(&self.url)))
            .with_hint("the API may have changed; please report it")
    }

    pub(crate) fn location(&self) -> Option<String> {
        self.headers.get("location")?.to_str().ok().map(str::to_owned)
    }
}

/// The error of a failure status.
pub(crate) fn status_error(url: &str, status: u16, message: &str) -> Error {
    let reason = if message.is_empty() { String::new() } else { format!(": {message}") };
    let at = |what: &str| format!("{}: {what} (HTTP {status}){reason}", shown_url(url));
    match status {
        401 => bad_key(),
        403 => Error::new(Cause::Refused, at("not allowed")),
        404 | 410 => Error::new(Cause::NotFound, at("not there")),
        429 => Error::new(Cause::RateLimited, at("too many requests")).with_hint("wait before you try again"),
        500.. => Error::new(Cause::Server, at("the service failed")).with_hint("try again later"),
        _ => Error::new(Cause::Refused, at("refused")),
    }
}

fn bad_key() -> Error {
    Error::new(Cause::BadKey, "the service rejected the API key").with_hint("run: headsmith aicrowd login")
}

/// The time in `Retry-After`, if it is in seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Reads a whole response.
pub(crate) fn read(url: &str, response: Response<Body>) -> Result<ApiResponse> {
    let (parts, mut body) = response.into_parts();
    let body = body.with_config().limit(LONGEST_ANSWER).read_to_vec();
    let body = body.map_err(|error| Error::transport(url, error))?;
    Ok(ApiResponse { status: parts.status.as_u16(), headers: parts.headers, body, url: url.to_owned() })
}

/// A number, which may also be written as a string.
fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether `slug` is safe in a path.
pub(crate) fn is_slug(slug: &str) -> bool {
    !slug.is_empty() && slug.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
