//! Studies as text: the results of a search, its trials, its history and the importance of its parameters.

use std::collections::BTreeSet;
use std::fmt::Write;

use headsmith::metrics::Metric;
use headsmith::metrics::bootstrap::{Interval, Selection};
use headsmith::report::{HeldBack, Objective, StudyReport, TrialRow};
use headsmith::studies::{StudySummary, TrialRows, choice, in_words};
use headsmith::study::Choice;

use super::lines::{counted, one_line};
use super::text::grid;

/// The maximum number of parameters in the importance chart.
const N_BARS: usize = 12;
/// The length of the longest bar.
const BAR: usize = 30;

/// The output of `tune` at its end, and of `study show`.
pub(crate) fn summary(report: &StudyReport) -> String {
    let objectives = one_line(&in_words(&report.objectives));
    let mut text = format!("study {} in {}: {objectives}\n", one_line(&report.name), report.storage);
    let mut table = grid(&["state", "trials", "epochs", "seconds"]);
    for line in &report.states {
        table.add_row([
            line.state.clone(),
            line.n_trials.to_string(),
            line.n_epochs.to_string(),
            format!("{:.1}", line.seconds),
        ]);
    }
    let _ = writeln!(text, "{table}");
    if report.states.iter().any(|line| line.state == "interrupted") {
        text += "interrupted: the next tune or worker resumes these trials\n";
    }
    if let Some(saved) = report.saved_seconds.filter(|saved| *saved > 0.0) {
        let _ = writeln!(text, "pruning saved about {saved:.0} s of training");
    }
    if report.n_pruned_by_hand > 0 {
        let n = counted(report.n_pruned_by_hand, "trial");
        let _ = writeln!(text, "{n} pruned by hand: the study is not reproducible");
    }
    match (&report.best, &report.pareto_front, report.objectives.as_slice()) {
        (Some(best), _, [objective]) => text += &trial(objective, best),
        (_, Some(trials), objectives) if !trials.is_empty() => text += &front(objectives, trials),
        _ => text += "no trial is complete yet\n",
    }
    if let Some(selection) = &report.selection {
        text += &honest(selection, report.metric.unwrap_or_default());
    }
    if let Some(held_back) = &report.held_back {
        text += &on_held_back(held_back, report.metric.unwrap_or_default());
    }
    text + &importance(report)
}

/// How optimistic the best score is.
fn honest(selection: &Selection, metric: Metric) -> String {
    format!(
        "{metric} on the validation rows, which selected it: {:.4} ({})\n\
         corrected for selection among {}: {:.4} ({})\n",
        selection.observed,
        between(selection.observed_interval),
        counted(selection.n_trials, "trial"),
        selection.corrected,
        between(selection.corrected_interval),
    )
}

/// The scores of the selected head on rows that were not used for any choice.
pub(crate) fn on_held_back(held_back: &HeldBack, metric: Metric) -> String {
    let judgement = &held_back.judgement;
    let interval = judgement.intervals.as_ref().map(|intervals| between(metric.interval(intervals)));
    format!(
        "{metric} on the {} held back, which chose nothing: {:.4} ({})\n",
        counted(judgement.scores.n_samples, "validation row"),
        metric.of(&judgement.scores),
        interval.unwrap_or_default()
    )
}

fn between(interval: Interval) -> String {
    format!("95 % interval {:.4} to {:.4}", interval.low, interval.high)
}

fn importance(report: &StudyReport) -> String {
    let Some(most) = report.importance.first().filter(|most| most.share > 0.0) else { return String::new() };
    let n_complete = report.n_in("complete");
    let mut text = format!("\nimportance of parameters in {n_complete} complete trials (PED-ANOVA)\n");
    let width = report.importance.iter().take(N_BARS).map(|of| of.param.chars().count()).max().unwrap_or(0);
    for of in report.importance.iter().take(N_BARS) {
        let length = (of.share / most.share * BAR as f64).round() as usize;
        let bar = "#".repeat(length);
        // A conditional parameter is not in all trials.
        let n_trials =
            if of.n_trials < n_complete { format!("{bar}  in {} trials", of.n_trials) } else { bar };
        let _ = writeln!(text, "  {:width$}  {:4.0} %  {n_trials}", one_line(&of.param), 100.0 * of.share);
    }
    text
}

