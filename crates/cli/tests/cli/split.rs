//! One table is enough: validation rows are split off the training table.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::patience::wait_until;
use crate::world::World;

#[test]
fn one_table_gives_a_report_in_one_command() {
    let world = World::with_tables();
    let output =
        world.run("run --recipe notebook --train train.csv --trials 2 --epochs 3 --forest-n-estimators 5", 0);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = "no --val: 48 of 240 training rows (20 %, stratified, seed 42) are the validation rows";
    assert!(stderr.contains(line), "{stderr}");
    assert!(world.path("train-headsmith/report.html").exists());
    let report: Value = serde_json::from_str(&world.read("train-headsmith/report.json")).unwrap();
    assert_eq!(report["split"]["n_val"], 48);
    assert_eq!(report["heads"][0]["val"]["n_samples"], 48);
    assert_eq!(report["heads"][0]["train"]["n_samples"], 192);
    // The same split, and so the same study, whatever the number of threads; another seed draws other rows.
    let model = world.bytes("train-headsmith/model.safetensors");
    let again =
        "run --recipe notebook --train train.csv --trials 2 --epochs 3 --forest-n-estimators 5 --jobs 1";
    world.run(&format!("{again} --out again"), 0);
    assert_eq!(world.bytes("again/model.safetensors"), model);
    world.run(&format!("{again} --seed 7 --out other"), 0);
    let places = |folder: &str| {
        let report: Value = serde_json::from_str(&world.read(&format!("{folder}/report.json"))).unwrap();
        report["heads"][0]["examples"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["place"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(places("again"), places("train-headsmith"));
    assert_ne!(places("other"), places("again"));
}

#[test]
fn rows_of_the_same_features_stay_on_one_side() {
    let world = World::with_tables();
    let train = world.read("train.csv");
    let (header, rows) = train.split_once('\n').unwrap();
    world.write("doubled.csv", &format!("{header}\n{rows}{rows}"));
    let fitted = world.json("fit forest --train doubled.csv --model m.safetensors --n-estimators 20 --json");
    assert_eq!(fitted["val"]["n_samples"], 96);
    // A forest knows the rows that it was grown on by heart: with a copy of each validation row among them it would be
    // right nearly everywhere.
    assert!(fitted["val"]["accuracy"].as_f64().unwrap() < 0.95, "{}", fitted["val"]["accuracy"]);
    assert!(fitted["train"]["accuracy"].as_f64().unwrap() > 0.99);
}

#[test]
fn a_worker_makes_the_same_split() {
    let world = World::with_tables();
    let study = "--storage s.db --study one --trials 3";
    world.run("tune --train train.csv --epochs 2 --storage s.db --study one --trials 2", 0);
    let worked = world.json(&format!("worker {study} --json"));
    assert_eq!(worked["n_finished"], 3, "{worked}");
    let error = world
        .error("tune --train train.csv --val-share 0.3 --epochs 2 --storage s.db --study one --trials 4", 2);
    assert!(error.contains("validation rows: 0.2 of the training rows in the study, 0.3"), "{error}");
}

#[test]
fn a_share_must_leave_rows_on_both_sides() {
    let world = World::with_tables();
    for share in ["1", "-0.5", "1.5", "0.001"] {
        let command = format!("fit forest --train train.csv --model m.safetensors --val-share={share}");
        let error = world.error(&command, 2);
        assert!(error.contains("--val-share"), "{error}");
    }
    let all = world
        .json("fit forest --train train.csv --model m.safetensors --n-estimators 3 --val-share 0 --json");
    assert_eq!(all["train"]["n_samples"], 240);
    assert_eq!(all["val"], Value::Null);
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let world = World::with_tables();
    let endless =
        "run --recipe notebook --train train.csv --out out --trials 1000000 --epochs 1000000 --patience none";
    let mut first = world.command(endless).stdout(Stdio::null()).spawn().unwrap();
    wait_until("the first run's log", || {
        assert!(first.try_wait().unwrap().is_none());
        world.path("out/events.jsonl").exists()
    });
    let error = world.error("run --recipe notebook --train train.csv --out out --trials 0", 2);
    assert!(error.contains(&format!("out is being written by process {}", first.id())), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
    world.run(
        "run --recipe notebook --train train.csv --out out --trials 0 --epochs 2 --forest-n-estimators 3",
        0,
    );
}

/// Whoever is refused is refused by one that goes on: of many that begin at once, at least one has the folder, new or not.
#[test]
fn of_many_runs_at_once_one_has_the_folder() {
    let world = World::with_tables();
    let args = "run --recipe notebook --train train.csv --out out --trials 0 --epochs 2 --forest-n-estimators 3 --quiet";
    for _ in 0..3 {
        let start = |_| {
            let mut command = world.command(args);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running: Vec<Child> = (0..6).map(start).collect();
        let mut n_done = 0;
        for child in running {
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            match output.status.code() {
                Some(0) => n_done += 1,
                code => assert!(code == Some(2) && stderr.contains("out is being written by "), "{stderr}"),
            }
        }
        assert!(n_done >= 1);
        let report: Value = serde_json::from_str(&world.read("out/report.json")).unwrap();
        assert_eq!(report["heads"].as_array().unwrap().len(), 2);
    }
}
