//! Errors of studies.

/// The result of a function that may fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a study, with one message for the user.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an error, for callers that react to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An invalid space, sampler or pruner.
    Configuration,
    /// A study or trial that does not exist.
    NotFound,
    /// Something that already exists, or differs from the existing one.
    Conflict,
    /// The storage is unreachable, or the system has no thread to spare, at the moment: a retry may succeed.
    Unavailable,
    /// The storage failed: full disk, no permission, damage, a schema of another version.
    Storage,
}

impl Error {
    /// An error with its whole message: the fault, the expected and the found value, the fix.
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

    /// The kind of the error.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
