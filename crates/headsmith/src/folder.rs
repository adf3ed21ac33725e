//! What an output folder tells of its run: the facts that the report page and the model card are drawn from, and the files
//! themselves. They are functions of `report.json`, `events.jsonl` and the study's database, so they can be made again
//! later, elsewhere, and of a run that was killed.

mod unfinished;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headsmith_data::output;
use headsmith_report::{Facts, Trial};
use headsmith_study::storages::{self, Options};
use headsmith_study::{REASON, State};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::events;
use crate::model_file;

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
/// The study's database, unless the run was told another.
const STUDY: &str = "study.db";

/// What the folder tells of its last run.
///
/// # Errors
/// When there is neither a report nor a log of events, or one of them cannot be read.
pub fn facts(folder: &Path) -> Result<Facts> {
    let (report, log) = (folder.join(REPORT), folder.join(EVENTS));
    let report = if report.exists() { Some(report_of(&report)?) } else { None };
    let log = if log.exists() {
        events::read(&log).map_err(|cause| Error::file("read", &log, cause))?
    } else {
        Vec::new()
    };
    let begun = log.iter().rposition(|event| event["event"] == "begin");
    let session = begun.map_or(&[][..], |begun| &log[begun..]);
    match report {
        Some(report) if begun.is_none() || session[0]["started"] == report["started"] => {
            let trials = trials_of(folder, &report, &log);
            Ok(Facts { report, trials, unfinished: None })
        }
        _ if begun.is_some() => {
            let left = model_file::checkpoint_beside(&folder.join(MODEL));
            let (mut report, why) = unfinished::told(session, left.exists().then_some(left.as_path()));
            let trials = trials_of(folder, &report, &log);
            let database = database(folder, &report);
            unfinished::add_study(&mut report, &trials, database);
            Ok(Facts { report, trials, unfinished: Some(why) })
        }
        _ => Err(Error::usage(format!(
            "{} holds neither {REPORT} nor {EVENTS}: it is no output folder of headsmith run, or its run had not yet begun \
             a fit",
            folder.display()
        ))),
    }
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

fn report_of(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).map_err(|cause| Error::file("read", path, cause))?;
    let report: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Error::data(format!("{} is damaged: {error}", path.display())))?;
    match (report["format"].as_str(), report["version"].as_u64()) {
        (Some("headsmith-report"), Some(version)) if version == u64::from(crate::report::REPORT_VERSION) => {
            Ok(report)
        }
        (Some("headsmith-report"), version) => Err(Error::data(format!(
            "{} is of version {} of the format, expected {}: take the Headsmith that wrote it",
            path.display(),
            version.unwrap_or(0),
            crate::report::REPORT_VERSION
        ))),
        _ => Err(Error::data(format!("{} is no report of headsmith run", path.display()))),
    }
}

/// The study's trials: from its database where that is a file of the folder, else from what the log heard of them.
fn trials_of(folder: &Path, report: &Value, log: &[Value]) -> Vec<Trial> {
    let stored = database(folder, report).and_then(|path| stored(&path, report["study"]["name"].as_str()));
    stored.filter(|trials| !trials.is_empty()).unwrap_or_else(|| unfinished::trials(log))
}

/// The file of the study's database: as the report says, or of that name in the folder, which may have been moved.
fn database(folder: &Path, report: &Value) -> Option<PathBuf> {
    let said = report["study"]["storage"].as_str().unwrap_or(STUDY);
    let said = Path::new(said.strip_prefix("sqlite:///").unwrap_or(said));
    let moved = folder.join(said.file_name()?);
    [moved, said.to_owned()].into_iter().find(|path| path.is_file())
}

/// The trials of the study `name`, or of the only one; `None` when the file does not tell.
fn stored(path: &Path, name: Option<&str>) -> Option<Vec<Trial>> {
    let options = Options { must_exist: true, ..Options::default() };
    let mut storage = storages::open(&path.display().to_string(), &options).ok()?;
    let studies = storage.studies().ok()?;
    let id = match name {
        Some(name) => studies.iter().find(|study| study.name == name)?.id,
        None if studies.len() == 1 => studies[0].id,
        None => return None,
    };
    let trials = storage.trials(id).ok()?;
    let first = trials.iter().filter_map(|trial| trial.started).min();
    Some(trials.iter().map(|trial| shown(trial, first)).collect())
}

fn shown(trial: &Arc<headsmith_study::Trial>, first: Option<jiff::Timestamp>) -> Trial {
    let since = |time: Option<jiff::Timestamp>| Some(time?.duration_since(first?).as_secs_f64());
    let param = |(name, (distribution, inside)): (&String, &(headsmith_study::Distribution, f64))| {
        (name.clone(), serde_json::to_value(distribution.external(*inside)).unwrap_or(Value::Null))
    };
    Trial {
        number: trial.number,
        state: state(trial.state).to_owned(),
        value: trial.value.filter(|value| value.is_finite()),
        params: trial.params.iter().map(param).collect(),
        best_epoch: trial.user_attrs.get("best_epoch").and_then(Value::as_u64),
        reason: trial.system_attrs.get(REASON).and_then(Value::as_str).map(str::to_owned),
        began: since(trial.started),
        ended: since(trial.completed),
        reports: trial.intermediate.iter().map(|(step, value)| (*step, *value)).collect(),
    }
}

/// A trial's state in a word, as it stands in files.
pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Complete => "complete",
        State::Pruned => "pruned",
        State::Fail => "failed",
        State::Running => "running",
        State::Waiting => "waiting",
    }
}
