//! Tables of several files.

use crate::world::World;

/// `train.csv` of the world in three files of one folder.
fn with_parts() -> World {
    let world = World::with_tables();
    std::fs::create_dir(world.path("data")).unwrap();
    let text = world.read("train.csv");
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    for (k, part) in rows.chunks(80).enumerate() {
        let name = format!("data/train-{k:05}-of-00003.csv");
        world.write(&name, &format!("{header}\n{}\n", part.join("\n")));
    }
    world
}

#[test]
fn a_folder_a_glob_and_a_flag_given_often_are_the_table() {
    let world = with_parts();
    let whole = &world.json("inspect train.csv --json")["tables"][0]["fingerprint"];
    for given in ["data", "data/train-*.csv"] {
        let inspected = world.json(&format!("inspect {given} --json"));
        let tables = inspected["tables"].as_array().unwrap();
        assert_eq!((tables.len(), &tables[0]["fingerprint"]), (1, whole), "{given}");
        assert_eq!(tables[0]["files"][1], "data/train-00001-of-00003.csv");
    }
    let files = world.json("inspect data/train-00000-of-00003.csv data/train-00001-of-00003.csv --json");
    assert_eq!(
        files["tables"].as_array().unwrap().len(),
        2,
        "files named one by one are tables of their own"
    );
    let fit = "fit forest --n-estimators 5 -q --val val.csv";
    world.run(&format!("{fit} --train train.csv --model whole.st"), 0);
    let often: String =
        (0..3).map(|k| format!(" --train data/train-{k:05}-of-00003.csv")).collect::<Vec<_>>().concat();
    for (name, given) in [("folder.st", " --train data"), ("often.st", &often)] {
        world.run(&format!("{fit}{given} --model {name}"), 0);
        world.run(&format!("predict -q --model {name} --data test.csv --out {name}.csv"), 0);
    }
    world.run("predict -q --model whole.st --data test.csv --out whole.st.csv", 0);
    assert_eq!(world.read("folder.st.csv"), world.read("whole.st.csv"));
    assert_eq!(world.read("often.st.csv"), world.read("whole.st.csv"));
}

#[test]
fn a_configuration_may_list_files_and_no_file_of_a_folder_is_written_to() {
    let world = with_parts();
    world.write(
        "headsmith.toml",
        "train = ['data/train-00000-of-00003.csv', 'data/train-0000[12]-of-00003.csv']\nval = 'val.csv'\n",
    );
    let report = world.json("fit forest --config headsmith.toml --n-estimators 5 -q --json --model a.st");
    assert_eq!(report["train"]["n_samples"], 240);
    let error = world.error("fit forest --train data --model data/train-00001-of-00003.csv -q", 2);
    assert!(error.contains("is read and cannot be written as well"), "{error}");
}

#[test]
fn a_dash_is_standard_input() {
    use std::io::Write;
    let world = World::with_tables();
    let mut child = world
        .command("inspect - --json")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&world.bytes("train.csv")).unwrap();
    let output = child.wait_with_output().unwrap();
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["tables"][0]["n_rows"], 240);
}

#[test]
fn a_study_remembers_all_files() {
    let world = with_parts();
    world.run("tune --train data --val val.csv --trials 1 --study s --epochs 1 -q --sampler random", 0);
    world.run("worker --storage sqlite:///headsmith.db --study s --trials 2 -q", 0);
    let trials = world.json("study trials --study s --json");
    assert_eq!(trials.as_array().unwrap().len(), 2);
}

#[test]
fn features_are_matched_by_name_when_a_model_predicts() {
    let world = World::with_tables();
    let row = |i: usize| [(i % 7) as f64, (i % 3) as f64 * 2.0 + (i % 5) as f64 * 0.1, (i % 4) as f64];
    let table = |order: &[usize], more: &str, label: bool| {
        let names: Vec<String> = order.iter().map(|k| format!("f{k}")).collect();
        let label_of = |i: usize| if label { format!(",c{}", i % 3) } else { String::new() };
        let mut text = format!("{}{more}{}\n", names.join(","), if label { ",label" } else { "" });
        for i in 0..60 {
            let cells: Vec<String> = order.iter().map(|&k| row(i)[k].to_string()).collect();
            let more = if more.is_empty() { "" } else { ",7" };
            text += &format!("{}{more}{}\n", cells.join(","), label_of(i));
        }
        text
    };
    world.write("named.csv", &table(&[0, 1, 2], "", true));
    world.write("moved.csv", &table(&[2, 0, 1], ",n_tokens", true));
    world.run("fit forest --n-estimators 9 --train named.csv --val moved.csv --model m.st -q", 0);
    for (name, order, more) in [
        ("plain", vec![0, 1, 2], ""),
        ("reversed", vec![2, 1, 0], ""),
        ("extra", vec![0, 1, 2], ",n_tokens"),
        ("missing", vec![0, 2], ""),
    ] {
        world.write(&format!("{name}.csv"), &table(&order, more, false));
    }
    let predict = |name: &str| {
        format!("predict --model m.st --data {name}.csv --out {name}.labels.csv --columns label")
    };
    for name in ["plain", "reversed", "extra"] {
        let said = world.error(&predict(name), 0);
        assert_eq!(said.contains("\"n_tokens\" is not a feature"), name == "extra", "{said}");
    }
    assert_eq!(world.read("reversed.labels.csv"), world.read("plain.labels.csv"));
    assert_eq!(world.read("extra.labels.csv"), world.read("plain.labels.csv"));
    assert!(world.error(&predict("missing"), 1).contains("column \"f1\" is missing"));
    // All columns are written as they stood.
    world.run("predict --model m.st --data reversed.csv --out all.csv -q", 0);
    assert!(world.read("all.csv").starts_with("f2,f1,f0,label\n0,0,0,c0\n"), "{}", world.read("all.csv"));
}

#[test]
fn inspect_shows_the_features_in_numbers_and_praises_no_table_without_labels() {
    let world = World::with_tables();
    let inspected = world.json("inspect train.csv --json");
    let summary = &inspected["tables"][0]["summary"];
    assert_eq!((&summary["precision"], &summary["unit_length"]), (&"4 decimals".into(), &false.into()));
    assert!(summary["effective_rank"].as_f64().unwrap() > 2.0, "{summary}");
    let text = |args: &str| String::from_utf8(world.run(args, 0).stdout).unwrap();
    assert!(text("inspect train.csv").contains("nothing is wrong"));
    assert!(text("inspect train.csv").contains("effective rank"));
    world.write("bare.csv", "embeddings\n\"[0.6, 0.8]\"\n\"[1, 0]\"\n\"[0, 1]\"\n");
    let bare = text("inspect bare.csv");
    assert!(!bare.contains("nothing is wrong") && bare.contains("rows of unit length"), "{bare}");
    world.write("single.csv", "embeddings,label\n\"[1, 2]\",a\n\"[2, 4]\",b\n\"[3, 7]\",b\n");
    assert!(!text("inspect single.csv").contains("nothing is wrong"));
}
