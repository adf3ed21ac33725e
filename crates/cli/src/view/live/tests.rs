//! Sends events to the view, and compares its numbers with the events and its screens with recorded ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headsmith::heads::event::EpochScores;
use headsmith::heads::{EpochRecord, Event};
use headsmith::metrics::Metric;
use headsmith::study::{Attributes, Choice, Params, Space, State as TrialState, StudyEvent, Trial};
use headsmith::{Progress, UserRequest, View};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::auto::tests::search_in_the_middle;
use super::state::{Key, KeyAction, Stage, State};
use super::study::{Ended, Study};
use super::theme::Theme;

#[allow(dead_code)]
#[path = "../../../tests/cli/patience.rs"]
mod patience;

pub(super) const COLOURS: Theme = Theme { colour: true, unicode: true };
const GREY: Theme = Theme { colour: false, unicode: true };
pub(super) const ASCII: Theme = Theme { colour: false, unicode: false };

/// A trial of an earlier command.
fn earlier(number: u64, state: TrialState, value: f64) -> Arc<Trial> {
    Arc::new(Trial {
        id: number as i64 + 1,
        number,
        state,
        value: Some(value),
        params: Params::new(),
        intermediate: (0..8).map(|step| (step, value - 0.3 / (step + 1) as f64)).collect(),
        user_attrs: Attributes::new(),
        system_attrs: Attributes::new(),
        started: None,
        completed: None,
        ..Trial::default()
    })
}

pub(super) fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn begin_study(state: &mut State, n_trials: Option<u64>, trials: &[Arc<Trial>], n_jobs: usize) {
    let progress = Progress::Searching {
        study: "mlp-0b5a",
        space: &Space::default(),
        n_trials,
        timeout: None,
        n_finished: trials.len(),
        trials,
        n_jobs,
        n_steps: Some(40),
        pruner: "asha:eta=3",
        metric: Metric::default(),
    };
    state.apply(&progress, seconds(2));
}

fn began(state: &mut State, number: u64) {
    let params = [
        ("batch_size", Choice::Int(64)),
        ("dropout", Choice::Float(0.25)),
        ("hidden", Choice::Text("256-128".to_owned())),
        ("learning_rate", Choice::Float(0.000_312)),
        ("scale", Choice::Text("standard".to_owned())),
    ];
    let params: BTreeMap<String, Choice> =
        params.into_iter().map(|(name, choice)| (name.to_owned(), choice)).collect();
    let event = StudyEvent::Began { number, params, done: 0 };
    state.apply(&Progress::Trial(&event), seconds(3));
}

fn reported(state: &mut State, number: u64, values: &[f64]) {
    for (step, &value) in (0..).zip(values) {
        let event = StudyEvent::Reported { number, step, value };
        state.apply(&Progress::Trial(&event), seconds(60));
    }
}

fn ended(state: &mut State, number: u64, how: TrialState, value: Option<f64>, reason: Option<&str>) {
    let reason = reason.map(str::to_owned);
    let event = StudyEvent::Ended { number, state: how, value, reason };
    state.apply(&Progress::Trial(&event), seconds(62));
}

/// A learning curve that approaches `to`.
fn rising(to: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| to - 0.4 / (i + 1) as f64 + if i % 5 == 4 { -0.01 } else { 0.0 }).collect()
}

/// A study resumed after two trials: one more complete, one pruned, one pruned by hand, one failed, three running.
fn study_in_the_middle() -> State {
    let mut state = State::default();
    state.apply(&Progress::Reading { role: "train", path: Path::new("train.csv") }, seconds(0));
    let before = [earlier(0, TrialState::Complete, 0.61), earlier(1, TrialState::Pruned, 0.44)];
    begin_study(&mut state, Some(24), &before, 4);
    for (number, to, n) in [(2, 0.72, 30), (3, 0.55, 4), (4, 0.60, 6), (5, 0.5, 0)] {
        began(&mut state, number);
        reported(&mut state, number, &rising(to, n));
    }
    ended(&mut state, 2, TrialState::Complete, Some(0.7066), None);
    ended(&mut state, 3, TrialState::Pruned, Some(0.45), None);
    ended(&mut state, 4, TrialState::Pruned, Some(0.5333), Some("pruned by hand"));
    ended(&mut state, 5, TrialState::Fail, None, Some("it would take 90 GiB of memory"));
    for (number, to, n) in [(6, 0.74, 12), (7, 0.7, 21), (8, 0.66, 3)] {
        began(&mut state, number);
        reported(&mut state, number, &rising(to, n));
    }
    state
}

pub(super) fn fit_event(state: &mut State, event: Event, at: u64) {
    state.apply(&Progress::Fit(&event), seconds(at));
}

