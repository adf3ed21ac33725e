//! The core on which a thread runs, if the system reports it and allows changing it.

/// No core, or an unknown one.
pub(super) const ELSEWHERE: usize = usize::MAX;

/// The core of the calling thread.
#[cfg(target_os = "linux")]
pub(super) fn current_core() -> usize {
    rustix::thread::sched_getcpu()
}

/// Moves the calling thread to another core if it is on this one; later the system may move it to any core it was
/// allowed before. Without another core, nothing changes.
#[cfg(target_os = "linux")]
pub(super) fn move_from(core: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    if core != current_core() || core >= CpuSet::MAX_CPU {
        return;
    }
    if let Ok(all) = sched_getaffinity(None) {
        let mut others = all;
        others.unset(core);
        // Only a successful restriction is lifted again.
        if sched_setaffinity(None, &others).is_ok() {
            let _ = sched_setaffinity(None, &all);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn current_core() -> usize {
    ELSEWHERE
}

#[cfg(not(target_os = "linux"))]
pub(super) fn move_from(_core: usize) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::sched_getaffinity;

    use super::*;

    #[test]
    fn a_thread_may_return_to_its_core() {
        let before = sched_getaffinity(None).unwrap();
        move_from(current_core());
        move_from(ELSEWHERE);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
