//! Validation rows that are held back: nothing is chosen by them, and the selected head is judged on them.

use headsmith::hold_back;
use serde_json::Value;

use crate::tune::content;
use crate::world::{CLASSES, World};

const SEED: u64 = 42;
const TUNE: &str = "tune --train train.csv --epochs 12 --neurons1 6 --neurons2 6 --trials 10 --study s --quiet \
                    --hold-back 0.3 --json";

/// The rows of `val.csv` that are held back, as places among its lines without the header.
fn held(share: f64) -> Vec<usize> {
    let y: Vec<u32> = (1_000..1_090u32).map(|i| i % 3).collect();
    hold_back::rows(&y, share, SEED)
}

/// `val.csv` with other features in these rows.
fn with_others(world: &World, rows: &[usize]) -> String {
    let val = world.read("val.csv");
    let mut lines: Vec<String> = val.lines().map(str::to_owned).collect();
    for &row in rows {
        let label = lines[row + 1].rsplit(',').next().unwrap().to_owned();
        lines[row + 1] = format!("\"[{}]\",{label}", vec![format!("{row}.25"); 6].join(", "));
    }
    lines.join("\n") + "\n"
}

#[test]
fn no_trial_is_touched_by_rows_held_back() {
    let world = World::with_tables();
    assert_eq!(held(0.3).len(), 27);
    world.write("other.csv", &with_others(&world, &held(0.3)));
    let one = world.json(&format!("{TUNE} --val val.csv --storage one.db"));
    let other = world.json(&format!("{TUNE} --val other.csv --storage other.db"));
    assert_eq!(content(&world, "one.db"), content(&world, "other.db"));
    assert_eq!(one["selection"], other["selection"]);
    let score = |report: &Value| report["held_back"]["weighted_f1"].as_f64().unwrap();
    assert_ne!(score(&one), score(&other), "what was held back is what is judged");
    // The same change to rows that are shown changes the trials.
    let shown: Vec<usize> = (0..90).filter(|row| !held(0.3).contains(row)).take(27).collect();
    world.write("shown.csv", &with_others(&world, &shown));
    world.json(&format!("{TUNE} --val shown.csv --storage shown.db"));
    assert_ne!(content(&world, "one.db"), content(&world, "shown.db"));
}

#[test]
fn the_best_trial_is_judged_on_them_with_an_interval() {
    let world = World::with_tables();
    let report = world.json(&format!("{TUNE} --val val.csv --storage one.db --jobs 1"));
    let held_back = &report["held_back"];
    assert_eq!((held_back["share"].as_f64(), held_back["n_samples"].as_u64()), (Some(0.3), Some(27)));
    assert_eq!(held_back["used_for"], serde_json::json!([]));
    let (score, interval) =
        (held_back["weighted_f1"].as_f64().unwrap(), &held_back["intervals"]["weighted_f1"]);
    assert!(
        interval["low"].as_f64().unwrap() <= score && score <= interval["high"].as_f64().unwrap(),
        "{interval}"
    );
    let again = world.json(&format!("{TUNE} --val val.csv --storage one.db --jobs 2"));
    assert_eq!(&again["held_back"], held_back);

    // The final fit keeps away from them too, and its score on them is that of its model on those rows.
    let text = world.run("study best --fit --storage one.db --quiet", 0).stdout;
    assert!(String::from_utf8(text).unwrap().contains("27 validation rows held back"));
    let fit = world.json("study best --fit --storage one.db --quiet --json");
    assert_eq!(fit["val"]["n_samples"], 63);
    let val = world.read("val.csv");
    let lines: Vec<&str> = val.lines().collect();
    let kept = std::iter::once(lines[0]).chain(held(0.3).into_iter().map(|row| lines[row + 1]));
    world.write("held.csv", &kept.map(|line| format!("{line}\n")).collect::<String>());
    let judged = world.json("evaluate --model model.safetensors --data held.csv --json --quiet");
    assert_eq!(judged["weighted_f1"], fit["held_back"]["weighted_f1"], "{judged}");
}

#[test]
fn another_share_is_another_study_and_a_share_of_nothing_is_refused() {
    let world = World::with_tables();
    world.json(&format!("{TUNE} --val val.csv --storage one.db"));
    let other = TUNE.replace("--hold-back 0.3", "--hold-back 0.2");
    let error = world.error(&format!("{other} --val val.csv --storage one.db"), 2);
    assert!(error.contains("share held back: 0.3 in the study, 0.2 asked for"), "{error}");
    let none = TUNE.replace("--hold-back 0.3", "--hold-back 0.001");
    let error = world.error(&format!("{none} --val val.csv --storage two.db"), 2);
    assert!(error.contains("0.001 of 90 validation rows is less than one row"), "{error}");
    let all = TUNE.replace("--hold-back 0.3", "--hold-back 1");
    let error = world.error(&format!("{all} --val val.csv --storage two.db"), 2);
    assert!(error.contains("less than 1"), "{error}");
}

#[test]
fn a_run_judges_the_head_it_chose() {
    let world = World::with_tables();
    let run = "run --recipe notebook --train train.csv --val val.csv --test test.csv --epochs 12 --neurons1 6 --neurons2 6 --trials 4 \
               --hold-back 0.3 --quiet";
    let report = world.json(&format!("{run} --out out --json"));
    let heads = report["heads"].as_array().unwrap();
    let judged: Vec<&Value> = heads.iter().filter(|head| head.get("held_back").is_some()).collect();
    assert_eq!(judged.len(), 1);
    assert_eq!(judged[0]["head"], report["chosen"]);
    assert_eq!(judged[0]["held_back"]["n_samples"], 27);
    assert!(heads.iter().all(|head| head["val"]["n_samples"] == 63));
    assert_eq!(report["classes"], serde_json::json!(CLASSES));
    let text = String::from_utf8(world.run(&format!("{run} --out again"), 0).stdout).unwrap();
    assert!(text.contains("27 validation rows held back, which chose nothing"), "{text}");
}
