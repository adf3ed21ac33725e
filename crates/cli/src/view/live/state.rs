//! The state of the live view: changed by every step of the run, and drawn in every frame.

use std::collections::VecDeque;
use std::time::Duration;

use headsmith::{Progress, UserRequest};

use super::auto::Search;
use super::fit::Fit;
use super::study::Study;
use crate::view::lines::{LogLine, LogLines};

/// The maximum number of lines that are kept for the normal screen.
const N_LINES: usize = 10_000;

/// Everything that is shown.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The time since the view started.
    pub(super) now: Duration,
    /// The current activity.
    pub(super) stage: Stage,
    /// The search over heads, from its first fit on.
    pub(super) search: Option<Search>,
    lines: LogLines,
    /// Log lines, in order.
    pub(super) log: VecDeque<LogLine>,
    /// Whether the work was asked to stop.
    pub(super) stopping: bool,
    /// Whether the keys are explained.
    pub(super) help: bool,
    /// The trial whose end must be confirmed.
    pub(super) asking: Option<u64>,
    requests: VecDeque<UserRequest>,
}

/// The current activity.
#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant, reason = "there is one")]
pub(super) enum Stage {
    /// A short step, described by a text.
    #[default]
    Beginning,
    /// A table is read.
    Reading(String),
    /// A head is fitted.
    Fit(Fit),
    /// Trials run.
    Study(Study),
}

/// The meaning of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Ctrl-C.
    Interrupt,
    /// `s`
    Stop,
    /// `q`
    Leave,
    /// `p`
    Prune,
    /// `y`
    Yes,
    /// To the next trial.
    Next,
    /// To the trial before.
    Previous,
    /// `?`
    Help,
    /// Any other.
    Other,
}

/// The reaction to a key, beyond the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyAction {
    /// Nothing.
    Nothing,
    /// The same as Ctrl-C.
    Interrupt,
    /// Release the screen, and continue the work.
    Leave,
}

impl State {
    /// Applies a step of the run, `now` after the view started.
    pub(super) fn apply(&mut self, progress: &Progress<'_>, now: Duration) {
        self.now = now;
        if let Some(log_line) = self.lines.line(progress) {
            self.push_line(log_line);
        }
        match progress {
            Progress::Reading { path, .. } => self.stage = Stage::Reading(path.display().to_string()),
            Progress::Fitting { head, purpose, metric } => {
                let is_of_candidate = self.lines.is_of_candidate(purpose);
                if is_of_candidate && self.search.is_none() {
                    self.search = Some(Search::new(*metric));
                }
                self.stage = Stage::Fit(Fit { is_of_candidate, ..Fit::new(head, purpose, *metric) });
            }
            Progress::Candidate(report) => {
                // The first may have been fitted in folds, as heads are outside of a search.
                if let Stage::Fit(fit) = &mut self.stage {
                    fit.is_of_candidate = true;
                    self.search.get_or_insert_with(|| Search::new(fit.metric)).add(report);
                }
            }
            Progress::Searching { .. } => {
                self.stage = Study::begin(progress, now).map_or(Stage::Beginning, Stage::Study);
            }
            Progress::Fit(event) => {
                if let Stage::Fit(fit) = &mut self.stage {
                    fit.apply(event, now);
                }
            }
            Progress::Trial(event) => {
                if let Stage::Study(study) = &mut self.stage {
                    study.apply(event);
                }
            }
            _ => (),
        }
    }

    /// Adds a line to the log.
    pub(super) fn push_line(&mut self, log_line: LogLine) {
        if self.log.len() == N_LINES {
            self.log.pop_front();
        }
        self.log.push_back(log_line);
    }

    /// Handles a key.
    pub(super) fn press(&mut self, key: Key) -> KeyAction {
        let asked = self.asking.take();
        let helped = std::mem::take(&mut self.help);
        match key {
            Key::Interrupt => return KeyAction::Interrupt,
            Key::Stop if !self.stopping => return KeyAction::Interrupt,
            Key::Leave if asked.is_none() && !helped => return KeyAction::Leave,
            Key::Help => self.help = !helped,
            Key::Yes => {
                if let (Some(trial), Stage::Study(study)) = (asked, &mut self.stage)
                    && study.request_end(trial)
                {
                    self.requests.push_back(UserRequest::Prune { trial });
                }
            }
            key => {
                if let Stage::Study(study) = &mut self.stage {
                    match key {
                        Key::Prune => self.asking = study.in_view().filter(|_| asked.is_none()),
                        Key::Next => study.turn(1),
                        Key::Previous => study.turn(-1),
                        _ => (),
                    }
                }
            }
        }
        KeyAction::Nothing
    }

    /// Takes the user's request to the study, if there is one.
    pub(super) fn request(&mut self) -> Option<UserRequest> {
        self.requests.pop_front()
    }
}
