//! Why a model could not be exported.

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of an export.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    is_choice: bool,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), is_choice: false }
    }

    /// A failure that other options avoid.
    pub(crate) fn choice(message: impl Into<String>) -> Error {
        Error { message: message.into(), is_choice: true }
    }

    /// Whether other options of the export would avoid it.
    pub fn is_choice(&self) -> bool {
        self.is_choice
    }
}
