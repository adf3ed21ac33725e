//! Streams of rows give the output of the whole table, for every format, and shards in order give it too.

use crate::{data, skipping};
use headsmith_data::predictions::{
    NextBlock, PredictedBlock, Predictions, StreamWriter, WriteOptions, write,
};
use headsmith_data::{
    Classes, Error, Files, ReadOptions, Result, Shard, StreamBlock, StreamSummary, TableStream, read_files,
};
use headsmith_kernels::{MatRef, Matrix, Pool};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn classes() -> Classes {
    Classes::new(["a", "b, c"].map(str::to_owned).to_vec()).unwrap()
}

fn to_predict() -> ReadOptions {
    ReadOptions { placeholder_labels: true, ..ReadOptions::default() }
}

/// A prediction that depends on the row's features alone: its class, and the probabilities.
fn predicted(x: MatRef<'_>) -> (Vec<u32>, Matrix) {
    let row =
        |i: usize| x.row(i).iter().fold(7u32, |hash, value| hash.rotate_left(5) ^ value.to_bits()) % 101;
    let rows: Vec<u32> = (0..x.n_rows()).map(row).collect();
    let proba = rows.iter().flat_map(|row| [*row as f32 / 128.0, 1.0 - *row as f32 / 128.0]).collect();
    (rows.iter().map(|row| row % 2).collect(), Matrix::new(proba, x.n_rows(), 2))
}

/// Writes the predictions of the whole table at once.
fn whole(files: &Files, read: &ReadOptions, options: &WriteOptions, out: &Path) -> Result<usize> {
    let table = read_files(files, read, &Pool::inline())?;
    let (predicted, probabilities) = predicted(table.x());
    let classes = classes();
    let predictions = Predictions {
        classes: &classes,
        predicted: &predicted,
        probabilities: probabilities.view(),
        fold_of: None,
        sets: None,
    };
    write(out, &table, predictions, options).map(|written| written.n_left_out)
}

fn block(rows: StreamBlock) -> NextBlock {
    let (predicted, probabilities) = predicted(rows.x.view());
    NextBlock::Block(Box::new(PredictedBlock { rows: rows.into(), predicted, probabilities, sets: None }))
}

/// Writes the predictions of a stream; the number of blocks, and what the stream contained.
fn streamed_with(
    files: &Files,
    read: &ReadOptions,
    options: &WriteOptions,
    (out, pool): (&Path, &Pool),
) -> Result<(usize, StreamSummary)> {
    let stream = TableStream::open(files, read)?;
    let classes = classes();
    let writer = StreamWriter::new(out, &stream, &classes, (options, false), pool)?;
    let mut blocks = VecDeque::new();
    let summary = stream.read(&writer.copied(), pool, &mut |rows| {
        blocks.push_back(block(rows));
        ControlFlow::Continue(())
    });
    let n_blocks = blocks.len();
    let (end, summary) = match summary {
        Ok(summary) => (NextBlock::End, Some(summary)),
        Err(error) => (NextBlock::Failed(error), None),
    };
    blocks.push_back(end);
    writer.write(out, move || blocks.pop_front().unwrap())?;
    Ok((n_blocks, summary.unwrap()))
}

fn streamed(files: &Files, read: &ReadOptions, options: &WriteOptions, out: &Path) -> Result<usize> {
    streamed_with(files, read, options, (out, &Pool::inline())).map(|(_, summary)| summary.n_skipped)
}

/// The files of the test data, and some in several parts.
fn tables() -> Vec<Files> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(data("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_table =
        |path: &PathBuf| path.extension().is_some_and(|ending| ending != "py" && ending != "cache");
    let mut tables: Vec<Files> = paths.into_iter().filter(is_table).map(Files::from).collect();
    for parts in [
        &["lists.csv", "lists.csv.gz"][..],
        &["columns.parquet", "columns.csv", "columns.arrow"],
        &["f32.npy", "f64.npy", "fortran.npy"],
        &["columns.csv", "lists.csv"],
        &["wide.arrow", "columns.parquet"],
    ] {
        tables.push(Files::new(parts.iter().map(|name| data(name)).collect()));
    }
    tables
}

fn options(columns: &str, proba: bool) -> WriteOptions {
    WriteOptions { columns: columns.parse().unwrap(), proba }
}

fn message(result: &Result<usize>) -> String {
    result.as_ref().map_or_else(Error::to_string, |n_left_out| format!("{n_left_out} left out"))
}

#[test]
fn every_table_gives_the_output_of_the_whole_or_the_same_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut n_written = 0;
    for files in tables() {
        for (columns, proba, name) in [
            ("all", false, "p.csv"),
            ("all", true, "p.jsonl"),
            ("all", false, "p.parquet"),
            ("label", true, "p.tsv"),
            ("all", false, "p.npy"),
        ] {
            for read in [to_predict(), ReadOptions { placeholder_labels: true, ..skipping() }] {
                let at = |how: &str| folder.path().join(format!("{how}-{name}"));
                let options = options(columns, proba);
                let known = whole(&files, &read, &options, &at("whole"));
                let found = streamed(&files, &read, &options, &at("streamed"));
                let (known, found) = (message(&known), message(&found));
                assert_eq!(found.replace("streamed-", ""), known.replace("whole-", ""), "{files} {name}");
                let content = |how: &str| std::fs::read(at(how)).ok();
                assert!(content("streamed") == content("whole"), "{files} {name}: {known}");
                n_written += usize::from(content("whole").is_some());
                for how in ["whole", "streamed"] {
                    let _ = std::fs::remove_file(at(how));
                }
            }
        }
    }
    assert!(n_written > 300, "{n_written}");
}

