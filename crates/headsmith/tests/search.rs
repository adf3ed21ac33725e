//! The progress of a search over heads as it is recorded: in the log of events, and for TensorBoard.

// A test may panic at the first failure, also in shared code.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use headsmith::event_files::proto::EventContent;
use headsmith::event_files::read;
use headsmith::heads::{EpochRecord, EpochScores, Event};
use headsmith::report::CandidateReport;
use headsmith::{Metric, Progress, RecordedView, Recorder, TensorBoard, View, events, folder};

fn candidate(head: &str, score: f64, log_loss: f64, at_seconds: f64) -> CandidateReport {
    CandidateReport {
        head: head.to_owned(),
        title: format!("title of {head}"),
        params: [("alpha".to_owned(), 0.5.into())].into_iter().collect(),
        score,
        log_loss,
        seconds: 1.5,
        at_seconds,
        n_steps: 2,
        n_bytes: 2048,
        ..CandidateReport::default()
    }
}

fn epoch(epoch: usize) -> Event {
    let train = EpochScores {
        loss: 0.7,
        mae: 0.2,
        mse: 0.1,
        accuracy: 0.6,
        weighted_f1: 0.6,
        macro_f1: 0.6,
        balanced_accuracy: 0.6,
        mcc: 0.3,
    };
    Event::Epoch(EpochRecord { epoch, learning_rate: 1e-3, train, val: None, improved: true })
}

/// A search of three candidates, the last one in folds, that is cut in the final fit.
fn search(recorder: impl Recorder, metric: Metric) {
    let mut inner = |_: &Progress<'_>| {};
    let mut view = RecordedView::new(recorder, &mut inner);
    let tried = [("ridge", 0.5, 1.0, 2.0), ("kernel", 0.75, 0.5, 9.5), ("mlp", 0.625, 0.25, 30.0)];
    for (head, score, log_loss, at) in tried {
        let purpose = if head == "mlp" { "fold 1 of 2" } else { "candidate" };
        view.see(&Progress::Fitting { head, purpose, metric });
        view.see(&Progress::Fit(&Event::Started { total: 2, unit: "step" }));
        view.see(&Progress::Fit(&epoch(0)));
        view.see(&Progress::Candidate(&candidate(head, score, log_loss, at)));
    }
    view.see(&Progress::Fitting { head: "mlp", purpose: "all rows", metric });
    view.see(&Progress::Fit(&epoch(0)));
    view.see(&Progress::Fit(&epoch(1)));
}

/// The scalars of all files of a folder by tag, in the order of their steps.
fn scalars(folder: &Path) -> BTreeMap<String, Vec<f32>> {
    let mut scalars: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue;
        }
        for event in read(&std::fs::read(path).unwrap()) {
            let Some(EventContent::Summary(summary)) = event.what else { continue };
            for value in summary.values {
                let of_tag = scalars.entry(value.tag.clone()).or_default();
                // Texts count as steps without a number.
                assert_eq!(of_tag.len() as i64, event.step, "{}", value.tag);
                of_tag.push(value.as_scalar().unwrap_or(f32::NAN));
            }
        }
    }
    scalars
}

fn folders(at: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(at)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn tensorboard_has_the_scores_of_candidates_and_not_their_fits() {
    let at = tempfile::tempdir().unwrap();
    search(TensorBoard::create(at.path(), 1).unwrap(), Metric::MacroF1);
    assert_eq!(folders(at.path()), ["all-rows", "search"]);
    let scalars = scalars(&at.path().join("search"));
    let expected = [
        ("macro_f1", [0.5, 0.75, 0.625]),
        ("best_macro_f1", [0.5, 0.75, 0.75]),
        ("log_loss", [1.0, 0.5, 0.25]),
        ("best_log_loss", [1.0, 0.5, 0.25]),
        ("at_seconds", [2.0, 9.5, 30.0]),
        ("seconds", [1.5; 3]),
        ("model_bytes", [2048.0; 3]),
    ];
    for (tag, values) in expected {
        assert_eq!(scalars[tag], values, "{tag}");
    }
    assert_eq!(scalars["candidate"].len(), 3);
    let by_loss = tempfile::tempdir().unwrap();
    search(TensorBoard::create(by_loss.path(), 1).unwrap(), Metric::LogLoss);
    let scalars = self::scalars(&by_loss.path().join("search"));
    assert_eq!(scalars["best_log_loss"], [0.5, 0.5, 0.5]);
}

#[test]
fn a_killed_search_leaves_its_candidates() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("events.jsonl");
    let begin = events::Begin { started: String::new(), command: Vec::new(), seed: 42, jobs: 2 };
    search(events::EventLog::append(path.clone(), &begin).unwrap(), Metric::Accuracy);
    let facts = folder::facts(at.path()).unwrap();
    let auto = facts.report.auto.as_ref().unwrap();
    let known = [("ridge", 0.5, 1.0, 2.0), ("kernel", 0.75, 0.5, 9.5), ("mlp", 0.625, 0.25, 30.0)];
    assert_eq!(
        auto.candidates,
        known.map(|(head, score, log_loss, at)| candidate(head, score, log_loss, at))
    );
    assert_eq!((auto.n_steps, auto.search_seconds, facts.report.metric), (6, 30.0, Metric::Accuracy));
    let why = facts.unfinished.clone().unwrap();
    assert!(why.contains("while it fitted the mlp (all rows), 2 epochs in"), "{why}");
    let page = at.path().join("page.html");
    folder::write_page(&facts, &page).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("The best of 3 so far is a title of kernel: accuracy 0.7500"), "{page}");
    // As if it had been killed after its second candidate.
    let text = std::fs::read_to_string(&path).unwrap();
    let second = text.match_indices("\"event\":\"candidate\"").nth(1).unwrap().0;
    let end = second + text[second..].find('\n').unwrap() + 1;
    std::fs::write(&path, &text[..end]).unwrap();
    let facts = folder::facts(at.path()).unwrap();
    assert_eq!(facts.report.auto.map(|auto| auto.candidates.len()), Some(2));
    let why = facts.unfinished.unwrap();
    assert!(why.contains("in its search, after 2 candidates"), "{why}");
}
