//! Exports all trials to a file: CSV with a column for each parameter, or JSON with every report.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use headsmith_data::output;
use headsmith_study::Choice;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::report::{Objective, TrialRow};
use crate::snapshot::{StudyLocation, StudySnapshot, choice, trial_row};

/// A trial with all its reports.
#[derive(Serialize)]
struct ExportedTrial<'t> {
    #[serde(flatten)]
    row: TrialRow,
    objectives: &'t [Objective],
    started: Option<String>,
    completed: Option<String>,
    /// Pairs of step and value, because JSON keys cannot be integers.
    reports: Vec<(i64, Option<f64>)>,
    user_attrs: &'t headsmith_study::Attributes,
}

/// Writes the trials to `path`, in the format of its extension: `.csv` or `.json`. Returns their number.
///
/// # Errors
/// If there is no such study, the extension is neither, or the file cannot be written.
pub fn export(location: &StudyLocation, path: &Path) -> Result<usize> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let write: fn(&mut dyn Write, &StudySnapshot) -> io::Result<()> = match extension {
        Some("csv") => csv,
        Some("json") => json,
        _ => {
            return Err(Error::usage(format!("{} ends neither in .csv nor in .json", path.display())));
        }
    };
    let snapshot = StudySnapshot::new(location)?;
    output::write_atomically(path, |file| write(file, &snapshot))?;
    Ok(snapshot.trials.len())
}

fn json(mut file: &mut dyn Write, snapshot: &StudySnapshot) -> io::Result<()> {
    let objectives = snapshot.objectives();
    let exported: Vec<ExportedTrial<'_>> = snapshot
        .trials
        .iter()
        .map(|trial| ExportedTrial {
            row: trial_row(trial, &snapshot.state_names),
            objectives: &objectives,
            started: trial.started.map(|time| time.to_string()),
            completed: trial.completed.map(|time| time.to_string()),
            reports: trial
                .intermediate
                .iter()
                .map(|(step, value)| (*step, value.is_finite().then_some(*value)))
                .collect(),
            user_attrs: &trial.user_attrs,
        })
        .collect();
    serde_json::to_writer_pretty(&mut file, &exported)?;
    writeln!(file)
}

fn csv(file: &mut dyn Write, snapshot: &StudySnapshot) -> io::Result<()> {
    let (trials, objectives) = (&snapshot.trials, snapshot.objectives());
    let names: BTreeSet<&str> =
        trials.iter().flat_map(|trial| trial.params.keys().map(String::as_str)).collect();
    let mut writer = csv::Writer::from_writer(file);
    let values = match objectives.as_slice() {
        [_] => vec!["value".to_owned()],
        // The names in Optuna's `trials_dataframe`.
        all => all
            .iter()
            .map(|objective| format!("values_{}", objective.name.trim_start_matches("values_")))
            .collect(),
    };
    let metric: Vec<&str> = objectives.iter().map(|objective| objective.name.as_str()).collect();
    let direction: Vec<&str> = objectives.iter().map(|objective| objective.direction.as_str()).collect();
    let (metric, direction) = (metric.join(", "), direction.join(", "));
    let own = ["epochs", "best_epoch", "seconds", "started", "completed", "reason", "metric", "direction"];
    let first = ["number", "state"].into_iter().chain(values.iter().map(String::as_str)).chain(own);
    writer.write_record(first.chain(names.iter().copied()))?;
    for trial in trials {
        let row = trial_row(trial, &snapshot.state_names);
        let text = |value: Option<String>| value.unwrap_or_default();
        let all = if objectives.len() == 1 { row.value.as_slice() } else { &row.values };
        let mut cells = vec![row.number.to_string(), row.state.clone()];
        cells.extend((0..values.len()).map(|i| text(all.get(i).map(f64::to_string))));
        cells.extend([
            row.epochs.to_string(),
            text(row.best_epoch.map(|epoch| epoch.to_string())),
            text(row.seconds.map(|seconds| seconds.to_string())),
            text(trial.started.map(|time| time.to_string())),
            text(trial.completed.map(|time| time.to_string())),
            text(row.reason),
            metric.clone(),
            direction.clone(),
        ]);
        cells.extend(names.iter().map(|name| row.params.get(*name).map_or(String::new(), written)));
        writer.write_record(cells)?;
    }
    writer.flush()
}

/// A parameter as a cell of CSV.
fn written(value: &Value) -> String {
    match choice(value) {
        Choice::Null => String::new(),
        Choice::Bool(flag) => flag.to_string(),
        Choice::Int(int) => int.to_string(),
        Choice::Float(float) => float.to_string(),
        Choice::Text(text) => text,
    }
}
