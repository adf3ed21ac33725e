//! Errors of requests to a server.

use std::fmt;
use std::sync::Arc;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// The reason of a failure; [`hint`](Error::hint) is advice on fixing it. Never contains a password.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    kind: Kind,
    what: String,
    hint: Option<String>,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// How to handle an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An address or a setting is wrong.
    Usage,
    /// No response, or one that the server is unavailable: retry.
    Away,
    /// The server failed on this request (HTTP 500): a retry may succeed.
    Failed,
    /// The server rejects the content of this request: it may accept a part of it.
    Invalid,
    /// The server, or whatever is at this URL, refuses this request.
    Refused,
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Error {
        Error { kind, what: what.into(), hint: None, source: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.source = Some(Arc::new(source));
        self
    }

    /// The trusted certificates cannot be used.
    pub(crate) fn certificates(error: headsmith_http_client::Error) -> Error {
        Error::new(Kind::Usage, error.to_string()).caused_by(error)
    }

    /// The request to `shown` failed below HTTP.
    pub(crate) fn transport(shown: &str, error: ureq::Error) -> Error {
        let insecure = |error: &dyn fmt::Display| {
            Error::new(Kind::Refused, format!("{shown}: the connection is not secure: {error}"))
                .with_hint("set MLFLOW_TRACKING_SERVER_CERT_PATH to the server's certificates (PEM)")
        };
        match error {
            ureq::Error::Rustls(error) => insecure(&error).caused_by(error),
            ureq::Error::Tls(error) => insecure(&error),
            ureq::Error::Io(error) if error.to_string().contains("certificate") => {
                insecure(&error).caused_by(error)
            }
            ureq::Error::Timeout(what) => {
                Error::new(Kind::Away, format!("{shown}: no answer in time ({what})"))
            }
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Error::new(Kind::Usage, format!("{shown}: not a valid URL"))
            }
            ureq::Error::LargeResponseHeader(..) | ureq::Error::BodyExceedsLimit(_) => {
                Error::new(Kind::Refused, format!("{shown}: not a response of MLflow: {error}"))
                    .caused_by(error)
            }
            error => Error::new(Kind::Away, format!("{shown}: {error}")).caused_by(error),
        }
    }

    /// Whether the caller's input is wrong.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Advice on fixing it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

/// External text for display.
pub(crate) fn plain(text: &str) -> String {
    headsmith_http_client::plain(text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(plain("a\x1b[2J\r\n b\u{202e}c"), "a[2J bc");
        assert_eq!(plain(&"x".repeat(1000)).len(), 202);
    }
}
