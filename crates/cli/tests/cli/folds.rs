//! `--folds`: cross-validation before a fit.

use std::io::BufRead;
use std::process::Stdio;

use serde_json::Value;

use crate::interrupt::interrupt_at_an_epoch;
use crate::world::World;

const MLP: &str =
    "fit mlp --preset classic --epochs 6 --neurons0 8 --layers1 0 --layers2 0 --batch-size 40 --json --quiet";
const FOREST: &str = "fit forest --n-estimators 12 --json --quiet";

#[test]
fn every_row_is_predicted_once_and_scored() {
    let world = World::with_tables();
    let fitted = world
        .json(&format!("{FOREST} --train train.csv --folds 4 --folds-out oof.csv --model m.safetensors"));
    let folds = &fitted["folds"];
    assert_eq!(folds["n_folds"], 4);
    let all = &folds["out_of_fold"];
    assert_eq!(all["n_samples"], 240);
    assert_eq!(all["used_for"], serde_json::json!([]));
    assert!(all["intervals"]["weighted_f1"]["low"].is_f64());
    let sum = |key: &str| -> u64 {
        folds["folds"].as_array().unwrap().iter().map(|fold| fold[key].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("n_samples"), sum("n_train"), sum("n_val")), (240, 720, 0));
    // The model itself has learnt from all rows.
    assert_eq!((&fitted["val"], &fitted["train"]["n_samples"]), (&Value::Null, &240.into()));
    let written = world.read("oof.csv");
    let (header, rows) = written.split_once('\n').unwrap();
    assert!(header.ends_with(",cv_fold,negative,neutral,positive"), "{header}");
    let rows: Vec<Vec<&str>> = rows.lines().map(|row| row.rsplitn(6, ',').collect()).collect();
    // The share of rows whose most probable class is their own, from the file: row i is of class i % 3.
    let classes = ["negative", "neutral", "positive"];
    let right = |fold: &str| {
        let of_fold = rows.iter().enumerate().filter(|(_, row)| fold.is_empty() || row[3] == fold);
        let all: Vec<bool> = of_fold.map(|(i, row)| row[4] == classes[i % 3]).collect();
        all.iter().filter(|right| **right).count() as f64 / all.len() as f64
    };
    assert!((right("") - all["accuracy"].as_f64().unwrap()).abs() < 1e-12);
    for fold in folds["folds"].as_array().unwrap() {
        let of_file = right(&fold["fold"].to_string());
        assert!((of_file - fold["accuracy"].as_f64().unwrap()).abs() < 1e-12, "{fold}");
        assert_eq!(fold["n_samples"], 60);
    }
    let mean = folds["mean"]["accuracy"].as_f64().unwrap();
    assert!((mean - right("")).abs() < 1e-9, "folds of one size");
    // No head has seen the rows that it is scored on.
    assert!(right("") < 0.95 && fitted["train"]["accuracy"].as_f64().unwrap() > 0.99);
}

/// By default validation rows choose nothing in a fit of the MLP, so that the folds need none.
#[test]
fn a_fit_without_a_monitor_learns_from_all_rows_of_the_other_folds() {
    let world = World::with_tables();
    let fit =
        "fit mlp --train train.csv --folds 4 --model m.safetensors --epochs 3 --neurons0 8 --json --quiet";
    let n_val = |more: &str| -> u64 {
        let folds = world.json(&format!("{fit} {more}"))["folds"]["folds"].clone();
        folds.as_array().unwrap().iter().map(|fold| fold["n_val"].as_u64().unwrap()).sum()
    };
    assert_eq!(n_val(""), 0);
    assert!(n_val("--calibration temperature") > 0 && n_val("--monitor refined_log_loss") > 0);
    let judged =
        world.json("fit mlp --train train.csv --val val.csv --model m.safetensors --epochs 3 --json --quiet");
    assert_eq!(judged["val"]["used_for"], serde_json::json!([]));
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let outputs = |jobs: usize, seed: u64| {
        let world = World::with_tables();
        let to = format!("--train train.csv --folds 3 --jobs {jobs} --seed {seed} --model m.safetensors");
        let mut reports = Vec::new();
        for command in [MLP, FOREST] {
            let fitted = world.json(&format!("{command} {to} --folds-out {}.csv", reports.len()));
            reports.push((fitted["folds"]["out_of_fold"].clone(), world.bytes("m.safetensors")));
        }
        (reports, world.bytes("0.csv"), world.bytes("1.csv"))
    };
    let one = outputs(1, 3);
    assert!(one == outputs(3, 3));
    assert!(one.1 != outputs(1, 4).1);
}

#[test]
fn the_epoch_of_a_fold_is_chosen_by_other_rows() {
    let world = World::with_tables();
    let fit = format!("{MLP} --train train.csv --model m.safetensors --folds 4");
    let fitted = world.json(&fit);
    for fold in fitted["folds"]["folds"].as_array().unwrap() {
        let counts = ["n_samples", "n_train", "n_val"].map(|key| fold[key].as_u64().unwrap());
        assert_eq!(counts, [60, 144, 36], "{fold}");
        assert!(fold["best_epoch"].as_u64().unwrap() < 6);
    }
    assert_eq!(fitted["folds"]["val_share"], 0.2);
    // The last fit has its own, as without folds.
    assert_eq!(fitted["val"]["n_samples"], 48);
    let all = world.json(&format!("{fit} --val-share 0"));
    assert_eq!(all["folds"]["folds"][0]["n_val"], 0);
    assert_eq!(all["folds"]["folds"][0]["epochs"], 6);
    let beside = world.json(&format!("{fit} --val val.csv"));
    assert_eq!((&beside["val"]["n_samples"], &beside["train"]["n_samples"]), (&90.into(), &240.into()));
}

