//! `cargo xtask test`: everything that must hold before a commit, the cheap steps first.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::tools::{self, Missing};
use crate::workspace::{self, cargo};
use crate::{docs, env, instructions, package, step};

const FUZZ: &str = "fuzz/Cargo.toml";
/// The variable that makes tests fail, rather than skip something, where PostgreSQL is missing.
const NEED_POSTGRES: &str = "HEADSMITH_NEED_POSTGRES";

/// Runs all steps; stops at the first that fails.
pub(crate) fn run(python: bool) -> Result<()> {
    let missing = tools::ensure(python)?;
    step::run("format", &mut cargo(["fmt", "--all", "--check"]))?;
    step::run("format of the fuzz targets", &mut cargo(["fmt", "--manifest-path", FUZZ, "--check"]))?;
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    step::run("lints", &mut cargo(lints))?;
    if !missing.has(tools::DENY) {
        deny()?;
    }
    step::run("rules of the workspace", &mut cargo(["test", "--package", "xtask", "--locked", "--quiet"]))?;
    let postgres = (!missing.has(tools::POSTGRES)).then_some((NEED_POSTGRES, "yes"));
    let mut tests = cargo(["test", "--workspace", "--exclude", "xtask", "--locked"]);
    step::run("tests", tests.envs(postgres))?;
    // The workspace leaves them out; unbuilt they would rot.
    let mut fuzz = cargo(["check", "--manifest-path", FUZZ, "--locked", "--quiet", "--target-dir"]);
    step::run("fuzz targets", fuzz.arg(workspace::target("fuzz")))?;
    step::run("release build", &mut workspace::build())?;
    docs::check()?;
    if !missing.has(tools::VALGRIND) {
        instructions::run(false)?;
    }
    if python && !missing.python() {
        return referees(&env::REFEREES.python()?, &missing);
    }
    println!("referees: skipped ({})", if python { "no Python" } else { "--no-python" });
    Ok(())
}

/// Licences, sources and duplicate crates. Advisories are left out: they need the network.
fn deny() -> Result<()> {
    let check = ["deny", "--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
    step::run("licences", &mut cargo(check))
}

/// Runs every script of `bench/referees` and counts the checks it prints.
fn referees(python: &Path, missing: &Missing) -> Result<()> {
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), Vec::new());
    let package = package::assemble()?;
    for script in workspace::files("bench/referees", "py")? {
        let script = script.strip_prefix(workspace::root())?.to_owned();
        let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(tool) = missing.skips(&name) {
            println!("skipped {} (no {tool})", script.display());
            skipped.push(name);
            continue;
        }
        let mut command = Command::new(python);
        command.arg(&script).current_dir(workspace::root());
        command.env("HEADSMITH", workspace::binary()).env("KERAS_BACKEND", "jax");
        command.env("PYTHONPATH", &package);
        command.envs((!missing.has(tools::POSTGRES)).then_some((NEED_POSTGRES, "yes")));
        let start = Instant::now();
        let (ok, checks) = referee(&mut command)?;
        passed += checks;
        if ok {
            step::done(&script.display().to_string(), start.elapsed().as_secs_f64());
        } else {
            failed.push(step::typed(&command));
        }
    }
    let skipped = if skipped.is_empty() { String::new() } else { format!(", {} skipped", skipped.len()) };
    println!("referees: {passed} passed, {} failed{skipped}", failed.len());
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
