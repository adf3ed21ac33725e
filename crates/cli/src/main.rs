//! The command `headsmith`.

mod commands;
mod exit;
mod flags;
mod interrupt;
mod view;

use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Instant;

static STARTED: OnceLock<Instant> = OnceLock::new();

/// When the process started.
fn started() -> Instant {
    *STARTED.get_or_init(Instant::now)
}

fn main() -> ExitCode {
    started();
    let matches = flags::parse(std::env::args_os().collect());
    // If the command line is invalid, only a search for the word shows whether it asks for JSON.
    let json = matches.as_ref().map_or_else(|_| flags::names_json(), flags::asks_for_json);
    match matches.and_then(|matches| commands::dispatch(&matches)) {
        Ok(()) => ExitCode::from(interrupt::status()),
        Err(error) => {
            let status = exit::status(&error);
            view::error::print(&error, status, json);
            ExitCode::from(status)
        }
    }
}