/// The best trial.
pub(crate) fn trial(objective: &Objective, row: &TrialRow) -> String {
    let label = one_line(objective.label());
    let value = row.value.map_or("no value".to_owned(), |value| format!("{label} {value:.4}"));
    let epoch =
        row.best_epoch.map_or(String::new(), |epoch| format!(" at epoch {} of {}", epoch + 1, row.epochs));
    let mut text = format!("best: trial {}, {value}{epoch}\n", row.number);
    for (name, value) in &row.params {
        let _ = writeln!(text, "  {} = {}", one_line(name), shown(&choice(value)));
    }
    text
}

/// The trials of the Pareto front.
pub(crate) fn front(objectives: &[Objective], front: &[TrialRow]) -> String {
    let rows = TrialRows { objectives: objectives.to_vec(), trials: front.to_vec() };
    format!(
        "{}: no single trial is the best. Pareto front: {} that no other trial beats in one objective without losing in \
         another\n{}",
        one_line(&in_words(objectives)),
        counted(front.len(), "trial"),
        trials(&rows)
    )
}

/// The output of `study list`.
pub(crate) fn list(lines: &[StudySummary]) -> String {
    if lines.is_empty() {
        return "no studies\n".to_owned();
    }
    let mut table = grid(&[
        "study",
        "objective",
        "trials",
        "complete",
        "pruned",
        "failed",
        "running",
        "interrupted",
        "waiting",
        "best value",
    ]);
    for line in lines {
        let best = match line.n_pareto {
            Some(n) => format!("{} on the Pareto front", counted(n, "trial")),
            None => line.best_value.map_or(String::new(), |value| format!("{value:.4}")),
        };
        table.add_row([
            one_line(&line.name),
            one_line(&in_words(&line.objectives)),
            line.n_trials.to_string(),
            line.n_complete.to_string(),
            line.n_pruned.to_string(),
            line.n_failed.to_string(),
            line.n_running.to_string(),
            line.n_interrupted.to_string(),
            line.n_waiting.to_string(),
            best,
        ]);
    }
    format!("{table}\n")
}

/// The output of `study trials`.
pub(crate) fn trials(TrialRows { objectives, trials: rows }: &TrialRows) -> String {
    if rows.is_empty() {
        return "no trial matches\n".to_owned();
    }
    let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.params.keys().map(String::as_str)).collect();
    let why = rows.iter().any(|row| row.reason.is_some()).then_some("why");
    let metrics: Vec<String> = objectives.iter().map(|objective| one_line(objective.label())).collect();
    let header: Vec<&str> = ["trial", "state"]
        .into_iter()
        .chain(metrics.iter().map(String::as_str))
        .chain(["epochs", "seconds"])
        .chain(names.iter().copied())
        .chain(why)
        .collect();
    let mut table = grid(&header);
    for row in rows {
        let values = if objectives.len() == 1 { row.value.as_slice() } else { &row.values };
        let value = |i: usize| values.get(i).map_or(String::new(), |value| format!("{value:.4}"));
        let mut cells = vec![row.number.to_string(), row.state.clone()];
        cells.extend((0..objectives.len()).map(value));
        cells.extend([
            row.epochs.to_string(),
            row.seconds.map_or(String::new(), |seconds| format!("{seconds:.1}")),
        ]);
        cells.extend(
            names
                .iter()
                .map(|name| row.params.get(*name).map_or(String::new(), |value| shown(&choice(value)))),
        );
        cells.extend(why.map(|_| row.reason.as_deref().map_or(String::new(), in_short)));
        table.add_row(cells);
    }
    format!("{table}\n")
}

/// A reason on one line: without control characters, and shortened.
fn in_short(reason: &str) -> String {
    const N_CHARS: usize = 60;
    reason.chars().take(N_CHARS).flat_map(char::escape_debug).collect()
}

/// A parameter's value as text.
pub(super) fn shown(choice: &Choice) -> String {
    match choice {
        Choice::Null => "none".to_owned(),
        Choice::Bool(flag) => flag.to_string(),
        Choice::Int(int) => int.to_string(),
        // Four significant digits are enough for a learning rate; the seventeen of a float would fill the screen.
        Choice::Float(float) if *float != 0.0 && (float.abs() < 1e-3 || float.abs() >= 1e5) => {
            format!("{float:.3e}")
        }
        Choice::Float(float) => format!("{float:.4}"),
        Choice::Text(text) => text.clone(),
    }
}
