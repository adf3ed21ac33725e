//! A search that was stopped: the same call resumes it, to the same bytes.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use headsmith::auto::{Limits, Search};
use headsmith::report::Report;
use headsmith::run::{RunConfig, run};
use headsmith::{Context, Metric, Pool, Progress};

/// Four classes around points, 160 rows of 5 features.
fn table(path: &Path) {
    let value = |i: usize, k: usize| {
        let noise = ((i * 7919 + k * 104_729) * 2_654_435_761 % 1_000) as f64 / 1_000.0;
        (i % 4 == k % 4) as u8 as f64 + 1.6 * noise
    };
    let row = |i: usize| {
        let values: Vec<String> = (0..5).map(|k| value(i, k).to_string()).collect();
        format!("{},{}\n", values.join(","), ["a", "b", "c", "d"][i % 4])
    };
    let rows: String = (0..160).map(row).collect();
    std::fs::write(path, format!("f0,f1,f2,f3,f4,label\n{rows}")).unwrap();
}

/// Searches, and stops after `n_candidates`, if there are as many; returns the report and the heads that were fitted as candidates.
fn search(folder: &Path, out: &str, n_candidates: usize) -> (Report, Vec<&'static str>) {
    let config = RunConfig {
        val_share: 0.0,
        search: Some(Search {
            limits: Limits { time: None, steps: Some(60) },
            heads: ["gaussian", "ridge", "knn", "centroid"].map(str::to_owned).to_vec(),
            ..Search::new()
        }),
        ..RunConfig::new(folder.join("train.csv"), folder.join(out), Vec::new())
    };
    let (pool, stop) = (Pool::new(2).unwrap(), AtomicBool::new(false));
    let (mut n_seen, mut fitted) = (0, Vec::new());
    let mut view = |progress: &Progress<'_>| match progress {
        Progress::Candidate(_) => {
            n_seen += 1;
            if n_seen == n_candidates {
                stop.store(true, Ordering::Relaxed);
            }
        }
        Progress::Fitting { head, purpose: "candidate", .. } => fitted.push(*head),
        _ => (),
    };
    let context =
        &mut Context { seed: 5, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view };
    let report = run(&config, context).unwrap();
    (report, fitted)
}

#[test]
fn a_stopped_search_goes_on_with_the_next_head() {
    let folder = tempfile::tempdir().unwrap();
    table(&folder.path().join("train.csv"));
    let model = |out: &str| std::fs::read(folder.path().join(out).join("model.safetensors")).unwrap();
    let (whole, all) = search(folder.path(), "whole", usize::MAX);
    assert_eq!(all.len(), 4);
    assert!(!folder.path().join("whole/search").exists());
    let (stopped, first) = search(folder.path(), "out", 2);
    assert!(stopped.interrupted);
    assert_eq!((first.as_slice(), stopped.auto.unwrap().candidates.len()), (&all[..2], 2));
    assert!(folder.path().join("out/search/").exists());
    let (resumed, rest) = search(folder.path(), "out", usize::MAX);
    assert_eq!(rest, all[2..]);
    let (whole, resumed) = (whole.auto.unwrap(), resumed.auto.unwrap());
    assert_eq!((resumed.n_steps, &resumed.repeat), (whole.n_steps, &whole.repeat));
    let scores = |auto: &headsmith::report::AutoReport| -> Vec<f64> {
        auto.candidates
            .iter()
            .flat_map(|candidate| [candidate.score, candidate.log_loss, candidate.weight])
            .collect()
    };
    assert_eq!(scores(&resumed), scores(&whole));
    assert!(model("out") == model("whole"));
    assert!(!folder.path().join("out/search").exists());
}
