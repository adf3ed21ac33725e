//! The exit status of each error.

use anyhow::Error;

use crate::flags::config::WrongConfig;
use crate::interrupt;

/// 2 for wrong usage, 130 if Ctrl-C came before there were results, 1 for bad data and all other failures; errors of
/// the challenge client have their own statuses.
pub(crate) fn status(error: &Error) -> u8 {
    if let Some(error) = error.downcast_ref::<headsmith_aicrowd::Error>() {
        return error.cause().exit_status();
    }
    if error.downcast_ref::<headsmith::Error>().is_some_and(headsmith::Error::is_stopped) {
        return interrupt::INTERRUPTED;
    }
    let usage = |error: &headsmith::Error| error.is_usage();
    if error.downcast_ref::<headsmith_server::Error>().is_some_and(headsmith_server::Error::is_usage) {
        return 2;
    }
    let wrong = error.downcast_ref::<headsmith::Error>().is_some_and(usage) || error.is::<WrongConfig>();
    if wrong { 2 } else { 1 }
}
