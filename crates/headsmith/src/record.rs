//! Views that record the progress of a run outside of the process.

use std::collections::VecDeque;
use std::time::SystemTime;

use crate::progress::{Progress, UserRequest, View};

/// Records the steps of a run: in a file, a folder, on a server.
pub trait Recorder {
    /// Records one step.
    ///
    /// # Errors
    /// If recording fails: a message that says what is no longer recorded, and why. There are no further calls then.
    fn record(&mut self, progress: &Progress<'_>) -> Result<(), String>;

    /// See [`View::histograms`].
    fn histograms(&self) -> usize {
        0
    }
}

/// A [`View`] that forwards everything to another one and records it. A recorder that fails causes one warning to the
/// other view and to the recorders around this one; the run continues.
pub struct RecordedView<'v, R> {
    recorder: R,
    failed: bool,
    /// Messages that the recorders around this one have not seen yet.
    troubles: VecDeque<String>,
    inner: &'v mut dyn View,
}

impl<'v, R: Recorder> RecordedView<'v, R> {
    /// Records in `recorder` everything that `inner` sees.
    pub fn new(recorder: R, inner: &'v mut dyn View) -> RecordedView<'v, R> {
        RecordedView { recorder, failed: false, troubles: VecDeque::new(), inner }
    }

    fn record(&mut self, progress: &Progress<'_>) {
        if self.failed {
            return;
        }
        if let Err(text) = self.recorder.record(progress) {
            self.failed = true;
            self.inner.see(&Progress::Warning(&text));
            self.troubles.push_back(text);
        }
    }
}

impl<R: Recorder> View for RecordedView<'_, R> {
    fn see(&mut self, progress: &Progress<'_>) {
        self.inner.see(progress);
        while let Some(text) = self.inner.trouble() {
            self.record(&Progress::Warning(&text));
            self.troubles.push_back(text);
        }
        self.record(progress);
    }

    fn request(&mut self) -> Option<UserRequest> {
        self.inner.request()
    }

    fn histograms(&self) -> usize {
        match (self.recorder.histograms(), self.inner.histograms()) {
            (0, every) | (every, 0) => every,
            // Each leaves out what it did not request.
            _ => 1,
        }
    }

    fn trouble(&mut self) -> Option<String> {
        self.troubles.pop_front()
    }
}

/// Seconds since 1970, UTC.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records the texts of warnings; may fail at the first step.
    struct WarningTexts<'t> {
        fails: bool,
        texts: &'t mut Vec<String>,
    }

    impl Recorder for WarningTexts<'_> {
        fn record(&mut self, progress: &Progress<'_>) -> Result<(), String> {
            if self.fails {
                return Err("the disk is full".to_owned());
            }
            self.texts.extend(warning_text(progress));
            Ok(())
        }
    }

    fn warning_text(progress: &Progress<'_>) -> Option<String> {
        match progress {
            Progress::Warning(text) => Some((*text).to_owned()),
            _ => None,
        }
    }

    /// `fails`: which of three recorders, from the inside out, fails.
    fn texts_seen(fails: usize) -> [Vec<String>; 4] {
        let (mut seen, mut kept) = (Vec::new(), [const { Vec::new() }; 3]);
        let [a, b, c] = &mut kept;
        let mut view = |progress: &Progress<'_>| seen.extend(warning_text(progress));
        let mut inner = RecordedView::new(WarningTexts { fails: fails == 0, texts: a }, &mut view);
        let mut middle = RecordedView::new(WarningTexts { fails: fails == 1, texts: b }, &mut inner);
        let mut outer = RecordedView::new(WarningTexts { fails: fails == 2, texts: c }, &mut middle);
        outer.see(&Progress::Searched);
        outer.see(&Progress::Warning("later"));
        let [a, b, c] = kept;
        [seen, a, b, c]
    }

    #[test]
    fn a_failing_recorder_is_reported_once_to_all_others() {
        for fails in 0..3 {
            for (i, texts) in texts_seen(fails).iter().enumerate() {
                let expected: &[&str] = if i == fails + 1 { &[] } else { &["the disk is full", "later"] };
                assert_eq!(texts, expected, "record {fails} fails, {i}");
            }
        }
    }
}