pub(super) fn record(epoch: usize, train: (f64, f64), val: Option<(f64, f64)>) -> EpochRecord {
    let scores = |(loss, weighted_f1)| EpochScores {
        loss,
        mae: 0.1,
        mse: 0.1,
        accuracy: 0.5,
        weighted_f1,
        macro_f1: 0.5,
        balanced_accuracy: 0.5,
        mcc: 0.2,
    };
    EpochRecord { epoch, learning_rate: 0.001, train: scores(train), val: val.map(scores), improved: true }
}

/// A fit after 30 of 100 epochs that overfits from the 20th on.
fn fit_in_the_middle() -> State {
    let mut state = State::default();
    state.apply(
        &Progress::Fitting { head: "mlp", purpose: "final fit", metric: Metric::default() },
        seconds(1),
    );
    fit_event(&mut state, Event::Started { total: 100, unit: "epoch" }, 1);
    for epoch in 0..30 {
        let e = epoch as f64;
        let train = (1.0 / (1.0 + 0.2 * e), 0.9 - 0.5 / (1.0 + 0.3 * e));
        let late = (e - 19.0).max(0.0);
        let val = (1.05 / (1.0 + 0.15 * e) + 0.01 * late, 0.8 - 0.45 / (1.0 + 0.3 * e) - 0.004 * late);
        fit_event(&mut state, Event::Epoch(record(epoch, train, Some(val))), 31);
    }
    state
}

pub(super) fn fitting(state: &mut State, head: &'static str, purpose: &str, at: u64) {
    let progress = Progress::Fitting { head, purpose, metric: Metric::default() };
    state.apply(&progress, seconds(at));
}

fn study_of(state: &State) -> &Study {
    match &state.stage {
        Stage::Study(study) => study,
        other => panic!("no study but {other:?}"),
    }
}

#[test]
fn a_study_shows_its_events() {
    let state = study_in_the_middle();
    let study = study_of(&state);
    assert_eq!((study.n_complete, study.n_pruned, study.n_failed), (2, 3, 1));
    assert_eq!((study.n_finished(), study.pace.at_start), (6, 2));
    assert_eq!(study.n_reports, 30 + 4 + 6 + 12 + 21 + 3);
    let best = study.best.as_ref().unwrap();
    assert_eq!((best.number, best.value), (2, 0.7066));
    assert_eq!(best.curve.points().map(|(_, value)| value).collect::<Vec<_>>(), rising(0.72, 30));
    // Each trial was taken by the first free worker.
    assert_eq!(study.workers, [Some(6), Some(7), Some(8), None]);
    assert_eq!(study.running[&7].n_reports, 21);
    assert_eq!(study.running[&7].curve.last(), rising(0.7, 21).last().copied());
    let why: Vec<(u64, &str, usize)> =
        study.ended.iter().map(|e: &Ended| (e.number, e.why.as_str(), e.n_reports)).collect();
    assert_eq!(
        why,
        [
            (5, "it would take 90 GiB of memory", 0),
            (4, "pruned by hand", 6),
            (3, "pruned by asha", 4),
            (2, "", 30)
        ]
    );
    let log_line: Vec<&str> = state.log.iter().map(|log_line| log_line.text.as_str()).collect();
    assert_eq!(
        log_line,
        [
            "study mlp-0b5a (weighted F1), resuming after 2 trials",
            "warning: trial 5 failed: it would take 90 GiB of memory"
        ]
    );
}

#[test]
fn a_resumed_study_knows_its_best() {
    let mut state = State::default();
    begin_study(&mut state, None, &[earlier(0, TrialState::Complete, 0.61)], 1);
    let value = |state: &State| study_of(state).best.as_ref().map(|best| (best.number, best.value));
    assert_eq!(value(&state), Some((0, 0.61)));
    began(&mut state, 1);
    ended(&mut state, 1, TrialState::Complete, Some(0.60), None);
    began(&mut state, 2);
    ended(&mut state, 2, TrialState::Pruned, Some(0.99), None);
    assert_eq!(value(&state), Some((0, 0.61)));
    began(&mut state, 3);
    ended(&mut state, 3, TrialState::Complete, Some(0.62), None);
    assert_eq!(value(&state), Some((3, 0.62)));
}

