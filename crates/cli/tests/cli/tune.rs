//! Studies from the command line: the same study for any number of jobs, stopped, killed and taken up; looked at and
//! changed; and refused when it is another.

use std::process::{Child, Stdio};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::patience::{wait_for, wait_until};
use crate::world::World;

/// A study small enough to be done many times.
const SMALL: &str = "tune --preset classic --train train.csv --val val.csv --epochs 12 --neurons1 6 --neurons2 6 --trials 14 --study s \
                     --quiet";

/// All that is the same in the same study: trials without their times.
pub(crate) fn content(world: &World, storage: &str) -> Vec<Value> {
    let out = format!("{}.json", storage.replace('.', "_"));
    world.run(&format!("study export --storage {storage} --study s --out {out} --json"), 0);
    let mut trials: Vec<Value> = serde_json::from_str(&world.read(&out)).unwrap();
    for trial in &mut trials {
        for key in ["seconds", "started", "completed"] {
            trial.as_object_mut().unwrap().remove(key).unwrap();
        }
    }
    trials
}

#[test]
fn any_number_of_jobs_does_the_same_study() {
    let world = World::with_tables();
    let one = world.json(&format!("{SMALL} --storage one.db --jobs 1 --json"));
    assert_eq!((one["n_trials"].as_u64(), one["n_finished"].as_u64()), (Some(14), Some(14)));
    let best = &one["best"];
    assert!(best["value"].as_f64().unwrap() > 0.6, "{best}");
    for (jobs, storage) in [("2", "two.db"), ("8", "eight.db")] {
        let again = world.json(&format!("{SMALL} --storage {storage} --jobs {jobs} --json"));
        assert_eq!(&again["best"]["value"], &best["value"]);
        assert_eq!(content(&world, storage), content(&world, "one.db"), "--jobs {jobs}");
    }
    let selection = &one["selection"];
    let figure = |name: &str| selection[name].as_f64().unwrap();
    assert!((figure("observed") - best["value"].as_f64().unwrap()).abs() < 1e-12, "{selection}");
    assert!(figure("corrected") < figure("observed") + 1e-9, "{selection}");
    let trials = content(&world, "one.db");
    let is_best = |trial: &Value| {
        let reports = trial["reports"].as_array().unwrap();
        let most = reports.iter().map(|report| report[1].as_f64().unwrap()).fold(0.0, f64::max);
        trial["state"] != "complete" || (trial["value"].as_f64() == Some(most) && reports.len() == 12)
    };
    assert!(trials.iter().all(is_best), "a trial's value is that of its best epoch");
}

