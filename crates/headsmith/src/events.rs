//! `events.jsonl`: what a run said, one JSON object a line, so that every view can be drawn again when the process is gone.
//! The format's page is `docs/formats/events.md`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use headsmith_heads::Event;
use headsmith_study::StudyEvent;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{Record, now};
use crate::report::Machine;
use crate::studies::words_of;

/// The version of the format.
pub const EVENTS_VERSION: u32 = 1;

/// The name of the format.
pub const FORMAT: &str = "headsmith-events";

/// Keeps what a run says at the end of a file.
///
/// A line is written whole, at once. Nothing that stands in the file is changed; a last line that was torn when a process
/// was killed is ended, and what begins then begins on a line of its own. The file is made when the first fit or study
/// begins: a run without results leaves none.
pub struct EventLog {
    path: PathBuf,
    file: Option<File>,
    /// Lines from before there was a file.
    pending: Vec<u8>,
}

/// A first line is shorter.
const MAX_HEAD: u64 = 1 << 20;

/// What a log's first line tells of its process.
#[derive(Debug, Clone)]
pub struct Begin {
    /// When it began, UTC, to the second.
    pub started: String,
    /// The command and its arguments; empty: unknown.
    pub command: Vec<String>,
    /// Where its random numbers come from.
    pub seed: u64,
    /// How many threads work at once.
    pub jobs: usize,
}

impl Begin {
    /// That of a command that begins now.
    pub fn now(command: Vec<String>, context: &Context<'_>) -> Begin {
        let started = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap_or_default();
        let jobs = context.pool.n_threads();
        Begin { started: started.to_string(), command, seed: context.seed, jobs }
    }
}

impl EventLog {
    /// A log at the end of `path`.
    ///
    /// # Errors
    /// When the file cannot be had there, or is there and is no such log.
    pub fn append(path: PathBuf, begin: &Begin) -> Result<EventLog> {
        // A pipe or a terminal would be waited for.
        if std::fs::metadata(&path).is_ok_and(|is| !is.is_file()) {
            return Err(Error::usage(format!(
                "{} is not a regular file: name a new file, or one that --events wrote before",
                path.display()
            )));
        }
        match File::open(&path) {
            Ok(file) => {
                refuse_others(&path, &file)?;
                // Whether it can be written is known before the work that is to be logged.
                let open = OpenOptions::new().append(true).open(&path);
                open.map_err(|error| Error::file("write to", &path, error))?;
            }
            // Where it cannot be made, who makes its folder says so.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(Error::file("write to", &path, error)),
        }
        let first = json!({
            "event": "begin", "format": FORMAT, "version": EVENTS_VERSION,
            "headsmith_version": env!("CARGO_PKG_VERSION"), "started": begin.started, "command": begin.command,
            "machine": Machine::this(), "seed": begin.seed, "jobs": begin.jobs,
        });
        Ok(EventLog { path, file: None, pending: line(first) })
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

impl Record for EventLog {
    fn keep(&mut self, progress: &Progress<'_>) -> std::result::Result<(), String> {
        self.write(progress)
            .map_err(|error| format!("nothing more is written to {}: {error}", self.path.display()))
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

/// Refuses a file that lines must not be added to.
fn refuse_others(path: &Path, file: &File) -> Result<()> {
    let mut head = Vec::new();
    file.take(MAX_HEAD).read_to_end(&mut head).map_err(|cause| Error::file("read", path, cause))?;
    match version(&head) {
        None if head.is_empty() => Ok(()),
        Some(version) if version == u64::from(EVENTS_VERSION) => Ok(()),
        Some(version) => Err(Error::data(format!(
            "{} is a log of events of version {version}, expected {EVENTS_VERSION}: name another file, or take the \
             Headsmith that wrote it",
            path.display()
        ))),
        None => Err(Error::usage(format!(
            "{} exists and is not a log of events: name a new file, or one that --events wrote before",
            path.display()
        ))),
    }
}

/// The version of a log that begins so; that of this program where all there is is a torn line that may be of one.
fn version(head: &[u8]) -> Option<u64> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let version = |line: &[u8]| {
        let begin: Value = serde_json::from_slice(line).ok()?;
        (begin["format"] == FORMAT).then(|| begin["version"].as_u64())?
    };
    version(first).or_else(|| match lines.next() {
        // A process was killed as it wrote the file's first line.
        _ if !first.starts_with(b"{\"") => None,
        None | Some(b"") => Some(EVENTS_VERSION.into()),
        Some(second) => version(second),
    })
}

/// The file, ready for lines at its end.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // Another program may have made it meanwhile: a study its database.
    refuse_others(path, &file).map_err(io::Error::other)?;
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

/// The event as a line, with the time to the thousandth.
fn line(mut said: Value) -> Vec<u8> {
    if let Some(said) = said.as_object_mut() {
        said.insert("time".to_owned(), json!((now() * 1e3).round() / 1e3));
    }
    let mut line = said.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// The event of a step of a run; steps that are too large to be kept, or kept elsewhere, have none.
fn said(progress: &Progress<'_>) -> Option<Value> {
    Some(match progress {
        Progress::Reading { role, path } => {
            json!({ "event": "reading", "role": role, "path": path.to_string_lossy() })
        }
        Progress::Read(table) => json!({ "event": "read", "table": table }),
        Progress::Found(finding) => json!({ "event": "found", "finding": finding }),
        Progress::Split(split) => json!({ "event": "split", "split": split }),
        Progress::Fitting { head, purpose, metric } => {
            json!({ "event": "fitting", "head": head, "purpose": purpose, "metric": metric })
        }
        Progress::Fit(event) => return fit(event),
        Progress::Fold { fold, n_folds, .. } => json!({ "event": "fold", "fold": fold, "n_folds": n_folds }),
        Progress::Fitted(report) => json!({ "event": "fitted", "head": report }),
        Progress::Searching { study, n_trials, timeout, n_finished, metric, .. } => json!({
            "event": "searching",
            "study": study,
            "n_trials": n_trials,
            "timeout": timeout.map(|timeout| timeout.as_secs_f64()),
            "n_finished": n_finished,
            "metric": metric,
        }),
        Progress::Trial(event) => return trial(event),
        Progress::Searched => json!({ "event": "searched" }),
        Progress::Wrote(path) => json!({ "event": "wrote", "path": path.to_string_lossy() }),
        Progress::Warning(text) => json!({ "event": "warning", "text": text }),
        Progress::Skipped(what) => json!({ "event": "skipped", "what": what }),
        Progress::Studied(report) => json!({ "event": "studied", "study": report }),
        Progress::Ended { interrupted } => json!({ "event": "ended", "interrupted": interrupted }),
        _ => return None,
    })
}

fn fit(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Started { total, unit } => json!({ "event": "started", "total": total, "unit": unit }),
        Event::Epoch(record) => json!({ "event": "epoch", "record": record }),
        Event::Steps { done, total, unit } => {
            json!({ "event": format!("{unit}s"), "done": done, "total": total })
        }
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
