//! `events.jsonl`: the events of a run, one JSON object per line, from which views can be drawn after the process has
//! ended. The format is described in `docs/formats/events.md`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use headsmith_heads::Event;
use headsmith_study::StudyEvent;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{Recorder, now};
use crate::report::Machine;
use crate::snapshot::names_of;

/// The version of the format.
pub const EVENTS_VERSION: u32 = 1;

/// The name of the format.
pub const FORMAT: &str = "headsmith-events";

/// Appends the events of a run to a file.
///
/// Each line is written in one call. Existing lines are never changed; if a killed process left an incomplete last
/// line, it is ended, and new lines start on their own. The file is created when the first fit or study begins, so a
/// run without results leaves none.
pub struct EventLog {
    path: PathBuf,
    file: Option<File>,
    /// Lines from before the file was created.
    pending: Vec<u8>,
}

/// The maximum length of a first line.
const MAX_HEAD: u64 = 1 << 20;

/// The description of its process in a log's first line.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The start time, UTC, to the second.
    pub started: String,
    /// The command and its arguments; empty if unknown.
    pub command: Vec<String>,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The number of threads.
    pub jobs: usize,
}

impl Begin {
    /// The description of a command that starts now.
    pub fn now(command: Vec<String>, context: &Context<'_>) -> Begin {
        let started = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap_or_default();
        let jobs = context.pool.n_threads();
        Begin { started: started.to_string(), command, seed: context.seed, jobs }
    }
}

impl EventLog {
    /// A log that appends to `path`.
    ///
    /// # Errors
    /// If the file cannot be created, or exists and is no such log.
    pub fn append(path: PathBuf, begin: &Begin) -> Result<EventLog> {
        // Opening a pipe or a terminal would block.
        if std::fs::metadata(&path).is_ok_and(|is| !is.is_file()) {
            return Err(Error::usage(format!(
                "{} is not a regular file: name a new file, or one that --events wrote before",
                path.display()
            )));
        }
        match File::open(&path) {
            Ok(file) => {
                refuse_others(&path, &file)?;
                // Check now that it can be written, before the work starts.
                let open = OpenOptions::new().append(true).open(&path);
                open.map_err(|error| Error::file("write to", &path, error))?;
            }
            // If the folder is missing, creating it will report errors.
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
        let Some(said) = event_json(progress) else { return Ok(()) };
        self.pending.extend(line(said));
        if self.file.is_none() && starts_log(progress) {
            self.file = Some(open(&self.path)?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }
}

impl Recorder for EventLog {
    fn record(&mut self, progress: &Progress<'_>) -> std::result::Result<(), String> {
        self.write(progress)
            .map_err(|error| format!("nothing more is written to {}: {error}", self.path.display()))
    }
}

/// The events of a file in order; incomplete lines are left out.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<Value>> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// Refuses a file to which lines must not be appended.
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

/// The version in a log's first bytes; this program's version if they are only an incomplete line that may be a log's.
fn version(head: &[u8]) -> Option<u64> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let version = |line: &[u8]| {
        let begin: Value = serde_json::from_slice(line).ok()?;
        (begin["format"] == FORMAT).then(|| begin["version"].as_u64())?
    };
    version(first).or_else(|| match lines.next() {
        // A process was killed while it wrote the file's first line.
        _ if !first.starts_with(b"{\"") => None,
        None | Some(b"") => Some(EVENTS_VERSION.into()),
        Some(second) => version(second),
    })
}

/// Opens the file for appending lines.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    // Another program may have created it meanwhile, for example a study its database.
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

/// Whether the log starts here, in an existing folder.
fn starts_log(progress: &Progress<'_>) -> bool {
    matches!(progress, Progress::Fitting { .. } | Progress::Searching { .. } | Progress::Wrote(_))
}

/// The event as a line, with the time in milliseconds.
fn line(mut event: Value) -> Vec<u8> {
    if let Some(event) = event.as_object_mut() {
        event.insert("time".to_owned(), json!((now() * 1e3).round() / 1e3));
    }
    let mut line = event.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// The event of a step; `None` for steps that are too large, or recorded elsewhere.
pub fn event_json(progress: &Progress<'_>) -> Option<Value> {
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
        Progress::Resuming(folder) => json!({ "event": "resuming", "folder": folder.to_string_lossy() }),
        Progress::Candidate(candidate) => json!({ "event": "candidate", "candidate": candidate }),
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
            "event": "trial_ended", "number": number, "state": names_of(*state)[0], "value": value,
            "reason": reason
        }),
        StudyEvent::Lost { number } => json!({ "event": "trial_lost", "number": number }),
        StudyEvent::Released { number } => json!({ "event": "trial_given_back", "number": number }),
        _ => return None,
    })
}
