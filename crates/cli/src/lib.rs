//! The command `headsmith`, as a function of its arguments: the program of this package calls it, and so does the Python package.

mod commands;
mod exit;
mod flags;
mod interrupt;
mod view;

use std::ffi::OsString;
use std::sync::OnceLock;
use std::time::Instant;

static STARTED: OnceLock<Instant> = OnceLock::new();
/// The command line, which is not that of the process where an interpreter runs the command.
static ARGS: OnceLock<Vec<OsString>> = OnceLock::new();

/// When the command started.
fn started() -> Instant {
    *STARTED.get_or_init(Instant::now)
}

/// The command line, the name of the program first.
fn args() -> &'static [OsString] {
    ARGS.get().map_or(&[], Vec::as_slice)
}

/// Does what `args` ask for, the name of the program before them, and gives the exit status. Meant to be called once in a process: the command
/// listens to the signals that end one.
pub fn run(args: Vec<OsString>) -> u8 {
    started();
    let matches = flags::parse(ARGS.get_or_init(|| args).clone());
    // If the command line is invalid, only a search for the word shows whether it asks for JSON.
    let json = matches.as_ref().map_or_else(|_| flags::names_json(), flags::asks_for_json);
    match matches.and_then(|matches| commands::dispatch(&matches)) {
        Ok(()) => interrupt::status(),
        Err(error) => {
            let status = exit::status(&error);
            view::error::print(&error, status, json);
            status
        }
    }
}
