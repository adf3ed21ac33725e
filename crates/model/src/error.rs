//! Why a model could not be made, read or asked.

use std::fmt;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a model; its message says what is wrong, where, what was expected and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scaling,
    Input,
    Invalid,
    Damaged,
    Unsupported,
}

impl Error {
    /// Whether a text names no scaling.
    pub fn is_scaling(&self) -> bool {
        self.kind == Kind::Scaling
    }

    /// Whether the rows do not fit: no rows, another width than the model's, or values that are not finite.
    pub fn is_input(&self) -> bool {
        self.kind == Kind::Input
    }

    /// Whether the parts of a model do not fit together.
    pub fn is_invalid(&self) -> bool {
        self.kind == Kind::Invalid
    }

    /// Whether bytes are no model file, or a damaged one.
    pub fn is_damaged(&self) -> bool {
        self.kind == Kind::Damaged
    }

    /// Whether a model file is of a version, or holds a part, that this program does not know.
    pub fn is_unsupported(&self) -> bool {
        self.kind == Kind::Unsupported
    }

    pub(crate) fn scaling(message: impl Into<String>) -> Error {
        Error { kind: Kind::Scaling, message: message.into() }
    }

    pub(crate) fn input(message: impl Into<String>) -> Error {
        Error { kind: Kind::Input, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error { kind: Kind::Invalid, message: message.into() }
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Error {
        Error { kind: Kind::Damaged, message: message.into() }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Error {
        Error { kind: Kind::Unsupported, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
