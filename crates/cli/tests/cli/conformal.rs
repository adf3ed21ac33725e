//! `--conformal`: prediction sets, from the fit to the predicted table.

use serde_json::Value;

use crate::world::World;

const QUICK: &str = "--steps 30 --heads gaussian,ridge,knn --quiet";

/// The shares of rows of `table` whose set, in the last column of the predictions, contains their class, and the mean size.
fn counted(world: &World, table: &str, predictions: &str) -> (f64, f64) {
    let labels = |name: &str| -> Vec<String> {
        let text = world.read(name);
        text.lines().skip(1).map(|row| row.rsplit(',').next().unwrap().to_owned()).collect()
    };
    let (truth, sets) = (labels(table), labels(predictions));
    let members: Vec<Vec<&str>> =
        sets.iter().map(|set| set.split('|').filter(|name| !name.is_empty()).collect()).collect();
    let hits = members.iter().zip(&truth).filter(|(set, class)| set.contains(&class.as_str())).count();
    let size: usize = members.iter().map(Vec::len).sum();
    (hits as f64 / truth.len() as f64, size as f64 / truth.len() as f64)
}

#[track_caller]
fn assert_near(found: f64, expected: &Value) {
    assert!((found - expected.as_f64().unwrap()).abs() < 1e-12, "{found}, expected {expected}");
}

#[test]
fn auto_stores_sets_that_predict_writes_and_evaluate_scores() {
    let world = World::with_tables();
    let report = world.json(&format!(
        "auto --train train.csv --val val.csv --test val.csv --out out {QUICK} --conformal 0.8 --no-refit --json"
    ));
    let sets = &report["heads"][0]["conformal"];
    assert_eq!(
        (&sets["level"], &sets["by_class"], &sets["rows"]),
        (&0.8.into(), &false.into(), &"out_of_fold".into())
    );
    assert_eq!(
        (&sets["n_rows"], &sets["calibration"]["n_samples"], &sets["val"]["n_samples"]),
        (&240.into(), &240.into(), &90.into())
    );
    // The finite-sample quantile: ceil(241 * 0.8) = 193 of 240.
    assert_near(193.0 / 240.0, &sets["calibration"]["coverage"]);
    // The rows that judge it had no part in the thresholds; without a fit on all rows it is the model that is written.
    let (coverage, size) = counted(&world, "val.csv", "out/predictions.csv");
    assert_near(coverage, &sets["val"]["coverage"]);
    assert_near(size, &sets["val"]["mean_size"]);
    assert_near(size, &report["predictions"]["sets"]["mean_size"]);
    let evaluated = world.json("evaluate --model out/model.safetensors --data val.csv --json --quiet");
    assert_eq!(&evaluated["conformal"]["coverage"], &sets["val"]["coverage"]);
    assert_eq!(&evaluated["conformal"]["sizes"], &report["predictions"]["sets"]["sizes"]);
    let text =
        String::from_utf8(world.run("evaluate --model out/model.safetensors --data val.csv", 0).stdout)
            .unwrap();
    assert!(
        text.contains(&format!("prediction sets with level 80%: coverage {coverage:.4} (95% interval 0.")),
        "{text}"
    );
    let [page, card] = ["report.html", "model-card.md"].map(|name| world.read(&format!("out/{name}")));
    assert!(page.contains("<section id=\"sets\">") && page.contains(&format!("coverage {coverage:.4}")));
    assert!(
        card.contains(&format!("| coverage of 80% prediction sets (validation rows) | {coverage:.4} |")),
        "{card}"
    );
    // The page drawn again from the file is the same.
    world.run("report out --quiet", 0);
    assert_eq!(world.read("out/report.html"), page);
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let files = |jobs: usize| {
        let world = World::with_tables();
        let more = format!("--jobs {jobs} --conformal 0.9 --conformal-by-class");
        world.run(&format!("auto --train train.csv --test test.csv --out out {QUICK} {more}"), 0);
        world.run(&format!("fit ridge --train train.csv --folds 4 --model folds.st --quiet {more}"), 0);
        world.run(
            &format!("fit mlp --preset classic --train train.csv --epochs 4 --model held.st --quiet {more}"),
            0,
        );
        ["out/model.safetensors", "out/predictions.csv", "folds.st", "held.st"].map(|file| world.bytes(file))
    };
    let one = files(1);
    assert!(one == files(2) && one == files(3));
}

