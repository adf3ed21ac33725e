//! `--metric` chooses epochs, trials and heads; `--class-weight` says what a class costs.

use std::fmt::Write as _;

use serde_json::Value;

use crate::world::World;

/// Metrics by name, and whether greater values are better.
const METRICS: [(&str, bool); 6] = [
    ("weighted_f1", true),
    ("macro_f1", true),
    ("balanced_accuracy", true),
    ("accuracy", true),
    ("log_loss", false),
    ("mcc", true),
];

/// The first of the best values, and its place.
fn best(values: &[f64], greater: bool) -> (usize, f64) {
    let is_better = |a: f64, b: f64| if greater { a > b } else { a < b };
    (1..values.len())
        .fold((0, values[0]), |best, i| if is_better(values[i], best.1) { (i, values[i]) } else { best })
}

#[test]
fn a_fit_has_the_best_epoch_by_the_metric() {
    let world = World::with_tables();
    let mut epochs = Vec::new();
    for (metric, greater) in METRICS {
        let fit = format!(
            "fit mlp --preset classic --train train.csv --val val.csv --model m.safetensors --epochs 30 --patience none \
             --plateau-patience none --neurons0 40 --lr 0.01 --metric {metric} --json"
        );
        let report = world.json(&fit);
        assert_eq!(report["metric"], metric);
        let key = if metric == "log_loss" { "loss" } else { metric };
        let values: Vec<f64> = report["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|epoch| epoch["val"][key].as_f64().unwrap())
            .collect();
        let (epoch, value) = best(&values, greater);
        assert_eq!(report["best_epoch"].as_u64(), Some(epoch as u64), "{metric}: {values:?}");
        let scored = report["val"][metric].as_f64().unwrap();
        assert!((scored - value).abs() < 1e-6, "{metric}: {scored} and {value}");
        epochs.push(epoch);
    }
    epochs.dedup();
    assert!(epochs.len() > 1, "all metrics chose epoch {}", epochs[0]);
    let text = world
        .run("fit mlp --preset classic --train train.csv --val val.csv --model m.safetensors --epochs 2 --metric log_loss", 0);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("train log loss"), "{text}");
    let error =
        world.error("fit mlp --preset classic --train train.csv --model m.safetensors --metric f1", 2);
    assert!(error.contains("weighted_f1, macro_f1, balanced_accuracy"), "{error}");
}

#[test]
fn a_study_minimises_a_loss_and_remembers_its_metric() {
    let world = World::with_tables();
    let tune = "tune --preset classic --train train.csv --val val.csv --epochs 6 --neurons1 6 --neurons2 6 --storage s.db --study s --quiet";
    let study = world.json(&format!("{tune} --metric log_loss --trials 8 --json"));
    assert_eq!((study["metric"].as_str(), &study["selection"]), (Some("log_loss"), &Value::Null));
    let trials = super::tune::content(&world, "s.db");
    let values: Vec<f64> = trials
        .iter()
        .filter(|trial| trial["state"] == "complete")
        .map(|trial| trial["value"].as_f64().unwrap())
        .collect();
    assert_eq!(study["best"]["value"].as_f64(), Some(best(&values, false).1), "{values:?}");
    for trial in trials.iter().filter(|trial| trial["state"] == "complete") {
        let reports: Vec<f64> =
            trial["reports"].as_array().unwrap().iter().map(|report| report[1].as_f64().unwrap()).collect();
        assert_eq!(trial["value"].as_f64(), Some(best(&reports, false).1), "{trial}");
    }
    let error = world.error(&format!("{tune} --trials 9"), 2);
    assert!(error.contains("metric: log_loss in the study, weighted_f1 asked for"), "{error}");
    let worked = world.json("worker --storage s.db --study s --trials 9 --json");
    assert_eq!((worked["n_finished"].as_u64(), worked["metric"].as_str()), (Some(9), Some("log_loss")));
    let shown = world.run("study best --storage s.db", 0);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("log loss 0."));
    let fitted = world.json("study best --fit --storage s.db --json");
    assert_eq!(fitted["metric"], "log_loss");
}

#[test]
fn a_run_chooses_its_head_by_the_metric() {
    let world = World::with_tables();
    for metric in ["balanced_accuracy", "log_loss"] {
        let run = "run --recipe notebook --train train.csv --val val.csv --trials 2 --epochs 4 --forest-n-estimators 7";
        let output = world.run(&format!("{run} --out {metric} --metric {metric} --tensorboard tb"), 0);
        let label = metric.replace('_', " ");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("({label} on the validation rows)")), "{text}");
        let report: Value = serde_json::from_str(&world.read(&format!("{metric}/report.json"))).unwrap();
        assert_eq!((&report["metric"], &report["comparison"]["metric"]), (&metric.into(), &metric.into()));
        let scores: Vec<f64> =
            (0..2).map(|head| report["heads"][head]["val"][metric].as_f64().unwrap()).collect();
        let chosen = best(&scores, metric != "log_loss").0;
        assert_eq!(report["chosen"], report["heads"][chosen]["head"], "{scores:?}");
        let difference = report["comparison"]["difference"][metric]["observed"].as_f64().unwrap();
        assert!((difference - (scores[1] - scores[0])).abs() < 1e-9);
        assert!(world.read(&format!("{metric}/report.html")).contains(&format!("<b>{label}</b>")));
    }
}

/// Two classes that overlap, one of them a twentieth of the rows.
fn rare(world: &World) {
    let mut text = "a,b,label\n".to_owned();
    for i in 0..1200usize {
        let is_rare = i % 20 == 0;
        let noise = |k: usize| (i * k % 499) as f64 / 499.0;
        let shift = if is_rare { 0.35 } else { 0.0 };
        let label = if is_rare { "rare" } else { "usual" };
        let _ = writeln!(text, "{},{},{label}", noise(37) + shift, noise(101) + shift);
    }
    world.write("rare.csv", &text);
}

#[test]
fn class_weights_find_more_of_a_rare_class() {
    let world = World::with_tables();
    rare(&world);
    let recall = |weight: &str| {
        let fit = format!(
            "fit mlp --preset classic --train rare.csv --model m.safetensors --epochs 40 --lr 0.01 --neurons0 16 --neurons2 8 \
             --patience none --metric log_loss --json {weight}"
        );
        let report = world.json(&fit);
        report["val"]["per_class"][0]["recall"].as_f64().unwrap()
    };
    let plain = recall("");
    assert_eq!(recall("--class-weight none"), plain);
    for weight in ["--class-weight balanced", "--class-weight rare:19"] {
        assert!(recall(weight) > plain + 0.3, "{weight}");
    }
    let fit = "fit mlp --preset classic --train rare.csv --model m.safetensors --class-weight";
    let error = world.error(&format!("{fit} often:2"), 2);
    assert!(error.contains("class_weight names often, expected one of the classes rare, usual"), "{error}");
    let error = world.error(&format!("{fit} rare"), 2);
    assert!(error.contains("none, balanced or LABEL:WEIGHT,.."), "{error}");
}