#[test]
fn shards_in_order_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut n_tables = 0;
    for files in tables() {
        let read = ReadOptions { placeholder_labels: true, ..skipping() };
        let options = options("all", true);
        if streamed(&files, &read, &options, &at("whole.jsonl")).is_err() {
            continue;
        }
        n_tables += 1;
        for n in [1, 2, 3, 7] {
            let mut parts = Vec::new();
            for index in 0..n {
                let read = ReadOptions { shard: Shard::new(index, n), ..read.clone() };
                streamed(&files, &read, &options, &at("part.jsonl")).unwrap();
                parts.extend(std::fs::read(at("part.jsonl")).unwrap());
            }
            assert!(parts == std::fs::read(at("whole.jsonl")).unwrap(), "{files} in {n}");
        }
    }
    assert!(n_tables > 50, "{n_tables}");
}

/// A table of `n_rows` rows of two features; row `bad` has one that is no number.
fn csv(n_rows: usize, bad: Option<usize>) -> String {
    let row = |i: usize| match bad {
        Some(bad) if bad == i => format!("{i},1.5,x\n"),
        _ => format!("{i},{}.25,-{}\n", i % 977, i % 31),
    };
    format!("id,f0,f1\n{}", (0..n_rows).map(row).collect::<String>())
}

/// The number of rows of two features in a block.
const BLOCK: usize = 8192;

fn at_rows(n_rows: usize, bad: Option<usize>, read: &ReadOptions) -> [(Result<usize>, Option<Vec<u8>>); 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, csv(n_rows, bad)).unwrap();
    let (files, options) = (Files::from(&path), options("id,label", true));
    let read = ReadOptions { drop: vec!["id".to_owned()], ..read.clone() };
    [true, false].map(|at_once| {
        let out = folder.path().join("p.parquet");
        let write = if at_once { whole } else { streamed };
        let written = write(&files, &read, &options, &out);
        let content = std::fs::read(&out).ok();
        let _ = std::fs::remove_file(&out);
        (written, content)
    })
}

#[test]
fn blocks_end_anywhere() {
    for n_rows in [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 17] {
        let [known, found] = at_rows(n_rows, None, &to_predict());
        assert_eq!(message(&found.0), "0 left out");
        assert!(found.1.is_some() && known.1 == found.1, "{n_rows} rows");
    }
    let [known, found] = at_rows(0, None, &to_predict());
    assert_eq!(message(&known.0).replace('\\', "/"), message(&found.0).replace('\\', "/"));
    assert!(found.0.is_err() && found.1.is_none());
}

#[test]
fn a_bad_row_in_the_third_block_is_named_or_left_out() {
    let bad = 2 * BLOCK + 100;
    let [known, found] = at_rows(4 * BLOCK, Some(bad), &to_predict());
    let (known, found) = (message(&known.0), (message(&found.0), found.1));
    assert!(known.contains(&format!("line {}", bad + 2)), "{known}");
    assert_eq!(found, (known, None));
    let [known, found] = at_rows(4 * BLOCK, Some(bad), &skipping());
    assert_eq!(message(&found.0), "1 left out");
    assert!(known.1 == found.1);
}

#[test]
fn a_stream_has_the_warnings_of_the_table_and_the_same_bytes_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let text = csv(30_000, Some(20_000)).replace("\n777,", "\n\n777,1e-50,3\n777,");
    std::fs::write(&path, text).unwrap();
    let (files, options) = (Files::from(&path), options("all", false));
    let read = ReadOptions { placeholder_labels: true, ..skipping() };
    let stream = |pool: &Pool, name: &str| {
        let out = folder.path().join(name);
        let (n_blocks, summary) = streamed_with(&files, &read, &options, (&out, pool)).unwrap();
        (n_blocks, summary.n_rows, summary.warnings, std::fs::read(out).unwrap())
    };
    let one = stream(&Pool::inline(), "1.csv");
    let three = stream(&Pool::new(3).unwrap(), "3.csv");
    let table = read_files(&files, &read, &Pool::inline()).unwrap();
    assert_eq!((one.1, &one.2[..]), (table.n_rows(), table.warnings()));
    let codes: Vec<&str> = one.2.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["skipped-rows", "blank-lines", "underflow", "index-column"]);
    assert!(one.0 > 2 && one == three);
}

#[test]
fn a_stopped_prediction_leaves_the_old_output() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("t.csv"), folder.path().join("p.csv"));
    std::fs::write(&path, csv(30_000, None)).unwrap();
    std::fs::write(&out, "old").unwrap();
    let stream = TableStream::open(&Files::from(&path), &to_predict()).unwrap();
    let (classes, options) = (classes(), options("all", false));
    let writer = StreamWriter::new(&out, &stream, &classes, (&options, false), &Pool::inline()).unwrap();
    let mut blocks = VecDeque::new();
    let read = stream.read(&writer.copied(), &Pool::inline(), &mut |rows| {
        blocks.push_back(block(rows));
        if blocks.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(read.unwrap_err().to_string().contains("stopped"));
    let written = writer.write(&out, move || blocks.pop_front().unwrap_or(NextBlock::Stopped));
    assert!(written.unwrap_err().to_string().contains("stopped"));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_shard_reads_only_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, csv(100, Some(70))).unwrap();
    let shard = |index| ReadOptions { shard: Shard::new(index, 2), ..to_predict() };
    let out = folder.path().join("p.csv");
    let write = |index| streamed(&Files::from(&path), &shard(index), &options("label", false), &out);
    assert_eq!(message(&write(0)), "0 left out");
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 51);
    assert!(message(&write(1)).contains("line 72"), "{}", message(&write(1)));
}
