//! Requests: credentials, time and size limits of responses, and the meaning of failures.

use std::fs::File;
use std::time::Duration;

use headsmith_http_client::Timeouts;
use serde_json::Value;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::address::Address;
use crate::error::{Error, Kind, Result, plain};

/// The largest response in bytes: the API's are short.
const LONGEST_ANSWER: u64 = 4 << 20;

/// Time limits, buffer sizes and numbers of attempts.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time for a connection, including its TLS handshake.
    pub connect: Duration,
    /// The time for a whole call of the API.
    pub call: Duration,
    /// The time for the response to a file, which the server may have to forward.
    pub upload: Duration,
    /// The time after which a server that accepts no more bytes of a file counts as silent.
    pub silence: Duration,
    /// The time to wait for an unavailable server at the end.
    pub grace: Duration,
    /// The time between two batches.
    pub pause: Duration,
    /// The wait before the second attempt; it doubles for each further one, up to 15 seconds.
    pub backoff: Duration,
    /// The number of attempts for a request at which the server fails (HTTP 500).
    pub attempts: u32,
    /// The maximum number of waiting records: metrics, and half as many more of other records.
    pub n_waiting: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(15),
            upload: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            grace: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            backoff: Duration::from_millis(500),
            attempts: 6,
            n_waiting: 100_000,
        }
    }
}

impl Limits {
    /// Limits the wait for each response, and for an unavailable server at the end, to `timeout`.
    pub fn answering_within(self, timeout: Duration) -> Limits {
        let connect = self.connect.min(timeout);
        Limits { connect, call: timeout, upload: timeout, silence: timeout, grace: timeout, ..self }
    }

    /// The wait after the failure of attempt `attempt` (from 1).
    pub(crate) fn wait(&self, attempt: u32) -> Duration {
        const LONGEST: Duration = Duration::from_secs(15);
        self.backoff.saturating_mul(1 << (attempt - 1).min(10)).min(LONGEST)
    }
}

/// A client of one server.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    address: Address,
    limits: Limits,
}

impl Client {
    /// A client of the server at `address`. `roots` are the trusted certificates, in PEM; by default those of the web.
    ///
    /// # Errors
    /// If `roots` contains no certificate.
    pub fn new(address: Address, limits: Limits, roots: Option<&[u8]>) -> Result<Client> {
        let timeouts = Timeouts {
            connect: limits.connect,
            answer: limits.upload,
            read: limits.call,
            write: limits.silence,
        };
        // A redirect is returned as a response: the credentials are not sent to another address.
        let agent = headsmith_http_client::agent(timeouts, roots).map_err(Error::certificates)?;
        Ok(Client { agent, address, limits })
    }

    /// A client with the settings in the environment variables of MLflow's own client: the certificates of the file
    /// `MLFLOW_TRACKING_SERVER_CERT_PATH` (or `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`), and the seconds to wait for a
    /// response in `MLFLOW_HTTP_REQUEST_TIMEOUT`.
    ///
    /// # Errors
    /// If one of the variables is invalid.
    pub fn from_env(address: Address, env: impl Fn(&str) -> Option<String>) -> Result<Client> {
        let named = |name: &'static str| Some((name, env(name).filter(|text| !text.is_empty())?));
        let wrong = |name, why: String| Error::new(Kind::Usage, format!("{name} {why}"));
        let names = ["MLFLOW_TRACKING_SERVER_CERT_PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"];
        let roots = headsmith_http_client::roots_of_env(&names, &env).map_err(Error::certificates)?;
        let mut limits = Limits::default();
        if let Some((name, text)) = named("MLFLOW_HTTP_REQUEST_TIMEOUT") {
            let seconds = text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
            let seconds = seconds
                .ok_or_else(|| wrong(name, "must be a number of seconds from 1 to 86400".to_owned()))?;
            limits = limits.answering_within(Duration::from_secs(seconds));
        }
        Client::new(address, limits, roots.as_deref())
    }

