//! Reads a table and prints the time and the peak memory: `read FILE [THREADS] [REPEATS]`.
//!
//! 0 means all threads.

use headsmith_data::{ReadOptions, read};
use headsmith_kernels::Pool;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: read FILE [THREADS] [REPEATS]")?;
    let number = |i: usize, default: usize| arguments.get(i).map_or(Ok(default), |text| text.parse());
    let n_threads = match number(1, 0)? {
        0 => std::thread::available_parallelism()?.get(),
        n_threads => n_threads,
    };
    let pool = Pool::new(n_threads)?;
    let mut seconds = Vec::new();
    let mut shape = (0, 0);
    for _ in 0..number(2, 1)? {
        let start = Instant::now();
        let table = read(Path::new(path), &ReadOptions::default(), &pool)?;
        seconds.push(start.elapsed().as_secs_f64());
        shape = (table.n_rows(), table.n_features());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!(
        "{{\"n_rows\": {}, \"n_features\": {}, \"seconds\": {median:.4}, \"peak_rss_kib\": {}}}",
        shape.0,
        shape.1,
        peak_rss_kib().unwrap_or(0)
    );
    Ok(())
}

/// The peak memory of this process, as Linux counts it.
fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
