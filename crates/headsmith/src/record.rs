//! Views that keep what they see outside of the process: one shape for all of them.

use std::collections::VecDeque;
use std::time::SystemTime;

use crate::progress::{Progress, View, Wish};

/// Keeps the steps of a run: in a file, a folder, on a server.
pub trait Record {
    /// Keeps one step.
    ///
    /// # Errors
    /// When it cannot: what is kept no more, and why. It is then asked no more.
    fn keep(&mut self, progress: &Progress<'_>) -> Result<(), String>;

    /// See [`View::histograms`].
    fn histograms(&self) -> usize {
        0
    }
}

/// A [`View`] that hands everything on to another one and has it kept. A record that fails is a warning, once, to the other
/// view and to the records around this one; the run continues.
pub struct Recorded<'v, R> {
    record: R,
    failed: bool,
    /// Messages that the records around this one have not seen yet.
    troubles: VecDeque<String>,
    inner: &'v mut dyn View,
}

impl<'v, R: Record> Recorded<'v, R> {
    /// Keeps in `record` what `inner` sees.
    pub fn new(record: R, inner: &'v mut dyn View) -> Recorded<'v, R> {
        Recorded { record, failed: false, troubles: VecDeque::new(), inner }
    }

    fn keep(&mut self, progress: &Progress<'_>) {
        if self.failed {
            return;
        }
        if let Err(text) = self.record.keep(progress) {
            self.failed = true;
            self.inner.see(&Progress::Warning(&text));
            self.troubles.push_back(text);
        }
    }
}

impl<R: Record> View for Recorded<'_, R> {
    fn see(&mut self, progress: &Progress<'_>) {
        self.inner.see(progress);
        while let Some(text) = self.inner.trouble() {
            self.keep(&Progress::Warning(&text));
            self.troubles.push_back(text);
        }
        self.keep(progress);
    }

    fn wish(&mut self) -> Option<Wish> {
        self.inner.wish()
    }

    fn histograms(&self) -> usize {
        match (self.record.histograms(), self.inner.histograms()) {
            (0, every) | (every, 0) => every,
            // Each leaves out what it did not ask for.
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

    /// Keeps the texts of warnings; may fail at the first step.
    struct Texts<'t> {
        fails: bool,
        texts: &'t mut Vec<String>,
    }

    impl Record for Texts<'_> {
        fn keep(&mut self, progress: &Progress<'_>) -> Result<(), String> {
            if self.fails {
                return Err("the disk is full".to_owned());
            }
            self.texts.extend(said(progress));
            Ok(())
        }
    }

    fn said(progress: &Progress<'_>) -> Option<String> {
        match progress {
            Progress::Warning(text) => Some((*text).to_owned()),
            _ => None,
        }
    }

    /// `fails`: which of three records, from the inside out, fails.
    fn told(fails: usize) -> [Vec<String>; 4] {
        let (mut seen, mut kept) = (Vec::new(), [const { Vec::new() }; 3]);
        let [a, b, c] = &mut kept;
        let mut view = |progress: &Progress<'_>| seen.extend(said(progress));
        let mut inner = Recorded::new(Texts { fails: fails == 0, texts: a }, &mut view);
        let mut middle = Recorded::new(Texts { fails: fails == 1, texts: b }, &mut inner);
        let mut outer = Recorded::new(Texts { fails: fails == 2, texts: c }, &mut middle);
        outer.see(&Progress::Searched);
        outer.see(&Progress::Warning("later"));
        let [a, b, c] = kept;
        [seen, a, b, c]
    }

    #[test]
    fn a_record_that_fails_is_told_once_to_everybody_else() {
        for fails in 0..3 {
            for (i, texts) in told(fails).iter().enumerate() {
                let expected: &[&str] = if i == fails + 1 { &[] } else { &["the disk is full", "later"] };
                assert_eq!(texts, expected, "record {fails} fails, {i}");
            }
        }
    }
}
