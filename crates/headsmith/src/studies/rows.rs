//! Trials as rows of a table.

use std::cmp::Ordering;

use headsmith_study::{Choice, REASON, Trial};
use serde::Deserialize;
use serde_json::Value;

use super::Words;
use crate::error::{Error, Result};
use crate::report::{Objective, TrialRow};

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

/// The row of a trial.
pub(crate) fn trial_row(trial: &Trial, words: &Words) -> TrialRow {
    let params = trial.params.iter().map(|(name, (distribution, inside))| {
        let choice = distribution.external(*inside);
        (name.clone(), serde_json::to_value(choice).unwrap_or_default())
    });
    let is_single = trial.further_values.is_empty();
    TrialRow {
        number: trial.number,
        state: words.of(trial).to_owned(),
        value: trial.value.filter(|_| is_single),
        values: if is_single { Vec::new() } else { trial.values().collect() },
        params: params.collect(),
        epochs: trial.intermediate.len(),
        best_epoch: trial.user_attrs.get("best_epoch").and_then(Value::as_u64),
        seconds: trial.seconds(),
        reason: trial.system_attrs.get(REASON).and_then(|reason| reason.as_str()).map(str::to_owned),
    }
}

/// The value of a parameter of a [`TrialRow`], as studies have it.
pub fn choice(value: &Value) -> Choice {
    // A list or an object is no parameter.
    Choice::deserialize(value).unwrap_or(Choice::Null)
}

/// The content of a column: a number or a text; `None`: nothing.
fn cell(row: &TrialRow, column: &str) -> Option<Cell> {
    let number = |value: f64| Some(Cell::Number(value));
    match column {
        "number" => number(row.number as f64),
        "state" => Some(Cell::Text(row.state.clone())),
        "value" => row.value.and_then(number),
        many if many.starts_with(VALUES) => {
            let i: usize = many.strip_prefix(VALUES)?.parse().ok()?;
            row.values.get(i).copied().and_then(number)
        }
        "epochs" => number(row.epochs as f64),
        "best_epoch" => row.best_epoch.and_then(|epoch| number(epoch as f64)),
        "seconds" => row.seconds.and_then(number),
        param => match choice(row.params.get(param)?) {
            Choice::Text(text) => Some(Cell::Text(text)),
            choice => choice.number().and_then(number),
        },
    }
}

#[derive(Debug, PartialEq)]
enum Cell {
    Number(f64),
    Text(String),
}

/// The columns of several objectives: `values_0` ..
const VALUES: &str = "values_";

const COLUMNS: [&str; 6] = ["number", "state", "value", "epochs", "best_epoch", "seconds"];

impl TrialFilter {
    /// The rows that pass, in order; rows without a value in the column come last. An objective's column may be called by
    /// its metric.
    ///
    /// # Errors
    /// When no row has the column.
    pub(super) fn apply(&self, mut rows: Vec<TrialRow>, objectives: &[Objective]) -> Result<Vec<TrialRow>> {
        let Order { column, falling } = &self.order;
        let values: Vec<String> = match objectives.len() {
            0 | 1 => vec!["value".to_owned()],
            n => (0..n).map(|i| format!("{VALUES}{i}")).collect(),
        };
        let metric = objectives.iter().position(|objective| objective.name == *column);
        let column = metric.and_then(|i| values.get(i)).unwrap_or(column);
        let is_known = COLUMNS.contains(&column.as_str()) || values.contains(column);
        if !is_known && !rows.iter().any(|row| row.params.contains_key(column)) {
            let mut names: Vec<&str> =
                rows.iter().flat_map(|row| row.params.keys().map(String::as_str)).collect();
            names.sort_unstable();
            names.dedup();
            return Err(Error::usage(format!(
                "there is no column {column}; there are {}",
                COLUMNS
                    .into_iter()
                    .chain(objectives.iter().map(|objective| objective.name.as_str()))
                    .chain(names)
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        }
        rows.retain(|row| self.states.is_empty() || self.states.contains(&row.state));
        rows.sort_by(|a, b| match (cell(a, column), cell(b, column)) {
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

    fn row(number: u64, state: &str, value: Option<f64>, neurons: i64) -> TrialRow {
        TrialRow {
            number,
            state: state.to_owned(),
            value,
            params: [("neurons".to_owned(), neurons.into())].into(),
            epochs: 1,
            ..TrialRow::default()
        }
    }

    #[test]
    fn rows_are_filtered_sorted_and_cut() {
        let rows = vec![
            row(0, "complete", Some(0.5), 30),
            row(1, "pruned", None, 20),
            row(2, "complete", Some(0.7), 10),
        ];
        let objectives = [Objective { name: "f1".to_owned(), direction: "maximize".to_owned() }];
        let numbers = |filter: TrialFilter| {
            filter.apply(rows.clone(), &objectives).unwrap().iter().map(|row| row.number).collect::<Vec<_>>()
        };
        let by = |text| TrialFilter { order: Order::parse(text), ..Default::default() };
        assert_eq!(numbers(TrialFilter::default()), [0, 1, 2]);
        assert_eq!(numbers(by("-value")), [2, 0, 1]);
        assert_eq!(numbers(by("value")), [0, 2, 1]);
        assert_eq!(numbers(by("-f1")), [2, 0, 1]);
        assert_eq!(numbers(by("neurons")), [2, 1, 0]);
        let filter = TrialFilter { states: vec!["complete".to_owned()], top: Some(1), ..by("-value") };
        assert_eq!(numbers(filter), [2]);
        let error = by("nerons").apply(rows.clone(), &objectives).unwrap_err().to_string();
        assert!(error.contains("neurons"), "{error}");
    }

    #[test]
    fn several_objectives_have_a_column_each() {
        let row = |number, values: [f64; 2]| TrialRow {
            values: values.to_vec(),
            ..row(number, "complete", None, 1)
        };
        let rows = vec![row(0, [0.5, 10.0]), row(1, [0.7, 9.0])];
        let objective = |name: &str| Objective { name: name.to_owned(), direction: "minimize".to_owned() };
        let objectives = [objective("error"), objective("size")];
        for (column, first) in [("error", 0), ("values_0", 0), ("size", 1), ("-values_1", 0)] {
            let filter = TrialFilter { order: Order::parse(column), ..Default::default() };
            assert_eq!(filter.apply(rows.clone(), &objectives).unwrap()[0].number, first, "{column}");
        }
    }
}
