//! `cargo xtask bench scaling`: how the cost of a fit grows with rows, features, trees, batch and width.
//! `bench/peers/scaling.py` measures.

use std::process::Command;

use anyhow::Result;

use crate::{env, step, workspace};

/// Measures all curves; writes `scaling.txt`, `.json` and `.svg` to the folder of benches.
pub(crate) fn run() -> Result<()> {
    for name in ["forest", "mlp"] {
        let build = ["build", "--release", "--locked", "--package", "headsmith-heads", "--example", name];
        step::run(&format!("release build of the example {name}"), &mut workspace::cargo(build))?;
    }
    let mut command = Command::new(env::REFEREES.python()?);
    command.arg("bench/peers/scaling.py").current_dir(workspace::root());
    command.args([workspace::example("forest"), workspace::example("mlp"), workspace::target("bench")]);
    step::run("scaling", &mut command)
}
