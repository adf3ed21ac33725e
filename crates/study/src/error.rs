//! What can go wrong with a study.

/// The result of what may fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What a study could not do, in one message for the user.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of error it is, for callers that act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A space, sampler or pruner that makes no sense.
    Configuration,
    /// A study or trial that is not there.
    NotFound,
    /// Something that is there already, or differs from what is there.
    Conflict,
    /// The storage could not be reached just now: trying again may help.
    Unavailable,
    /// The storage failed: full disk, no permission, damage, a schema of another version.
    Storage,
}

impl Error {
    /// An error with its whole message: what is wrong, expected, found, what to do.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }

    /// The same with its cause.
    pub fn caused(
        kind: Kind,
        message: impl Into<String>,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        Error { kind, message: message.into(), source: Some(Box::new(cause)) }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
