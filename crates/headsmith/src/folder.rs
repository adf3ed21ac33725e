//! The output folder of a run: the facts that the report page and the model card are drawn from, and the files
//! themselves. They are functions of `report.json`, `events.jsonl` and the study's database, so they can be made again
//! later, elsewhere, and of a run that was killed.

mod unfinished;

use std::path::{Path, PathBuf};

use headsmith_data::output;
use headsmith_report::schema::{REPORT_FORMAT, REPORT_VERSION, Report};
use headsmith_report::{Facts, Trial};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::events;
use crate::model_file;
use crate::report::TrialRow;
use crate::snapshot::{StudyLocation, StudySnapshot, trial_row};

/// The files of a run in its output folder.
pub const REPORT: &str = "report.json";
/// See [`REPORT`].
pub const EVENTS: &str = "events.jsonl";
/// See [`REPORT`].
pub const PAGE: &str = "report.html";
/// See [`REPORT`].
pub const CARD: &str = "model-card.md";
/// See [`REPORT`].
pub const MODEL: &str = "model.safetensors";
/// The small head that the model was distilled to.
pub const DISTILLED: &str = "distilled.safetensors";
/// The study's database, unless `--storage` names another.
pub const STUDY: &str = "study.db";

/// The files of a run in `folder` that reports are made from; not all of them need to exist.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
    [REPORT, EVENTS, MODEL, DISTILLED, STUDY].map(|name| folder.join(name)).to_vec()
}

/// The last run of an output folder, or the last command of a log of events.
///
/// # Errors
/// When there is neither a report nor a log of events, or one of them cannot be read.
pub fn facts(from: &Path) -> Result<Facts> {
    if from.is_file() {
        return facts_of_log(from);
    }
    let folder = from;
    let (report, log) = (folder.join(REPORT), folder.join(EVENTS));
    let report = if report.exists() { Some(report_of(&report)?) } else { None };
    let log = if log.exists() { read_log(&log)? } else { Vec::new() };
    let begun = log.iter().rposition(is_begin);
    let session = begun.map_or(&[][..], |begun| &log[begun..]);
    match report {
        Some(report) if begun.is_none() || session[0]["started"] == report.started.as_str() => {
            Ok(finished_by(folder, report, || log))
        }
        _ if begun.is_some() => {
            let left = model_file::checkpoint_beside(&folder.join(MODEL));
            facts_of(session, &log, folder, left.exists().then_some(left.as_path()))
        }
        _ => Err(Error::usage(format!(
            "{} holds neither {REPORT} nor {EVENTS}: it is no output folder of headsmith run, or its run had not yet begun \
             a fit",
            folder.display()
        ))),
    }
}

/// The facts of the last command of a log by itself, and of its study's database, where that is beside it.
fn facts_of_log(path: &Path) -> Result<Facts> {
    let log = read_log(path)?;
    let Some(begun) = log.iter().rposition(is_begin) else {
        return Err(Error::usage(format!(
            "{} is not a log of events: name one that --events wrote, or the output folder of headsmith run",
            path.display()
        )));
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    facts_of(&log[begun..], &log, folder, None)
}

fn read_log(path: &Path) -> Result<Vec<Value>> {
    events::read(path).map_err(|cause| Error::file("read", path, cause))
}

fn is_begin(event: &Value) -> bool {
    event["event"] == "begin" && event["format"] == events::FORMAT
}

/// The facts of the last session of a log.
///
/// # Errors
/// When one of its events is not of the format.
fn facts_of(session: &[Value], log: &[Value], folder: &Path, checkpoint: Option<&Path>) -> Result<Facts> {
    let damaged =
        |error| Error::data(format!("the log of events in {} is damaged: {error}", folder.display()));
    let fitting = unfinished::fitting(session).map_err(damaged)?;
    let mut report = unfinished::report(session).map_err(damaged)?;
    let study = study(folder, &report);
    let trials = trials_of(study.as_ref(), &report, || log.to_vec());
    unfinished::add_study(&mut report, &trials, study.as_ref());
    let unfinished = unfinished::why(session, fitting.as_ref(), checkpoint);
    Ok(Facts { report, trials, fitting: fitting.map(|fit| fit.facts), unfinished })
}

/// The facts of a run that has just ended with `report`. A log that cannot be read takes only what it alone knows.
pub(crate) fn finished(folder: &Path, report: Report) -> Facts {
    finished_by(folder, report, || events::read(&folder.join(EVENTS)).unwrap_or_default())
}

fn finished_by(folder: &Path, report: Report, log: impl FnOnce() -> Vec<Value>) -> Facts {
    let trials = trials_of(study(folder, &report).as_ref(), &report, log);
    Facts { report, trials, ..Facts::default() }
}

/// Writes the page to `path`.
///
/// # Errors
/// When it cannot be written.
pub fn write_page(facts: &Facts, path: &Path) -> Result<()> {
    write(path, &headsmith_report::html(facts))
}

/// Writes the model card to `path`.
///
/// # Errors
/// When it cannot be written.
pub fn write_card(facts: &Facts, path: &Path) -> Result<()> {
    write(path, &headsmith_report::card(facts))
}

fn write(path: &Path, text: &str) -> Result<()> {
    Ok(output::write_atomically(path, |file| file.write_all(text.as_bytes()))?)
}

/// The fields that identify a report and its version.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: Value,
    #[serde(default)]
    version: Value,
}

