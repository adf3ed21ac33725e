//! A cache of a study's trials. A finished trial never changes, so it is read once; all others are read again each
//! time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Rdb;
use crate::distribution::Distribution;
use crate::error::{Error, Kind, Result};
use crate::storages::cell::{Cell, Row};
use crate::trial::{Attributes, Params, State, Trial};

/// The cached trials of one study.
#[derive(Default)]
pub(super) struct History {
    /// In the order of their numbers, which is also that of their keys.
    pub(super) trials: Vec<Arc<Trial>>,
    /// One distribution of each parameter that any trial has.
    pub(super) distributions: HashMap<String, Distribution>,
    /// Distributions by their JSON: most trials have the same ones.
    texts: HashMap<String, Distribution>,
}

impl History {
    /// The first key to read again: that of the first unfinished trial, or of the last trial.
    fn first_to_read(&self) -> i64 {
        let unfinished = self.trials.iter().find(|trial| !trial.state.is_finished());
        unfinished.or(self.trials.last()).map_or(0, |trial| trial.id)
    }

    fn position(&self, trial_id: i64) -> std::result::Result<usize, usize> {
        self.trials.binary_search_by_key(&trial_id, |trial| trial.id)
    }

    pub(super) fn cached(&self, trial_id: i64) -> Option<&Arc<Trial>> {
        self.position(trial_id).ok().map(|at| &self.trials[at])
    }

    fn put(&mut self, trial: Trial) {
        for (name, (distribution, _)) in &trial.params {
            if !self.distributions.contains_key(name) {
                self.distributions.insert(name.clone(), distribution.clone());
            }
        }
        match self.position(trial.id) {
            Ok(at) => self.trials[at] = Arc::new(trial),
            Err(at) => self.trials.insert(at, Arc::new(trial)),
        }
    }

    /// Whether the last cached trial is still the same: SQLite reuses the keys of deleted rows.
    fn is_of(&self, rows: &[Trial]) -> bool {
        let Some(last) = self.trials.last() else { return true };
        rows.iter().any(|row| {
            let alike = (row.id, row.number) == (last.id, last.number);
            alike && (!last.state.is_finished() || (row.state, row.completed) == (last.state, last.completed))
        })
    }
}

/// Reads new and changed trials.
pub(super) fn refresh(rdb: &mut Rdb, study_id: i64) -> Result<()> {
    let mut history = rdb.histories.remove(&study_id).unwrap_or_default();
    let mut rows = rows_from(rdb, study_id, history.first_to_read())?;
    if !history.is_of(&rows) {
        history = History::default();
        rows = rows_from(rdb, study_id, 0)?;
    }
    let mut run: BTreeMap<i64, Trial> = BTreeMap::new();
    for row in rows {
        if history.cached(row.id).is_some_and(|trial| trial.state.is_finished()) {
            // Split into runs, so that finished trials between unfinished ones are not read again.
            fill(rdb, &mut history, std::mem::take(&mut run))?;
        } else {
            run.insert(row.id, row);
        }
    }
    fill(rdb, &mut history, run)?;
    rdb.histories.insert(study_id, history);
    Ok(())
}

/// Reads one trial again.
pub(super) fn reread(rdb: &mut Rdb, study_id: i64, trial_id: i64) -> Result<Option<Arc<Trial>>> {
    let mut history = rdb.histories.remove(&study_id).unwrap_or_default();
    let sql = "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials \
               WHERE study_id = $1 AND trial_id = $2";
    let rows = rows(rdb, sql, &[study_id.into(), trial_id.into()])?;
    fill(rdb, &mut history, rows.into_iter().map(|row| (row.id, row)).collect())?;
    let trial = history.cached(trial_id).cloned();
    rdb.histories.insert(study_id, history);
    Ok(trial)
}

fn rows_from(rdb: &mut Rdb, study_id: i64, first: i64) -> Result<Vec<Trial>> {
    let sql = "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials \
               WHERE study_id = $1 AND trial_id >= $2 ORDER BY trial_id";
    rows(rdb, sql, &[study_id.into(), first.into()])
}

fn rows(rdb: &mut Rdb, sql: &'static str, params: &[Cell<'_>]) -> Result<Vec<Trial>> {
    let mut rows = Vec::new();
    rdb.link.query(sql, params, &mut |row| {
        rows.push(Trial {
            id: row.int(0)?,
            number: u64::try_from(row.int(1)?).unwrap_or_default(),
            state: state_of(row.text(2)?)?,
            value: None,
            params: Params::new(),
            intermediate: BTreeMap::new(),
            user_attrs: Attributes::new(),
            system_attrs: Attributes::new(),
            started: row.time(3)?,
            completed: row.time(4)?,
            ..Trial::default()
        });
        Ok(())
    })?;
    Ok(rows)
}