    /// The server's address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Sends a GET request to `api` of the tracking API.
    pub(crate) fn get(&self, api: &str, query: &[(&str, &str)]) -> Result<Value> {
        let mut request = self.agent.get(self.url(api)).query_pairs(query.iter().copied());
        if let Some(who) = self.address.authorization() {
            request = request.header("Authorization", who);
        }
        self.read(request.config().timeout_global(Some(self.limits.call)).build().call())
    }

    /// Sends a POST request to `api` of the tracking API.
    pub(crate) fn post(&self, api: &str, payload: &Value) -> Result<Value> {
        let mut request = self.agent.post(self.url(api)).header("Content-Type", "application/json");
        if let Some(who) = self.address.authorization() {
            request = request.header("Authorization", who);
        }
        let request = request.config().timeout_global(Some(self.limits.call)).build();
        self.read(request.send(payload.to_string().as_str()))
    }

    /// Uploads a file to the server's artifact store; `path` is percent-encoded.
    pub(crate) fn put(&self, path: &str, file: &File) -> Result<()> {
        let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{path}", self.address.shown());
        let mut request = self.agent.put(url).header("Content-Type", "application/octet-stream");
        if let Some(who) = self.address.authorization() {
            request = request.header("Authorization", who);
        }
        // The limit per read also covers the wait for the response, which may take longer than that to a call.
        let request = request.config().timeout_per_read(Some(self.limits.upload)).build();
        // The response is empty.
        self.succeeded(request.send(file)).map(drop)
    }

    fn url(&self, api: &str) -> String {
        format!("{}/api/2.0/mlflow/{api}", self.address.shown())
    }

    /// The response, if it is a success and JSON.
    fn read(&self, response: std::result::Result<Response<Body>, ureq::Error>) -> Result<Value> {
        self.succeeded(response)?.ok_or_else(|| {
            let shown = self.address.shown();
            Error::new(Kind::Refused, format!("{shown}: not a response of MLflow: no JSON"))
                .with_hint("is it the URL of a tracking server?")
        })
    }

    /// The response, if it is a success; `None` if it is not JSON.
    fn succeeded(&self, response: std::result::Result<Response<Body>, ureq::Error>) -> Result<Option<Value>> {
        let shown = self.address.shown();
        let transport = |error: ureq::Error| Error::transport(shown, error);
        let (parts, mut body) = response.map_err(transport)?.into_parts();
        let body = body.with_config().limit(LONGEST_ANSWER).read_to_vec().map_err(transport)?;
        let json = serde_json::from_slice::<Value>(&body).ok();
        match parts.status {
            status if status.is_success() => Ok(json),
            status if status.is_redirection() => {
                let to = parts.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
                // The rest may be secret.
                let to = to.split(['?', '#']).next().unwrap_or_default();
                let to = plain(&self.address.hide_in(to.rsplit('@').next().unwrap_or_default()));
                Err(Error::new(Kind::Refused, format!("{shown}: redirects to {to}"))
                    .with_hint("use the URL that it redirects to"))
            }
            status => Err(self.failure(status, json.as_ref())),
        }
    }

    /// The error of a failure status.
    fn failure(&self, status: StatusCode, json: Option<&Value>) -> Error {
        let said = |key| json.and_then(|json| json.get(key)).and_then(Value::as_str).unwrap_or_default();
        let words = [said("error_code"), said("message")].map(|text| plain(&self.address.hide_in(text)));
        let words: String =
            words.iter().filter(|text| !text.is_empty()).map(|text| format!(": {text}")).collect();
        let what = |why: &str| format!("{}: {why} (HTTP {}){words}", self.address.shown(), status.as_u16());
        match status.as_u16() {
            401 | 403 => Error::new(Kind::Refused, what("not allowed")).with_hint(
                "give a user and a password in the URL (USER:PASSWORD@), or set MLFLOW_TRACKING_USERNAME and \
                 MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            ),
            404 if json.is_none() => Error::new(Kind::Refused, what("no MLflow server at this URL"))
                .with_hint("is the path in its URL right?"),
            400 | 413 | 422 => Error::new(Kind::Invalid, what("refused")),
            408 | 429 | 502..=504 => Error::new(Kind::Away, what("the server is not available")),
            500.. => Error::new(Kind::Failed, what("the server failed")),
            _ => Error::new(Kind::Refused, what("refused")),
        }
    }
}
