//! Why a head could not be fitted, or a fitted one not be restored.

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a head; what happened is in its message, what kind it was in [`Error::kind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
}

/// The kinds of error, for callers that act on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A parameter is unknown, of the wrong kind or out of its range: the caller must fix it.
    Parameter,
    /// The samples cannot be learnt from (no rows, one class, shapes that do not fit).
    Samples,
    /// The training loss became infinite or NaN.
    Diverged,
    /// The tensors of a stored head are missing, of the wrong shape or inconsistent.
    Stored,
}

impl Error {
    /// An error about a parameter.
    pub fn parameter(message: impl Into<String>) -> Error {
        Error { kind: Kind::Parameter, message: message.into() }
    }

    /// An error about the samples.
    pub fn samples(message: impl Into<String>) -> Error {
        Error { kind: Kind::Samples, message: message.into() }
    }

    /// An error of a training that diverged.
    pub fn diverged(message: impl Into<String>) -> Error {
        Error { kind: Kind::Diverged, message: message.into() }
    }

    /// An error about the tensors of a stored head.
    pub fn stored(message: impl Into<String>) -> Error {
        Error { kind: Kind::Stored, message: message.into() }
    }

    /// The kind of the error.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
