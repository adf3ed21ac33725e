//! Tables of more classes than anyone wants a row for each of.

use std::fmt::Write;

use serde_json::Value;

use crate::world::World;

const N_CLASSES: usize = 60;

/// `n` rows, each of class `i % 60`: two features say which, and a third is noise. Neighbours are sometimes confused.
fn table(n: usize) -> String {
    let mut text = String::from("a,b,c,label\n");
    for i in 0..n {
        let class = i % N_CLASSES;
        let slip = i * 7 % 5 / 4;
        let (a, b) = ((class / 8) as f64, ((class + slip) % 8) as f64);
        writeln!(text, "{a},{b}.{},{},class-{class:02}", i % 3, i * 31 % 17).unwrap();
    }
    text
}

fn world() -> World {
    let world = World::with_tables();
    world.write("many.csv", &table(600));
    world.write("more.csv", &table(421));
    world
}

#[test]
fn the_terminal_shows_a_summary() {
    let world = world();
    let text = |args: &str| String::from_utf8(world.run(args, 0).stdout).unwrap();
    let inspected = text("inspect many.csv");
    assert!(
        inspected.contains("labels in `label`: 60 classes\n    rows per class: min 10, 5 % 10"),
        "{inspected}"
    );
    let fitted = text("fit forest --train many.csv --val more.csv --model m.safetensors --n-estimators 5 -q");
    let evaluated = text("evaluate --model m.safetensors --data more.csv");
    for text in [&fitted, &evaluated] {
        for part in ["60 classes; quantiles", "lowest F1", "highest F1", "most frequent confusions"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.lines().count() < 90 && text.lines().all(|line| line.len() < 140), "{text}");
    }
    assert!(fitted.contains("label beside the most probable classes of forest"), "{fitted}");
    let predicted = text("predict --model m.safetensors --data more.csv --out p.csv");
    assert!(predicted.contains("\n    rows per class: min "), "{predicted}");
}

#[test]
fn the_report_lists_the_confused_pairs() {
    let world = world();
    let run = |train: &str, val: &str, out: &str| -> Value {
        world.json(&format!(
            "run --recipe notebook --train {train} --val {val} --out {out} --trials 0 --json --forest-n-estimators 5 \
             --neurons0 16 --neurons2 8 --layers2 1 --epochs 3 --lr 0.01"
        ))
    };
    let report = run("many.csv", "more.csv", "out");
    for head in report["heads"].as_array().unwrap() {
        let val = &head["val"];
        assert!(val["confusion"].is_null());
        let pairs = val["confused_pairs"].as_array().unwrap();
        assert_eq!(val["n_confused_pairs"].as_u64(), Some(pairs.len() as u64));
        let rows = |pair: &Value| pair[2].as_u64().unwrap();
        assert!(pairs.windows(2).all(|two| rows(&two[0]) >= rows(&two[1])));
        assert!(pairs.iter().all(|pair| pair[0] != pair[1]));
        let wrong: u64 = pairs.iter().map(rows).sum();
        assert_eq!(Some(wrong), head["evidence"]["n_mistakes"].as_u64());
        let example = &head["examples"][0];
        assert!(example["probabilities"].as_array().unwrap().is_empty());
        assert_eq!(example["top"].as_array().unwrap().len(), 5);
        assert!(example["top"][0]["probability"].as_f64() >= example["label_probability"].as_f64());
    }
    let page = world.read("out/report.html");
    assert!(page.contains("The pairs of classes that are confused most often"));
    assert!(world.read("out/model-card.md").contains("Listed are the 50 classes with the most rows"));

    let few = run("train.csv", "val.csv", "few");
    let val = &few["heads"][0]["val"];
    assert_eq!(val["confusion"].as_array().unwrap().len(), 3);
    assert!(val["confused_pairs"].is_null() && few["heads"][0]["examples"][0]["top"].is_null());
}

#[test]
fn a_thousand_classes_leave_a_small_report_and_page() {
    let world = World::with_tables();
    let table = |n: usize, shift: usize| {
        let mut text = String::from("a,b,c,label\n");
        for i in 0..n {
            let (class, noise) = (i % 1_000, (i * 31 + shift) % 17);
            writeln!(text, "{},{}.{noise},{},class-{class:04}", class / 32, class % 32, i * 13 % 11).unwrap();
        }
        text
    };
    world.write("train.csv", &table(3_000, 0));
    world.write("val.csv", &table(2_000, 5));
    world.run(
        "run --recipe notebook --train train.csv --val val.csv --out out --trials 0 --quiet --forest-n-estimators 3 --neurons0 8 --neurons2 8 \
         --layers2 0 --epochs 1 --batch-size 500",
        0,
    );
    let sizes = [("out/report.json", 5_000_000), ("out/report.html", 1_500_000)];
    for (file, most) in sizes {
        let size = world.bytes(file).len();
        assert!(size < most, "{file} has {size} bytes, expected less than {most}");
    }
}
