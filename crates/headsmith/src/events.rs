//! `events.jsonl`: what a run said, one JSON object a line, so that every view can be drawn again when the process is gone.
//! The format's page is `docs/formats/events.md`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use headsmith_heads::Event;
use headsmith_study::StudyEvent;
use serde_json::{Value, json};

use crate::progress::{Progress, View, Wish};
use crate::studies::words_of;

/// The version of the format.
pub const EVENTS_VERSION: u32 = 1;

/// A [`View`] that writes what it sees to the end of a file, and lets another view see it.
///
/// A line is written whole, at once. Nothing that stands in the file is changed; a last line that was torn when a process
/// was killed is ended, and what begins then begins on a line of its own. The file is made when the first fit or study
/// begins: a run that comes to nothing leaves none.
pub struct EventLog<'v> {
    path: PathBuf,
    file: Option<File>,
    /// Lines from before there was a file.
    pending: Vec<u8>,
    failed: bool,
    inner: &'v mut dyn View,
}

impl<'v> EventLog<'v> {
    /// A log at `path`, whose first line is `begin` beside the format's name and version.
    pub fn new(path: PathBuf, begin: &Value, inner: &'v mut dyn View) -> EventLog<'v> {
        let mut log = EventLog { path, file: None, pending: Vec::new(), failed: false, inner };
        let mut first = json!({ "event": "begin", "format": "headsmith-events", "version": EVENTS_VERSION });
        if let (Some(first), Some(begin)) = (first.as_object_mut(), begin.as_object()) {
            first.extend(begin.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        log.pending = line(first);
        log
    }

    fn write(&mut self, progress: &Progress<'_>) -> io::Result<()> {
        let Some(said) = said(progress) else { return Ok(()) };
        self.pending.extend(line(said));
        if self.file.is_none() && begins(progress) {
            self.file = Some(open(&self.path)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }
}

impl View for EventLog<'_> {
    fn see(&mut self, progress: &Progress<'_>) {
        self.inner.see(progress);
        if self.failed {
            return;
        }
        if let Err(error) = self.write(progress) {
            self.failed = true;
            let text = format!("nothing more is written to {}: {error}", self.path.display());
            self.inner.see(&Progress::Warning(&text));
        }
    }

    fn wish(&mut self) -> Option<Wish> {
        self.inner.wish()
    }
}

/// The events of a file, in their order. What is no whole line of JSON is left out.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Value>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// The file, ready for lines at its end.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// Whether there is something to keep from here on, and a folder to keep it in.
fn begins(progress: &Progress<'_>) -> bool {
    matches!(progress, Progress::Fitting { .. } | Progress::Searching { .. } | Progress::Wrote(_))
}

/// The event as a line, with the time.
fn line(mut said: Value) -> Vec<u8> {
    if let Some(said) = said.as_object_mut() {
        said.insert("time".to_owned(), json!(now()));
    }
    let mut line = said.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Seconds since 1970, to the thousandth.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64 / 1000.0
}

/// The event of a step of a run; steps that are too large to be kept, or kept elsewhere, have none.
fn said(progress: &Progress<'_>) -> Option<Value> {
    Some(match progress {
        Progress::Reading { role, path } => json!({ "event": "reading", "role": role, "path": path }),
        Progress::Read(table) => json!({ "event": "read", "table": table }),
        Progress::Found(finding) => json!({ "event": "found", "finding": finding }),
        Progress::Fitting { head, purpose } => {
            json!({ "event": "fitting", "head": head, "purpose": purpose })
        }
        Progress::Fit(event) => return fit(event),
        Progress::Fitted(report) => json!({ "event": "fitted", "head": report }),
        Progress::Searching { study, n_trials, n_finished, .. } => {
            json!({ "event": "searching", "study": study, "n_trials": n_trials, "n_finished": n_finished })
        }
        Progress::Trial(event) => return trial(event),
        Progress::Searched => json!({ "event": "searched" }),
        Progress::Wrote(path) => json!({ "event": "wrote", "path": path }),
        Progress::Warning(text) => json!({ "event": "warning", "text": text }),
        Progress::Skipped(what) => json!({ "event": "skipped", "what": what }),
        _ => return None,
    })
}

fn fit(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Started { total, unit } => json!({ "event": "started", "total": total, "unit": unit }),
        Event::Epoch(record) => json!({ "event": "epoch", "record": record }),
        Event::Trees { done, total } => json!({ "event": "trees", "done": done, "total": total }),
        Event::LearningRateReduced { epoch, learning_rate } => {
            json!({ "event": "learning_rate_reduced", "epoch": epoch, "learning_rate": learning_rate })
        }
        Event::Stopped { step, reason } => json!({ "event": "stopped", "step": step, "reason": reason }),
        _ => return None,
    })
}

fn trial(event: &StudyEvent) -> Option<Value> {
    Some(match event {
        StudyEvent::Began { number, params, done } => {
            json!({ "event": "trial_began", "number": number, "params": params, "done": done })
        }
        StudyEvent::Reported { number, step, value } => {
            json!({ "event": "trial_reported", "number": number, "step": step, "value": value })
        }
        StudyEvent::Ended { number, state, value, reason } => json!({
            "event": "trial_ended", "number": number, "state": words_of(*state)[0], "value": value,
            "reason": reason
        }),
        StudyEvent::Lost { number } => json!({ "event": "trial_lost", "number": number }),
        StudyEvent::GivenBack { number } => json!({ "event": "trial_given_back", "number": number }),
        _ => return None,
    })
}
