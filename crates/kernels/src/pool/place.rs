//! On which core a thread runs, where the system tells and lets itself be told.

/// No core, or one that is not known.
pub(super) const ELSEWHERE: usize = usize::MAX;

/// The core of the calling thread.
#[cfg(target_os = "linux")]
pub(super) fn core() -> usize {
    rustix::thread::sched_getcpu()
}

/// Moves the calling thread to another core if it is on this one; later the system may move it anywhere it could before.
/// Where there is no other, it stays.
#[cfg(target_os = "linux")]
pub(super) fn leave(core: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    if core != self::core() || core >= CpuSet::MAX_CPU {
        return;
    }
    if let Ok(all) = sched_getaffinity(None) {
        let mut others = all;
        others.unset(core);
        // Only what has been narrowed is to be widened again.
        if sched_setaffinity(None, &others).is_ok() {
            let _ = sched_setaffinity(None, &all);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn core() -> usize {
    ELSEWHERE
}

#[cfg(not(target_os = "linux"))]
pub(super) fn leave(_core: usize) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::sched_getaffinity;

    use super::*;

    #[test]
    fn who_leaves_may_come_back() {
        let before = sched_getaffinity(None).unwrap();
        leave(core());
        leave(ELSEWHERE);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