#[test]
fn a_fit_calibrates_on_rows_that_choose_nothing() {
    let world = World::with_tables();
    let rows = |fit: &str| {
        let report =
            world.json(&format!("fit {fit} --train train.csv --model m.st --conformal 0.8 --json --quiet"));
        let sets = &report["conformal"];
        let val = sets["val"]["n_samples"].as_u64();
        (sets["rows"].as_str().unwrap().to_owned(), sets["n_rows"].as_u64().unwrap(), val)
    };
    let forest = "forest --n-estimators 5";
    assert_eq!(rows(forest), ("validation".into(), 48, None));
    assert_eq!(rows(&format!("{forest} --val val.csv")), ("validation".into(), 90, None));
    assert_eq!(rows(&format!("{forest} --folds 3")), ("out_of_fold".into(), 240, None));
    assert_eq!(rows(&format!("{forest} --folds 3 --val val.csv")), ("out_of_fold".into(), 240, Some(90)));
    // In closed form, where there are no validation rows.
    assert_eq!(rows("ridge --val-share 0"), ("out_of_fold".into(), 240, None));
    // Validation rows that choose the epoch: half of them do, half calibrate.
    let mlp = "mlp --preset classic --epochs 3";
    assert_eq!(rows(&format!("{mlp} --val val.csv")), ("held_back".into(), 45, Some(45)));
    assert_eq!(rows(&format!("{mlp} --folds 3")), ("out_of_fold".into(), 240, Some(48)));
}

#[test]
fn the_terminal_shows_coverage_and_sizes() {
    let world = World::with_tables();
    let output = world.run("fit knn --train train.csv --folds 4 --model m.st --conformal 0.9", 0);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(
        lines[1],
        "a prediction set contains the class of 90% of the rows; thresholds from 240 out-of-fold rows"
    );
    assert!(lines[0].starts_with("  on 240 out-of-fold rows, by construction: coverage 0.90"), "{text}");
    let output = world.run("predict --model m.st --data test.csv --out p.csv", 0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("prediction sets with level 90%: ") && text.contains("% are empty"), "{text}");
    assert!(world.read("p.csv").starts_with("embeddings,label,prediction_set\n"));
    world.run("predict --model m.st --data test.csv --out p.csv --columns label", 0);
    assert!(world.read("p.csv").starts_with("label\n"));
    world.run("predict --model m.st --data test.csv --out p.jsonl --columns prediction_set,label", 0);
    assert!(world.read("p.jsonl").starts_with("{\"prediction_set\":[\""));
}

#[test]
fn rare_classes_are_in_every_set_and_said_to_be() {
    let world = World::with_tables();
    let rows: String = world.read("train.csv").lines().take(121).map(|row| format!("{row}\n")).collect();
    let rare = "\"[9, 9, 9, 9, 9, 9]\",rare\n\"[9, 9, 9, 9, 9, 8]\",rare\n\"[9, 9, 9, 9, 8, 9]\",rare\n";
    world.write("rare.csv", &(rows + rare));
    let fit = "fit ridge --train rare.csv --folds 3 --model m.st --quiet --json --conformal 0.9";
    let report = world.json(&format!("{fit} --conformal-by-class"));
    let sets = &report["conformal"];
    assert_eq!(sets["always"], serde_json::json!(["rare"]));
    assert_eq!(sets["thresholds"][3], 0.0);
    assert_eq!(sets["calibration"]["per_class"][3]["coverage"], 1.0);
    assert_eq!(world.json(fit)["conformal"]["always"], serde_json::json!([]));
    let error = world.error(&format!("{} --conformal-by-class", fit.replace("--quiet", "")), 0);
    assert!(
        error.contains(
            "1 class is in every prediction set: a level of 0.9 needs 9 rows of each class: \"rare\""
        ),
        "{error}"
    );
    let error = world.error(&fit.replace("0.9", "0.999").replace("--quiet", ""), 0);
    assert!(error.contains("every class is in every prediction set: 123 rows give the thresholds, and a level of 0.999 needs 999"), "{error}");
    // Enough rows, but one weighs as much as all others a thousand times.
    let table = world.read("rare.csv");
    let weighted: String = table
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{line},{}\n", ["w", "1000", "1"][i.min(2)]))
        .collect();
    world.write("weighted.csv", &weighted);
    let error = world
        .error("fit ridge --train weighted.csv --weight-column w --folds 3 --model w.st --conformal 0.9", 0);
    assert!(error.contains("in every prediction set: ") && error.contains("most of the weight"), "{error}");
}

