//! Ctrl-C: once to end cleanly with the best so far, twice to end at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

static STOP: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C is how the work was to end.
static IS_THE_END: AtomicBool = AtomicBool::new(false);

/// The exit status of a process ended by Ctrl-C, as shells give it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The effects of Ctrl-C that the user sees.
#[derive(Debug)]
pub(crate) struct Display {
    /// Says that the work stops.
    pub(crate) announce: fn(),
    /// Releases the screen before the process ends.
    pub(crate) close: fn(),
}

static DISPLAY: OnceLock<Display> = OnceLock::new();

/// Listens for Ctrl-C and termination from here on; the flag is set at the first.
pub(crate) fn listen(display: Display) -> Result<&'static AtomicBool> {
    DISPLAY.get_or_init(|| display);
    ctrlc::set_handler(ask).context("cannot listen for Ctrl-C")?;
    Ok(&STOP)
}

/// Handles Ctrl-C, as a key or as a signal.
pub(crate) fn ask() {
    let display = DISPLAY.get();
    if STOP.swap(true, Ordering::Relaxed) {
        if let Some(display) = display {
            (display.close)();
        }
        std::process::exit(INTERRUPTED.into());
    }
    if let Some(display) = display {
        (display.announce)();
    }
}

/// Whether Ctrl-C was pressed.
pub(crate) fn was_asked() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Marks work without an end of its own, which Ctrl-C completes rather than interrupts.
pub(crate) fn is_the_end() {
    IS_THE_END.store(true, Ordering::Relaxed);
}

/// The exit status of a command that was done: another than 0 if Ctrl-C cut it short.
pub(crate) fn status() -> u8 {
    if was_asked() && !IS_THE_END.load(Ordering::Relaxed) { INTERRUPTED } else { 0 }
}

/// The flag of work that Ctrl-C ends at once, as it does without a handler.
pub(crate) fn never() -> &'static AtomicBool {
    &STOP
}
