//! `cargo xtask bench heads`: the heads with closed forms and logistic regression, beside scikit-learn and beside the
//! operations they need. `bench/peers/heads.py` measures.

use std::process::Command;

use anyhow::Result;

use crate::{env, step, workspace};

/// Measures all rows; writes `heads.txt` and `.json` to the folder of benches.
pub(crate) fn run() -> Result<()> {
    for name in ["head", "linear"] {
        let build = ["build", "--release", "--locked", "--package", "headsmith-heads", "--example", name];
        step::run(&format!("release build of the example {name}"), &mut workspace::cargo(build))?;
    }
    let mut command = Command::new(env::REFEREES.python()?);
    command.arg("bench/peers/heads.py").current_dir(workspace::root());
    command.args([workspace::example("head"), workspace::example("linear"), workspace::target("bench")]);
    step::run("heads", &mut command)
}
