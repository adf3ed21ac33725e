//! `--weight-column`: rows count by their weights in a fit.

use serde_json::Value;

use crate::world::{CLASSES, World};

const SMALL: [(&str, &str); 3] = [
    ("forest", "--n-estimators 20"),
    ("mlp", "--epochs 15 --neurons0 16 --layers2 0 --batch-size 40"),
    ("linear", ""),
];

/// `w.csv`: the training rows with weights of 1, and each once more with another label and a weight of 0. `plain.csv`: the same
/// without weights.
fn mislabelled(world: &World) {
    let text = world.read("train.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    let (mut weighted, mut plain) = (format!("{header},w\n"), format!("{header}\n"));
    for row in rows.lines() {
        let (features, label) = row.rsplit_once(',').unwrap();
        let other = CLASSES[(CLASSES.iter().position(|class| *class == label).unwrap() + 1) % 3];
        weighted += &format!("{features},{label},1\n{features},{other},0\n");
        plain += &format!("{features},{label}\n{features},{other}\n");
    }
    world.write("w.csv", &weighted);
    world.write("plain.csv", &plain);
}

fn f1(fitted: &Value) -> f64 {
    fitted["val"]["weighted_f1"].as_f64().unwrap()
}

#[test]
fn rows_of_weight_0_are_not_learnt_from_by_any_head_and_the_column_is_no_feature() {
    let world = World::with_tables();
    mislabelled(&world);
    for (head, flags) in SMALL.into_iter().chain([("centroid", "")]) {
        let fit = format!("fit {head} {flags} --val val.csv --model m.safetensors --json --quiet");
        let clean = world.json(&format!("{fit} --train train.csv"));
        let noisy = world.json(&format!("{fit} --train plain.csv"));
        let weighted = world.json(&format!("{fit} --train w.csv --weight-column w"));
        assert!(f1(&noisy) < f1(&clean) - 0.1, "{head}: {} and {}", f1(&noisy), f1(&clean));
        assert!(f1(&weighted) > f1(&clean) - 0.08, "{head}: {} and {}", f1(&weighted), f1(&clean));
        // Scores count each row once: the half with the wrong labels, too.
        assert_eq!(weighted["train"]["n_samples"], 480, "{head}");
    }
    // The model knows that the column is no feature.
    let to = "--out p.csv --quiet --columns label";
    world.run(&format!("predict --model m.safetensors --data w.csv {to}"), 0);
    let predicted = world.bytes("p.csv");
    world.run(&format!("predict --model m.safetensors --data plain.csv {to}"), 0);
    assert_eq!(world.bytes("p.csv"), predicted);
    let evaluated = world.run("evaluate --model m.safetensors --data w.csv", 0);
    assert!(!String::from_utf8_lossy(&evaluated.stderr).contains("warning: data: column"));
}

#[test]
fn weights_of_1_and_of_2_and_validation_tables_change_nothing() {
    let world = World::with_tables();
    for (name, value) in [("one", 1), ("two", 2)] {
        for table in ["train", "val"] {
            let text = world.read(&format!("{table}.csv"));
            let (header, rows) = text.split_once('\n').unwrap();
            let rows: String = rows.lines().map(|row| format!("{row},{value}\n")).collect();
            world.write(&format!("{table}-{name}.csv"), &format!("{header},w\n{rows}"));
        }
    }
    for (head, flags) in SMALL {
        let predictions = |train: &str, val: &str, weights: &str| {
            let fit = format!("fit {head} {flags} --train {train}.csv --val {val}.csv {weights}");
            world.run(&format!("{fit} --model m.safetensors --quiet"), 0);
            world.run("predict --model m.safetensors --data test.csv --proba --out p.csv --quiet", 0);
            world.bytes("p.csv")
        };
        let plain = predictions("train", "val", "");
        assert_eq!(predictions("train-one", "val", "--weight-column w"), plain, "{head}");
        assert_eq!(predictions("train-one", "val-two", "--weight-column w"), plain, "{head}");
        if head == "forest" {
            assert_eq!(predictions("train-two", "val-one", "--weight-column w"), plain);
        }
    }
}

#[test]
fn splits_folds_runs_and_the_configuration_file_carry_weights() {
    let world = World::with_tables();
    mislabelled(&world);
    let folds = |train: &str| {
        let fit = format!(
            "fit forest --n-estimators 20 --folds 3 --folds-out oof.csv --json --quiet --train {train}"
        );
        world.json(&format!("{fit} --model m.safetensors"));
        // Of the rows with the right labels, how many were predicted.
        let (text, labelled) = (world.read("oof.csv"), world.read("train.csv"));
        let predicted = text.lines().skip(1).step_by(2);
        let right = predicted.zip(labelled.lines().skip(1)).filter(|(row, labelled)| {
            let label = labelled.rsplit(',').next().unwrap();
            row.split(',').any(|cell| cell == label)
        });
        right.count()
    };
    let (weighted, noisy) = (folds("w.csv --weight-column w"), folds("plain.csv"));
    assert!(weighted > noisy + 30, "{weighted} and {noisy}");

    world.write("headsmith.toml", "train = \"w.csv\"\nweight_column = \"w\"\n");
    let small = "--forest-n-estimators 10 --epochs 4 --trials 2 --hold-back 0.2 --out out";
    world.run(&format!("run --recipe notebook --config headsmith.toml {small}"), 0);
    let report: Value = serde_json::from_str(&world.read("out/report.json")).unwrap();
    assert_eq!(report["tables"][0]["weight_column"], "w");
    assert_eq!(report["tables"][0]["n_features"], 6);
    assert!(world.read("out/report.html").contains("weights in column \u{201c}w\u{201d}"));
}

#[test]
fn a_worker_has_the_weights_of_the_plan() {
    let world = World::with_tables();
    mislabelled(&world);
    let tune = "tune --head linear --train w.csv --storage s.db --study one";
    world.run(&format!("{tune} --weight-column w --trials 1"), 0);
    world.run("worker --storage s.db --study one --trials 2", 0);
    let error = world.error(&format!("{tune} --drop w --trials 3"), 2);
    assert!(error.contains("weight column: \"w\" in the study, none asked for"), "{error}");
}

#[test]
fn inspect_shows_the_column_and_bad_weights_are_refused() {
    let world = World::with_tables();
    mislabelled(&world);
    let seen = world.json("inspect w.csv val.csv --weight-column w --json");
    assert_eq!(
        (&seen["tables"][0]["weight_column"], &seen["tables"][0]["n_features"]),
        (&"w".into(), &6.into())
    );
    assert_eq!(seen["tables"][1].get("weight_column"), None);
    let text = world.run("inspect w.csv --weight-column w", 0).stdout;
    assert!(String::from_utf8_lossy(&text).contains("sample weights in `w`, which is no feature"));
    world.write("bad.csv", "f0,f1,w,label\n1,2,1,a\n2,3,-1,b\n3,4,1,a\n4,5,1,b\n");
    for command in ["inspect bad.csv", "fit forest --train bad.csv --val-share 0 --model bad.safetensors"] {
        let error = world.error(&format!("{command} --weight-column w"), 1);
        let expected = "bad.csv: line 3, column \"w\": expected a weight: a number of at least 0 that single precision can hold, found -1";
        assert!(error.contains(expected), "{error}");
    }
    let error = world.error("fit forest --train bad.csv --weight-column v --model bad.safetensors", 1);
    assert!(error.contains("there is no weight column \"v\""), "{error}");
    assert!(!world.path("bad.safetensors").exists());
}
