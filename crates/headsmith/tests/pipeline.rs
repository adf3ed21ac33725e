//! The whole run as a library: the steps that a view sees, and stopping.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use headsmith::data::ReadOptions;
use headsmith::data::predictions::{Columns, WriteOptions};
use headsmith::heads::Event;
use headsmith::report::Report;
use headsmith::run::RunConfig;
use headsmith::run::RunHead;
use headsmith::{
    Context, HeadConfig, Metric, Pool, PredictOptions, Progress, View, evaluate, model_file, predict,
};

fn tables(folder: &Path) -> RunConfig {
    for (name, n_rows, shift) in [("train.csv", 120, 0), ("val.csv", 60, 7), ("test.csv", 30, 11)] {
        let row = |i: usize| {
            let x =
                [(i % 2) as f64, ((i * 7 + shift) % 13) as f64 / 13.0, ((i * 5 + shift) % 11) as f64 / 11.0];
            format!("\"[{}, {}, {}]\",{}\n", x[0], x[1] + shift as f64 * 1e-3, x[2], ["no", "yes"][i % 2])
        };
        let rows: String = (0..n_rows).map(row).collect();
        std::fs::write(folder.join(name), format!("embeddings,label\n{rows}")).unwrap();
    }
    let small = [("neurons0", 4.into()), ("layers2", 0.into()), ("epochs", 3.into())];
    RunConfig {
        train: folder.join("train.csv").into(),
        val: Some(folder.join("val.csv").into()),
        val_share: 0.2,
        test: Some(folder.join("test.csv").into()),
        out: folder.join("out"),
        read: ReadOptions::default(),
        heads: vec![
            RunHead {
                head: HeadConfig::new("forest", [("n_estimators", 3_000.into())]).unwrap(),
                study: None,
            },
            RunHead { head: HeadConfig::new("mlp", small).unwrap(), study: None },
        ],
        search: None,
        predictions: headsmith::run::SUBMISSION.to_owned(),
        hold_back: 0.0,
        columns: Columns::All,
        command: Vec::new(),
    }
}

fn run(config: &RunConfig, stop: &AtomicBool, view: &mut dyn View) -> headsmith::Result<Report> {
    let pool = Pool::new(2).unwrap();
    headsmith::run::run(config, &mut Context { seed: 1, metric: Metric::default(), pool: &pool, stop, view })
}

#[test]
fn a_view_sees_every_step_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let mut view = |progress: &Progress<'_>| {
        seen.push(match progress {
            Progress::Read(table) => format!("read {}", table.role),
            Progress::Fitting { head, purpose, .. } => format!("{head} for {purpose}"),
            Progress::Fit(Event::Epoch(record)) => format!("epoch {}", record.epoch),
            Progress::Fitted(report) => format!("{} done", report.head),
            Progress::Wrote(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
            _ => return,
        });
    };
    let report = run(&tables(folder.path()), &AtomicBool::new(false), &mut view).unwrap();
    assert!(!report.interrupted);
    let expected = "read train,read val,read test,forest for baseline,forest done,mlp for final fit,epoch 0,epoch 1,\
                    epoch 2,mlp done,model.safetensors,submission.csv,submission.zip,report.json,report.html,\
                    model-card.md";
    assert_eq!(seen.join(","), expected);
    let model = model_file::load(&folder.path().join("out/model.safetensors")).unwrap();
    assert_eq!(model.head_name(), report.chosen);
    assert_eq!(model.record().data.iter().map(|d| d.role.as_str()).collect::<Vec<_>>(), ["train", "val"]);
}

#[test]
fn a_stop_in_the_baseline_still_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let mut view = |progress: &Progress<'_>| {
        if matches!(progress, Progress::Fit(Event::Steps { .. })) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let report = run(&tables(folder.path()), &stop, &mut view).unwrap();
    assert!(report.interrupted);
    assert_eq!((report.heads.len(), report.chosen.as_str()), (1, "forest"));
    assert!(report.heads[0].stopped.is_some());
    assert_eq!(report.predictions.unwrap().n_rows, 30);
}

/// A model file with a decision predicts and is evaluated by it.
#[test]
fn a_decision_is_used_for_predictions_and_scores() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = tables(folder.path());
    // The forest has probabilities of 0, which no offset can raise.
    config.heads.remove(0);
    run(&config, &AtomicBool::new(false), &mut |_: &Progress<'_>| {}).unwrap();
    let path = folder.path().join("out/model.safetensors");
    let model = model_file::load(&path).unwrap().with_decision(vec![0.0, 100.0]).unwrap();
    std::fs::write(&path, model.to_bytes().unwrap()).unwrap();
    let model = model_file::load(&path).unwrap();
    let (pool, stop, mut view) = (Pool::inline(), AtomicBool::new(false), |_: &Progress<'_>| {});
    let context =
        &mut Context { seed: 1, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view };
    let options = PredictOptions {
        out: folder.path().join("decided.csv"),
        zip: None,
        columns: WriteOptions { columns: Columns::All, proba: false },
        adds_sets: true,
    };
    let test = config.test.as_ref().unwrap();
    let report = predict(&model, test, &config.read, &options, context).unwrap();
    assert_eq!(report.counts.iter().map(|count| count.count).collect::<Vec<_>>(), [0, 30]);
    let written = std::fs::read_to_string(&options.out).unwrap();
    assert_eq!(written.lines().filter(|line| line.ends_with(",yes")).count(), 30);
    let evaluation = evaluate(&model, config.val.as_ref().unwrap(), &config.read, context).unwrap();
    assert_eq!(evaluation.judgement.scores.confusion, [[0, 30], [0, 30]]);
}

#[test]
fn a_stop_before_a_fit_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(&tables(folder.path()), &AtomicBool::new(true), &mut |_: &Progress<'_>| {}).unwrap_err();
    assert!(error.is_stopped(), "{error}");
    assert!(!folder.path().join("out").exists());
}