#[test]
fn groups_and_copies_are_in_one_fold() {
    let world = World::with_tables();
    let train = world.read("train.csv");
    let (header, rows) = train.split_once('\n').unwrap();
    let grouped: String =
        rows.lines().enumerate().map(|(i, row)| format!("{row},site {}\n", i / 3 % 20)).collect();
    world.write("g.csv", &format!("{header},site\n{grouped}{grouped}"));
    let fit = format!("{FOREST} --train g.csv --folds 5 --folds-out oof.csv --model m.safetensors");
    let fold_of = |group: bool| {
        let mut folds = std::collections::BTreeMap::<String, std::collections::BTreeSet<String>>::new();
        for row in world.read("oof.csv").lines().skip(1) {
            let cells: Vec<&str> = row.rsplitn(7, ',').collect();
            // Probabilities, fold, site, label, features.
            let key = if group { cells[4] } else { cells[6] };
            folds.entry(key.to_owned()).or_default().insert(cells[3].to_owned());
        }
        folds
    };
    let fitted = world.json(&format!("{fit} --group-column site"));
    assert_eq!(fitted["folds"]["groups"]["n_groups"], 20);
    assert_eq!(fold_of(true).len(), 20);
    assert!(fold_of(true).values().all(|folds| folds.len() == 1));
    world.json(&fit);
    assert!(fold_of(true).values().any(|folds| folds.len() > 1));
    assert_eq!(fold_of(false).len(), 240);
    assert!(fold_of(false).values().all(|folds| folds.len() == 1));
}

#[test]
fn the_page_and_the_terminal_show_them() {
    let world = World::with_tables();
    let fit =
        "fit forest --train train.csv --n-estimators 5 --folds 3 --events e.jsonl --model m.safetensors";
    let output = world.run(fit, 0);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("cross-validation of 240 rows: 3 folds, stratified, seed 42"), "{stdout}");
    assert!(stdout.contains("scores on the out-of-fold rows"), "{stdout}");
    assert!(stdout.contains("not the one model that is written"), "{stdout}");
    assert!(stderr.contains("fitting forest (fold 2 of 3)"), "{stderr}");
    assert!(stderr.contains("fold 3 of 3: weighted F1 0."), "{stderr}");
    world.run("report e.jsonl", 0);
    let page = world.read("e.html");
    assert!(page.contains("<section id=\"folds\">"));
    let events: Vec<Value> =
        world.read("e.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fitted = events.iter().find(|event| event["event"] == "fitted").unwrap();
    let folds = events.iter().filter(|event| event["event"] == "fold");
    let scores = |of: Vec<&Value>| of.iter().map(|fold| fold["weighted_f1"].clone()).collect::<Vec<_>>();
    let told = scores(folds.map(|event| &event["fold"]).collect());
    assert_eq!(told, scores(fitted["head"]["folds"]["folds"].as_array().unwrap().iter().collect()));
    let shown = format!("{:.4}", fitted["head"]["folds"]["out_of_fold"]["weighted_f1"].as_f64().unwrap());
    assert!(page.contains(&shown) && stdout.contains(&shown), "{shown}");
}

#[test]
fn folds_that_cannot_be_are_refused() {
    let world = World::with_tables();
    let fit = "fit forest --train train.csv --n-estimators 2 --model m.safetensors";
    for folds in ["1", "0", "51"] {
        let error = world.error(&format!("{fit} --folds {folds}"), 2);
        assert!(error.contains("2..=50"), "{error}");
    }
    world.write("few.csv", "f0,label\n1,a\n2,b\n3,a\n4,b\n1,a\n");
    let few = fit.replace("train.csv", "few.csv");
    let error = world.error(&format!("{few} --folds 5"), 2);
    assert!(error.contains("--folds 5: the training table has 4 different rows"), "{error}");
    world.write("rare.csv", "f0,label\n1,a\n2,b\n3,a\n4,b\n5,a\n6,c\n");
    let error = world.error(&format!("{} --folds 2", fit.replace("train.csv", "rare.csv")), 0);
    assert!(error.contains("1 class is not in every one of the 2 folds: \"c\""), "{error}");
    // Before any fold is fitted.
    let error = world.error(&format!("{fit} --folds 3 --folds-out oof.xlsx"), 1);
    assert!(error.contains("is not a format for predictions"), "{error}");
    assert!(!error.contains("fold 1 of 3"), "{error}");
    let error = world.error(&format!("{fit} --folds 3 --folds-out train.csv"), 2);
    assert!(error.contains("is read and cannot be written"), "{error}");
    let error = world.error(&format!("{fit} --folds 3 --folds-out -"), 2);
    assert!(error.contains("--folds-out needs a file"), "{error}");
    let error = world.error(&format!("{fit} --folds-out oof.csv"), 2);
    assert!(error.contains("--folds"), "{error}");
}

#[test]
fn ctrl_c_in_a_fold_ends_cleanly() {
    let world = World::with_tables();
    let mut fit = world
        .command("fit mlp --preset classic --train train.csv --folds 3 --folds-out oof.csv --model m.safetensors --epochs 1000000 --patience none")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = interrupt_at_an_epoch(&mut fit);
    let rest: Vec<String> = stderr.lines().map_while(Result::ok).collect();
    assert_eq!(fit.wait().unwrap().code(), Some(130));
    assert!(
        rest.iter().any(|line| line.contains("stopped in fold 1 of 3: no model was written")),
        "{rest:?}"
    );
    assert_eq!(world.names(), ["test.csv", "train.csv", "val.csv"]);
}
