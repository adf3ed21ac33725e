//! The library's errors as Python's.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use headsmith::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyFileNotFoundError, PyRuntimeError, PyValueError};

use crate::words::{self, Caller};

/// `ValueError` where other arguments or data would do, `FileNotFoundError` of a file that is not there, and `RuntimeError` of other failures.
pub(crate) fn to_python(error: Error) -> PyErr {
    to_caller(Caller::Arrays)(error)
}

/// The same in the words of `caller`.
pub(crate) fn to_caller(caller: Caller) -> impl Fn(Error) -> PyErr {
    move |error| {
        let text = match path(&error) {
            Some(path) => words::of_python_about(&text(&error), &path, caller),
            None => words::of_python(&text(&error), caller),
        };
        of_text(&error, text)
    }
}

/// The file that a message names.
fn path(error: &Error) -> Option<String> {
    let of = |cause: &(dyn StdError + 'static)| {
        cause.downcast_ref::<headsmith::data::Error>()?.path().map(display)
    };
    causes(error).find_map(of).filter(|path| !path.is_empty())
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

fn of_text(error: &Error, text: String) -> PyErr {
    if causes(error).any(is_not_there) {
        PyFileNotFoundError::new_err(text)
    } else if error.is_usage() || error.is_data() {
        PyValueError::new_err(text)
    } else {
        PyRuntimeError::new_err(text)
    }
}

/// The error of a panic, which is a fault of the library.
pub(crate) fn of_panic(panic: &(dyn std::any::Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    PyRuntimeError::new_err(format!("headsmith has a bug, please report it: {text}"))
}

fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn StdError + 'static)| (*cause).source())
}

fn is_not_there(cause: &(dyn StdError + 'static)) -> bool {
    cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::NotFound)
}

/// The message, with the causes that it does not quote.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
