//! `cargo xtask bench quality`: the search and the heads beside scikit-learn on public tables, which it makes from what
//! packages ship. `bench/quality/suite.py` measures.

use std::process::Command;

use anyhow::Result;

use crate::{env, step, workspace};

/// Measures with the release build what is not in the cache `target/quality`; writes `quality.txt`, `.json` and `.svg` to
/// the folder of benches, and `docs/quality.md`.
pub(crate) fn run() -> Result<()> {
    let mut command = Command::new(env::QUALITY.python()?);
    command.arg("bench/quality/suite.py").current_dir(workspace::root());
    command.arg("--headsmith").arg(workspace::binary());
    command.arg("--out").arg(workspace::target("bench"));
    command.arg("--folder").arg(workspace::target("quality"));
    step::run("quality", command.args(["--page", "docs/quality.md"]))
}
