//! `cargo xtask test`: everything that must hold before a commit, the cheap steps first.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace::{self, cargo};
use crate::{docs, env, instructions, postgres, step};

const FUZZ: &str = "fuzz/Cargo.toml";

/// Runs all steps; stops at the first that fails.
pub(crate) fn run(python: bool) -> Result<()> {
    step::run("format", &mut cargo(["fmt", "--all", "--check"]))?;
    step::run("format of the fuzz targets", &mut cargo(["fmt", "--manifest-path", FUZZ, "--check"]))?;
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    step::run("lints", &mut cargo(lints))?;
    deny()?;
    step::run("rules of the workspace", &mut cargo(["test", "--package", "xtask", "--locked", "--quiet"]))?;
    let postgres = postgres::ensure();
    let mut tests = cargo(["test", "--workspace", "--exclude", "xtask", "--locked"]);
    step::run("tests", tests.envs(postgres.then_some((postgres::NEEDED, "yes"))))?;
    // The workspace leaves them out; unbuilt they would rot.
    let mut fuzz = cargo(["check", "--manifest-path", FUZZ, "--locked", "--quiet", "--target-dir"]);
    step::run("fuzz targets", fuzz.arg(workspace::target("fuzz")))?;
    step::run("release build", &mut workspace::build())?;
    docs::check()?;
    instructions::run(false)?;
    if python {
        referees(&env::REFEREES.python()?)
    } else {
        println!("referees: left out (--no-python)");
        Ok(())
    }
}

/// Licences, sources and doubled crates. Advisories are left out: they need the network.
fn deny() -> Result<()> {
    if !cargo(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
        println!("cargo-deny is not installed, licences are not checked: cargo install --locked cargo-deny");
        return Ok(());
    }
    let check = ["deny", "--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
    step::run("licences", &mut cargo(check))
}

/// Runs every script of `bench/referees` and counts the checks it prints.
fn referees(python: &Path) -> Result<()> {
    let (mut passed, mut failed) = (0, Vec::new());
    for script in workspace::files("bench/referees", "py")? {
        let script = script.strip_prefix(workspace::root())?.to_owned();
        let mut command = Command::new(python);
        command.arg(&script).current_dir(workspace::root());
        command.env("HEADSMITH", workspace::binary()).env("KERAS_BACKEND", "jax");
        command.envs(postgres::is_there().then_some((postgres::NEEDED, "yes")));
        let start = Instant::now();
        let (ok, checks) = referee(&mut command)?;
        passed += checks;
        if ok {
            step::done(&script.display().to_string(), start.elapsed().as_secs_f64());
        } else {
            failed.push(step::typed(&command));
        }
    }
    println!("referees: {passed} passed, {} failed", failed.len());
    if !failed.is_empty() {
        bail!("to run the failed referees again:\n{}", failed.join("\n"));
    }
    Ok(())
}

/// Runs one script. A line that starts with `ok` is a check that passed; the first that fails ends the script.
fn referee(command: &mut Command) -> Result<(bool, usize)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start Python")?;
    let mut passed = 0;
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        passed += usize::from(line.starts_with("ok "));
        println!("{line}");
    }
    let ok = child.wait()?.success();
    Ok((ok && passed > 0, passed))
}
