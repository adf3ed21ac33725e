//! Runs every script of `bench/referees`, two at a time, and counts the checks they print.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::tools::{self, Missing};
use crate::{package, step, workspace};

/// The variable that makes tests fail, rather than skip something, where PostgreSQL is missing.
pub(crate) const NEED_POSTGRES: &str = "HEADSMITH_NEED_POSTGRES";

/// Scripts at once: most use one processor at a time, and start Python several times.
const AT_ONCE: usize = 2;

/// How the scripts ended so far.
#[derive(Debug, Default)]
struct Tally {
    n_passed: usize,
    failed: Vec<String>,
    n_skipped: usize,
}

/// Runs all scripts whose tools are there.
pub(crate) fn run(python: &Path, missing: &Missing) -> Result<()> {
    let mut tally = Tally::default();
    let mut commands = Vec::new();
    let package = package::assemble()?;
    for script in workspace::files("bench/referees", "py")? {
        let script = script.strip_prefix(workspace::root())?.to_owned();
        let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match missing.skips(&name) {
            Some(tool) => {
                println!("skipped {} (no {tool})", script.display());
                tally.n_skipped += 1;
            }
            None => commands.push((command(python, &script, missing, &package), script)),
        }
    }
    let tally = run_all(commands, tally)?;
    let skipped = if tally.n_skipped == 0 { String::new() } else { format!(", {} skipped", tally.n_skipped) };
    println!("referees: {} passed, {} failed{skipped}", tally.n_passed, tally.failed.len());
    if !tally.failed.is_empty() {
        bail!("to run the failed referees again:\n{}", tally.failed.join("\n"));
    }
    Ok(())
}

fn command(python: &Path, script: &Path, missing: &Missing, package: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg(script).current_dir(workspace::root());
    command.env("HEADSMITH", workspace::binary()).env("KERAS_BACKEND", "jax");
    command.env("PYTHONPATH", package);
    command.envs((!missing.has(tools::POSTGRES)).then_some((NEED_POSTGRES, "yes")));
    command
}

/// Some threads take the next command each, until none is left.
fn run_all(mut commands: Vec<(Command, PathBuf)>, tally: Tally) -> Result<Tally> {
    // The next one is the last.
    commands.reverse();
    let (commands, tally) = (Mutex::new(commands), Mutex::new(tally));
    let work = || -> Result<()> {
        loop {
            let next = commands.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((mut command, script)) = next else { return Ok(()) };
            one(&mut command, &script, &tally)?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Runs one script and prints its output when it ends, so that those of two are not mixed. A line that starts with `ok` is a check that passed; the first that
/// fails ends the script.
fn one(command: &mut Command, script: &Path, tally: &Mutex<Tally>) -> Result<()> {
    let start = Instant::now();
    let output = command.stderr(Stdio::inherit()).output().context("cannot start Python")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let n_passed = text.lines().filter(|line| line.starts_with("ok ")).count();
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    print!("{text}");
    tally.n_passed += n_passed;
    if output.status.success() && n_passed > 0 {
        step::done(&script.display().to_string(), start.elapsed().as_secs_f64());
    } else {
        println!("FAILED {}", script.display());
        tally.failed.push(step::typed(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Command, PathBuf) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        (command, PathBuf::from(script))
    }

    #[test]
    fn scripts_that_fail_or_check_nothing_are_named_and_the_others_counted() {
        let commands = vec![
            shell("echo ok one; echo ok two"),
            shell("echo nothing"),
            shell("echo ok; exit 1"),
            shell("echo ok four"),
        ];
        let tally = run_all(commands, Tally::default()).unwrap();
        assert_eq!(tally.n_passed, 3);
        let mut failed = tally.failed;
        failed.sort();
        assert_eq!(failed, ["sh -c 'echo nothing'", "sh -c 'echo ok; exit 1'"]);
    }
}
