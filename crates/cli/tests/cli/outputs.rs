//! What the commands write and print.

use std::io::Read;

use serde_json::Value;

use crate::world::{CLASSES, World};

const SMALL: &str =
    "--neurons0 16 --neurons2 8 --layers2 1 --epochs 12 --batch-size 64 --lr 0.01 --dropout 0.2";

fn run(world: &World, more: &str) -> Value {
    world.json(&format!(
        "run --recipe notebook --train train.csv --val val.csv --test test.csv --out out --trials 0 --json --forest-n-estimators 20 {SMALL} {more}"
    ))
}

#[test]
fn run_writes_report_model_and_submission() {
    let world = World::with_tables();
    let report = run(&world, "");
    assert_eq!(
        crate::world::names(&world.path("out")),
        [
            ".headsmith.lock",
            "events.jsonl",
            "model-card.md",
            "model.safetensors",
            "report.html",
            "report.json",
            "submission.csv",
            "submission.zip"
        ]
    );
    let stored: Value = serde_json::from_str(&world.read("out/report.json")).unwrap();
    assert_eq!(stored, report);
    assert_eq!(report["classes"], serde_json::json!(CLASSES));
    assert_eq!(report["heads"].as_array().unwrap().len(), 2);
    assert_eq!(report["interrupted"], false);

    let scores = |i: usize| report["heads"][i]["val"]["weighted_f1"].as_f64().unwrap();
    assert!(scores(0) > 0.5 && scores(1) > 0.5, "{} {}", scores(0), scores(1));
    let better = if scores(1) > scores(0) { "mlp" } else { "forest" };
    assert_eq!(report["chosen"], better);
    let difference = report["comparison"]["difference"]["weighted_f1"]["observed"].as_f64().unwrap();
    assert!((difference - (scores(1) - scores(0))).abs() < 1e-12);

    let counts = report["predictions"]["counts"].as_array().unwrap();
    let total: u64 = counts.iter().map(|c| c["count"].as_u64().unwrap()).sum();
    assert_eq!((total, report["predictions"]["n_rows"].as_u64()), (60, Some(60)));
}

#[test]
fn the_submission_is_the_input_with_its_label_filled() {
    let world = World::with_tables();
    let report = run(&world, "");
    let (input, output) = (world.read("test.csv"), world.read("out/submission.csv"));
    let cells = |line: &str| line.rsplit_once(',').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let pairs: Vec<_> = input.lines().zip(output.lines()).map(|(a, b)| (cells(a), cells(b))).collect();
    assert_eq!(pairs.len(), 61);
    assert_eq!(input.lines().next(), output.lines().next(), "no stray index column");
    assert!(pairs.iter().all(|((a, _), (b, _))| a == b), "embeddings are kept to the letter");
    for count in report["predictions"]["counts"].as_array().unwrap() {
        let written = pairs.iter().skip(1).filter(|(_, (_, label))| count["class"] == label.as_str()).count();
        assert_eq!(count["count"].as_u64(), Some(written as u64));
    }
    let mut archive =
        zip::ZipArchive::new(std::fs::File::open(world.path("out/submission.zip")).unwrap()).unwrap();
    assert_eq!(archive.len(), 1);
    let mut zipped = String::new();
    archive.by_name("submission.csv").unwrap().read_to_string(&mut zipped).unwrap();
    assert_eq!(zipped, output);
}

#[test]
fn a_score_on_rows_that_chose_says_so() {
    let world = World::with_tables();
    let report = run(&world, "");
    let caution =
        |i: usize, rows: &str| report["heads"][i][rows]["caution"].as_str().unwrap_or("").to_owned();
    assert_eq!(caution(0, "val"), "these rows chose the head: optimistic");
    assert_eq!(caution(1, "val"), "these rows chose the epoch, the learning rate and the head: optimistic");
    assert_eq!(caution(1, "train"), "these are training rows: optimistic");
    let evaluate =
        |data: &str| world.json(&format!("evaluate --model out/model.safetensors --data {data} --json"));
    assert!(evaluate("val.csv")["caution"].as_str().unwrap().contains("the head: optimistic"));
    assert_eq!(evaluate("train.csv")["caution"], "these are training rows: optimistic");
    assert_eq!(evaluate("test.csv")["caution"], Value::Null);
    let text =
        String::from_utf8(world.run("evaluate --model out/model.safetensors --data val.csv", 0).stdout)
            .unwrap();
    assert!(text.contains("the head: optimistic"), "{text}");
}

