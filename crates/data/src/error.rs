//! Errors of reading, checking and writing tables.

use crate::RowLocation;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of reading, checking or writing a table, with the fault, its location, the expected value and the fix.
///
/// [`Display`](std::fmt::Display) gives all of it in one message; [`Error::message`] and [`Error::hint`] give the
/// parts.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Debug, thiserror::Error)]
#[error("{}{}", self.message(), clause(.hint.as_deref()))]
struct Inner {
    kind: Kind,
    path: Option<PathBuf>,
    place: Option<RowLocation>,
    what: String,
    hint: Option<String>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Io,
    Format,
    Row,
    Column,
    Labels,
    Output,
}

impl Error {
    fn new(kind: Kind, what: impl Into<String>) -> Error {
        let inner = Inner { kind, path: None, place: None, what: what.into(), hint: None, source: None };
        Error(Box::new(inner))
    }

    /// The system failed to read `path`.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Error {
        Error::unread(source).at(path)
    }

    /// The system failed to continue reading a file whose path the caller adds.
    pub(crate) fn unread(source: std::io::Error) -> Error {
        Error::new(Kind::Io, format!("cannot be read: {source}")).caused_by(source)
    }

    /// The system failed to write `path`.
    pub(crate) fn output(path: &Path, source: std::io::Error) -> Error {
        Error::new(Kind::Output, format!("cannot be written: {source}")).caused_by(source).at(path)
    }

    /// The file as a whole is not a supported table.
    pub(crate) fn format(what: impl Into<String>) -> Error {
        Error::new(Kind::Format, what)
    }

    /// One row is wrong.
    pub(crate) fn row(place: RowLocation, what: impl Into<String>) -> Error {
        let mut error = Error::new(Kind::Row, what);
        error.0.place = Some(place);
        error
    }

    /// The requested columns are missing, or it is not clear which ones are meant.
    pub(crate) fn column(what: impl Into<String>) -> Error {
        Error::new(Kind::Column, what)
    }

    /// The labels cannot be used for training, or differ from those of the training table.
    pub(crate) fn labels(what: impl Into<String>) -> Error {
        Error::new(Kind::Labels, what)
    }

    /// The same error in the file `path`.
    pub(crate) fn at(mut self, path: &Path) -> Error {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// The same error at a location in its file.
    pub(crate) fn placed(mut self, place: RowLocation) -> Error {
        self.0.place.get_or_insert(place);
        self
    }

    /// The same with its cause, whose text it already contains.
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// The same error with advice on fixing it.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// The system failed: the file is missing, not permitted, on a failing disk.
    pub fn is_io(&self) -> bool {
        matches!(self.0.kind, Kind::Io | Kind::Output)
    }

    /// An output could not be written; the old file is unchanged.
    pub fn is_output(&self) -> bool {
        self.0.kind == Kind::Output
    }

    /// The file as a whole is not a supported table.
    pub fn is_format(&self) -> bool {
        self.0.kind == Kind::Format
    }

    /// One row of the file is bad; [`OnBadRow::Skip`](crate::OnBadRow::Skip) would have skipped it.
    pub fn is_row(&self) -> bool {
        self.0.kind == Kind::Row
    }

    /// The embeddings or label column is missing, or it is not clear which one it is: naming it helps.
    pub fn is_column(&self) -> bool {
        self.0.kind == Kind::Column
    }

    /// The labels are missing, have only one class, or are unknown to the training table.
    pub fn is_labels(&self) -> bool {
        self.0.kind == Kind::Labels
    }

    /// The file that caused it.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The location in that file.
    pub fn place(&self) -> Option<&RowLocation> {
        self.0.place.as_ref()
    }

    /// The fault, its location, the expected and the found value: the message without the [`hint`](Error::hint).
    pub fn message(&self) -> String {
        self.0.message()
    }

    /// Advice on fixing it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl Inner {
    fn message(&self) -> String {
        let path = self.path.as_ref().map_or(String::new(), |path| format!("{}: ", path.display()));
        let place = self.place.as_ref().map_or(String::new(), |place| format!("{place}: "));
        format!("{path}{place}{}", self.what)
    }
}

/// A hint as the end of its message.
fn clause(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}