#[test]
fn a_study_that_minimises_has_the_smallest_value_as_its_best() {
    let mut state = State::default();
    let progress = Progress::Searching {
        study: "s",
        metric: Metric::LogLoss,
        space: &Space::default(),
        n_trials: Some(9),
        timeout: Some(seconds(100)),
        n_finished: 1,
        trials: &[earlier(0, TrialState::Complete, 0.61)],
        n_jobs: 1,
        n_steps: None,
        pruner: "none",
    };
    state.apply(&progress, seconds(2));
    began(&mut state, 1);
    reported(&mut state, 1, &[0.9, 0.5, 0.7]);
    assert_eq!(study_of(&state).running[&1].best, Some(0.5));
    ended(&mut state, 1, TrialState::Complete, Some(0.5), None);
    began(&mut state, 2);
    ended(&mut state, 2, TrialState::Complete, Some(0.7), None);
    let study = study_of(&state);
    assert_eq!(study.best.as_ref().map(|best| (best.number, best.value)), Some((1, 0.5)));
    // Two of nine took 60 s; the timeout leaves less time than the others would take.
    assert_eq!(study.pace.left(seconds(60), study.n_finished()), "at most 40 s left");
}

#[test]
fn lost_and_released_trials_free_their_worker() {
    let mut state = State::default();
    begin_study(&mut state, Some(9), &[], 2);
    began(&mut state, 0);
    began(&mut state, 1);
    state.apply(&Progress::Trial(&StudyEvent::Lost { number: 0 }), seconds(4));
    began(&mut state, 2);
    state.apply(&Progress::Trial(&StudyEvent::Released { number: 1 }), seconds(5));
    let study = study_of(&state);
    assert_eq!(study.workers, [Some(2), None]);
    assert_eq!(study.n_finished(), 0);
    assert!(
        state.log.iter().any(|log_line| log_line.always && log_line.text.contains("trial 0 was claimed"))
    );
}

#[test]
fn a_fit_shows_its_events() {
    let mut state = fit_in_the_middle();
    let Stage::Fit(fit) = &state.stage else { panic!("no fit") };
    assert_eq!((fit.done, fit.total, fit.unit), (30, 100, "epoch"));
    assert_eq!(fit.best.unwrap().0, 19);
    assert_eq!(fit.losses[0].points().nth(10), Some((11.0, 1.0 / 3.0)));
    assert_eq!(fit.last.as_ref().unwrap().val.unwrap().weighted_f1, fit.scores[1].last().unwrap());
    state.apply(&Progress::Fitting { head: "forest", purpose: "", metric: Metric::default() }, seconds(40));
    fit_event(&mut state, Event::Started { total: 300, unit: "tree" }, 40);
    fit_event(&mut state, Event::Steps { done: 75, total: 300, unit: "tree" }, 41);
    let screen = drawn(&state, 40, 10, ASCII);
    assert!(screen.contains("trees 75/300") && screen.contains("25 %  3 s left"), "{screen}");
}

#[test]
fn a_trial_is_pruned_by_two_keys() {
    let mut state = study_in_the_middle();
    assert_eq!(study_of(&state).in_view(), Some(6));
    // Any key but y means no.
    for keys in
        [[Key::Prune, Key::Other], [Key::Prune, Key::Prune], [Key::Prune, Key::Leave], [Key::Yes, Key::Yes]]
    {
        keys.into_iter().for_each(|key| assert_eq!(state.press(key), KeyAction::Nothing));
        assert_eq!(state.request(), None);
    }
    state.press(Key::Next);
    assert_eq!(study_of(&state).in_view(), Some(7));
    state.press(Key::Prune);
    assert!(drawn(&state, 80, 24, ASCII).contains("prune trial 7? y: yes"));
    state.press(Key::Yes);
    assert_eq!(state.request(), Some(UserRequest::Prune { trial: 7 }));
    assert_eq!(state.request(), None);
    assert!(study_of(&state).running[&7].end_requested);
    // A trial that has ended meanwhile cannot be ended.
    state.press(Key::Previous);
    state.press(Key::Prune);
    ended(&mut state, 6, TrialState::Complete, Some(0.5), None);
    state.press(Key::Yes);
    assert_eq!(state.request(), None);
}

#[test]
fn keys_select_trials_cyclically() {
    let mut state = study_in_the_middle();
    let mut seen = Vec::new();
    for key in [Key::Next, Key::Next, Key::Next, Key::Previous] {
        state.press(key);
        seen.push(study_of(&state).in_view().unwrap());
    }
    assert_eq!(seen, [7, 8, 6, 8]);
    ended(&mut state, 8, TrialState::Complete, Some(0.1), None);
    assert_eq!(study_of(&state).in_view(), Some(6));
}

#[test]
fn stop_interrupts_once_and_ctrl_c_every_time() {
    let mut state = State::default();
    assert_eq!(state.press(Key::Stop), KeyAction::Interrupt);
    state.stopping = true;
    assert!(drawn(&state, 80, 24, ASCII).contains("stopping: "));
    assert_eq!(state.press(Key::Stop), KeyAction::Nothing);
    assert_eq!(state.press(Key::Interrupt), KeyAction::Interrupt);
    assert_eq!(state.press(Key::Leave), KeyAction::Leave);
}

