//! Whether a trial's network fits the memory that is left: one that does not fails alone, before it takes the process
//! with it.

use std::fs;

use headsmith_heads::Samples;
use headsmith_heads::mlp::Architecture;
use headsmith_heads::params::Params;

/// Floats for each weight: weights, two moments, gradient, best, and packed copies.
const FLOATS_A_WEIGHT: u64 = 7;
/// Rows of activations beside a batch's: a block of validation rows.
const VALIDATION_ROWS: u64 = 512;

/// Why a training with these parameters would not fit into memory; `None` if it does, or the memory is unknown.
pub(super) fn too_much(train: Samples<'_>, params: &Params) -> Option<String> {
    let architecture = Architecture::new(train.n_features(), train.n_classes(), params).ok()?;
    let batch = params.int("batch_size").unwrap_or(1).max(1) as u64;
    let rows = batch.min(train.n_samples() as u64) + VALIDATION_ROWS;
    let widths: u64 = architecture.widths().map(|width| width as u64).sum();
    let floats = FLOATS_A_WEIGHT
        .checked_mul(architecture.n_params() as u64)
        .and_then(|weights| widths.checked_mul(2 * rows)?.checked_add(weights));
    let needed = floats.and_then(|floats| floats.checked_mul(4)).unwrap_or(u64::MAX);
    let free = available()?;
    (needed > free).then(|| {
        format!(
            "its network needs about {} MB to train and {} MB are free: search fewer neurons or layers, or fewer --jobs",
            needed >> 20,
            free >> 20
        )
    })
}

/// The bytes that may still be had: of the system, of the limit of its group, and of the process's own limit.
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
