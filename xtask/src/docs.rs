//! `cargo xtask docs`: the reference page, which the binary itself prints.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{step, workspace};

fn page() -> PathBuf {
    workspace::root().join("docs/reference.md")
}

/// Writes the page anew.
pub(crate) fn write() -> Result<()> {
    step::run("release build", &mut workspace::build())?;
    let text = reference()?;
    let page = page();
    fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))
}

/// Checks that the page says what the binary says.
pub(crate) fn check() -> Result<()> {
    let start = Instant::now();
    let written = fs::read_to_string(page()).unwrap_or_default();
    if written != reference()? {
        bail!("docs/reference.md is not what the binary prints; to write it anew: cargo xtask docs");
    }
    step::done("reference page", start.elapsed().as_secs_f64());
    Ok(())
}

fn reference() -> Result<String> {
    let mut command = Command::new(workspace::binary());
    // The width of the terminal must not show in the page.
    let output = command.arg("reference").env("COLUMNS", "100").env("NO_COLOR", "1").output();
    let output = output.with_context(|| format!("cannot start `{}`", step::typed(&command)))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", step::typed(&command), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
