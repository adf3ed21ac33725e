//! A search in the live view.

use std::time::Duration;

use headsmith::Progress;
use headsmith::heads::Event;
use headsmith::metrics::Metric;
use headsmith::report::CandidateReport;

use super::super::state::{Stage, State};
use super::super::tests::{ASCII, COLOURS, drawn, fit_event, fitting, record, seconds};

fn candidate(state: &mut State, head: &str, (score, log_loss): (f64, f64), (took, at): (f64, f64)) {
    let report = CandidateReport {
        head: head.to_owned(),
        score,
        log_loss,
        seconds: took,
        at_seconds: at,
        ..CandidateReport::default()
    };
    state.apply(&Progress::Candidate(&report), Duration::from_secs_f64(at));
}

/// A search that tries its fifth candidate, in folds.
pub(in super::super) fn search_in_the_middle() -> State {
    let mut state = State::default();
    let tried = [
        ("ridge", (0.6056, 0.8734), (0.5, 0.6)),
        ("kernel", (0.6412, 0.8071), (12.3, 15.1)),
        ("knn", (0.5568, 0.9008), (2.8, 17.9)),
        ("gaussian", (0.6134, 0.9601), (0.2, 18.2)),
    ];
    for (head, scores, times) in tried {
        fitting(&mut state, head, "candidate", (times.1 - times.0) as u64);
        candidate(&mut state, head, scores, times);
    }
    fitting(&mut state, "mlp", "fold 2 of 5", 20);
    fit_event(&mut state, Event::Started { total: 40, unit: "epoch" }, 20);
    for epoch in 0..10 {
        fit_event(&mut state, Event::Epoch(record(epoch, (1.0, 0.5), Some((1.0, 0.6)))), 25);
    }
    state
}

#[test]
fn a_search_keeps_its_best_and_the_score_as_it_grew() {
    let mut state = search_in_the_middle();
    let search = state.search.as_ref().unwrap();
    assert_eq!((search.candidates.len(), search.best), (4, 1));
    let grown: Vec<(f64, f64)> = search.best_so_far.points().collect();
    assert_eq!(grown[..3], [(0.6, 0.6056), (15.1, 0.6056), (15.1, 0.6412)]);
    assert_eq!(grown.last(), Some(&(18.2, 0.6412)));
    // One line a candidate, none of folds.
    let log: Vec<&str> = state.log.iter().map(|log_line| log_line.text.as_str()).collect();
    assert_eq!(log[1], "kernel: weighted F1 0.6412, log loss 0.8071 out of fold (12.3 s, at 15.1 s)");
    assert_eq!(log.len(), 4);
    // The final fits are fits as any.
    fitting(&mut state, "kernel", "all rows", 30);
    let Stage::Fit(fit) = &state.stage else { panic!("no fit") };
    assert!(!fit.is_of_candidate);
    assert!(drawn(&state, 80, 24, ASCII).starts_with("fitting kernel (all rows)"));
}

#[test]
fn a_search_by_log_loss_has_the_smallest_as_its_best() {
    let mut state = State::default();
    let metric = Metric::LogLoss;
    state.apply(&Progress::Fitting { head: "ridge", purpose: "fold 1 of 5", metric }, seconds(1));
    candidate(&mut state, "ridge", (0.9, 0.9), (1.0, 1.0));
    candidate(&mut state, "mlp", (0.8, 0.8), (1.0, 2.0));
    candidate(&mut state, "knn", (1.1, 1.1), (1.0, 3.0));
    let search = state.search.as_ref().unwrap();
    assert_eq!((search.metric, search.best), (metric, 1));
    assert_eq!(search.best_so_far.last(), Some(0.8));
}

#[test]
fn screens_of_a_search() {
    let state = search_in_the_middle();
    insta::assert_snapshot!("search_80x24", drawn(&state, 80, 24, COLOURS));
    insta::assert_snapshot!("search_120x40", drawn(&state, 120, 40, COLOURS));
    insta::assert_snapshot!("search_40x10", drawn(&state, 40, 10, COLOURS));
    insta::assert_snapshot!("search_80x24_no_unicode", drawn(&state, 80, 24, ASCII));
}