/// Adds a row of another table to its trial.
type AddRow = fn(&mut Trial, &mut HashMap<String, Distribution>, &Row<'_>) -> Result<()>;

const PARTS: [(&str, AddRow); 6] = [
    (
        "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params \
         WHERE trial_id BETWEEN $1 AND $2",
        add_param,
    ),
    (
        "SELECT trial_id, value, value_type, objective FROM trial_values WHERE trial_id BETWEEN $1 AND $2 \
         ORDER BY trial_id, objective",
        |trial, _, row| {
            match row.int(3)? {
                0 => trial.value = Some(float(row, 1)?),
                _ => trial.further_values.push(float(row, 1)?),
            }
            Ok(())
        },
    ),
    ("SELECT trial_id, heartbeat FROM trial_heartbeats WHERE trial_id BETWEEN $1 AND $2", |trial, _, row| {
        trial.heartbeat = row.time(1)?;
        Ok(())
    }),
    (
        "SELECT trial_id, step, intermediate_value, intermediate_value_type FROM trial_intermediate_values \
         WHERE trial_id BETWEEN $1 AND $2",
        |trial, _, row| {
            trial.intermediate.insert(row.int(1)?, float(row, 2)?);
            Ok(())
        },
    ),
    (
        "SELECT trial_id, key, value_json FROM trial_user_attributes WHERE trial_id BETWEEN $1 AND $2",
        |trial, _, row| {
            trial.user_attrs.insert(row.text(1)?.to_owned(), row.json(2));
            Ok(())
        },
    ),
    (
        "SELECT trial_id, key, value_json FROM trial_system_attributes WHERE trial_id BETWEEN $1 AND $2",
        |trial, _, row| {
            trial.system_attrs.insert(row.text(1)?.to_owned(), row.json(2));
            Ok(())
        },
    ),
];

/// Completes `trials`, which have no other trial of the study between them, and adds them to the history.
fn fill(rdb: &mut Rdb, history: &mut History, mut trials: BTreeMap<i64, Trial>) -> Result<()> {
    let (Some(first), Some(last)) = (trials.keys().next().copied(), trials.keys().next_back().copied())
    else {
        return Ok(());
    };
    for (sql, add) in PARTS {
        rdb.link.query(sql, &[first.into(), last.into()], &mut |row| {
            // Trials of other studies may lie between them.
            trials.get_mut(&row.int(0)?).map_or(Ok(()), |trial| add(trial, &mut history.texts, &row))
        })?;
    }
    trials.into_values().for_each(|trial| history.put(trial));
    Ok(())
}

fn add_param(trial: &mut Trial, texts: &mut HashMap<String, Distribution>, row: &Row<'_>) -> Result<()> {
    let (name, text) = (row.text(1)?, row.text(3)?);
    let distribution = match texts.get(text) {
        Some(distribution) => distribution.clone(),
        None => {
            let distribution =
                Distribution::from_json(text).map_err(|error| no_distribution(trial, name, error))?;
            texts.insert(text.to_owned(), distribution.clone());
            distribution
        }
    };
    trial.params.insert(name.to_owned(), (distribution, row.real(2)?.unwrap_or(f64::NAN)));
    Ok(())
}

fn no_distribution(trial: &Trial, name: &str, error: Error) -> Error {
    let message = format!("the parameter `{name}` of trial {}: {error}", trial.number);
    Error::caused(Kind::Storage, message, error)
}

/// Reads the float of a column; the next column holds its type.
pub(super) fn float(row: &Row<'_>, column: usize) -> Result<f64> {
    Ok(match row.text(column + 1)? {
        "INF_POS" => f64::INFINITY,
        "INF_NEG" => f64::NEG_INFINITY,
        "NAN" => f64::NAN,
        _ => row.real(column)?.unwrap_or(f64::NAN),
    })
}

/// A float and its type as two cells.
pub(super) fn float_cells(value: f64) -> [Cell<'static>; 2] {
    if value.is_nan() {
        [Cell::Null, "NAN".into()]
    } else if value.is_finite() {
        [Cell::Real(value), "FINITE".into()]
    } else {
        [Cell::Null, if value > 0.0 { "INF_POS" } else { "INF_NEG" }.into()]
    }
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Running => "RUNNING",
        State::Complete => "COMPLETE",
        State::Pruned => "PRUNED",
        State::Fail => "FAIL",
        State::Waiting => "WAITING",
    }
}

pub(super) fn state_of(name: &str) -> Result<State> {
    let states = [State::Running, State::Complete, State::Pruned, State::Fail, State::Waiting];
    states.into_iter().find(|state| state_name(*state) == name).ok_or_else(|| {
        Error::new(Kind::Storage, format!("the study database has a trial in an unknown state: {name:?}"))
    })
}
