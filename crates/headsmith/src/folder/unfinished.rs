//! A command that left no report, from its log of events: as much of `report.json` as there is.

use std::collections::BTreeMap;
use std::path::Path;

use headsmith_heads::EpochRecord;
use headsmith_heads::head::find;
use headsmith_metrics::Metric;
use headsmith_report::schema::{
    AutoReport, CandidateReport, FitReport, REPORT_FORMAT, REPORT_VERSION, Report, StateLine, StudyReport,
    TableReport,
};
use headsmith_report::{Fitting, Trial};
use serde::de::DeserializeOwned;
use serde_json::{Result, Value};

use super::Stored;
use crate::snapshot::INTERRUPTED;

/// A fit that had begun and not ended.
pub(super) struct Unfinished<'l> {
    head: &'l str,
    purpose: &'l str,
    pub(super) facts: Fitting,
}

/// The report of a session of the log, as far as it came.
///
/// # Errors
/// When an event is not of the format.
pub(super) fn report(session: &[Value]) -> Result<Report> {
    let begin: Report = read(&session[0])?;
    let (tables, mut heads): (Vec<TableReport>, Vec<FitReport>) =
        (all(session, "read", "table")?, all(session, "fitted", "head")?);
    let metric = metric(session);
    if let ([only], Some(model)) = (&mut heads[..], model(session)) {
        only.model = Some(model.to_owned());
    }
    Ok(Report {
        format: REPORT_FORMAT.to_owned(),
        version: REPORT_VERSION,
        metric,
        split: all(session, "split", "split")?.pop(),
        findings: all(session, "found", "finding")?,
        classes: classes(&tables, &heads),
        chosen: better(&heads, metric).map_or(String::new(), |chosen| chosen.head.clone()),
        study: study(session)?,
        auto: search(session)?,
        seconds: seconds(session).filter(|_| has_ended(session)),
        tables,
        heads,
        ..begin
    })
}

/// A value of the log as a part of the report.
fn read<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value)
}

/// The values at `key` of the events called `event`.
fn all<T: DeserializeOwned>(session: &[Value], event: &str, key: &str) -> Result<Vec<T>> {
    session.iter().filter(|of| of["event"] == event).map(|of| read(&of[key])).collect()
}

