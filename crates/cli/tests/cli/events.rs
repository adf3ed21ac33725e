//! `--events` of fit and tune: what it writes, against what the commands report; and what `headsmith report` draws of it.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::patience::wait_until;
use crate::world::World;

const FIT: &str = "fit mlp --preset classic --train train.csv --val val.csv --epochs 9 --neurons1 6 --neurons2 6 --lr 0.01 --model m.safetensors \
                   --quiet --json";
const TUNE: &str = "tune --train train.csv --val val.csv --epochs 12 --neurons1 6 --neurons2 6 --study s --storage s.db --quiet --json";

/// The lines of a log that are whole.
fn log(world: &World, name: &str) -> Vec<Value> {
    world.read(name).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn of<'l>(log: &'l [Value], event: &str) -> Vec<&'l Value> {
    log.iter().filter(|line| line["event"] == event).collect()
}

/// The text of the page that is drawn of `from`.
fn page(world: &World, from: &str) -> String {
    world.run(&format!("report {from} -o page.html --quiet"), 0);
    world.read("page.html")
}

#[test]
fn a_fit_is_kept_as_it_reports_it_and_nothing_else_changes() {
    let world = World::with_tables();
    world.json(FIT);
    let model = world.bytes("m.safetensors");
    let report = world.json(&format!("{FIT} --events logs/fit.jsonl"));
    assert_eq!(world.bytes("m.safetensors"), model);
    let log = log(&world, "logs/fit.jsonl");
    assert_eq!((&log[0]["event"], &log[0]["format"]), (&json!("begin"), &json!("headsmith-events")));
    assert_eq!((&log[0]["version"], &log[0]["command"][0]), (&json!(1), &json!("headsmith")));
    let epochs = of(&log, "epoch").into_iter().map(|line| line["record"].clone());
    assert_eq!(Value::from_iter(epochs), report["history"]);
    let [fitted] = of(&log, "fitted")[..] else { panic!("one fit") };
    assert_eq!((&fitted["head"]["val"], &fitted["head"]["params"]), (&report["val"], &report["params"]));
    assert_eq!(log.last().unwrap()["event"], "ended");

    let told = world.json("report logs/fit.jsonl --json");
    assert_eq!(told, json!({ "files": ["logs/fit.html"], "unfinished": null }));
    let page = world.read("logs/fit.html");
    let f1 = format!("<p class=\"big\">{:.4}</p>", report["val"]["weighted_f1"].as_f64().unwrap());
    assert!(page.contains(&f1) && page.contains("m.safetensors") && page.contains("--events logs/fit.jsonl"));
    world.run("report logs/fit.jsonl --card --quiet", 0);
    assert!(world.read("logs/fit.md").contains("- File: m.safetensors"));
}

#[test]
fn a_study_is_kept_with_its_trials_and_what_it_comes_to() {
    let world = World::with_tables();
    let report = world.json(&format!("{TUNE} --trials 9 --jobs 2 --events study.jsonl"));
    let log = log(&world, "study.jsonl");
    let trials = crate::tune::content(&world, "s.db");
    assert_eq!(of(&log, "trial_ended").len(), 9);
    for line in of(&log, "trial_ended") {
        let trial = &trials[line["number"].as_u64().unwrap() as usize];
        assert_eq!((&line["state"], &line["value"]), (&trial["state"], &trial["value"]));
    }
    let [studied] = of(&log, "studied")[..] else { panic!("one study") };
    assert_eq!(studied["study"], report);
    let with_database = page(&world, "study.jsonl");
    let best = format!("{:.4}", report["best"]["value"].as_f64().unwrap());
    let corrected = format!("{:.4}", report["selection"]["corrected"].as_f64().unwrap());
    assert!(with_database.contains(&best) && with_database.contains(&corrected));
    // The log alone tells the same; of times it heard a moment later.
    std::fs::remove_file(world.path("s.db")).unwrap();
    let alone = page(&world, "study.jsonl");
    assert!(alone.contains(&best) && alone.contains(&corrected) && !alone.contains("The run did not end"));
    assert_eq!(alone.matches("<circle").count(), with_database.matches("<circle").count());
}

