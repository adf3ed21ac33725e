//! What the live view knows: every step of the run changes it, and every frame is drawn from it alone.

use std::collections::VecDeque;
use std::time::Duration;

use headsmith::{Progress, Wish};

use super::fit::Fit;
use super::study::Study;
use crate::view::lines::{self, Told};

/// The most lines that are kept for the normal screen.
const N_LINES: usize = 10_000;

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The time since the view began.
    pub(super) now: Duration,
    /// What goes on.
    pub(super) stage: Stage,
    /// Lines for people, in their order.
    pub(super) log: VecDeque<Told>,
    /// Whether the work was asked to stop.
    pub(super) stopping: bool,
    /// Whether the keys are explained.
    pub(super) help: bool,
    /// The trial whose end is to be confirmed.
    pub(super) asking: Option<u64>,
    wishes: VecDeque<Wish>,
}

/// What goes on.
#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant, reason = "there is one")]
pub(super) enum Stage {
    /// Something short, in words.
    #[default]
    Beginning,
    /// A table is read.
    Reading(String),
    /// A head is fitted.
    Fit(Fit),
    /// Trials run.
    Study(Study),
}

/// What a key asks for.
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

/// What is to be done about a key, beyond the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing.
    Nothing,
    /// What Ctrl-C does.
    Interrupt,
    /// The screen is given back, and the work goes on.
    Leave,
}

impl State {
    /// Sees a step of the run, `now` after the view began.
    pub(super) fn see(&mut self, progress: &Progress<'_>, now: Duration) {
        self.now = now;
        if let Some(told) = lines::told(progress) {
            self.tell(told);
        }
        match progress {
            Progress::Reading { path, .. } => self.stage = Stage::Reading(path.display().to_string()),
            Progress::Fitting { head, purpose, metric } => {
                self.stage = Stage::Fit(Fit::new(head, purpose, *metric));
            }
            Progress::Searching { .. } => {
                self.stage = Study::begin(progress, now).map_or(Stage::Beginning, Stage::Study);
            }
            Progress::Fit(event) => {
                if let Stage::Fit(fit) = &mut self.stage {
                    fit.see(event, now);
                }
            }
            Progress::Trial(event) => {
                if let Stage::Study(study) = &mut self.stage {
                    study.see(event);
                }
            }
            _ => (),
        }
    }

    /// Keeps a line.
    pub(super) fn tell(&mut self, told: Told) {
        if self.log.len() == N_LINES {
            self.log.pop_front();
        }
        self.log.push_back(told);
    }

    /// Sees a key.
    pub(super) fn press(&mut self, key: Key) -> Act {
        let asked = self.asking.take();
        let helped = std::mem::take(&mut self.help);
        match key {
            Key::Interrupt => return Act::Interrupt,
            Key::Stop if !self.stopping => return Act::Interrupt,
            Key::Leave if asked.is_none() && !helped => return Act::Leave,
            Key::Help => self.help = !helped,
            Key::Yes => {
                if let (Some(trial), Stage::Study(study)) = (asked, &mut self.stage)
                    && study.is_to_end(trial)
                {
                    self.wishes.push_back(Wish::Prune { trial });
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
        Act::Nothing
    }

    /// What is wanted of the study, once.
    pub(super) fn wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }
}
