//! Labels in files of their own.

use crate::world::World;

/// The tables of the world, the features of `NAME.csv` in `NAME-x.csv` and its labels in `NAME-y.txt`.
fn world() -> World {
    let world = World::with_tables();
    for name in ["train", "val"] {
        let text = world.read(&format!("{name}.csv"));
        let rows = text.lines().skip(1).filter_map(|line| line.rsplit_once(','));
        let (x, y): (Vec<&str>, Vec<&str>) = rows.unzip();
        world.write(&format!("{name}-x.csv"), &format!("embeddings\n{}\n", x.join("\n")));
        world.write(&format!("{name}-y.txt"), &format!("{}\n", y.join("\n")));
    }
    world
}

#[test]
fn they_are_the_labels_of_every_command() {
    let world = world();
    let inspected = |args: &str| world.json(&format!("inspect {args} --json"))["tables"][0].clone();
    let (whole, parts) = (inspected("train.csv"), inspected("train-x.csv --labels train-y.txt"));
    assert_eq!(whole["fingerprint"], parts["fingerprint"]);
    assert_eq!(parts["label_files"][0], "train-y.txt");
    let fit = "fit forest --n-estimators 5 -q";
    world.run(&format!("{fit} --train train.csv --val val.csv --model whole.st"), 0);
    let tables = "--train train-x.csv --labels train-y.txt --val val-x.csv --val-labels val-y.txt";
    world.run(&format!("{fit} {tables} --model parts.st"), 0);
    for name in ["whole", "parts"] {
        world.run(&format!("predict -q --model {name}.st --data test.csv --out {name}.csv"), 0);
    }
    assert_eq!(world.read("parts.csv"), world.read("whole.csv"));
    let score = |data: &str| {
        world.json(&format!("evaluate -q --json --model whole.st --data {data}"))["weighted_f1"].clone()
    };
    assert!(score("val.csv").is_number());
    assert_eq!(score("val-x.csv --labels val-y.txt"), score("val.csv"));
    world.write(
        "headsmith.toml",
        "train = 'train-x.csv'\nlabels = 'train-y.txt'\nval = 'val-x.csv'\nval-labels = ['val-y.txt']\n",
    );
    world.run(&format!("{fit} --config headsmith.toml --model config.st"), 0);
    assert_eq!(world.bytes("config.st"), world.bytes("parts.st"));
}

/// A study remembers where the labels of its tables are.
#[test]
fn a_study_finds_them_again() {
    let world = world();
    let tables = "--train train-x.csv --labels train-y.txt --val val-x.csv --val-labels val-y.txt";
    world.run(&format!("tune -q {tables} --head forest --trials 1 --forest-n-estimators 3 --study s"), 0);
    world.run("study best --fit -q --study s --model best.st", 0);
    world.run("worker -q --storage sqlite:///headsmith.db --study s --trials 2", 0);
    std::fs::rename(world.path("train-y.txt"), world.path("moved.txt")).unwrap();
    let moved = "--train train-x.csv --labels moved.txt";
    world.run(&format!("worker -q --storage sqlite:///headsmith.db --study s --trials 3 {moved}"), 0);
}

#[test]
fn wrong_usage_is_said() {
    let world = world();
    let error = world.error("fit forest --train train.csv --val-labels val-y.txt --model m.st", 2);
    assert!(error.contains("--val-labels gives the labels of --val, which is missing"), "{error}");
    let error = world.error("fit forest --train train-x.csv --labels val-y.txt --model m.st -q", 1);
    assert!(error.contains("train-x.csv: 240 rows of features and 90 labels in val-y.txt"), "{error}");
    let error = world.error("fit forest --train train-x.csv --labels train-y.txt --model train-y.txt -q", 2);
    assert!(error.contains("is read and cannot be written as well"), "{error}");
}
