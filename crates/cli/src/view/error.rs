//! Errors as a person reads them, and the exit status they come to.

use std::io::Write;

use anyhow::Error;

/// Prints `error: ..`, and a `cause: ..` line for each error below it.
pub(crate) fn print(error: &Error) {
    let mut stderr = std::io::stderr().lock();
    // Nothing can be said when standard error is gone.
    let _ = writeln!(stderr, "error: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "cause: {cause}");
    }
}

/// 2 for wrong usage, 1 for bad data and every other failure.
pub(crate) fn status(error: &Error) -> u8 {
    let usage = |error: &headsmith::Error| error.is_usage();
    let wrong = error.downcast_ref::<headsmith::Error>().is_some_and(usage)
        || error.is::<crate::flags::config::WrongConfig>();
    if wrong { 2 } else { 1 }
}