#[test]
fn help_is_closed_by_any_key() {
    let mut state = study_in_the_middle();
    state.press(Key::Help);
    insta::assert_snapshot!("help_80x24", drawn(&state, 80, 24, ASCII));
    assert_eq!(state.press(Key::Leave), KeyAction::Nothing);
    assert!(!state.help);
}

#[test]
fn screens_of_a_study() {
    let state = study_in_the_middle();
    insta::assert_snapshot!("study_80x24", drawn(&state, 80, 24, COLOURS));
    insta::assert_snapshot!("study_120x40", drawn(&state, 120, 40, COLOURS));
    insta::assert_snapshot!("study_40x10", drawn(&state, 40, 10, COLOURS));
    insta::assert_snapshot!("study_80x24_no_colour", drawn(&state, 80, 24, GREY));
    insta::assert_snapshot!("study_80x24_no_unicode", drawn(&state, 80, 24, ASCII));
}

#[test]
fn screens_of_a_fit() {
    let state = fit_in_the_middle();
    insta::assert_snapshot!("fit_80x24", drawn(&state, 80, 24, COLOURS));
    insta::assert_snapshot!("fit_120x40", drawn(&state, 120, 40, COLOURS));
    insta::assert_snapshot!("fit_40x10", drawn(&state, 40, 10, COLOURS));
    insta::assert_snapshot!("fit_80x24_no_unicode", drawn(&state, 80, 24, ASCII));
}

#[test]
fn every_size_can_be_drawn() {
    let mut state = study_in_the_middle();
    state.press(Key::Help);
    for state in [state, study_in_the_middle(), fit_in_the_middle(), search_in_the_middle(), State::default()]
    {
        for width in (0..30).chain([59, 60, 61, 200]) {
            for height in (0..20).chain([60]) {
                drawn(&state, width, height, COLOURS);
                drawn(&state, width, height, ASCII);
            }
        }
    }
}

#[test]
fn output_is_ascii_without_unicode_and_monochrome_without_colour() {
    let mut state = study_in_the_middle();
    state.apply(&Progress::Warning("caf\u{e9}\u{1b}[2J"), seconds(70));
    let text = drawn(&state, 80, 24, ASCII);
    assert!(text.is_ascii(), "{text}");
    assert!(!text.contains('\u{1b}'));
    let cells = |theme| {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| super::draw::frame(&state, theme, frame.area(), frame.buffer_mut())).unwrap();
        let coloured = |cell: &&ratatui::buffer::Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        terminal.backend().buffer().content().iter().filter(coloured).count()
    };
    assert_eq!(cells(GREY), 0);
    assert!(cells(COLOURS) > 100);
}

/// The screen as text.
pub(super) fn drawn(state: &State, width: u16, height: u16, theme: Theme) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| super::draw::frame(state, theme, frame.area(), frame.buffer_mut())).unwrap();
    let buffer = terminal.backend().buffer();
    let cells = buffer.content().chunks(usize::from(width.max(1)));
    cells
        .map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n")
        .collect()
}

/// A part of the test below, which runs it on a separate terminal.
#[test]
#[ignore = "panics on purpose, and needs a terminal"]
fn panics_with_the_screen() {
    let mut view = super::LiveView::begin();
    patience::wait_until("the screen", super::screen::is_up);
    let survived = std::thread::spawn(|| panic!("in a trial"));
    assert!(survived.join().is_err());
    view.see(&Progress::Warning("told before"));
    panic!("on purpose");
}

#[cfg(unix)]
#[test]
fn a_panic_gives_the_terminal_back() {
    let this = std::env::current_exe().unwrap();
    let test = "view::live::tests::panics_with_the_screen";
    let command = format!(
        "stty rows 24 cols 80; stty -g; '{}' --ignored --exact {test} --nocapture; stty -g",
        this.display()
    );
    let output = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .expect("`script` makes a terminal for this test: apt-get install bsdutils");
    let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    let (before, screen) = text.split_once("\u{1b}[?1049h").expect(&text);
    let (screen, after) = screen.split_once("\u{1b}[?1049l").expect(&text);
    assert!(!screen.contains("on purpose"), "{text}");
    // A panic in another thread goes to the log; the one that ends the run appears at once, together with the log.
    assert!(after.starts_with("\u{1b}[?25h"), "{text}");
    for log_line in ["on purpose", "warning: panicked at", "in a trial", "warning: told before"] {
        assert!(after.contains(log_line), "{log_line}: {text}");
    }
    assert!(!after.contains("\u{1b}[?1049h"), "{text}");
    let is_settings = |line: &&str| line.matches(':').count() > 10 && !line.contains(' ');
    let settings = |text: &str| text.lines().find(is_settings).map(str::to_owned);
    assert!(settings(before).is_some() && settings(before) == settings(after), "{text}");
}
