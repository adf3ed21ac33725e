//! Trials as rows of a table.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use headsmith_study::{Choice, REASON, Trial};
use serde::Serialize;

use super::Words;
use crate::error::{Error, Result};

/// A trial as its user sees it.
#[derive(Debug, Clone, Serialize)]
pub struct TrialRow {
    /// Its number.
    pub number: u64,
    /// How far it is, in a word.
    pub state: &'static str,
    /// Its value.
    pub value: Option<f64>,
    /// Its parameters.
    pub params: BTreeMap<String, Choice>,
    /// How many epochs it reported.
    pub epochs: usize,
    /// The epoch, from 0, of its value; `null` when it is not known.
    pub best_epoch: Option<u64>,
    /// The seconds from its beginning to its end.
    pub seconds: Option<f64>,
    /// Why it failed, or was pruned by something else than the pruner.
    pub reason: Option<String>,
}

/// Which trials, and in which order.
#[derive(Debug, Clone, Default)]
pub struct TrialFilter {
    /// Only these states, in words; empty: all.
    pub states: Vec<String>,
    /// The order.
    pub order: Order,
    /// Only so many.
    pub top: Option<usize>,
}

/// An order of trials.
#[derive(Debug, Clone)]
pub struct Order {
    column: String,
    falling: bool,
}

impl Default for Order {
    fn default() -> Order {
        Order::parse("number")
    }
}

impl Order {
    /// `value` from small to large, `-value` from large to small.
    pub fn parse(text: &str) -> Order {
        match text.strip_prefix('-') {
            Some(column) => Order { column: column.to_owned(), falling: true },
            None => Order { column: text.to_owned(), falling: false },
        }
    }
}

impl TrialRow {
    /// The row of a trial.
    pub(crate) fn new(trial: &Trial, words: &Words) -> TrialRow {
        let params = trial.params.iter();
        TrialRow {
            number: trial.number,
            state: words.of(trial),
            value: trial.value,
            params: params
                .map(|(name, (distribution, inside))| (name.clone(), distribution.external(*inside)))
                .collect(),
            epochs: trial.intermediate.len(),
            best_epoch: trial.user_attrs.get("best_epoch").and_then(serde_json::Value::as_u64),
            seconds: trial.seconds(),
            reason: trial.system_attrs.get(REASON).and_then(|reason| reason.as_str()).map(str::to_owned),
        }
    }

    /// What stands in a column: a number or a text; `None`: nothing.
    fn cell(&self, column: &str) -> Option<Cell> {
        let number = |value: f64| Some(Cell::Number(value));
        match column {
            "number" => number(self.number as f64),
            "state" => Some(Cell::Text(self.state.to_owned())),
            "value" => self.value.and_then(number),
            "epochs" => number(self.epochs as f64),
            "best_epoch" => self.best_epoch.and_then(|epoch| number(epoch as f64)),
            "seconds" => self.seconds.and_then(number),
            param => match self.params.get(param)? {
                Choice::Null => None,
                Choice::Bool(flag) => number(f64::from(*flag)),
                Choice::Int(int) => number(*int as f64),
                Choice::Float(float) => number(*float),
                Choice::Text(text) => Some(Cell::Text(text.clone())),
            },
        }
    }
}

#[derive(Debug, PartialEq)]
enum Cell {
    Number(f64),
    Text(String),
}

const COLUMNS: [&str; 6] = ["number", "state", "value", "epochs", "best_epoch", "seconds"];

impl TrialFilter {
    /// The rows that pass, in order; what has nothing in the column stands last.
    ///
    /// # Errors
    /// When no row has the column.
    pub(super) fn apply(&self, mut rows: Vec<TrialRow>) -> Result<Vec<TrialRow>> {
        let Order { column, falling } = &self.order;
        if !COLUMNS.contains(&column.as_str()) && !rows.iter().any(|row| row.params.contains_key(column)) {
            let mut names: Vec<&str> =
                rows.iter().flat_map(|row| row.params.keys().map(String::as_str)).collect();
            names.sort_unstable();
            names.dedup();
            return Err(Error::usage(format!(
                "there is no column {column}; there are {}",
                COLUMNS.into_iter().chain(names).collect::<Vec<_>>().join(", ")
            )));
        }
        rows.retain(|row| self.states.is_empty() || self.states.iter().any(|state| state == row.state));
        rows.sort_by(|a, b| match (a.cell(column), b.cell(column)) {
            (Some(a), Some(b)) if *falling => compare(&b, &a),
            (Some(a), Some(b)) => compare(&a, &b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        rows.truncate(self.top.unwrap_or(usize::MAX));
        Ok(rows)
    }
}

fn compare(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Number(a), Cell::Number(b)) => a.total_cmp(b),
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Number(_), Cell::Text(_)) => Ordering::Less,
        (Cell::Text(_), Cell::Number(_)) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, state: &'static str, value: Option<f64>, neurons: i64) -> TrialRow {
        TrialRow {
            number,
            state,
            value,
            params: [("neurons".to_owned(), Choice::Int(neurons))].into(),
            epochs: 1,
            best_epoch: None,
            seconds: None,
            reason: None,
        }
    }

    #[test]
    fn rows_are_filtered_sorted_and_cut() {
        let rows = vec![
            row(0, "complete", Some(0.5), 30),
            row(1, "pruned", None, 20),
            row(2, "complete", Some(0.7), 10),
        ];
        let numbers = |filter: TrialFilter| {
            filter.apply(rows.clone()).unwrap().iter().map(|row| row.number).collect::<Vec<_>>()
        };
        let by = |text| TrialFilter { order: Order::parse(text), ..Default::default() };
        assert_eq!(numbers(TrialFilter::default()), [0, 1, 2]);
        assert_eq!(numbers(by("-value")), [2, 0, 1]);
        assert_eq!(numbers(by("value")), [0, 2, 1]);
        assert_eq!(numbers(by("neurons")), [2, 1, 0]);
        let filter = TrialFilter { states: vec!["complete".to_owned()], top: Some(1), ..by("-value") };
        assert_eq!(numbers(filter), [2]);
        let error = by("nerons").apply(rows.clone()).unwrap_err().to_string();
        assert!(error.contains("neurons"), "{error}");
    }
}
