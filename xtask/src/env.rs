//! `cargo xtask env`: the referees' Python environment, made from `bench/referees/requirements.txt`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{step, workspace};

/// The oldest Python that the pinned versions support.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
const PYTHONS: [&str; 5] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];

/// Gives the environment's Python; makes the environment first where it is missing or made from other requirements.
pub(crate) fn python() -> Result<PathBuf> {
    let folder = workspace::target("referees");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let wanted = workspace::root().join("bench/referees/requirements.txt");
    // The stamp is the file itself: what was installed, word by word.
    let stamp = folder.join("installed.txt");
    let requirements = fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if !fs::read(&stamp).is_ok_and(|installed| installed == requirements) || !python.exists() {
        make(&folder, &python, &wanted)?;
        fs::write(&stamp, requirements)?;
    }
    Ok(python)
}

fn make(folder: &Path, python: &Path, requirements: &Path) -> Result<()> {
    let Some(system) = PYTHONS.into_iter().find(|python| suits(python)) else {
        bail!(
            "the referees need Python 3.11 or later with its venv module: install python3 and python3-venv \
             (Debian, Ubuntu), or leave the referees out: cargo xtask test --no-python"
        );
    };
    let mut venv = Command::new(system);
    step::run("Python environment", venv.args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--requirement"]);
    step::run("Python packages", pip.arg(requirements))
}

fn suits(python: &str) -> bool {
    let mut probe = Command::new(python);
    probe.args(["-c", PROBE]).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
