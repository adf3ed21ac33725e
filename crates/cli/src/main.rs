//! The command `headsmith`.

mod commands;
mod flags;
mod interrupt;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    let done = flags::parse(std::env::args_os().collect()).and_then(|matches| commands::dispatch(&matches));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            view::error::print(&error);
            ExitCode::from(view::error::status(&error))
        }
    }
}
