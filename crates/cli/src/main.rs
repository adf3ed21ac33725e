//! The program `headsmith`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(headsmith_cli::run(std::env::args_os().collect()))
}
