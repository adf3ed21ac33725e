//! Work on large bodies and answers, in threads that give way to those of small ones.

use crate::failure::{Failure, Result};

/// Bytes of text that are worth another thread than the one that all connections share: it writes or reads them in some tenths of a millisecond.
const LARGE: usize = 64 << 10;

/// Does work on so many bytes, in another thread if they are many, so that small requests do not wait for it.
pub(crate) async fn aside<T: Send + 'static>(
    n_bytes: usize,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if n_bytes <= LARGE {
        return work();
    }
    tokio::task::spawn_blocking(giving_way(work)).await.unwrap_or_else(|_| Err(Failure::internal()))
}

/// Drops what has so many bytes, in another thread if they are many: the system takes milliseconds to get a large body back.
pub(crate) fn dropped<T: Send + 'static>(n_bytes: usize, value: T) {
    // Outside of a runtime there are no others who would wait.
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) if n_bytes > LARGE => drop(runtime.spawn_blocking(giving_way(|| drop(value)))),
        _ => drop(value),
    }
}

/// Lets the threads of small requests go first where processors are few: the system would let them wait for this one for milliseconds. To be called some
/// times in a millisecond.
pub(crate) fn pause() {
    std::thread::yield_now();
}

/// The work in a thread of lower priority.
fn giving_way<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    || {
        give_way();
        work()
    }
}

/// Lowers the priority of this thread, once: where all processors are busy, those that read, write and predict go first.
#[cfg(target_os = "linux")]
fn give_way() {
    use std::cell::Cell;

    /// As `nice` has it by default.
    const LOWER: i32 = 10;
    thread_local! { static IS_LOWER: Cell<bool> = const { Cell::new(false) }; }
    if !IS_LOWER.replace(true) {
        // Nothing but the order of work depends on it.
        let _ = rustix::process::nice(LOWER);
    }
}

/// Elsewhere a priority is that of the whole process.
#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_work_is_done_elsewhere() {
        let here = std::thread::current().id();
        let is_here = move || Ok(std::thread::current().id() == here);
        assert!(aside(LARGE, is_here).await.unwrap());
        assert!(!aside(LARGE + 1, is_here).await.unwrap());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn large_work_gives_way() {
        let nice = || rustix::process::getpriority_process(None).map_err(|_| Failure::internal());
        let before = nice().unwrap();
        // Twice: the same thread must not become lower and lower.
        for _ in 0..2 {
            assert_eq!(aside(LARGE + 1, nice).await.unwrap(), (before + 10).min(19));
        }
        assert_eq!(nice().unwrap(), before);
    }
}