fn report_of(path: &Path) -> Result<Report> {
    let bytes = std::fs::read(path).map_err(|cause| Error::file("read", path, cause))?;
    let damaged = |error: serde_json::Error| Error::data(format!("{} is damaged: {error}", path.display()));
    let Head { format, version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if format != REPORT_FORMAT {
        return Err(Error::data(format!("{} is not a report of headsmith run", path.display())));
    }
    if version != REPORT_VERSION {
        return Err(Error::data(format!(
            "{} is of version {version} of the format, expected {REPORT_VERSION}: take the Headsmith that wrote it",
            path.display()
        )));
    }
    serde_json::from_slice(&bytes).map_err(damaged)
}

/// The trials of the report's study: as its database has them, or as the log heard of them.
fn trials_of(study: Option<&Stored>, report: &Report, log: impl FnOnce() -> Vec<Value>) -> Vec<Trial> {
    match (study, &report.study) {
        (Some(study), _) if !study.look.trials.is_empty() => study.trials(),
        (_, Some(study)) => unfinished::trials(&log(), &study.name),
        _ => Vec::new(),
    }
}

/// The report's study in a database that is a file of the folder.
struct Stored {
    place: StudyLocation,
    look: StudySnapshot,
}

/// `None` when the run has no study, or its database is not there or does not tell.
fn study(folder: &Path, report: &Report) -> Option<Stored> {
    let study = report.study.as_ref()?;
    let storage = database(folder, &study.storage)?.display().to_string();
    let place = StudyLocation { storage, name: Some(study.name.clone()) };
    Some(Stored { look: StudySnapshot::new(&place).ok()?, place })
}

/// The study's database: the path in the report, or a file of that name in the folder, which may have been moved.
fn database(folder: &Path, said: &str) -> Option<PathBuf> {
    let said = if said.is_empty() { STUDY } else { said };
    let said = Path::new(said.strip_prefix("sqlite:///").unwrap_or(said));
    let moved = folder.join(said.file_name()?);
    [moved, said.to_owned()].into_iter().find(|path| path.is_file())
}

impl Stored {
    /// Its trials as the page has them; times count from the first.
    fn trials(&self) -> Vec<Trial> {
        let first = self.look.trials.iter().filter_map(|trial| trial.started).min();
        self.look.trials.iter().map(|trial| shown(trial, &self.look, first)).collect()
    }
}

fn shown(trial: &headsmith_study::Trial, look: &StudySnapshot, first: Option<jiff::Timestamp>) -> Trial {
    let TrialRow { number, state, value, params, best_epoch, reason, seconds, .. } =
        trial_row(trial, &look.state_names);
    let since = |time: Option<jiff::Timestamp>| {
        time.zip(first).map(|(time, first)| time.duration_since(first).as_secs_f64())
    };
    let began = since(trial.started);
    let ended = since(trial.completed.or(trial.heartbeat));
    Trial {
        number,
        state,
        value: value.filter(|value| value.is_finite()),
        params,
        best_epoch,
        reason,
        began,
        // The clock may have gone back.
        ended: began.zip(ended).map(|(began, ended)| ended.max(began)),
        seconds,
        reports: trial.intermediate.iter().map(|(step, value)| (*step, *value)).collect(),
    }
}
