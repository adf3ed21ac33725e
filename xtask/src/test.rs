//! `cargo xtask test`: everything that must hold before a commit, the cheap steps first.

use anyhow::Result;

use crate::referees::NEED_POSTGRES;
use crate::workspace::{self, cargo};
use crate::{docs, env, instructions, referees, step, tools};

const FUZZ: &str = "fuzz/Cargo.toml";

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
    // The workspace leaves them out; unbuilt they would rot. They have the library without object stores, which must not warn either.
    let mut fuzz = cargo(["check", "--manifest-path", FUZZ, "--locked", "--quiet", "--target-dir"]);
    step::run("fuzz targets", fuzz.arg(workspace::target("fuzz")).env("RUSTFLAGS", "-D warnings"))?;
    let postgres = (!missing.has(tools::POSTGRES)).then_some((NEED_POSTGRES, "yes"));
    let mut tests = cargo(["test", "--workspace", "--exclude", "xtask", "--locked"]);
    let needs_python = python && !missing.python();
    // Tests often use one processor, or wait: what comes after them is made meanwhile.
    let (tested, prepared) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let python = needs_python.then(|| env::REFEREES.python()).transpose()?;
            step::run("release build", workspace::build().arg("--quiet")).map(|()| python)
        });
        let tested = step::run("tests", tests.envs(postgres));
        (tested, beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    tested?;
    let environment = prepared?;
    docs::check()?;
    if !missing.has(tools::VALGRIND) {
        instructions::run(false)?;
    }
    match environment {
        Some(python) => referees::run(&python, &missing),
        None => {
            println!("referees: skipped ({})", if python { "no Python" } else { "--no-python" });
            Ok(())
        }
    }
}

/// Licences, sources and duplicate crates. Advisories are left out: they need the network.
fn deny() -> Result<()> {
    let check = ["deny", "--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
    step::run("licences", &mut cargo(check))
}
