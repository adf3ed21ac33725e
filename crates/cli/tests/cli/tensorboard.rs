//! Compares the files of `--tensorboard` with the reports of the commands. TensorBoard's own reading of them is for
//! `bench/referees/event_files.py`.

use std::collections::BTreeMap;
use std::process::Stdio;

use headsmith::event_files::proto::{Event, EventContent, Value};
use headsmith::event_files::read;
use serde_json::Value as Json;

use crate::tune::{content, kill_at};
use crate::world::{World, names};

/// A fit small enough to be done many times.
const FIT: &str = "fit mlp --preset classic --train train.csv --val val.csv --epochs 9 --neurons1 6 --neurons2 6 --lr 0.01 --quiet --json";
const TUNE: &str = "tune --train train.csv --val val.csv --epochs 12 --neurons1 6 --neurons2 6 --study s --quiet \
                    --storage s.db --tensorboard logs";

/// The values of all files of a folder by tag, each with its step.
fn values(world: &World, folder: &str) -> BTreeMap<String, Vec<(i64, Value)>> {
    let mut values: BTreeMap<String, Vec<(i64, Value)>> = BTreeMap::new();
    for event in events(world, folder) {
        let Some(EventContent::Summary(summary)) = event.what else { continue };
        for value in summary.values {
            values.entry(value.tag.clone()).or_default().push((event.step, value));
        }
    }
    values
}

fn events(world: &World, folder: &str) -> Vec<Event> {
    let files =
        names(&world.path(folder)).into_iter().filter(|name| name.starts_with("events.out.tfevents."));
    files.flat_map(|name| read(&world.bytes(&format!("{folder}/{name}")))).collect()
}

/// The numbers by step; of a step that was begun anew, the last.
fn scalars(values: &[(i64, Value)]) -> Vec<(i64, f32)> {
    let by_step = values.iter().map(|(step, value)| (*step, value.as_scalar().unwrap()));
    by_step.collect::<BTreeMap<i64, f32>>().into_iter().collect()
}

/// The figures of a fit's history under `side` and `name`.
fn history(report: &Json, side: &str, name: &str) -> Vec<(i64, f32)> {
    let epochs = report["history"].as_array().unwrap().iter();
    epochs
        .map(|epoch| (epoch["epoch"].as_i64().unwrap(), epoch[side][name].as_f64().unwrap() as f32))
        .collect()
}

#[test]
fn a_fits_curves_are_those_of_its_report_and_nothing_else_changes() {
    let world = World::with_tables();
    world.json(&format!("{FIT} --model plain.safetensors"));
    let report = world.json(&format!("{FIT} --model watched.safetensors --tensorboard logs"));
    assert_eq!(world.bytes("plain.safetensors"), world.bytes("watched.safetensors"));
    let n_epochs = report["epochs"].as_u64().unwrap() as usize;
    for (folder, side) in [("logs/train", "train"), ("logs/validation", "val")] {
        let values = values(&world, folder);
        for name in ["loss", "mae", "mse", "accuracy", "weighted_f1"] {
            let written = scalars(&values[&format!("epoch_{name}")]);
            assert_eq!(written, history(&report, side, name), "{folder} {name}");
            assert_eq!(written.len(), n_epochs);
        }
    }
    let train = values(&world, "logs/train");
    assert_eq!(scalars(&train["epoch_learning_rate"])[0], (0, 0.01));
    assert_eq!(train["keras"].len(), 1);
    let histograms: Vec<&Vec<(i64, Value)>> =
        train.iter().filter(|(tag, _)| tag.ends_with("/histogram")).map(|(_, values)| values).collect();
    assert!(histograms.iter().all(|values| values.len() == n_epochs));
    let count = |value: &Value| -> f64 {
        value.tensor.as_ref().unwrap().to_doubles().chunks(3).map(|bucket| bucket[2]).sum()
    };
    let n_counted: f64 = histograms.iter().map(|values| count(&values[n_epochs - 1].1)).sum();
    assert_eq!(Some(n_counted), report["structure"]["n_params"].as_f64());
}

#[test]
fn the_judgement_at_the_end_is_that_of_the_report() {
    let world = World::with_tables();
    let report = world.json(&format!("{FIT} --model m.safetensors --tensorboard logs"));
    let validation = values(&world, "logs/validation");
    let best = report["best_epoch"].as_i64().unwrap();
    for (class, name) in crate::world::CLASSES.iter().enumerate() {
        let (step, curve) = &validation[&format!("pr_curve/{name}")][0];
        let curve = curve.tensor.as_ref().unwrap().to_floats();
        let support = report["val"]["per_class"][class]["support"].as_f64().unwrap() as f32;
        // At threshold 0 everything is taken for the class.
        assert_eq!((*step, curve[0], curve[0] + curve[201]), (best, support, 90.0));
    }
    for tag in ["confusion_matrix", "reliability"] {
        let (step, picture) = &validation[tag][0];
        let [_, _, png] = &picture.tensor.as_ref().unwrap().strings[..] else { panic!("{tag}") };
        assert!(*step == best && png.starts_with(b"\x89PNG\r\n\x1a\n"), "{tag}");
    }
}

