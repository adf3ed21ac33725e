//! A search that was stopped: the same call resumes it, to the same bytes.

#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use headsmith::auto::{Limits, Search};
use headsmith::heads::Event;
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

/// Searches, and stops where `is_last` says so; returns the report and the heads that were fitted as candidates.
fn search(
    folder: &Path,
    out: &str,
    heads: &[&str],
    mut is_last: impl FnMut(&Progress<'_>) -> bool,
) -> (Report, Vec<&'static str>) {
    let config = RunConfig {
        val_share: 0.0,
        search: Some(Search {
            limits: Limits { time: None, steps: Some(40) },
            heads: heads.iter().map(|head| (*head).to_owned()).collect(),
            ..Search::new()
        }),
        ..RunConfig::new(folder.join("train.csv"), folder.join(out), Vec::new())
    };
    let (pool, stop) = (Pool::new(2).unwrap(), AtomicBool::new(false));
    let mut fitted = Vec::new();
    let mut view = |progress: &Progress<'_>| {
        if let Progress::Fitting { head, purpose: "candidate", .. } = progress {
            fitted.push(*head);
        }
        if is_last(progress) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let context =
        &mut Context { seed: 5, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view };
    let report = run(&config, context).unwrap();
    (report, fitted)
}

fn model(folder: &Path, out: &str) -> Vec<u8> {
    std::fs::read(folder.join(out).join("model.safetensors")).unwrap()
}

#[test]
fn a_stopped_search_goes_on_with_the_next_head() {
    let folder = tempfile::tempdir().unwrap();
    table(&folder.path().join("train.csv"));
    let heads = ["gaussian", "ridge", "knn", "centroid"];
    let n_resumed = Cell::new(0);
    let search = |out: &str, n_candidates: usize| {
        let mut n_seen = 0;
        search(folder.path(), out, &heads, |progress| {
            n_resumed.set(n_resumed.get() + usize::from(matches!(progress, Progress::Resuming(_))));
            n_seen += usize::from(matches!(progress, Progress::Candidate(_)));
            n_seen == n_candidates
        })
    };
    let (whole, all) = search("whole", usize::MAX);
    assert_eq!(all.len(), 4);
    assert!(!folder.path().join("whole/search").exists());
    let (stopped, first) = search("out", 2);
    assert!(stopped.interrupted);
    assert_eq!((first.as_slice(), stopped.auto.unwrap().candidates.len()), (&all[..2], 2));
    assert!(folder.path().join("out/search/").exists());
    assert_eq!(n_resumed.get(), 0);
    let (resumed, rest) = search("out", usize::MAX);
    assert_eq!((n_resumed.get(), rest.as_slice()), (1, &all[2..]));
    let (whole, resumed) = (whole.auto.unwrap(), resumed.auto.unwrap());
    assert_eq!((resumed.n_steps, &resumed.repeat), (whole.n_steps, &whole.repeat));
    let scores = |auto: &headsmith::report::AutoReport| -> Vec<f64> {
        auto.candidates
            .iter()
            .flat_map(|candidate| [candidate.score, candidate.log_loss, candidate.weight])
            .collect()
    };
    assert_eq!(scores(&resumed), scores(&whole));
    assert!(model(folder.path(), "out") == model(folder.path(), "whole"));
    assert!(!folder.path().join("out/search").exists());
}

#[test]
fn a_head_that_was_stopped_in_its_own_search_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    table(&folder.path().join("train.csv"));
    let heads = ["gaussian", "kernel"];
    let never = |_: &Progress<'_>| false;
    let (whole, all) = search(folder.path(), "whole", &heads, never);
    // The kernel's first fit on all rows; more would follow.
    let (stopped, _) = search(
        folder.path(),
        "out",
        &heads,
        |progress| matches!(progress, Progress::Fit(Event::Steps { done: 19, total, .. }) if *total > 19),
    );
    let n_steps = |report: &Report| report.auto.as_ref().unwrap().candidates[1].n_steps;
    assert_eq!(n_steps(&stopped), 19);
    assert!(n_steps(&whole) > 19);
    let (resumed, rest) = search(folder.path(), "out", &heads, never);
    assert_eq!((rest.as_slice(), n_steps(&resumed)), (&all[1..], n_steps(&whole)));
    assert!(model(folder.path(), "out") == model(folder.path(), "whole"));
}
