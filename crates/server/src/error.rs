//! Why a server does not start.

use std::path::Path;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error before the first request: a wrong option, a file that cannot be read, an address that is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    is_usage: bool,
    message: String,
}

impl Error {
    /// Whether the options are wrong.
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }

    pub(crate) fn usage(message: impl Into<String>) -> Error {
        Error { is_usage: true, message: message.into() }
    }

    pub(crate) fn failure(message: impl Into<String>) -> Error {
        Error { is_usage: false, message: message.into() }
    }

    /// A file that cannot be used for `purpose`.
    pub(crate) fn file(purpose: &str, path: &Path, cause: impl std::fmt::Display) -> Error {
        Error::failure(format!("cannot read the {purpose} {}: {cause}", path.display()))
    }
}
