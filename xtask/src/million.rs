//! `cargo xtask bench million`: a fit on a million rows by the cache, beside one on fifty thousand.
//! `bench/peers/million.py` measures.

use std::process::Command;

use anyhow::Result;

use crate::{env, step, workspace};

/// Measures with the release build; writes `million.json` to the folder of benches.
pub(crate) fn run() -> Result<()> {
    let mut command = Command::new(env::REFEREES.python()?);
    command.arg("bench/peers/million.py").current_dir(workspace::root());
    command.args([workspace::binary(), workspace::target("bench")]);
    step::run("a million rows", &mut command)
}
