//! Why a command could not be done.

use std::error::Error as StdError;
use std::path::Path;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the pipeline: a message, perhaps a hint, perhaps a cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    #[source]
    cause: Option<Box<dyn StdError + Send + Sync>>,
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

    /// A failure that no other data or flags need prevent.
    pub(crate) fn failure(message: impl Into<String>) -> Error {
        Error { kind: Kind::Failure, message: message.into(), cause: None }
    }

    /// An operation on the file `path` that failed.
    pub(crate) fn file(doing: &str, path: &Path, cause: impl StdError + Send + Sync + 'static) -> Error {
        Error {
            kind: Kind::Failure,
            message: format!("cannot {doing} {}", path.display()),
            cause: Some(cause.into()),
        }
    }

    /// An error of a crate below, in its words.
    fn from_below(kind: Kind, error: impl StdError + Send + Sync + 'static) -> Error {
        Error { kind, message: error.to_string(), cause: Some(error.into()) }
    }

    /// Whether the caller asked for something wrong.
    pub fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// Whether the data cannot be worked with.
    pub fn is_data(&self) -> bool {
        self.kind == Kind::Data
    }

    /// Whether the run was stopped from outside.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Stopped
    }
}

impl From<headsmith_data::Error> for Error {
    fn from(error: headsmith_data::Error) -> Error {
        Error::from_below(Kind::Data, error)
    }
}

impl From<headsmith_heads::Error> for Error {
    fn from(error: headsmith_heads::Error) -> Error {
        let kind = match error.kind() {
            headsmith_heads::error::Kind::Parameter => Kind::Usage,
            headsmith_heads::error::Kind::Samples => Kind::Data,
            _ => Kind::Failure,
        };
        Error::from_below(kind, error)
    }
}

impl From<headsmith_model::Error> for Error {
    fn from(error: headsmith_model::Error) -> Error {
        Error::from_below(Kind::Data, error)
    }
}

impl From<headsmith_study::Error> for Error {
    fn from(error: headsmith_study::Error) -> Error {
        use headsmith_study::Kind as Study;
        let kind = match error.kind() {
            Study::Configuration | Study::NotFound | Study::Conflict => Kind::Usage,
            _ => Kind::Failure,
        };
        Error::from_below(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Pool;

    use super::*;

    #[test]
    fn an_error_of_a_crate_below_is_the_cause() {
        let below =
            headsmith_data::read(Path::new("no/such.csv"), &Default::default(), &Pool::inline()).unwrap_err();
        let message = below.to_string();
        let error = Error::from(below);
        assert_eq!(error.to_string(), message);
        let below = error.source().and_then(|below| below.downcast_ref::<headsmith_data::Error>()).unwrap();
        let system = below.source().and_then(|system| system.downcast_ref::<std::io::Error>()).unwrap();
        assert_eq!(system.kind(), std::io::ErrorKind::NotFound);
        assert!(message.contains(&system.to_string()), "{message}");
    }
}