#[test]
fn fit_evaluate_and_predict_agree() {
    let world = World::with_tables();
    let fitted = world.json(&format!(
        "fit mlp --preset classic --train train.csv --val val.csv --model m.safetensors --json {SMALL}"
    ));
    for key in ["head", "fit_seconds", "epochs", "epoch_seconds", "train", "val", "model"] {
        assert!(!fitted[key].is_null(), "{key} in {fitted}");
    }
    assert_eq!(
        fitted["epochs"].as_u64().unwrap() as usize,
        fitted["epoch_seconds"].as_array().unwrap().len()
    );
    assert_eq!(fitted["history"].as_array().unwrap().len(), 12);
    assert_eq!(world.names(), ["m.safetensors", "test.csv", "train.csv", "val.csv"]);

    let evaluated = world.json("evaluate --model m.safetensors --data val.csv --json");
    for key in ["weighted_f1", "accuracy", "log_loss", "per_class", "confusion", "intervals"] {
        assert_eq!(evaluated[key], fitted["val"][key], "{key}");
    }
    assert_eq!(evaluated["n_samples"], 90);
    let best = fitted["best_epoch"].as_u64().unwrap() as usize;
    let epoch_f1 = fitted["history"][best]["val"]["weighted_f1"].as_f64().unwrap();
    assert!(
        (epoch_f1 - evaluated["weighted_f1"].as_f64().unwrap()).abs() < 1e-12,
        "the best epoch's weights"
    );

    world.run("predict --model m.safetensors --data val.csv --out p.csv --proba --columns label --zip", 0);
    assert!(world.path("p.zip").exists());
    let predictions = world.read("p.csv");
    let mut lines = predictions.lines();
    assert_eq!(lines.next(), Some("label,negative,neutral,positive"));
    let truth: Vec<String> =
        world.read("val.csv").lines().skip(1).map(|l| l.rsplit_once(',').unwrap().1.to_owned()).collect();
    let mut right = 0;
    for (line, truth) in lines.zip(&truth) {
        let cells: Vec<&str> = line.split(',').collect();
        let p: Vec<f64> = cells[1..].iter().map(|c| c.parse().unwrap()).collect();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        let best = (1..3).fold(0, |best, c| if p[c] > p[best] { c } else { best });
        assert_eq!(cells[0], CLASSES[best]);
        right += usize::from(cells[0] == truth);
    }
    assert!((right as f64 / 90.0 - evaluated["accuracy"].as_f64().unwrap()).abs() < 1e-12);
}

