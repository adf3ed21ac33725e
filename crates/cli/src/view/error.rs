//! Errors as a person reads them, and the exit status they come to.

use anyhow::Error;

use crate::view;

/// Prints `error: ..`, and a `cause: ..` line for each error below it.
pub(crate) fn print(error: &Error) {
    view::say(&format!("error: {error}"));
    error.chain().skip(1).for_each(|cause| view::say(&format!("cause: {cause}")));
}

/// 2 for wrong usage, 1 for bad data and every other failure; those of the challenge client by cause.
pub(crate) fn status(error: &Error) -> u8 {
    if let Some(error) = error.downcast_ref::<headsmith_aicrowd::Error>() {
        return error.cause().exit_status();
    }
    let usage = |error: &headsmith::Error| error.is_usage();
    let wrong = error.downcast_ref::<headsmith::Error>().is_some_and(usage)
        || error.is::<crate::flags::config::WrongConfig>();
    if wrong { 2 } else { 1 }
}
