//! Output for people: progress on standard error, results on standard output.

pub(crate) mod auto;
pub(crate) mod error;
pub(crate) mod folds;
pub(crate) mod history;
pub(crate) mod lines;
pub(crate) mod live;
mod many;
mod pace;
pub(crate) mod progress;
pub(crate) mod search;
pub(crate) mod study;
pub(crate) mod text;
pub(crate) mod transfer;

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

/// Prints a result. A reader that has ended (`headsmith .. | head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write to standard output"),
    }
}

/// The width of the terminal for results; 80 if there is none.
pub(crate) fn width() -> usize {
    let given = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || ratatui::crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
    given.or_else(asked).filter(|columns| *columns > 0).unwrap_or(80)
}

/// Prints a message on standard error, or in the view that has the screen.
pub(crate) fn print_message(text: &str) {
    if !live::log(text) {
        print_line(text);
    }
}

/// Says that the work stops at the first Ctrl-C.
pub(crate) fn announce_stop() {
    print_message("stopping: the current step ends first; Ctrl-C again quits at once");
}

/// Prints a line on standard error. A closed standard error is no reason to end a fit.
fn print_line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

static JSON_WAS_PRINTED: AtomicBool = AtomicBool::new(false);

/// Whether a JSON object was printed.
pub(crate) fn has_printed_json() -> bool {
    JSON_WAS_PRINTED.load(Ordering::Relaxed)
}

/// Prints a result as one JSON object on one line.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_string(value).context("cannot write the result as JSON")?;
    text.push('\n');
    JSON_WAS_PRINTED.store(true, Ordering::Relaxed);
    print(&text)
}
