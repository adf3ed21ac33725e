//! Whether a trial's fit has enough memory: one that has not fails alone, before the system ends the process.

use std::fs;

use headsmith_heads::{Head, Job};

/// Why a fit of `head` would not fit into memory; `None` if it does, or if its cost or the memory is unknown.
pub(super) fn too_much(head: &dyn Head, job: &Job<'_>) -> Option<String> {
    let cost = head.cost(job.shape(), job.params).ok()?;
    let free = available()?;
    (cost.bytes > free).then(|| {
        format!(
            "a fit needs about {} MB and {} MB are free: search {}, or fewer --jobs",
            cost.bytes >> 20,
            free >> 20,
            cost.hint
        )
    })
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
    let number =
        |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
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