fn start(world: &World, args: &str) -> Child {
    world.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// How many epochs the trials of an SQLite storage have reported so far; none before it has its tables.
pub(crate) fn n_reports(world: &World, storage: &str) -> u64 {
    let count = |database: Connection| -> rusqlite::Result<i64> {
        database.query_row("SELECT count(*) FROM trial_intermediate_values", [], |row| row.get(0))
    };
    let database = Connection::open_with_flags(world.path(storage), OpenFlags::SQLITE_OPEN_READ_ONLY);
    database.and_then(count).map_or(0, i64::unsigned_abs)
}

/// Kills a command once its storage is there and has so many reports. Gives how many it has then; `None` when the command
/// ended before.
pub(crate) fn kill_at(world: &World, child: &mut Child, storage: &str, n: u64) -> Option<u64> {
    wait_until("the place to kill it at", || {
        let is_there = world.path(storage).exists() && n_reports(world, storage) >= n;
        is_there || child.try_wait().unwrap().is_some()
    });
    child.kill().unwrap();
    let killed = child.wait().unwrap().code().is_none();
    killed.then(|| n_reports(world, storage))
}

#[test]
fn killed_at_any_moment_the_same_command_ends_with_the_same_study() {
    let world = World::with_tables();
    world.run(&format!("{SMALL} --storage whole.db --jobs 2"), 0);
    let kills: u64 = std::env::var("HEADSMITH_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let (mut killed, mut round) = (0, 0u64);
    while killed < kills {
        round += 1;
        let storage = format!("killed{round}.db");
        let command = format!("{SMALL} --storage {storage} --jobs {}", 1 + round % 3);
        // First while it makes its storage, then anywhere in the study, hashed so that each time is another place. A trial
        // that is killed again and again without coming further fails: so each place is well behind the last.
        let mut place = 0;
        while killed < kills {
            let mut child = start(&world, &command);
            let Some(n_reports) = kill_at(&world, &mut child, &storage, place) else { break };
            killed += 1;
            place = n_reports + 14 + ((killed * 1_000 + round).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 59);
        }
        world.run(&command, 0);
        assert_eq!(content(&world, &storage), content(&world, "whole.db"), "{storage}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_cleanly_and_the_same_command_goes_on() {
    let world = World::with_tables();
    world.run(&format!("{SMALL} --storage whole.db"), 0);
    let endless = SMALL.replace("--trials 14 ", "");
    // Once more when no trial was under way just then.
    wait_until("a trial that was interrupted", || {
        let mut child = start(&world, &format!("{endless} --storage cut.db"));
        let before = n_reports(&world, "cut.db");
        wait_until("a report", || {
            assert!(child.try_wait().unwrap().is_none(), "an endless study ended");
            n_reports(&world, "cut.db") > before
        });
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(wait_for("the end of the study", || child.try_wait().unwrap()).success());
        states(&world).iter().any(|state| state == "interrupted")
    });
    what_was_given_back_is_called_so(&world);
    world.run(&format!("{SMALL} --storage cut.db"), 0);
    let (cut, whole) = (content(&world, "cut.db"), content(&world, "whole.db"));
    assert_eq!(cut[..14], whole[..]);
}

/// The states that trials of the interrupted study have.
#[cfg(unix)]
fn states(world: &World) -> Vec<String> {
    let shown = world.json("study show --storage cut.db --study s --json");
    let states = shown["states"].as_array().unwrap().iter();
    states.map(|line| line["state"].as_str().unwrap().to_owned()).collect()
}

#[cfg(unix)]
fn what_was_given_back_is_called_so(world: &World) {
    assert!(states(world).iter().all(|state| state != "running"), "{:?}", states(world));
    let line = &world.json("study list --storage cut.db --json")[0];
    let n = line["n_interrupted"].as_u64().unwrap();
    assert!(n >= 1 && line["n_running"] == 0, "{line}");
    let trials = world.json("study trials --storage cut.db --study s --state interrupted --json");
    assert_eq!(trials.as_array().unwrap().len() as u64, n);
    let text = world.run("study show --storage cut.db --study s", 0).stdout;
    assert!(String::from_utf8(text).unwrap().contains("interrupted: the next tune or worker resumes"));
}

#[test]
fn another_study_is_refused_with_both_sides_of_the_difference() {
    let world = World::with_tables();
    let first = "tune --train train.csv --val val.csv --epochs 2 --neurons0 4 --trials 2 --study s --quiet";
    // One trial says nothing of what is important.
    let one = world.json(&format!("{} --json", first.replace("--trials 2", "--trials 1")));
    assert_eq!(one["importance"], serde_json::json!([]));
    world.run(first, 0);
    world.write("space.toml", "[lr]\nhigh = 0.02\n");
    for (more, said) in [
        ("--scale none", "scale: \"power:auto+standardise\" in the study, \"none\" asked for"),
        ("--space space.toml", "space: lr"),
        ("--seed 7", "seed: 42 in the study, 7 asked for"),
        ("--pruner none", "pruner:"),
        ("--preset notebook", "lr"),
    ] {
        let error = world.error(&format!("{first} {more}"), 2);
        assert!(error.contains("another study"), "{error}");
        assert!(error.contains(said), "{more}: {error}");
    }
    let error = world.error(&first.replace("val.csv", "train.csv"), 2);
    assert!(error.contains("validation table: 90 rows"), "{error}");
    // More trials are the same study.
    let more = world.json(&format!("{} --json", first.replace("--trials 2", "--trials 3")));
    assert_eq!(more["n_trials"], 3);
}

#[test]
fn what_makes_no_sense_is_said_before_anything_is_written() {
    let world = World::with_tables();
    let tune = "tune --train train.csv --val val.csv --trials 1";
    world.write("typo.toml", "[neurons]\nlow = 4\n");
    world.write("range.toml", "[lr]\nlow = 1.0\nhigh = 0.1\n");
    world.write("outside.toml", "[dropout]\nhigh = 1.5\n");
    for (more, said) in [
        ("--space typo.toml", "neurons0"),
        ("--space range.toml", "lr"),
        ("--space outside.toml", "dropout"),
        ("--space nothing.toml", "nothing.toml"),
        ("--sampler tpw", "tpe"),
        ("--pruner hyperbund", "hyperband"),
        ("--pruner median:n_warmup=3", "n_warmup_steps"),
        ("--timeout 3x", "expected a time of at least 0: 90s, 15m, 1h30m or 2d"),
        ("--storage mysql://host/db", "mysql"),
    ] {
        let output = world.command(&format!("{tune} {more}")).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && !error.contains("panicked"), "{more}: {error}");
        assert!(error.contains(said), "{more}: {error}");
    }
    // The address is checked before a table is read.
    assert!(
        world.error("tune --train none.csv --val val.csv --storage mysql://host/db", 2).contains("mysql")
    );
    assert!(!world.names().iter().any(|name| name.ends_with(".db")), "{:?}", world.names());
}

#[test]
fn a_study_is_looked_at_and_changed() {
    let world = World::with_tables();
    world.run("study enqueue neurons0=3 --study s", 2);
    world.run(SMALL, 0);
    let show = world.json("study show --json");
    assert_eq!((&show["name"], show["n_trials"].as_u64()), (&"s".into(), Some(14)));
    let rows = world.json("study trials --sort -value --top 3 --json");
    let values: Vec<f64> =
        rows.as_array().unwrap().iter().map(|row| row["value"].as_f64().unwrap()).collect();
    assert!(values.len() == 3 && values.is_sorted_by(|a, b| a >= b), "{values:?}");
    let best = world.json("study best --json");
    assert_eq!(best["value"], show["best"]["value"]);
    assert!(world.error("study trials --sort nerons", 2).contains("neurons0"));

    assert_eq!(world.json("study enqueue neurons0=20 dropout=0.25 --json")["number"], 14);
    assert!(world.error("study enqueue neurons0=1", 2).contains("neurons0"));
    assert!(world.error("study enqueue width=1", 2).contains("width"));
    assert!(world.error("study enqueue dropout=0.1 dropout=0.2", 2).contains("twice"));
    world.run(&SMALL.replace("--trials 14", "--trials 15"), 0);
    let rows = world.json("study trials --json");
    let params = &rows[14]["params"];
    assert_eq!((params["neurons0"].as_u64(), params["dropout"].as_f64()), (Some(20), Some(0.25)));

    world.run("study export --out trials.csv", 0);
    let csv = world.read("trials.csv");
    assert!(csv.lines().next().unwrap().contains("neurons0") && csv.lines().count() == 16, "{csv}");
    assert!(world.error("study export --out trials.xlsx", 2).contains(".csv"));

    // The fit goes through the epochs of the trial first, so it is as good or better.
    let fitted = world.json("study best --fit --model best.safetensors --json --quiet");
    let f1 = fitted["val"]["weighted_f1"].as_f64().unwrap();
    let trial = world.json("study best --json")["value"].as_f64().unwrap();
    assert!(f1 >= trial - 1e-12, "{f1} after a trial of {trial}");
    assert_eq!(fitted["val"]["used_for"], serde_json::json!(["epoch", "learning_rate", "trial"]));
    let evaluated = world.json("evaluate --model best.safetensors --data val.csv --json");
    assert_eq!(evaluated["weighted_f1"].as_f64(), Some(f1));

    world.run("study rename --to t", 0);
    assert!(world.error("study show --study s", 2).contains("it has t"));
    assert!(world.error("study delete", 1).contains("--yes"));
    world.run("study delete --yes", 0);
    assert_eq!(world.json("study list --json"), serde_json::json!([]));
    assert!(world.error("study list --storage nowhere.db", 2).contains("nowhere.db"));
    assert!(!world.path("nowhere.db").exists());
}

#[test]
fn workers_join_a_study_by_its_name() {
    let world = World::with_tables();
    world.run(&format!("{SMALL} --storage whole.db"), 0);
    // Begun, and nothing done yet; how many trials there are to be is the study's to say.
    let begun = world.json(&format!("{SMALL} --storage shared.db --timeout 0s --json"));
    assert_eq!(begun["n_trials"], 0);
    let worker = "worker --storage shared.db --study s --jobs 1 --quiet";
    let workers: Vec<Child> = (0..3).map(|_| start(&world, worker)).collect();
    for worker in workers {
        assert!(worker.wait_with_output().unwrap().status.success());
    }
    assert_eq!(content(&world, "shared.db"), content(&world, "whole.db"));
    let error = world.error("worker --storage shared.db --study s --train val.csv", 2);
    assert!(error.contains("training table"), "{error}");
    assert!(world.error("worker --storage shared.db --study x", 2).contains("it has s"));
}

#[test]
fn run_does_a_study_before_its_final_fit() {
    let world = World::with_tables();
    let run = "run --recipe notebook --train train.csv --val val.csv --test test.csv --out out --neurons1 6 --neurons2 6 --epochs 20 \
               --patience 5 --forest-n-estimators 10 --trials 6 --quiet --json";
    let report = world.json(run);
    let study = &report["study"];
    assert_eq!(study["n_trials"], 6);
    let chosen = study["best"]["params"]["neurons0"].as_u64();
    assert_eq!(report["heads"][1]["params"]["neurons0"].as_u64(), chosen);
    let used = report["heads"][1]["val"]["used_for"].as_array().unwrap();
    assert!(used.contains(&"trial".into()), "{used:?}");
    assert!(world.path("out/study.db").exists());
    // The study is there already: the second run does nothing of it again and comes to the same.
    let again = world.json(run);
    assert_eq!(again["study"]["best"], study["best"]);
    assert_eq!(again["heads"][1]["history"], report["heads"][1]["history"]);
    let without = world.json(&run.replace("--trials 6", "--trials 0").replace("--out out", "--out other"));
    assert_eq!(without["study"], Value::Null);
    assert!(!world.path("other/study.db").exists());
}

#[test]
fn a_forest_is_tuned_too_and_a_network_too_large_for_the_memory_fails_alone() {
    let world = World::with_tables();
    let forest = "tune --head forest --train train.csv --val val.csv --trials 3 --forest-n-estimators 20 --quiet --json";
    let report = world.json(&format!("{forest} --storage forest.db"));
    assert_eq!(report["n_finished"], 3);
    world.write("huge.toml", "[neurons0]\nlow = 65536\nhigh = 65536\nlog = false\n[neurons1]\nlow = 65536\nhigh = 65536\nlog = false\n[layers1]\nlow = 16\nhigh = 16\n");
    let huge =
        "tune --train train.csv --val val.csv --trials 2 --space huge.toml --random-start --storage huge.db";
    let output = world.run(huge, 0);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("MB are free"), "{stderr}");
    let report = world.json("study show --storage huge.db --json");
    assert_eq!((report["n_finished"].as_u64(), &report["best"]), (Some(2), &Value::Null));
}
