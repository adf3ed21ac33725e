//! `cargo xtask bench training`: epochs of the perceptron beside PyTorch, JAX and Keras, and beside what the machine can
//! do. `bench/peers/training/README.md` tells how.

use std::process::Command;

use anyhow::Result;

use crate::{env, step, workspace};

/// Checks that all compute the same, then measures; writes `training.txt`, `.json` and `.svg` to the folder of benches.
pub(crate) fn run() -> Result<()> {
    step::run("release build", &mut workspace::build())?;
    let python = env::TRAINING_PEERS.python()?;
    for (name, script) in [("peers in training agree", "check.py"), ("training", "run.py")] {
        let mut command = Command::new(&python);
        command.arg(format!("bench/peers/training/{script}")).current_dir(workspace::root());
        command.env("HEADSMITH", workspace::binary());
        command.env("HEADSMITH_MLP", workspace::example("mlp"));
        step::run(name, &mut command)?;
    }
    Ok(())
}
