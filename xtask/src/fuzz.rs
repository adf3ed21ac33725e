//! `cargo xtask fuzz`: every fuzz target for a time.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::{step, workspace};

/// Runs `targets`, or all, for `time` each; stops at the first that finds something.
pub(crate) fn run(time: Duration, targets: &[String]) -> Result<()> {
    let all = all()?;
    if let Some(unknown) = targets.iter().find(|target| !all.contains(target)) {
        bail!("there is no fuzz target `{unknown}`; there are {}", all.join(", "));
    }
    for target in if targets.is_empty() { &all } else { targets } {
        let mut command = Command::new("cargo");
        command.args(["+nightly", "fuzz", "run", target, "--"]).current_dir(workspace::root());
        command.arg(format!("-max_total_time={}", time.as_secs()));
        // A reader that asks for more than it was given is a finding.
        command.args(["-rss_limit_mb=1024", "-timeout=10"]);
        step::run(&format!("fuzz {target}"), &mut command)?;
    }
    Ok(())
}

fn all() -> Result<Vec<String>> {
    let files = workspace::files("fuzz/fuzz_targets", "rs")?;
    Ok(files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect())
}
