//! The study: the results of its trials, what mattered, and where the time went.

mod curves;
mod history;
mod importance;
mod parallel;
mod slices;
mod timeline;

use headsmith_metrics::Metric;
use serde_json::Value;

use crate::facts::{Facts, Trial};
use crate::metric::order;
use crate::schema::{StateLine, StudyReport};
use crate::table::Table;
use crate::text::{counted, duration, escape, interval, score, thousands, value};

/// How the states are drawn: the class of a dot, and what it is.
pub(super) const STATES: [(&str, &str); 3] =
    [("c0", "complete"), ("cg hollow", "pruned"), ("c3 hollow", "failed")];
/// The most dots of a drawing.
pub(super) const MAX_DOTS: usize = 1_000;

pub(crate) fn html(facts: &Facts) -> String {
    let study = facts.report.study.as_ref();
    if study.is_none() && facts.trials.is_empty() {
        return String::new();
    }
    let figures = [
        history::figure(facts),
        importance::figure(facts),
        curves::figure(facts),
        parallel::figure(facts),
        slices::figure(facts),
        timeline::figure(facts),
    ];
    let figures: Vec<String> = figures.into_iter().flatten().collect();
    format!(
        "{}{}{}{}",
        study.map_or(String::new(), states),
        best(study, facts.metric()),
        crate::figure::grid(&figures),
        trials(facts)
    )
}

fn states(study: &StudyReport) -> String {
    if study.states.is_empty() {
        return String::new();
    }
    let row = |line: &StateLine| {
        let counts = [line.n_trials, line.n_epochs].map(thousands);
        std::iter::once(line.state.clone()).chain(counts).chain([duration(line.seconds)]).collect()
    };
    let saved = study.saved_seconds.filter(|saved| *saved > 0.0).map_or(String::new(), |saved| {
        format!("<p>Pruning saved about {} of training.</p>", duration(saved))
    });
    Table::new(["state", "trials", "epochs", "time"]).with(study.states.iter().map(row)).html() + &saved
}

fn best(study: Option<&StudyReport>, metric: Metric) -> String {
    let Some((study, best)) = study.and_then(|study| Some((study, study.best.as_ref()?))) else {
        return "<p>No trial is complete.</p>".to_owned();
    };
    let params: Vec<String> =
        best.params.iter().map(|(name, param)| format!("{name} {}", value(param))).collect();
    let corrected = study.selection.map_or(String::new(), |selection| {
        format!(
            " Its interval is {}; corrected for selection among {} it is {} ({}).",
            interval(selection.observed_interval),
            counted(selection.n_trials, "trial"),
            score(selection.corrected),
            interval(selection.corrected_interval)
        )
    });
    format!(
        "<p>The best is trial {}, with {metric} {} on the validation rows: {}.{corrected}</p>",
        best.number,
        score(best.value),
        escape(&params.join(", "))
    )
}

/// Every trial with its parameters.
fn trials(facts: &Facts) -> String {
    if facts.trials.is_empty() {
        return String::new();
    }
    let names = facts.searched();
    let metric = facts.metric().label();
    let header =
        ["trial", "state", metric, "epochs", "best epoch", "time"].into_iter().chain(names.iter().copied());
    let row = |trial: &Trial| {
        let time = trial.seconds.map(duration);
        let own = [
            trial.number.to_string(),
            trial.state.clone(),
            trial.value.map_or(String::new(), score),
            trial.reports.len().to_string(),
            trial.best_epoch.map_or(String::new(), |epoch| (epoch + 1).to_string()),
            time.unwrap_or_default(),
        ];
        own.into_iter()
            .chain(names.iter().map(|name| trial.params.get(*name).map_or(String::new(), value)))
            .collect()
    };
    let table = Table::new(header).words(&[1]).with(facts.trials.iter().map(row));
    format!(
        "<details class=\"long alone\"><summary>All {} trials</summary>{}</details>",
        facts.trials.len(),
        table.html()
    )
}

/// The best trial: of equals the earlier one, as it was chosen.
pub(super) fn best_of(facts: &Facts) -> Option<&Trial> {
    let metric = facts.metric();
    let complete = facts.trials.iter().filter(|trial| trial.is_complete() && trial.value.is_some());
    complete.max_by(|a, b| {
        order(metric, a.value.unwrap_or(0.0), b.value.unwrap_or(0.0)).then(b.number.cmp(&a.number))
    })
}

/// The class that a trial is drawn in.
pub(super) fn class(trial: &Trial) -> &'static str {
    STATES.iter().find(|(_, state)| *state == trial.state).map_or("c4 hollow", |(class, _)| class)
}

/// The keys of the states that occur.
pub(super) fn legend(trials: &[&Trial]) -> Vec<(String, String)> {
    let occurs = |state: &str| trials.iter().any(|trial| trial.state == state);
    STATES
        .iter()
        .filter(|(_, state)| occurs(state))
        .map(|(class, state)| ((*class).to_owned(), (*state).to_owned()))
        .collect()
}

/// The tooltip of a trial.
pub(super) fn said(trial: &Trial, metric: Metric) -> String {
    let value = trial.value.map_or(String::new(), |value| format!(", {metric} {value:.4}"));
    format!("trial {}, {}{value}, {}", trial.number, trial.state, counted(trial.reports.len(), "epoch"))
}

/// A parameter as a number.
pub(super) fn number(param: &Value) -> Option<f64> {
    match param {
        Value::Bool(flag) => Some(f64::from(*flag)),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// An axis for the trials' values of a parameter, and the positions on it.
pub(super) struct Param {
    pub(super) axis: crate::axis::Axis,
    /// The names, of a parameter of words.
    words: Option<Vec<String>>,
}

impl Param {
    pub(super) fn of(name: &str, trials: &[&Trial]) -> Param {
        let values: Vec<&Value> = trials.iter().filter_map(|trial| trial.params.get(name)).collect();
        if values.iter().all(|value| value.is_number()) {
            let numbers: Vec<f64> = values.iter().filter_map(|value| number(value)).collect();
            let mut different = numbers.clone();
            different.sort_by(f64::total_cmp);
            different.dedup();
            // Few whole numbers are named one by one.
            let is_few =
                (2..=5).contains(&different.len()) && different.iter().all(|value| value.fract() == 0.0);
            let axis = match is_few {
                true => crate::axis::Axis::of(name, &different),
                false => crate::axis::Axis::suiting(name, &numbers),
            };
            return Param { axis, words: None };
        }
        let mut words: Vec<String> = values.iter().map(|word| value(word)).collect();
        words.sort_unstable();
        words.dedup();
        Param { axis: crate::axis::Axis::names(name, &words), words: Some(words) }
    }

    /// The position of a trial on the axis, if it has the parameter.
    pub(super) fn value(&self, name: &str, trial: &Trial) -> Option<f64> {
        let own = trial.params.get(name)?;
        match &self.words {
            None => number(own),
            Some(words) => words.iter().position(|word| *word == value(own)).map(|place| place as f64),
        }
    }
}
