//! Errors of the challenge client.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure and advice on fixing it. Never contains the key.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}", clause(.hint.as_deref()))]
pub struct Error {
    cause: Cause,
    what: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The cause of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A local file cannot be read or written, or has the wrong content.
    File,
    /// An archive is damaged or hostile.
    Archive,
    /// The submission does not match the challenge's sample.
    Mismatch,
    /// The service rejects the key.
    BadKey,
    /// The user is not registered for the challenge.
    NotRegistered,
    /// A wrong argument.
    Parameter,
    /// The service has no such item.
    NotFound,
    /// There is no key: not logged in.
    NoKey,
    /// The configuration file or an environment variable is wrong.
    Configuration,
    /// The challenge accepts no submissions now.
    Closed,
    /// Too many requests or submissions.
    RateLimited,
    /// The service refused for a reason of its own.
    Refused,
    /// The service failed (HTTP 5xx).
    Server,
    /// The service's response cannot be understood.
    Response,
    /// A redirect that is not followed.
    Redirect,
    /// No connection, or one that broke.
    Network,
    /// No answer in time.
    Timeout,
    /// The connection is not secure.
    Tls,
}

impl Cause {
    /// The cause in one word, as in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Cause::File => "file",
            Cause::Archive => "archive",
            Cause::Mismatch => "mismatch",
            Cause::BadKey => "bad_key",
            Cause::NotRegistered => "not_registered",
            Cause::Parameter => "parameter",
            Cause::NotFound => "not_found",
            Cause::NoKey => "no_key",
            Cause::Configuration => "configuration",
            Cause::Closed => "closed",
            Cause::RateLimited => "rate_limited",
            Cause::Refused => "refused",
            Cause::Server => "server",
            Cause::Response => "response",
            Cause::Redirect => "redirect",
            Cause::Network => "network",
            Cause::Timeout => "timeout",
            Cause::Tls => "tls",
        }
    }

    /// Its exit status, numbered as in aicrowd-cli: 3 file, 4 credentials, 5 parameter, 6 configuration, 7 the service
    /// or the connection to it.
    pub fn exit_status(self) -> u8 {
        match self {
            Cause::File | Cause::Archive | Cause::Mismatch => 3,
            Cause::BadKey | Cause::NotRegistered => 4,
            Cause::Parameter | Cause::NotFound => 5,
            Cause::NoKey | Cause::Configuration => 6,
            _ => 7,
        }
    }
}

impl Error {
    /// An error without a source.
    pub fn new(cause: Cause, what: impl Into<String>) -> Error {
        Error { cause, what: what.into(), hint: None, retry_after: None, source: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Error {
        self.retry_after = wait;
        self
    }

    /// The same with its cause, whose text it already contains.
    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Error {
        self.source = Some(Box::new(source));
        self
    }

    /// The system failed on `path`.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Error {
        Error::new(Cause::File, format!("{}: {source}", path.display())).caused_by(source)
    }

    /// The trusted certificates cannot be used.
    pub(crate) fn certificates(error: headsmith_http_client::Error) -> Error {
        Error::new(Cause::Configuration, error.to_string()).caused_by(error)
    }

    /// The request to `url` failed below HTTP.
    pub(crate) fn transport(url: &str, error: ureq::Error) -> Error {
        let to = shown_url(url);
        let tls = |error: &dyn fmt::Display| {
            Error::new(Cause::Tls, format!("{to}: the connection is not secure: {error}"))
                .with_hint("behind a proxy that inspects TLS, set SSL_CERT_FILE to its certificates (PEM)")
        };
        match error {
            ureq::Error::Rustls(error) => tls(&error).caused_by(error),
            ureq::Error::Tls(error) => tls(&error),
            ureq::Error::Timeout(what) => {
                Error::new(Cause::Timeout, format!("{to}: no answer in time ({what})"))
            }
            ureq::Error::Io(error) => Error::transport_io(url, error),
            ureq::Error::BodyExceedsLimit(limit) => {
                Error::new(Cause::Response, format!("{to}: the response is longer than {limit} bytes"))
            }
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Error::new(Cause::Response, format!("{to}: not a valid URL"))
            }
            ureq::Error::LargeResponseHeader(..) | ureq::Error::Protocol(_) => {
                Error::new(Cause::Network, format!("{to}: not an HTTP response: {error}")).caused_by(error)
            }
            error => Error::new(Cause::Network, format!("{to}: {error}")).caused_by(error),
        }
    }

    /// The same for an error from a body's reader.
    pub(crate) fn transport_io(url: &str, error: std::io::Error) -> Error {
        let error = match error.downcast::<ureq::Error>() {
            Ok(inner) => return Error::transport(url, inner),
            Err(error) => error,
        };
        let to = shown_url(url);
        if error.get_ref().is_some_and(|inner| inner.to_string().contains("certificate")) {
            let what = format!("{to}: the connection is not secure: {error}");
            return Error::new(Cause::Tls, what).caused_by(error);
        }
        let cause = match error.kind() {
            std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => Cause::Timeout,
            _ => Cause::Network,
        };
        Error::new(cause, format!("{to}: {error}")).caused_by(error)
    }

    /// The cause.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The fault, without the [`hint`](Error::hint).
    pub fn message(&self) -> &str {
        &self.what
    }

    /// Advice on fixing it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether a retry may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self.cause, Cause::Network | Cause::Timeout | Cause::Server | Cause::RateLimited)
    }

    /// How long the service asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// A hint as the end of its message.
fn clause(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}

/// An address without its secret parts: its query (signed addresses have a signature there) and its user.
pub(crate) fn shown_url(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let shown = match url[..end].split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.find('/').unwrap_or(rest.len());
            let host = rest[..authority].rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{}", &rest[authority..])
        }
        None => url[..end].to_owned(),
    };
    plain(&shown)
}

/// External text for display.
pub(crate) fn plain(text: &str) -> String {
    headsmith_http_client::plain(text, 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        assert_eq!(shown_url("https://u:p@h.org:1/a/b?sig=s#f"), "https://h.org:1/a/b");
        assert_eq!(shown_url("https://h.org?x@y/z"), "https://h.org");
        assert_eq!(shown_url("nonsense?q"), "nonsense");
    }

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(plain("a\x1b[2J\r\n b\u{202e}c"), "a[2J bc");
        assert_eq!(plain(&"x".repeat(1000)).len(), 302);
    }
}