#[test]
fn after_a_kill_the_log_goes_on_behind_what_it_had() {
    let world = World::with_tables();
    let endless = FIT.replace("--epochs 9", "--epochs 1000000 --patience none");
    let mut child =
        world.command(&format!("{endless} --events fit.jsonl")).stdout(Stdio::null()).spawn().unwrap();
    // The kill may come right behind a line, and the last line is torn off below: two whole epochs must stay.
    let n_epochs = || match world.path("fit.jsonl").exists() {
        true => world.read("fit.jsonl").matches("\"event\":\"epoch\"").count(),
        false => 0,
    };
    wait_until("three epochs", || {
        assert!(child.try_wait().unwrap().is_none());
        n_epochs() >= 3
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // Torn, wherever the kill came.
    let mut before = world.bytes("fit.jsonl");
    before.truncate(before.len() - 5);
    world.write("fit.jsonl", std::str::from_utf8(&before).unwrap());
    let told = world.json("report fit.jsonl --json");
    let why = told["unfinished"].as_str().unwrap();
    assert!(why.contains("while it fitted the mlp, ") && !why.contains("study"), "{why}");
    let n_epochs = of(&log(&world, "fit.jsonl"), "epoch").len();
    assert!(why.contains(&format!("{n_epochs} epochs in")), "{why}");
    world.json(&format!("{FIT} --events fit.jsonl"));
    assert!(world.bytes("fit.jsonl").starts_with(&before), "nothing that stood there was changed");
    assert_eq!(world.json("report fit.jsonl --json")["unfinished"], Value::Null);
    assert_eq!(of(&log(&world, "fit.jsonl"), "begin").len(), 2);
}

#[test]
fn a_file_that_is_no_log_is_left_alone() {
    let world = World::with_tables();
    let tables = world.bytes("train.csv");
    let error = world.error(&format!("{FIT} --events train.csv"), 2);
    assert!(error.contains("train.csv exists and is not a log of events"), "{error}");
    assert_eq!(world.bytes("train.csv"), tables);
    let error = world.error(&format!("{FIT} --events m.safetensors"), 2);
    assert!(error.contains("would be written twice"), "{error}");
    world.write("newer.jsonl", "{\"event\":\"begin\",\"format\":\"headsmith-events\",\"version\":9}\n");
    let error = world.error(&format!("{FIT} --events newer.jsonl"), 1);
    assert!(error.contains("version 9, expected 1"), "{error}");
    world.write("file", "");
    assert!(
        world.error(&format!("{FIT} --events file/log.jsonl"), 1).contains("cannot make the folder file")
    );
    assert!(world.error("report train.csv", 2).contains("train.csv is not a log of events"));
    world.write("log.jsonl", "{\"event\":\"begin\",\"format\":\"headsmith-events\",\"version\":1}\n");
    assert!(world.error("report log.jsonl -o log.jsonl", 2).contains("is read and cannot be written"));
    assert!(!world.path("m.safetensors").exists());
}

/// The study makes its database after the log was looked for, and before the log's first line.
#[test]
fn a_database_of_the_same_name_stays_a_database() {
    let world = World::with_tables();
    let said = world.error(&format!("{TUNE} --trials 2 --events s.db"), 0);
    assert!(said.contains("nothing more is written to s.db"), "{said}");
    assert_eq!(crate::tune::content(&world, "s.db").len(), 2);
}

/// What another record could not do is in the log, too.
#[test]
fn a_warning_of_tensorboards_is_kept() {
    let world = World::with_tables();
    std::fs::create_dir(world.path("logs")).unwrap();
    world.write("logs/train", "a file where a folder is to be");
    world.json(&format!("{FIT} --events fit.jsonl --tensorboard logs"));
    let log = log(&world, "fit.jsonl");
    let [warning] = of(&log, "warning")[..] else { panic!("one warning") };
    assert!(
        warning["text"].as_str().unwrap().contains("nothing more is written for TensorBoard"),
        "{warning}"
    );
}

/// A name may be any bytes; the log shows those that are no text as the terminal does.
#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_kept_as_they_are_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let world = World::with_tables();
    let [train, model] = [&b"tr\xe9in.csv"[..], b"m\xe9.safetensors"].map(OsStr::from_bytes);
    std::fs::rename(world.path("train.csv"), world.path(".").join(train)).unwrap();
    let mut command =
        world.command("fit forest --val val.csv --n-estimators 3 --events fit.jsonl --quiet --train");
    let output = command.arg(train).arg("--model").arg(model).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let log = log(&world, "fit.jsonl");
    assert_eq!(of(&log, "reading")[0]["path"], "tr\u{fffd}in.csv");
    assert_eq!(of(&log, "wrote")[0]["path"], "m\u{fffd}.safetensors");
    assert!(world.error(&format!("{FIT} --events /dev/null"), 2).contains("/dev/null is not a regular file"));
}