/// The status in the record of a trial's end.
fn status(values: &BTreeMap<String, Vec<(i64, Value)>>) -> Option<u8> {
    let (_, value) = values.get("_hparams_/session_end_info")?.first()?;
    let content = &value.metadata.as_ref().unwrap().plugin.as_ref().unwrap().content;
    // PluginData { 4: End { 1: status, .. } }
    assert_eq!((content[0], content[2]), (0x22, 0x08), "{content:?}");
    Some(content[3])
}

#[test]
fn every_trial_has_its_curve_its_settings_and_how_it_ended() {
    let world = World::with_tables();
    world.run(&format!("{TUNE} --trials 9 --jobs 2"), 0);
    // The same study goes on, without TensorBoard and then with it again: what it missed is caught up, the experiment
    // gets a second record.
    let unseen = TUNE.split(" --tensorboard").next().unwrap();
    world.run(&format!("{unseen} --trials 11 --jobs 2"), 0);
    world.run(&format!("{TUNE} --trials 14 --jobs 3"), 0);
    assert_eq!(names(&world.path("logs/s")).len(), 14 + 2);
    assert_eq!(values(&world, "logs/s")["_hparams_/experiment"].len(), 2);
    are_the_studys(&world);
}

#[test]
fn after_kills_every_trial_is_there_as_the_study_has_it() {
    let world = World::with_tables();
    let command = format!("{TUNE} --trials 14 --jobs 2");
    let mut place = 1;
    for _ in 0..4 {
        let mut child = world.command(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let Some(n_reports) = kill_at(&world, &mut child, "s.db", place) else { break };
        // More than a trial has: whichever was under way has come further.
        place = n_reports + 14;
    }
    world.run(&command, 0);
    are_the_studys(&world);
    // Values that a killed process had not written yet are only in the study; nothing is repeated or out of order.
    for (folder, reports) in reports(&world, "s.db") {
        if world.path(&format!("{folder}/validation")).exists() {
            let written = scalars(&values(&world, &format!("{folder}/validation"))["epoch_weighted_f1"]);
            assert_eq!(written, reports[..written.len()], "{folder}");
        }
    }
}

/// A trial's folder below `logs/s`, and its reports in the study `s` of `storage`.
fn reports(world: &World, storage: &str) -> Vec<(String, Vec<(i64, f32)>)> {
    let folder = |trial: &Json| format!("logs/s/trial-{:04}", trial["number"].as_u64().unwrap());
    let report = |report: &Json| (report[0].as_i64().unwrap(), report[1].as_f64().unwrap() as f32);
    let reports = |trial: &Json| trial["reports"].as_array().unwrap().iter().map(report).collect();
    content(world, storage).iter().map(|trial| (folder(trial), reports(trial))).collect()
}

/// The steps of the histograms of a trial, of which each tensor has the same, and how many tensors there are.
fn histograms(train: &BTreeMap<String, Vec<(i64, Value)>>) -> (usize, Vec<i64>) {
    let all: Vec<Vec<i64>> = train
        .iter()
        .filter(|(tag, _)| tag.ends_with("/histogram"))
        .map(|(_, values)| values.iter().map(|(step, _)| *step).collect())
        .collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
    (all.len(), all.into_iter().next().unwrap_or_default())
}

#[test]
fn every_trial_has_the_scalars_the_weights_and_the_graph_that_a_fit_has() {
    for (every, flag) in [(1, ""), (3, "--tensorboard-histograms 3"), (0, "--tensorboard-histograms 0")] {
        let world = World::with_tables();
        world.run(&format!("{TUNE} --trials 5 --jobs 2 {flag}"), 0);
        for (folder, reports) in reports(&world, "s.db") {
            let (train, validation) =
                (values(&world, &format!("{folder}/train")), values(&world, &format!("{folder}/validation")));
            assert_eq!(scalars(&validation["epoch_weighted_f1"]), reports, "{folder}");
            let steps: Vec<i64> = reports.iter().map(|(step, _)| *step).collect();
            for name in ["loss", "mae", "mse", "accuracy", "weighted_f1"] {
                for side in [&train, &validation] {
                    let written = scalars(&side[&format!("epoch_{name}")]);
                    assert_eq!(written.iter().map(|(step, _)| *step).collect::<Vec<_>>(), steps, "{name}");
                }
            }
            assert!(scalars(&train["epoch_learning_rate"])[0].1 > 0.0);
            let due = steps.into_iter().filter(|step| every > 0 && step % every == 0).collect::<Vec<_>>();
            let (n_tensors, of_weights) = histograms(&train);
            assert_eq!((n_tensors >= 2, of_weights), (every > 0, due));
            assert_eq!(train["keras"].len(), 1);
            let graphs = events(&world, &format!("{folder}/train")).into_iter();
            assert_eq!(
                graphs.filter(|event| matches!(event.what, Some(EventContent::GraphDef(_)))).count(),
                1
            );
        }
    }
}

#[test]
fn a_study_is_the_same_with_and_without_and_a_worker_writes_its_trials() {
    let world = World::with_tables();
    let plain = TUNE.replace("--storage s.db --tensorboard logs", "--storage plain.db");
    world.run(&format!("{plain} --trials 5 --jobs 2"), 0);
    world.run(
        &format!("{plain} --trials 5 --storage s.db --timeout 0s").replace("--storage plain.db ", ""),
        0,
    );
    assert!(!world.path("logs").exists());
    world.run("worker --storage s.db --study s --jobs 2 --quiet --tensorboard logs", 0);
    assert_eq!(content(&world, "s.db"), content(&world, "plain.db"));
    for (folder, reports) in reports(&world, "s.db") {
        let validation = values(&world, &format!("{folder}/validation"));
        assert_eq!(scalars(&validation["epoch_weighted_f1"]), reports, "{folder}");
        let (_, of_weights) = histograms(&values(&world, &format!("{folder}/train")));
        assert_eq!(of_weights.len(), reports.len());
    }
}

/// Every trial's files say what the study `s` in `s.db` says.
fn are_the_studys(world: &World) {
    let trials = content(world, "s.db");
    assert!(["complete", "pruned"].iter().all(|state| trials.iter().any(|trial| trial["state"] == *state)));
    for trial in &trials {
        let values = values(world, &format!("logs/s/trial-{:04}", trial["number"].as_u64().unwrap()));
        let reports = trial["reports"].as_array().unwrap();
        let reports: Vec<(i64, f32)> = reports
            .iter()
            .map(|report| (report[0].as_i64().unwrap(), report[1].as_f64().unwrap() as f32))
            .collect();
        assert_eq!(scalars(&values["epoch_weighted_f1"]), reports, "{trial}");
        let last = |tag: &str| scalars(&values[tag])[..].last().unwrap().1;
        assert_eq!(last("weighted_f1"), trial["value"].as_f64().unwrap() as f32, "{trial}");
        assert_eq!(last("epochs"), reports.len() as f32);
        assert_eq!(last("pruned"), f32::from(u8::from(trial["state"] == "pruned")));
        assert_eq!(status(&values), Some(1));
        let (_, start) = &values["_hparams_/session_start_info"][0];
        let content = &start.metadata.as_ref().unwrap().plugin.as_ref().unwrap().content;
        for param in trial["params"].as_object().unwrap().keys() {
            assert!(content.windows(param.len()).any(|part| part == param.as_bytes()), "{param}");
        }
    }
}

#[test]
fn a_second_fit_goes_on_with_no_file_and_says_that_it_begins_anew() {
    let world = World::with_tables();
    let command = format!("{FIT} --model m.safetensors --tensorboard logs");
    world.json(&command);
    let [first] = &names(&world.path("logs/train"))[..] else { panic!("one file") };
    let before = world.bytes(&format!("logs/train/{first}"));
    // As after a kill: the last record is torn.
    std::fs::write(world.path(&format!("logs/train/{first}")), &before[..before.len() - 7]).unwrap();
    world.json(&command);
    assert_eq!(names(&world.path("logs/train")).len(), 2);
    assert_eq!(world.bytes(&format!("logs/train/{first}")), before[..before.len() - 7]);
    let restarts = events(&world, "logs/train").into_iter().filter(|event| {
        event.step == 0 && matches!(&event.what, Some(EventContent::SessionLog(log)) if log.status == 1)
    });
    assert_eq!(restarts.count(), 2);
}

#[test]
fn a_folder_that_cannot_be_made_ends_the_command_before_anything_is_read() {
    let world = World::with_tables();
    world.write("logs", "a file");
    let error = world.error(&format!("{FIT} --model m.safetensors --tensorboard logs"), 1);
    assert!(error.contains("cannot make the folder logs"), "{error}");
    assert!(!world.path("m.safetensors").exists());
}
