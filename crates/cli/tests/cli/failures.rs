//! What a command that fails prints with `--json`, and the status of one that is cut short.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::World;

fn failed(world: &World, args: &str, status: i32) -> Value {
    let output = world.run(args, status);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "headsmith {args}: {text:?}");
    let said = serde_json::from_str::<Value>(&text).unwrap();
    let error = said["error"].clone();
    assert_eq!(error["status"], status, "headsmith {args}: {text}");
    let first = error["message"].as_str().unwrap().lines().next().unwrap().to_owned();
    assert!(!first.is_empty() && !first.starts_with("error: "), "headsmith {args}: {text}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(&first), "headsmith {args}: the same on standard error: {stderr}");
    error
}

#[test]
fn every_command_says_its_failure_in_json() {
    let world = World::with_tables();
    world.write("bad.csv", "embeddings,label\n\"[1, x]\",yes\n");
    world.write("model.safetensors", "no model");
    for (args, status) in [
        ("run --recipe notebook --train bad.csv --val val.csv --out out --json", 1),
        ("run --recipe notebook --out out --json", 2),
        ("run --recipe notebook --train none.csv --val val.csv --out out --json", 1),
        ("tune --train bad.csv --val val.csv --json", 1),
        ("tune --train train.csv --val val.csv --pruner none-such --trials 1 --json", 2),
        ("tune --train train.csv --val val.csv --trials many --json", 2),
        ("worker --storage none.db --study s --json", 2),
        ("study list --storage sqlite:///none.db --json", 2),
        ("study best --storage sqlite:///none.db --json", 2),
        ("study no-such --json", 2),
        ("fit mlp --preset classic --train bad.csv --model m.safetensors --json", 1),
        ("fit forest --train train.csv --model train.csv --json", 2),
        ("evaluate --model model.safetensors --data val.csv --json", 1),
        ("predict --model model.safetensors --data test.csv --out p.csv --json", 1),
        ("no-such-command --json", 2),
    ] {
        failed(&world, args, status);
    }
}

#[test]
fn hints_and_causes_stand_by_themselves() {
    let world = World::with_tables();
    let tune =
        "tune --train train.csv --val val.csv --epochs 2 --neurons0 4 --trials 1 --study s --quiet --json";
    world.json(tune);
    let error = failed(&world, &tune.replace("--trials 1", "--trials 1 --seed 7"), 2);
    assert_eq!(error["hints"].as_array().unwrap().len(), 1, "{error}");
    assert!(error["message"].as_str().unwrap().contains("seed: 42 in the study, 7 asked for"), "{error}");
    assert!(!error["message"].as_str().unwrap().contains("hint:"), "{error}");
    world.write("out", "a file where the folder is to be");
    let error = failed(
        &world,
        "run --recipe notebook --train train.csv --val val.csv --out out --trials 0 --quiet --json",
        1,
    );
    assert!(!error["causes"].as_array().unwrap().is_empty(), "{error}");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_cut_short_writes_what_there_is_and_says_so_by_its_status() {
    let world = World::with_tables();
    let mut run = world
        .command("run --recipe notebook --train train.csv --val val.csv --test test.csv --out out --trials 100000 --json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(run.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("trial") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "the run ended before its study began");
    }
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["interrupted"], true);
    assert!(world.path("out/model.safetensors").exists() && world.path("out/submission.csv").exists());
}
