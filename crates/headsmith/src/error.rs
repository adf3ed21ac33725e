//! Why a command could not be done.

use std::fmt;
use std::path::Path;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the pipeline: a message, perhaps a hint, perhaps a cause.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Usage,
    Data,
    Failure,
    Stopped,
}

impl Error {
    /// An error of the caller's own: a parameter out of range, flags that contradict each other.
    pub fn usage(message: impl Into<String>) -> Error {
        Error { kind: Kind::Usage, message: message.into(), cause: None }
    }

    /// Data that cannot be worked with.
    pub fn data(message: impl Into<String>) -> Error {
        Error { kind: Kind::Data, message: message.into(), cause: None }
    }

    /// A run that was stopped before it had anything to show.
    pub(crate) fn stopped(message: impl Into<String>) -> Error {
        Error { kind: Kind::Stopped, message: message.into(), cause: None }
    }

    /// An operation on the file `path` that failed.
    pub(crate) fn file(
        doing: &str,
        path: &Path,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        Error {
            kind: Kind::Failure,
            message: format!("cannot {doing} {}", path.display()),
            cause: Some(cause.into()),
        }
    }

    /// Whether the caller asked for something wrong.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Whether the run was stopped from outside.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Stopped
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<headsmith_data::Error> for Error {
    fn from(error: headsmith_data::Error) -> Error {
        Error::data(error.to_string())
    }
}

impl From<headsmith_heads::Error> for Error {
    fn from(error: headsmith_heads::Error) -> Error {
        let kind = match error.kind() {
            headsmith_heads::error::Kind::Parameter => Kind::Usage,
            headsmith_heads::error::Kind::Samples => Kind::Data,
            _ => Kind::Failure,
        };
        Error { kind, message: error.to_string(), cause: None }
    }
}

impl From<headsmith_model::Error> for Error {
    fn from(error: headsmith_model::Error) -> Error {
        Error::data(error.to_string())
    }
}

impl From<headsmith_study::Error> for Error {
    fn from(error: headsmith_study::Error) -> Error {
        use headsmith_study::Kind as Study;
        let kind = match error.kind() {
            Study::Configuration | Study::NotFound | Study::Conflict => Kind::Usage,
            _ => Kind::Failure,
        };
        Error { kind, message: error.to_string(), cause: None }
    }
}
