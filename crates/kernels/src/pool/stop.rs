//! The end of work in the middle, by unwinding: steps of a fit may take minutes, and have nowhere to return to.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The work was asked to stop, and left nothing behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// The result of `work`, unless a pool in it [was stopped](super::Pool::stopped_by): everything that it had made is then dropped.
///
/// # Errors
/// When it was.
///
/// # Panics
/// As `work` does.
pub fn unless_stopped<T>(work: impl FnOnce() -> T) -> Result<T, Stopped> {
    catch_unwind(AssertUnwindSafe(work)).or_else(|cause| match cause.downcast::<Stopped>() {
        Ok(stopped) => Err(*stopped),
        Err(panic) => resume_unwind(panic),
    })
}

/// Ends the work of a pool. It is no panic: nothing is printed.
pub(super) fn unwind() -> ! {
    resume_unwind(Box::new(Stopped))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::Pool;

    #[test]
    fn stopped_work_ends_between_two_pieces_and_the_pool_works_on() {
        for n_threads in [1, 3] {
            let (stop, done) = (Arc::new(AtomicBool::new(false)), AtomicUsize::new(0));
            let pool = Pool::new(n_threads).unwrap().stopped_by(stop.clone());
            let piece = |_| {
                if done.fetch_add(1, Ordering::Relaxed) == 5 {
                    stop.store(true, Ordering::Relaxed);
                }
            };
            assert_eq!(unless_stopped(|| pool.for_each(1000, piece)), Err(Stopped));
            assert!(done.load(Ordering::Relaxed) < 6 + n_threads);
            stop.store(false, Ordering::Relaxed);
            assert_eq!(unless_stopped(|| pool.map(3, |i| i)), Ok(vec![0, 1, 2]));
        }
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn panics_stay_panics() {
        let _ = unless_stopped(|| Pool::inline().for_each(1, |_| panic!("a bug")));
    }
}