#[test]
fn groups_count_as_one_each() {
    let world = World::with_tables();
    let train = world.read("train.csv");
    let (header, rows) = train.split_once('\n').unwrap();
    let grouped: String =
        rows.lines().enumerate().map(|(i, row)| format!("{row},site {}\n", i / 3 % 20)).collect();
    world.write("g.csv", &format!("{header},site\n{grouped}"));
    let fit =
        "fit ridge --train g.csv --group-column site --folds 4 --model m.st --quiet --json --conformal 0.9";
    let sets = world.json(fit)["conformal"].clone();
    assert_eq!((&sets["n_groups"], &sets["n_rows"]), (&20.into(), &240.into()));
    // Of 20 groups of 12 rows and a new one, 0.9 are 18.9: 227 of 240 rows, not 217.
    assert_near(227.0 / 240.0, &sets["calibration"]["coverage"]);
    let auto = world
        .json(&format!("auto --train g.csv --group-column site --out out {QUICK} --conformal 0.9 --json"));
    assert_eq!(auto["heads"][0]["conformal"]["n_groups"], 20);
}

#[test]
fn sets_that_cannot_be_calibrated_are_refused() {
    let world = World::with_tables();
    for level in ["0", "1", "90", "-0.1", "nan", "x"] {
        let error = world.error(&format!("fit ridge --train train.csv --model m.st --conformal={level}"), 2);
        assert!(error.contains("above 0 and below 1, such as 0.9"), "{error}");
    }
    let error = world.error("fit ridge --train train.csv --model m.st --conformal-by-class", 2);
    assert!(error.contains("--conformal <LEVEL>"), "{error}");
    let error = world.error("fit forest --train train.csv --val-share 0 --model m.st --conformal 0.9", 2);
    assert!(error.contains("--conformal needs rows that the fit does not learn from"), "{error}");
    let error = world.error("run --recipe notebook --train train.csv --out out --conformal 0.9", 2);
    assert!(error.contains("--recipe auto takes it"), "{error}");
    world.run("fit ridge --train train.csv --model plain.st --quiet", 0);
    let error =
        world.error("predict --model plain.st --data test.csv --out p.csv --columns prediction_set", 1);
    assert!(error.contains("only a model fitted with --conformal has prediction sets"), "{error}");
    assert_eq!(world.names(), ["plain.st", "test.csv", "train.csv", "val.csv"]);
}

/// A challenge expects the columns of its sample.
#[test]
fn a_submission_has_no_sets_unless_they_are_named() {
    let world = World::with_tables();
    let run = |columns: &str| {
        world.run(
            &format!("run --train train.csv --val val.csv --test test.csv --out out --trials 0 {QUICK} --conformal 0.9 {columns}"),
            0,
        );
        world.read("out/submission.csv").lines().next().unwrap().to_owned()
    };
    assert_eq!(run(""), "embeddings,label");
    assert_eq!(run("--columns label,prediction_set"), "label,prediction_set");
}
