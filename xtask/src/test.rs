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
    step::run("tests", tests.envs(postgres))?;
    step::run("release build", &mut workspace::build())?;
    docs::check()?;
    if !missing.has(tools::VALGRIND) {
        instructions::run(false)?;
    }
    if python && !missing.python() {
        return referees::run(&env::REFEREES.python()?, &missing);
    }
    println!("referees: skipped ({})", if python { "no Python" } else { "--no-python" });
    Ok(())
}

/// Licences, sources and duplicate crates. Advisories are left out: they need the network.
fn deny() -> Result<()> {
    let check = ["deny", "--locked", "--log-level", "error", "check", "bans", "licenses", "sources"];
    step::run("licences", &mut cargo(check))
}