#[test]
fn inspect_says_what_is_there_and_what_leaks() {
    let world = World::with_tables();
    let leak = world.read("train.csv").lines().nth(5).unwrap().to_owned();
    world.write("leaky.csv", &format!("{}{leak}\n", world.read("val.csv")));
    let found = world.json("inspect train.csv leaky.csv --json");
    assert_eq!(found["tables"][0]["n_rows"], 240);
    assert_eq!(found["tables"][0]["labels"][0], serde_json::json!({"class": "negative", "count": 80}));
    let leakage: Vec<&Value> =
        found["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "leakage").collect();
    assert_eq!((leakage.len(), &leakage[0]["count"]), (1, &1.into()));
    let text = String::from_utf8(world.run("inspect train.csv leaky.csv", 0).stdout).unwrap();
    assert!(text.contains("240 rows x 6 features") && text.contains("warning: "), "{text}");
}

#[test]
fn bad_data_ends_with_1_and_leaves_no_output() {
    let world = World::with_tables();
    world.write("bad.csv", &world.read("val.csv").replacen("[", "[nan, ", 1));
    for args in [
        "fit forest --train bad.csv --model m.safetensors",
        "fit forest --train train.csv --val bad.csv --model m.safetensors",
        "inspect bad.csv",
    ] {
        let stderr = world.error(args, 1);
        assert!(stderr.starts_with("error: ") || stderr.contains("\nerror: "), "{stderr}");
        assert!(stderr.contains("bad.csv") && stderr.contains("line 2"), "{stderr}");
    }
    assert!(!world.path("m.safetensors").exists());
    world.write("m.safetensors", "not a model");
    let stderr = world.error("evaluate --model m.safetensors --data val.csv", 1);
    assert!(stderr.starts_with("error: m.safetensors: "), "{stderr}");
}

#[test]
fn an_output_that_cannot_be_written_leaves_the_old_one() {
    let world = World::with_tables();
    world.run("fit forest --train train.csv --model m.safetensors --n-estimators 3", 0);
    let old = world.bytes("m.safetensors");
    // Before anything is read or fitted.
    world.write("file", "no folder");
    let stderr = world.error("fit forest --train train.csv --model file/m.safetensors --n-estimators 3", 1);
    assert!(stderr.contains("file/m.safetensors") && !stderr.contains("read train.csv"), "{stderr}");
    world.run("fit forest --train train.csv --model new/folder/m.safetensors --n-estimators 3", 0);
    assert_eq!(world.bytes("new/folder/m.safetensors"), old);
    world.write("out", "a file where a folder is wanted");
    let stderr = world.error("run --recipe notebook --train train.csv --val val.csv --out out", 1);
    assert!(stderr.contains("cannot make the folder out"), "{stderr}");
    assert_eq!(world.bytes("m.safetensors"), old);
}

/// The longest name of a file has 255 bytes almost everywhere.
#[test]
fn an_output_that_cannot_be_written_is_said_before_the_work() {
    let world = World::with_tables();
    world.run("fit forest --train train.csv --model m.safetensors --n-estimators 3", 0);
    world.run(
        "run --recipe notebook --train train.csv --out out --trials 0 --epochs 2 --forest-n-estimators 3",
        0,
    );
    let long = "x".repeat(300);
    std::fs::create_dir(world.path("folder.csv")).unwrap();
    for (args, path) in [
        (format!("predict --model m.safetensors --data test.csv --out {long}.csv"), format!("{long}.csv")),
        (
            "predict --model m.safetensors --data test.csv --out folder.csv".to_owned(),
            "folder.csv".to_owned(),
        ),
        (format!("predict --model m.safetensors --data test.csv --out m.csv/{long}.csv"), "m.csv".to_owned()),
        (format!("fit forest --train train.csv --model n.safetensors --events {long}"), long.clone()),
        (format!("tune --train train.csv --val val.csv --trials 1 --events {long}"), long.clone()),
        (format!("report out -o {long}.html"), format!("{long}.html")),
        (format!("report out -o page.html --pdf {long}.pdf"), format!("{long}.pdf")),
    ] {
        world.write("m.csv", "a file");
        let stderr = world.error(&args, 1);
        assert!(
            stderr.contains(&path) && !stderr.contains("read test") && !stderr.contains("read train"),
            "{stderr}"
        );
    }
    // What is there stays, and nothing is left.
    assert!(!world.path("page.html").exists() && !world.path("n.safetensors").exists());
    assert_eq!(world.read("m.csv"), "a file");
    world.error("report nowhere -o new/page.html", 2);
    assert!(!world.path("new").exists());
}

/// A table with a column per feature, in the order of `names`.
fn wide(names: [&str; 3], label: &str, n_rows: usize) -> String {
    let row = |i: usize| {
        let value = |name: &str| match name {
            "a" => ((i % 2) as f64).to_string(),
            "b" => ((i * 7 % 13) as f64 / 13.0).to_string(),
            _ => ((i * 5 % 11) as f64 / 11.0).to_string(),
        };
        format!("{},{}\n", names.map(value).join(","), ["no", "yes"][i % 2])
    };
    format!("{},{label}\n{}", names.join(","), (0..n_rows).map(row).collect::<String>())
}

#[test]
fn a_model_takes_features_by_name_and_refuses_a_table_without_one() {
    let world = World::with_tables();
    world.write("w.csv", &wide(["a", "b", "c"], "answer", 60));
    world.write("renamed.csv", &wide(["a", "b", "d"], "answer", 60));
    let moved: String = world
        .read("w.csv")
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{},{},{}\n", cells[2], cells[0], cells[1], cells[3])
        })
        .collect();
    world.write("moved.csv", &moved);
    world.run("fit forest --train w.csv --label-column answer --model m.safetensors --n-estimators 5", 0);
    for name in ["w.csv", "moved.csv"] {
        let evaluated = world.json(&format!("evaluate --model m.safetensors --data {name} --json"));
        assert_eq!(evaluated["accuracy"], 1.0);
    }
    for command in
        ["evaluate --model m.safetensors --data", "predict --out p.csv --model m.safetensors --data"]
    {
        let stderr = world.error(&format!("{command} renamed.csv"), 1);
        assert!(stderr.contains("column \"c\" is missing"), "{stderr}");
    }
}

