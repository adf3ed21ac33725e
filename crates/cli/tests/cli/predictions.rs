//! The formats that predictions are written in, each read back.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use crate::world::{CLASSES, World};

/// A forest in `m.st`, and `test.csv` with an identifier, a number that may be missing and a note that needs quotes.
fn world() -> World {
    let world = World::with_tables();
    let test = world.read("test.csv");
    let rows = test.lines().skip(1).enumerate().map(|(i, line)| {
        let age = if i % 7 == 0 { String::new() } else { format!("{}.5", i) };
        format!("{:03},{age},\"a \"\"b\"\",\tc\",{line}\n", i + 1)
    });
    world.write("test.csv", &format!("id,age,note,embeddings,label\n{}", rows.collect::<String>()));
    world.run("fit forest --train train.csv --model m.st --n-estimators 5 -q", 0);
    world
}

fn predict(world: &World, data: &str, out: &str, more: &str) {
    world.run(&format!("predict -q --model m.st --data {data} --out {out} {more}"), 0);
}

fn rows(world: &World, name: &str) -> Vec<Value> {
    world.read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The predicted label of each row, from a CSV.
fn labels(world: &World) -> Vec<String> {
    predict(world, "test.csv", "labels.csv", "--columns label");
    world.read("labels.csv").lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn json_lines_have_numbers_lists_and_nulls() {
    let world = world();
    predict(&world, "test.csv", "p.jsonl", "--proba");
    let (rows, labels) = (rows(&world, "p.jsonl"), labels(&world));
    assert_eq!(rows.len(), 60);
    let keys = ["id", "age", "note", "embeddings", "label", "negative", "neutral", "positive"];
    assert!(world.read("p.jsonl").starts_with("{\"id\":\"001\",\"age\":null,\"note\":\"a \\\"b\\\",\\tc\","));
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row.as_object().unwrap().len(), keys.len(), "{row}");
        assert_eq!(row["id"], format!("{:03}", i + 1));
        assert_eq!(row["age"].as_f64(), (i % 7 > 0).then_some(i as f64 + 0.5));
        assert_eq!(row["embeddings"].as_array().unwrap().len(), 6);
        assert_eq!(row["label"], labels[i].as_str());
        let sum: f64 = CLASSES.iter().map(|class| row[class].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{row}");
    }
}

#[test]
fn parquet_read_back_says_the_same_as_the_table_it_was_made_from() {
    let world = world();
    predict(&world, "test.csv", "p.parquet", "");
    let bytes = world.bytes("p.parquet");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    for (data, out) in [("test.csv", "a.jsonl"), ("p.parquet", "b.jsonl")] {
        predict(&world, data, out, "");
    }
    // The features to the last bit, the identifiers with their zeros, the ages that are missing.
    assert_eq!(world.read("a.jsonl"), world.read("b.jsonl"));
    let found = world.json("inspect p.parquet --json");
    let n: u64 =
        found["tables"][0]["labels"].as_array().unwrap().iter().map(|l| l["count"].as_u64().unwrap()).sum();
    assert_eq!((&found["tables"][0]["n_rows"], n), (&60.into(), 60));
    let evaluated = world.json("evaluate --model m.st --data p.parquet --json");
    assert_eq!(evaluated["accuracy"], 1.0, "its labels are the predictions");
    predict(&world, "test.csv", "again.parquet", "-j 3");
    assert_eq!(world.bytes("again.parquet"), bytes);

    predict(&world, "test.csv", "proba.parquet", "--proba");
    predict(&world, "test.csv", "proba.jsonl", "--proba --columns id");
    predict(&world, "proba.parquet", "back.jsonl", "--columns id,negative,neutral,positive,label");
    for (there, back) in rows(&world, "proba.jsonl").iter().zip(rows(&world, "back.jsonl")) {
        for class in CLASSES {
            let single = |row: &Value| row[class].as_f64().unwrap() as f32;
            assert_eq!(single(there), single(&back), "{there} {back}");
        }
    }
}

#[test]
fn tab_separated_cells_need_other_quotes() {
    let world = world();
    predict(&world, "test.csv", "p.tsv", "--columns note,id,label");
    let text = world.read("p.tsv");
    let first = format!("note\tid\tlabel\n\"a \"\"b\"\",\tc\"\t001\t{}\n", labels(&world)[0]);
    assert!(text.starts_with(&first), "{text}");
    predict(&world, "test.csv", "p.tsv", "");
    predict(&world, "p.tsv", "b.jsonl", "");
    predict(&world, "test.csv", "a.jsonl", "");
    assert_eq!(world.read("a.jsonl"), world.read("b.jsonl"));
}

#[test]
fn an_array_holds_the_labels_or_the_probabilities() {
    let world = world();
    predict(&world, "test.csv", "p.npy", "");
    let bytes = world.bytes("p.npy");
    let (header, values) = bytes.split_at(128);
    let header = String::from_utf8_lossy(header);
    assert!(header.contains("{'descr': '<U8', 'fortran_order': False, 'shape': (60,), }"), "{header}");
    let text = |cell: &[u8]| -> String {
        let codes = cell.chunks_exact(4).map(|code| u32::from_le_bytes(code.try_into().unwrap()));
        codes.take_while(|code| *code > 0).map(|code| char::from_u32(code).unwrap()).collect()
    };
    assert_eq!(values.chunks(32).map(text).collect::<Vec<_>>(), labels(&world));

    predict(&world, "test.csv", "proba.npy", "--proba");
    predict(&world, "test.csv", "proba.jsonl", "--proba --columns label");
    let bytes = world.bytes("proba.npy");
    let (header, values) = bytes.split_at(128);
    assert!(String::from_utf8_lossy(header).contains("'<f4', 'fortran_order': False, 'shape': (60, 3)"));
    let found: Vec<f32> =
        values.chunks(4).map(|value| f32::from_le_bytes(value.try_into().unwrap())).collect();
    let rows = rows(&world, "proba.jsonl");
    let expected = rows.iter().flat_map(|row| CLASSES.map(|class| row[class].as_f64().unwrap() as f32));
    assert_eq!(found, expected.collect::<Vec<_>>());
    // As our own reader sees it: a table of 60 rows of 3 features.
    let inspected = world.json("inspect proba.npy --json");
    assert_eq!(inspected["tables"][0]["n_rows"], 60);
}

#[test]
fn a_text_is_compressed_by_a_second_ending() {
    let world = world();
    for format in ["csv", "tsv", "jsonl"] {
        predict(&world, "test.csv", &format!("p.{format}.gz"), "");
        predict(&world, "test.csv", &format!("p.{format}.zst"), "");
        assert!(world.bytes(&format!("p.{format}.gz")).starts_with(&[0x1f, 0x8b]));
        assert!(world.bytes(&format!("p.{format}.zst")).starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
        for packed in ["gz", "zst"] {
            let evaluated = world.json(&format!("evaluate --model m.st --data p.{format}.{packed} --json"));
            assert_eq!((&evaluated["n_samples"], &evaluated["accuracy"]), (&60.into(), &1.0.into()));
        }
    }
}

#[test]
fn a_dash_is_standard_output_and_messages_go_elsewhere() {
    let world = world();
    predict(&world, "test.csv", "p.csv", "");
    for out in ["-", "/dev/stdout"] {
        let output = world.run(&format!("predict --model m.st --data test.csv --out {out}"), 0);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), world.read("p.csv"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("predicted 60 rows") && said.contains("written to standard output"), "{said}");
    }
    let mut command = world.command("predict -q --model m.st --data - --out -");
    let output = command.stdin(File::open(world.path("test.csv")).unwrap()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(0), world.bytes("p.csv")));
    assert!(output.stderr.is_empty());
    assert!(!world.path("-").exists());

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = world.command("predict -q --model m.st --data test.csv --out -");
    let status = command.stdout(writer).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(0), "a reader that has gone away is no failure");
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is_read() {
    let world = World::with_tables();
    for (more, why) in [
        ("p.xlsx", "\".xlsx\" is not a format"),
        ("p.xlsx", ".csv, .tsv, .jsonl (these also with .gz or .zst), .parquet, .npy, or -"),
        ("p.parquet.gz", "not compressed again"),
        ("p.jsonl --zip", "--zip writes an archive of a CSV"),
        ("p.csv.gz --zip", "--zip writes an archive of a CSV"),
        ("- --zip", "--zip writes an archive of a CSV"),
        ("- --json", "--json"),
        ("p.npy --columns id,label", "leave out the names of columns"),
    ] {
        let stderr = world.error(&format!("predict --model none.st --data none.csv --out {more}"), 2);
        assert!(stderr.contains(why) && !stderr.contains("none.st"), "{more}: {stderr}");
    }
    assert_eq!(world.names(), ["test.csv", "train.csv", "val.csv"]);
}
