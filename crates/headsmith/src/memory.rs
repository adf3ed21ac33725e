//! Whether a fit has enough memory: one that has not fails with a message, and a trial of a study alone, before the system ends
//! the process.

use std::fmt;
use std::fs;

use headsmith_heads::{Head, Job};

use crate::error::{Error, Result};

/// Bytes of the unit in messages and flags.
pub(crate) const MEGABYTE: u64 = 1_000_000;

/// The memory that a fit lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortage {
    /// Bytes beside the rows, at most.
    needed: u64,
    /// Bytes.
    free: u64,
    /// Advice that makes the fit smaller.
    pub(crate) hint: &'static str,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a fit needs about {} MB and {} MB are free",
            self.needed.div_ceil(MEGABYTE),
            self.free / MEGABYTE
        )
    }
}

/// The memory that a fit of `head` lacks; `None` if it has enough, or if its cost or the memory is unknown.
pub(crate) fn shortage(head: &dyn Head, job: &Job<'_>) -> Option<Shortage> {
    let cost = head.cost(job.shape(), job.params).ok()?;
    beyond(cost.bytes, cost.hint, available()?)
}

fn beyond(needed: u64, hint: &'static str, free: u64) -> Option<Shortage> {
    (needed > free).then_some(Shortage { needed, free, hint })
}

/// Refuses a fit of `head` for which there is not enough memory.
///
/// # Errors
/// When it needs more than there is: how much, and how to need less.
pub(crate) fn check_fit(head: &dyn Head, job: &Job<'_>) -> Result<()> {
    match shortage(head, job) {
        None => Ok(()),
        Some(shortage) => {
            let title = head.table().title;
            Err(Error::failure(format!("{title}: {shortage}: fit it with {}, or free memory", shortage.hint)))
        }
    }
}

/// Refuses a transformed copy of the features, of `n_bytes`, for which there is not enough memory.
///
/// # Errors
/// When it needs more than there is.
pub(crate) fn check_copy(transform: &str, n_bytes: u64) -> Result<()> {
    match available().filter(|free| n_bytes > *free) {
        None => Ok(()),
        Some(free) => Err(Error::failure(format!(
            "the features transformed by {transform} need {} MB and {} MB are free: fit on fewer rows, without a transform, or \
             free memory",
            n_bytes.div_ceil(MEGABYTE),
            free / MEGABYTE
        ))),
    }
}

/// The bytes that are still available: of the system, of the limit of its group, and of the limit of the process.
fn available() -> Option<u64> {
    let limits = [system(), group(), process()];
    limits.into_iter().flatten().min()
}

fn system() -> Option<u64> {
    field("/proc/meminfo", "MemAvailable:").map(|kilobytes| kilobytes << 10)
}

fn group() -> Option<u64> {
    let file = |name: &str| format!("/sys/fs/cgroup/{name}");
    let number = |name: &str| fs::read_to_string(file(name)).ok()?.trim().parse::<u64>().ok();
    // Pages of files that were read count as memory in use, but the system takes them back before a process fails.
    let cached = field(&file("memory.stat"), "inactive_file").unwrap_or(0);
    let used = number("memory.current")?.saturating_sub(cached);
    Some(number("memory.max")?.saturating_sub(used))
}

fn process() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max address space"))?;
    let limit: u64 = line.split_whitespace().nth(3)?.parse().ok()?;
    let used = field("/proc/self/status", "VmSize:")? << 10;
    Some(limit.saturating_sub(used))
}

fn field(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_enough_and_a_byte_more_is_not() {
        let hint = "fewer neurons";
        assert_eq!(beyond(5 << 20, hint, 5 << 20), None);
        let shortage = beyond((5 << 20) + 1, hint, 5 << 20);
        assert_eq!(shortage, Some(Shortage { needed: (5 << 20) + 1, free: 5 << 20, hint }));
        assert_eq!(shortage.unwrap().to_string(), "a fit needs about 6 MB and 5 MB are free");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_copy_beyond_all_memory_is_refused() {
        assert!(check_copy("standardise", 1 << 20).is_ok());
        let error = check_copy("standardise", u64::MAX).unwrap_err().to_string();
        assert!(
            error.starts_with("the features transformed by standardise need 18446744073710 MB and "),
            "{error}"
        );
    }
}
