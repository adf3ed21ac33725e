//! Waiting for what must come, however slow and busy the machine is. The tests of several crates share this file.
//!
//! A test waits for a condition, never for a time; a limit that must not be reached is [`PATIENCE`], and one that must be
//! reached is tiny.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes that a test waits for: only what never comes takes as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// Asks `found` again and again until it gives something. Panics after [`PATIENCE`].
pub(crate) fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let (begin, mut pause) = (Instant::now(), Duration::from_millis(1));
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(10));
    }
}

/// Waits until `is` holds. Panics after [`PATIENCE`].
pub(crate) fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    wait_for(what, || is().then_some(()));
}

/// The result of `work`, which must end. Panics after [`PATIENCE`], or as `work` did.
pub(crate) fn must_end<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let working = thread::spawn(move || {
        let result = work();
        // Nobody waits any more once the test has failed.
        let _ = sender.send(());
        result
    });
    let waited = receiver.recv_timeout(PATIENCE);
    assert!(waited != Err(RecvTimeoutError::Timeout), "waited {PATIENCE:?} in vain for the end: {what}");
    working.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// For a limit that must be reached by one thing and not by another: calls `attempt` with longer and longer ones until it
/// gives something, for this machine may be too slow for the shorter ones.
pub(crate) fn with_growing_limits<T>(attempt: impl FnMut(Duration) -> Option<T>) -> T {
    let limits = [100, 1_000, 10_000, 60_000].into_iter().map(Duration::from_millis);
    limits.into_iter().find_map(attempt).expect("with no limit was it as expected")
}