#[test]
fn a_table_to_predict_needs_no_labels_and_its_text_columns_are_left_alone() {
    let world = World::with_tables();
    world.write("w.csv", &wide(["a", "b", "c"], "answer", 60));
    world.run("fit forest --train w.csv --label-column answer --model m.safetensors --n-estimators 5", 0);
    world.write("new.csv", "a,lang,b,c\n1,en,0,0\n0,de,0,0\n1,en,0.5,0\n");
    world.run("predict --model m.safetensors --data new.csv --out p.csv", 0);
    let written = world.read("p.csv");
    assert_eq!(written, "a,lang,b,c,answer\n1,en,0,0,yes\n0,de,0,0,no\n1,en,0.5,0,yes\n");
    world.write("same.csv", "a,b,c,answer\n1,0,0,?\n0,0,0,?\n");
    world.run("predict --model m.safetensors --data same.csv --out p.csv --columns label", 0);
    assert_eq!(world.read("p.csv"), "answer\nyes\nno\n");
}

#[test]
fn outputs_do_not_take_the_place_of_inputs() {
    let world = World::with_tables();
    let before = world.bytes("train.csv");
    let cases = [
        "fit forest --train train.csv --model ./train.csv",
        "predict --model train.csv --data test.csv --out train.csv",
    ];
    for args in cases {
        let stderr = world.error(args, 2);
        assert!(stderr.contains("name another output"), "{args}\n{stderr}");
    }
    std::fs::create_dir(world.path("out")).unwrap();
    std::fs::copy(world.path("val.csv"), world.path("out/submission.csv")).unwrap();
    world.error("run --recipe notebook --train train.csv --val out/submission.csv --out out", 2);
    assert_eq!(world.bytes("train.csv"), before);
}

#[test]
fn nobody_listening_on_standard_error_ends_no_fit() {
    let world = World::with_tables();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut fit =
        world.command("fit forest --train train.csv --val val.csv --model m.safetensors --n-estimators 5");
    let status = fit.stderr(writer).stdout(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(world.path("m.safetensors").exists());
}

#[test]
fn inspect_says_which_table_could_not_be_read() {
    let world = World::with_tables();
    let output = world.run("inspect train.csv none.csv --json", 1);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["tables"].as_array().unwrap().len(), 1);
    assert!(found["errors"][0].as_str().unwrap().contains("none.csv"));
    let text = String::from_utf8(world.run("inspect none.csv", 1).stdout).unwrap();
    assert!(!text.contains("nothing is wrong"), "{text}");
}

/// The tables of `World`, each row with a number of its own from `first` on.
fn with_ids(world: &World, name: &str, first: usize) {
    let text = world.read(name);
    let rows = text.lines().skip(1).enumerate().map(|(i, line)| format!("{},{line}\n", first + i));
    world.write(name, &format!("id,{}\n{}", text.lines().next().unwrap(), rows.collect::<String>()));
}

#[test]
fn a_submission_of_id_and_label() {
    let world = World::with_tables();
    with_ids(&world, "test.csv", 5000);
    world.run("fit forest --train train.csv --model m.safetensors --n-estimators 5", 0);
    world.run("predict --model m.safetensors --data test.csv --out p.csv --columns id,label", 0);
    let submission = world.read("p.csv");
    let mut lines = submission.lines();
    assert_eq!(lines.next(), Some("id,label"));
    let ids: Vec<usize> = lines
        .map(|line| {
            let (id, label) = line.split_once(',').unwrap();
            assert!(CLASSES.contains(&label), "{line}");
            id.parse().unwrap()
        })
        .collect();
    assert_eq!(ids, (5000..5060).collect::<Vec<_>>());

    let stderr =
        world.error("predict --model m.safetensors --data test.csv --out q.csv --columns idd,label", 1);
    assert!(stderr.contains("did you mean \"id\"?"), "{stderr}");
    let stderr =
        world.error("predict --model m.safetensors --data test.csv --out q.csv --columns id,label,id", 2);
    assert!(stderr.contains("\"id\" is named twice"), "{stderr}");
    assert!(!world.path("q.csv").exists());
}

#[test]
fn run_refuses_columns_that_are_not_there_before_it_fits() {
    let world = World::with_tables();
    with_ids(&world, "test.csv", 5000);
    let stderr = world.error(
        "run --recipe notebook --train train.csv --val val.csv --test test.csv --out out --trials 0 --columns ident,label",
        1,
    );
    assert!(stderr.contains("there is no column \"ident\""), "{stderr}");
    assert!(!world.path("out/model.safetensors").exists());
    run(&world, "--columns id,label");
    assert!(world.read("out/submission.csv").starts_with("id,label\n5000,"));
}
