//! Parts of a table that several processes predict.

use crate::world::World;

/// A model in `m.st`, and a table of 1,000 rows in three files in `big/`, a CSV, a JSON Lines and a Parquet file.
fn world() -> World {
    let world = World::with_tables();
    world.run("fit forest --train train.csv --model m.st --n-estimators 5 -q", 0);
    let test = world.read("test.csv");
    let row = |i: usize| test.lines().nth(1 + i % 60).unwrap();
    let table = |from: usize, to: usize| -> String {
        (from..to).fold("id,embeddings,label\n".to_owned(), |text, i| format!("{text}{i},{}\n", row(i)))
    };
    std::fs::create_dir(world.path("big")).unwrap();
    world.write("big/1.csv", &table(0, 400));
    for (name, from, to) in [("2.jsonl", 400, 700), ("3.parquet", 700, 1000)] {
        world.write("part.csv", &table(from, to));
        world.run(&format!("predict -q --model m.st --data part.csv --out big/{name}"), 0);
    }
    world
}

const DATA: &str = "--data big/1.csv --data big/2.jsonl --data big/3.parquet";

fn part(index: usize, n: usize, ending: &str) -> String {
    format!("p-{index:05}-of-{n:05}.{ending}")
}

#[test]
fn four_processes_write_the_table_and_a_second_call_does_nothing() {
    let world = world();
    world.run(&format!("predict -q --model m.st {DATA} --out whole.jsonl --proba"), 0);
    let command =
        |i: usize| world.command(&format!("predict --model m.st {DATA} --out p.jsonl --proba --shard {i}/4"));
    let mut running: Vec<_> = (0..4).map(|i| command(i).spawn().unwrap()).collect();
    assert!(running.iter_mut().all(|process| process.wait().unwrap().success()));
    let parts: Vec<String> = (0..4).map(|i| world.read(&part(i, 4, "jsonl"))).collect();
    assert_eq!(parts.concat(), world.read("whole.jsonl"));
    let n_rows: Vec<usize> = parts.iter().map(|part| part.lines().count()).collect();
    assert_eq!(n_rows, [300, 250, 225, 225]);
    assert!(!world.path("p.jsonl").exists());

    std::fs::remove_file(world.path(&part(2, 4, "jsonl"))).unwrap();
    for i in 0..4 {
        let output = command(i).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success());
        assert_eq!(said.contains(&format!("shard {i}/4 is finished and skipped")), i != 2, "{said}");
    }
    assert_eq!(world.read(&part(2, 4, "jsonl")), parts[2]);
    let found = world.json(&format!("predict --model m.st {DATA} --out p.jsonl --proba --shard 1/4 --json"));
    assert_eq!((&found["skipped"], &found["shard"]), (&true.into(), &"1/4".into()));

    // A newer model makes them again.
    std::fs::File::open(world.path("m.st")).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    let output = command(0).output().unwrap();
    assert!(!String::from_utf8(output.stderr).unwrap().contains("skipped"));
}

#[test]
fn parts_may_be_empty_and_have_each_a_header() {
    let world = world();
    world.write("small.csv", "embeddings\n\"[1,2,3,4,5,6]\"\n\"[6,5,4,3,2,1]\"\n");
    let rows: Vec<String> = (0..5)
        .map(|i| {
            world.run(
                &format!(
                    "predict -q --model m.st --data small.csv --out p.csv --shard {i}/5 --columns label"
                ),
                0,
            );
            let text = world.read(&part(i, 5, "csv"));
            text.strip_prefix("label\n").unwrap().to_owned()
        })
        .collect();
    world.run("predict -q --model m.st --data small.csv --out whole.csv --columns label", 0);
    assert_eq!(format!("label\n{}", rows.concat()), world.read("whole.csv"));
    assert_eq!(rows.iter().filter(|text| text.is_empty()).count(), 3);
}

#[test]
fn shards_are_refused_where_they_make_no_sense() {
    let world = World::with_tables();
    for (more, why) in [
        ("--out p.csv --shard 4/4", "from 0 to N - 1"),
        ("--out p.csv --shard 1", "from 0 to N - 1"),
        ("--out - --shard 1/4", "--shard writes a file of its own"),
        ("--out p.csv --shard 1/4 --zip", "cannot be used with"),
        ("--out p.csv --shard 1/4 --cache c", "cannot be used with"),
    ] {
        let stderr = world.error(&format!("predict --model none.st --data none.csv {more}"), 2);
        assert!(stderr.contains(why), "{more}: {stderr}");
    }
}

#[test]
fn shards_are_not_written_among_the_files_that_are_read() {
    let world = world();
    for data in ["big", "'big/*.csv'"] {
        let data = data.trim_matches('\'');
        let stderr =
            world.error(&format!("predict -q --model m.st --data {data} --out big/p.csv --shard 0/2"), 2);
        assert!(stderr.contains("among the files of --data"), "{data}: {stderr}");
    }
    world.run("predict -q --model m.st --data big/1.csv --out big/p.csv --shard 0/2", 0);
}
