//! A command that left no report, from what it said: as much of `report.json` as there is.

use std::collections::BTreeMap;
use std::path::Path;

use headsmith_metrics::Metric;
use headsmith_report::Trial;
use serde_json::{Value, json};

use super::Stored;
use crate::studies::INTERRUPTED;

/// The report of a session of the log, as far as it came.
pub(super) fn told(session: &[Value]) -> Value {
    let begin = &session[0];
    let of = |what: &str, key: &str| -> Vec<&Value> {
        session.iter().filter(|event| event["event"] == what).map(|event| &event[key]).collect()
    };
    let (tables, heads) = (of("read", "table"), of("fitted", "head"));
    let mut report = json!({
        "format": "headsmith-report",
        "version": crate::report::REPORT_VERSION,
        "headsmith_version": begin["headsmith_version"],
        "started": begin["started"],
        "command": begin["command"],
        "machine": begin["machine"],
        "seed": begin["seed"],
        "jobs": begin["jobs"],
        "tables": tables,
        "findings": of("found", "finding"),
        "classes": classes(&tables, &heads),
        "heads": heads,
    });
    if let Some(split) = of("split", "split").last() {
        report["split"] = (*split).clone();
    }
    let metric = metric(session);
    report["metric"] = json!(metric);
    if let Some(chosen) = better(&heads, metric) {
        report["chosen"] = chosen["head"].clone();
    }
    if let (Some(model), Some([only])) =
        (model(session), report["heads"].as_array_mut().map(Vec::as_mut_slice))
    {
        only["model"] = model.clone();
    }
    let of_study = session.iter().rfind(|event| event["event"] == "searching" || event["event"] == "studied");
    if let Some(study) = of_study {
        report["study"] = match &study["study"] {
            Value::String(name) => json!({ "name": name }),
            whole => whole.clone(),
        };
    }
    if let Some((head, epochs)) = fitting(session) {
        report["fitting"] = json!({ "head": head["head"], "history": epochs });
    }
    if let Some(seconds) = seconds(session).filter(|_| has_ended(session)) {
        report["seconds"] = seconds.into();
    }
    report
}

/// The metric that chose; the default in logs of older versions, which knew no other.
fn metric(session: &[Value]) -> Metric {
    let named = session.iter().find_map(|event| event["metric"].as_str());
    named.and_then(|name| name.parse().ok()).unwrap_or_default()
}

/// The head that is better on the validation rows; the earlier of equals.
fn better<'h>(heads: &[&'h Value], metric: Metric) -> Option<&'h Value> {
    let score = |head: &Value| head["val"][metric.name()].as_f64().unwrap_or(metric.worst());
    heads
        .iter()
        .copied()
        .reduce(|best, head| if metric.is_better(score(head), score(best)) { head } else { best })
}

/// The file of the model that was written.
fn model(session: &[Value]) -> Option<&Value> {
    let mut written = session.iter().filter(|event| event["event"] == "wrote").map(|event| &event["path"]);
    written.rfind(|path| path.as_str().is_some_and(|path| path.ends_with(".safetensors")))
}

fn has_ended(session: &[Value]) -> bool {
    session.iter().any(|event| event["event"] == "ended")
}

/// From the first thing that was said to the last.
fn seconds(session: &[Value]) -> Option<f64> {
    Some(session.last()?["time"].as_f64()? - session.first()?["time"].as_f64()?)
}

/// The names of the classes in their order: as a head has them, or as the training table's labels are sorted.
fn classes(tables: &[&Value], heads: &[&Value]) -> Vec<Value> {
    let named = |list: &Value| {
        list.as_array().into_iter().flatten().map(|of| of["class"].clone()).collect::<Vec<_>>()
    };
    match (heads.first(), tables.first()) {
        (Some(head), _) => named(&head["train"]["per_class"]),
        (None, Some(table)) => named(&table["labels"]),
        _ => Vec::new(),
    }
}

/// The fit that had begun and not ended, and its epochs.
fn fitting(session: &[Value]) -> Option<(&Value, Vec<&Value>)> {
    let begun = session.iter().rposition(|event| event["event"] == "fitting")?;
    let rest = &session[begun..];
    let ends = ["fitted", "fold", "searching"];
    let ended = rest.iter().any(|event| event["event"].as_str().is_some_and(|event| ends.contains(&event)));
    let epochs = rest.iter().filter(|event| event["event"] == "epoch").map(|event| &event["record"]);
    (!ended).then(|| (&session[begun], epochs.collect()))
}

/// Why the report is no more; `None` when the command came to its end.
pub(super) fn why(session: &[Value], checkpoint: Option<&Path>) -> Option<String> {
    if has_ended(session) {
        return None;
    }
    let doing = match (fitting(session), session.last()) {
        (Some((fit, epochs)), _) => {
            let [head, purpose] = ["head", "purpose"].map(|key| fit[key].as_str().unwrap_or_default());
            // A forest has none.
            let epochs =
                if epochs.is_empty() { String::new() } else { format!(", {} epochs in", epochs.len()) };
            let purpose = if purpose.is_empty() { String::new() } else { format!(" ({purpose})") };
            format!(" while it fitted the {head}{purpose}{epochs}")
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
        "The run did not end: it failed, was killed or still goes on. It was last heard of{doing}, {:.0} s after it began. What follows is \
         what it left{again}.{left}",
        seconds(session).unwrap_or(0.0)
    ))
}

/// The study from its database or, without one, from its trials, if it left no report.
pub(super) fn add_study(report: &mut Value, trials: &[Trial], study: Option<&Stored>) {
    if report["study"]["states"].is_array() {
        return;
    }
    let shown = study.map(|study| study.look.report(&study.place.storage));
    match shown.and_then(|study| serde_json::to_value(study).ok()) {
        Some(study) => report["study"] = study,
        None if report["study"].is_null() => (),
        None => {
            report["study"]["n_trials"] = json!(trials.len());
            report["study"]["states"] = json!(counts(trials));
        }
    }
}

fn counts(trials: &[Trial]) -> Vec<Value> {
    let mut counts: BTreeMap<&str, (usize, usize, f64)> = BTreeMap::new();
    for trial in trials {
        let count = counts.entry(trial.state.as_str()).or_default();
        count.0 += 1;
        count.1 += trial.reports.len();
        count.2 += trial.seconds.unwrap_or(0.0);
    }
    let line = |(state, (n_trials, n_epochs, seconds))| json!({ "state": state, "n_trials": n_trials, "n_epochs": n_epochs, "seconds": seconds });
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