/// The metric that chose; the default in logs of older versions, which knew no other.
fn metric(session: &[Value]) -> Metric {
    let named = session.iter().find_map(|event| event["metric"].as_str());
    named.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// The study's report; before there is one, its name.
fn study(session: &[Value]) -> Result<Option<StudyReport>> {
    let last = session.iter().rfind(|event| event["event"] == "searching" || event["event"] == "studied");
    last.map(|event| match &event["study"] {
        Value::String(name) => Ok(StudyReport { name: name.clone(), ..StudyReport::default() }),
        whole => read(whole),
    })
    .transpose()
}

/// The candidates of a search so far; `None` before the first.
fn search(session: &[Value]) -> Result<Option<AutoReport>> {
    let candidates: Vec<CandidateReport> = all(session, "candidate", "candidate")?;
    let n_steps = candidates.iter().map(|candidate| candidate.n_steps).sum();
    let search_seconds = candidates.last().map(|last| last.at_seconds);
    Ok(search_seconds.map(|search_seconds| AutoReport {
        n_steps,
        search_seconds,
        candidates,
        ..AutoReport::default()
    }))
}

/// The head that is better on the validation rows; the earlier of equals.
fn better(heads: &[FitReport], metric: Metric) -> Option<&FitReport> {
    let score = |head: &FitReport| head.val.as_ref().map_or(metric.worst(), |val| metric.of(&val.scores));
    heads.iter().reduce(|best, head| if metric.is_better(score(head), score(best)) { head } else { best })
}

/// The file of the model that was written.
fn model(session: &[Value]) -> Option<&str> {
    let written = session.iter().filter(|event| event["event"] == "wrote");
    written.filter_map(|event| event["path"].as_str()).rfind(|path| path.ends_with(".safetensors"))
}

fn has_ended(session: &[Value]) -> bool {
    session.iter().any(|event| event["event"] == "ended")
}

/// The time from the first event to the last.
fn seconds(session: &[Value]) -> Option<f64> {
    Some(session.last()?["time"].as_f64()? - session.first()?["time"].as_f64()?)
}

/// The names of the classes in their order: as a head has them, or as the training table's labels are sorted.
fn classes(tables: &[TableReport], heads: &[FitReport]) -> Vec<String> {
    match (heads.first(), tables.first()) {
        (Some(head), _) => head.known_by().map_or_else(Vec::new, |(judged, _)| judged.classes.clone()),
        (None, Some(table)) => table.labels.iter().map(|label| label.class.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The fit that had begun and not ended, and its epochs.
///
/// # Errors
/// When an epoch is not of the format.
pub(super) fn fitting(session: &[Value]) -> Result<Option<Unfinished<'_>>> {
    let Some(begun) = session.iter().rposition(|event| event["event"] == "fitting") else { return Ok(None) };
    let rest = &session[begun..];
    let ends = ["fitted", "fold", "candidate", "searching"];
    if rest.iter().any(|event| event["event"].as_str().is_some_and(|event| ends.contains(&event))) {
        return Ok(None);
    }
    let [head, purpose] = ["head", "purpose"].map(|key| rest[0][key].as_str().unwrap_or_default());
    let history: Vec<EpochRecord> = all(rest, "epoch", "record")?;
    let title = find(head).map_or(head, |head| head.table().title);
    Ok(Some(Unfinished { head, purpose, facts: Fitting { title: title.to_owned(), history } }))
}

/// Why the report is no more; `None` when the command came to its end.
pub(super) fn why(
    session: &[Value],
    fitting: Option<&Unfinished<'_>>,
    checkpoint: Option<&Path>,
) -> Option<String> {
    if has_ended(session) {
        return None;
    }
    let doing = match (fitting, session.last()) {
        (Some(Unfinished { head, purpose, facts }), _) => {
            // Not every head has epochs.
            let epochs = match facts.history.len() {
                0 => String::new(),
                n => format!(", {n} epochs in"),
            };
            let purpose = if purpose.is_empty() { String::new() } else { format!(" ({purpose})") };
            format!(" while it fitted the {head}{purpose}{epochs}")
        }
        (None, Some(last)) if last["event"] == "candidate" => {
            let n = session.iter().filter(|event| event["event"] == "candidate").count();
            format!(" in its search, after {n} candidates")
        }
        (None, Some(last)) if last["number"].is_u64() => {
            format!(" in its study, at trial {}", last["number"])
        }
        (None, Some(last)) => format!(" after `{}`", last["event"].as_str().unwrap_or_default()),
        (None, None) => String::new(),
    };
    let left =
        checkpoint.map_or(String::new(), |path| format!(" The best model so far is in {}.", path.display()));
    let study = session.iter().any(|event| event["event"] == "searching");
    let again = if study { "; the same command resumes its study" } else { "" };
    Some(format!(
        "The run did not end: it failed, was killed or is still running. It was last heard of{doing}, {:.0} s after it began. What follows is \
         what it left{again}.{left}",
        seconds(session).unwrap_or(0.0)
    ))
}

/// The study from its database or, without one, from its trials, if it left no report.
pub(super) fn add_study(report: &mut Report, trials: &[Trial], stored: Option<&Stored>) {
    let Some(study) = report.study.as_mut().filter(|study| study.states.is_empty()) else { return };
    match stored {
        Some(stored) => *study = stored.look.report(&stored.place.storage),
        None => (study.n_trials, study.states) = (trials.len(), counts(trials)),
    }
}

fn counts(trials: &[Trial]) -> Vec<StateLine> {
    let mut counts: BTreeMap<&str, (usize, usize, f64)> = BTreeMap::new();
    for trial in trials {
        let count = counts.entry(trial.state.as_str()).or_default();
        count.0 += 1;
        count.1 += trial.reports.len();
        count.2 += trial.seconds.unwrap_or(0.0);
    }
    let line = |(state, (n_trials, n_epochs, seconds)): (&str, _)| StateLine {
        state: state.to_owned(),
        n_trials,
        n_epochs,
        seconds,
    };
    counts.into_iter().map(line).collect()
}

/// The trials of the study `name` that the log heard of, in all its sessions.
pub(super) fn trials(log: &[Value], name: &str) -> Vec<Trial> {
    let mut trials: BTreeMap<u64, Trial> = BTreeMap::new();
    // When the worker of a trial took it, and the time of earlier workers.
    let mut claimed: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    let mut is_own = false;
    let own = log.iter().filter(|event| {
        if event["event"] == "searching" {
            is_own = event["study"] == name;
        }
        is_own
    });
    let own: Vec<&Value> = own.collect();
    let first =
        own.iter().find(|event| event["event"] == "trial_began").and_then(|event| event["time"].as_f64());
    for event in own {
        let (Some(number), Some(what)) = (event["number"].as_u64(), event["event"].as_str()) else {
            continue;
        };
        let since = first.and_then(|first| Some(event["time"].as_f64()? - first));
        let trial = trials.entry(number).or_insert_with(|| Trial { number, ..Trial::default() });
        if let Some(since) = since {
            let now = (since, trial.seconds.unwrap_or(0.0));
            if what == "trial_began" {
                claimed.insert(number, now);
            }
            let (at, before) = claimed.get(&number).copied().unwrap_or(now);
            trial.seconds = Some(before + (since - at).max(0.0));
        }
        match what {
            "trial_began" => {
                trial.state = "running".to_owned();
                trial.began = trial.began.or(since);
                let params = event["params"].as_object().into_iter().flatten();
                trial.params = params.map(|(name, value)| (name.clone(), value.clone())).collect();
            }
            "trial_reported" => {
                let report =
                    (event["step"].as_i64().unwrap_or(0), event["value"].as_f64().unwrap_or(f64::NAN));
                trial.reports.retain(|(step, _)| *step < report.0);
                trial.reports.push(report);
            }
            "trial_ended" => {
                trial.state = event["state"].as_str().unwrap_or("failed").to_owned();
                trial.value = event["value"].as_f64().or(trial.reports.last().map(|report| report.1));
                trial.reason = event["reason"].as_str().map(str::to_owned);
                trial.ended = since;
            }
            "trial_given_back" => trial.state = INTERRUPTED.to_owned(),
            _ => {}
        }
    }
    trials.into_values().collect()
}
