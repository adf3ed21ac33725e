//! Why a model could not be made, read or asked.

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a model, with its location, the expected and the found value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Invalid,
    Damaged,
    Unsupported,
}

impl Error {
    /// Whether the rows do not fit: no rows, another width than the model's, or values that are not finite.
    pub fn is_input(&self) -> bool {
        self.kind == Kind::Input
    }

    /// Whether the parts of a model do not fit together.
    pub fn is_invalid(&self) -> bool {
        self.kind == Kind::Invalid
    }

    /// Whether the bytes are not a model file, or a damaged one.
    pub fn is_damaged(&self) -> bool {
        self.kind == Kind::Damaged
    }

    /// Whether a model file is of a version, or holds a part, that this program does not know.
    pub fn is_unsupported(&self) -> bool {
        self.kind == Kind::Unsupported
    }

    pub(crate) fn input(message: impl Into<String>) -> Error {
        Error { kind: Kind::Input, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error { kind: Kind::Invalid, message: message.into() }
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Error {
        Error { kind: Kind::Damaged, message: tamed(message.into()) }
    }

    /// The same message about parts that came out of a file.
    pub(crate) fn into_damaged(self) -> Error {
        Error { kind: Kind::Damaged, ..self }
    }

    /// The same message about parts that were to go into a file.
    pub(crate) fn into_invalid(self) -> Error {
        Error { kind: Kind::Invalid, ..self }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Error {
        Error { kind: Kind::Unsupported, message: tamed(message.into()) }
    }
}

/// A message with words out of a file, fit for a terminal: of bounded length and without control characters.
fn tamed(message: String) -> String {
    const LONGEST: usize = 400;
    if message.len() <= LONGEST && !message.contains(char::is_control) {
        return message;
    }
    let mut tamed: String = message
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .take(LONGEST)
        .collect();
    if message.chars().nth(LONGEST).is_some() {
        tamed.push_str(" ..");
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_out_of_a_file_are_tamed() {
        assert_eq!(Error::damaged("a\u{1b}[31mb é").to_string(), "a\u{fffd}[31mb é");
        let long = Error::damaged("é".repeat(5000)).to_string();
        assert_eq!(long.chars().count(), 403);
    }
}
