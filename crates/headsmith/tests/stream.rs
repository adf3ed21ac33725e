//! Predictions of tables in constant memory: the output of the whole table, errors, and stopping.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use headsmith::data::predictions::WriteOptions;
use headsmith::data::{Files, OnBadRow, ReadOptions};
use headsmith::model::Model;
use headsmith::report::PredictionReport;
use headsmith::{Context, HeadConfig, Metric, Pool, PredictOptions, Progress, Session, predict};

/// A table of `n_rows` rows; the feature of row `bad` is no number.
fn table(folder: &Path, n_rows: usize, bad: Option<usize>) -> PathBuf {
    let path = folder.join(format!("{n_rows}-{bad:?}.csv"));
    let row = |i: usize| {
        let second = if bad == Some(i) { "?".to_owned() } else { format!("{}", (i * 7) % 13) };
        format!("k{i},\"[{}, {second}, {}]\",{}\n", i % 2, (i * 5) % 11, ["no", "yes"][i % 2])
    };
    let rows: String = (0..n_rows).map(row).collect();
    std::fs::write(&path, format!("key,embeddings,label\n{rows}")).unwrap();
    path
}

fn model(folder: &Path, head: &str) -> Model {
    let mut session = Session::new().seed(3).threads(2);
    let data = session.read(table(folder, 300, None), &ReadOptions::default(), 0.0).unwrap();
    let params: Vec<(&str, headsmith::heads::params::Value)> = match head {
        "forest" => vec![("n_estimators", 5.into())],
        _ => Vec::new(),
    };
    session.fit(&HeadConfig::new(head, params).unwrap(), &data).unwrap().model
}

/// Predicts with `n_threads`; the report, and what was seen.
fn predicted(
    (model, files): (&Model, &Path),
    (read, out): (&ReadOptions, &Path),
    n_threads: usize,
    stop_at: usize,
) -> (headsmith::Result<PredictionReport>, Vec<String>) {
    let (pool, stop) = (Pool::new(n_threads).unwrap(), AtomicBool::new(false));
    let mut seen = Vec::new();
    let mut view = |progress: &Progress<'_>| match progress {
        Progress::Predicted { n_rows } if *n_rows >= stop_at => stop.store(true, Ordering::Relaxed),
        Progress::Found(finding) => seen.push(finding.to_string()),
        Progress::Read(table) => seen.push(format!("{} rows x {}", table.n_rows, table.n_features)),
        _ => {}
    };
    let columns = WriteOptions { columns: "all".parse().unwrap(), proba: true };
    let options = PredictOptions { columns, ..PredictOptions::new(out.to_owned()) };
    let context =
        &mut Context { seed: 1, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view };
    let report = predict(model, &Files::from(files), read, &options, context);
    (report, seen)
}

#[test]
fn a_stream_has_the_bytes_of_the_table_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let files = table(folder.path(), 20_000, None);
    let cached = ReadOptions { cache: Some(folder.path().join("cache")), ..ReadOptions::default() };
    for head in ["forest", "gaussian"] {
        let model = model(folder.path(), head);
        for name in ["p.csv", "p.parquet", "p.jsonl", "p.npy"] {
            let bytes = |how: &str, read: &ReadOptions, n_threads: usize| {
                let out = folder.path().join(format!("{how}-{name}"));
                let (report, seen) = predicted((&model, &files), (read, &out), n_threads, usize::MAX);
                let report = report.unwrap();
                let n: usize = report.counts.iter().map(|count| count.count).sum();
                assert_eq!((report.n_rows, n, report.files.len()), (20_000, 20_000, 1));
                assert_eq!(seen[0], "20000 rows x 3");
                std::fs::read(out).unwrap()
            };
            let at_once = bytes("whole", &cached, 1);
            assert!(bytes("one", &ReadOptions::default(), 1) == at_once, "{head} {name}");
            assert!(bytes("three", &ReadOptions::default(), 3) == at_once, "{head} {name}");
        }
    }
}

#[test]
fn a_bad_row_far_down_ends_it_or_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "forest");
    let (files, out) = (table(folder.path(), 40_000, Some(30_000)), folder.path().join("p.csv"));
    let (failed, _) = predicted((&model, &files), (&ReadOptions::default(), &out), 2, usize::MAX);
    let error = failed.unwrap_err().to_string();
    assert!(error.contains("line 30002") && error.contains("element 2"), "{error}");
    assert!(!out.exists());
    let skipping = ReadOptions { on_bad_row: OnBadRow::Skip, ..ReadOptions::default() };
    let (report, seen) = predicted((&model, &files), (&skipping, &out), 2, usize::MAX);
    assert_eq!((report.as_ref().unwrap().n_rows, report.unwrap().n_left_out), (39_999, 1));
    assert!(seen[1].starts_with("test: 1 of 40000 rows could not be read"), "{seen:?}");
}

#[test]
fn a_stop_leaves_the_old_output() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "forest");
    let (files, out) = (table(folder.path(), 60_000, None), folder.path().join("p.csv"));
    std::fs::write(&out, "old").unwrap();
    let n_before = std::fs::read_dir(folder.path()).unwrap().count();
    let (stopped, _) = predicted((&model, &files), (&ReadOptions::default(), &out), 2, 1);
    let error = stopped.unwrap_err();
    assert!(error.is_stopped() && error.to_string().contains("nothing was written"), "{error}");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), n_before);
}

#[test]
fn an_output_that_cannot_be_written_ends_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path(), "forest");
    let files = table(folder.path(), 60_000, None);
    for out in [PathBuf::from("/dev/full"), folder.path().join("no/such/folder/p.csv")] {
        let (failed, _) = predicted((&model, &files), (&ReadOptions::default(), &out), 2, usize::MAX);
        assert!(failed.unwrap_err().to_string().contains(&out.display().to_string()));
    }
}

#[test]
fn a_panic_of_the_view_ends_every_thread() {
    let folder = tempfile::tempdir().unwrap();
    let (files, model) = (table(folder.path(), 60_000, None), model(folder.path(), "gaussian"));
    let (sender, ended) = std::sync::mpsc::channel();
    let out = folder.path().join("out.csv");
    std::thread::spawn(move || {
        let (pool, stop) = (Pool::new(3).unwrap(), AtomicBool::new(false));
        let mut view = |progress: &Progress<'_>| {
            if matches!(progress, Progress::Predicted { .. }) {
                std::panic::resume_unwind(Box::new("a bug of the view"));
            }
        };
        let context =
            &mut Context { seed: 1, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view };
        let predicted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            predict(
                &model,
                &Files::from(&*files),
                &ReadOptions::default(),
                &PredictOptions::new(out),
                context,
            )
        }));
        sender.send(predicted.is_err())
    });
    assert_eq!(ended.recv_timeout(std::time::Duration::from_secs(120)), Ok(true), "a thread still waits");
}
