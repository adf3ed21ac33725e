//! Ctrl-C in the middle of a fit.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::patience::wait_until;
use crate::world::World;

/// Presses Ctrl-C once the command has told of an epoch; gives the rest of its standard error.
pub(crate) fn interrupt_at_an_epoch(fit: &mut Child) -> BufReader<ChildStderr> {
    let mut stderr = BufReader::new(fit.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("epochs") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "the fit ended before it told of an epoch");
    }
    send("INT", fit);
    stderr
}

/// Sends a signal, named without SIG, as another program does.
pub(crate) fn send(signal: &str, to: &Child) {
    let sent = Command::new("kill").args([format!("-{signal}"), to.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn ctrl_c_ends_a_fit_with_its_best_so_far() {
    let world = World::with_tables();
    // Without patience, and far more epochs than there is time for.
    let mut fit = world
        .command("fit mlp --preset classic --train train.csv --val val.csv --model m.safetensors --json --epochs 1000000 --patience none")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept open: who writes to a closed pipe ends by that.
    let _stderr = interrupt_at_an_epoch(&mut fit);
    let output = fit.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["stopped"], "asked");
    let evaluated = world.json("evaluate --model m.safetensors --data val.csv --json");
    assert_eq!(evaluated["weighted_f1"], report["val"]["weighted_f1"]);
    assert_eq!(world.names(), ["m.safetensors", "test.csv", "train.csv", "val.csv"]);
}

#[test]
fn a_killed_fit_leaves_its_best_so_far() {
    let world = World::with_tables();
    let mut fit = world
        .command("fit mlp --preset classic --train train.csv --val val.csv --model m.safetensors --quiet --epochs 1000000 --patience none")
        .spawn()
        .unwrap();
    let checkpoint = world.path("m.checkpoint.safetensors");
    wait_until("a checkpoint", || {
        assert!(fit.try_wait().unwrap().is_none(), "the fit ended");
        checkpoint.exists()
    });
    fit.kill().unwrap();
    fit.wait().unwrap();
    let evaluated = world.json("evaluate --model m.checkpoint.safetensors --data val.csv --json");
    assert!(evaluated["weighted_f1"].as_f64().unwrap() > 0.5);
}
