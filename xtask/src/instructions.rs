//! Instructions of a training, counted by valgrind: the same on a busy machine as on a quiet one, so they show what a
//! change costs to a percent.
//!
//! `bench/instructions.json` holds the networks of `bench/peers/training`, how many rows each is trained and validated
//! on for one epoch, and the instructions that took when they were last recorded. Few rows, for valgrind computes a
//! fused multiply-add in a microsecond. It knows no AVX-512: what is counted is the AVX2 path, on every machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{step, workspace};

const FILE: &str = "bench/instructions.json";
/// A count above the recorded one by more is a slow-down.
const FENCE: f64 = 0.05;
const INSTALL: &str =
    "valgrind is not installed, instructions are not counted: apt-get install valgrind, dnf install valgrind";

/// Counts the instructions of each network and compares them with those recorded, or records them.
pub(crate) fn run(record: bool) -> Result<()> {
    if !cfg!(target_arch = "x86_64") || !is_there() {
        println!("{INSTALL} (x86-64 only)");
        return Ok(());
    }
    step::run("release build", &mut workspace::build())?;
    let path = workspace::root().join(FILE);
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let mut slower = Vec::new();
    for (name, network) in file.as_object_mut().context("not an object")? {
        let start = Instant::now();
        let counted = count(network)?;
        let recorded = network["instructions"].as_u64().unwrap_or(0);
        let change = counted as f64 / recorded as f64 - 1.0;
        let line = format!("instructions of {name}, AVX2 path: {counted}, {:+.1}%", 100.0 * change);
        step::done(&line, start.elapsed().as_secs_f64());
        if change.abs() > FENCE {
            slower.extend((change > 0.0).then_some(line));
            println!("to record the counts anew: cargo xtask instructions --record");
        }
        network["instructions"] = counted.into();
    }
    if record {
        std::fs::write(&path, serde_json::to_string_pretty(&file)? + "\n")?;
    } else if !slower.is_empty() {
        bail!("more than {}% above {FILE}:\n{}", 100.0 * FENCE, slower.join("\n"));
    }
    Ok(())
}

fn is_there() -> bool {
    let mut command = Command::new("valgrind");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The instructions of the epoch of one network.
fn count(network: &Value) -> Result<u64> {
    let out: PathBuf = workspace::target("callgrind.out");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--toggle-collect=mlp::epoch*"]);
    command.arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(workspace::example("mlp")).arg("--made");
    for rows in network["rows"].as_array().context("no rows")? {
        command.arg(rows.to_string());
    }
    command.args(network["parameters"].as_str().context("no parameters")?.split_whitespace());
    let output = command.output().context("cannot start valgrind")?;
    let report = std::fs::read_to_string(&out).unwrap_or_default();
    match total(&report) {
        Some(count) if output.status.success() && count > 0 => Ok(count),
        _ => bail!("{} counted nothing:\n{}", step::typed(&command), String::from_utf8_lossy(&output.stderr)),
    }
}

/// The count that callgrind's file ends with.
fn total(report: &str) -> Option<u64> {
    let totals = report.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    totals.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_off_the_last_line() {
        assert_eq!(total("events: Ir\nsummary: 1\n\ntotals: 410595514\n"), Some(410_595_514));
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn every_network_is_recorded() {
        let file = std::fs::read_to_string(workspace::root().join(FILE)).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let names: Vec<_> = file.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "B", "C", "D", "E"]);
        assert!(file.as_object().unwrap().values().all(|network| network["instructions"].as_u64() > Some(0)));
    }
}
