//! A worker's writes about its trial: reports, heartbeats, checkpoints, its end.

use serde_json::Value;

use super::history::{float_cells, state_name, state_of};
use super::{PendingWrite, Rdb, no_trial, studies};
use crate::error::{Error, Kind, Result};
use crate::storages::{CLAIM_ATTR, Checkpoint, Scope, json};
use crate::trial::{Attributes, State};

/// Locks a running trial that this value has claimed, or nobody has.
pub(super) fn lock_own(rdb: &mut Rdb, trial_id: i64) -> Result<()> {
    let (state, number) = lock(rdb, trial_id)?;
    if state.is_finished() {
        let message =
            format!("trial {number} is finished ({}): nothing can be added to it", state_name(state));
        return Err(Error::new(Kind::Conflict, message));
    }
    let Some(token) = rdb.claims.get(&trial_id) else { return Ok(()) };
    let mut holder = Value::Null;
    let sql = "SELECT value_json FROM trial_system_attributes WHERE trial_id = $1 AND key = $2";
    rdb.link.query(sql, &[trial_id.into(), CLAIM_ATTR.into()], &mut |row| {
        holder = row.json(0);
        Ok(())
    })?;
    if holder.as_str() == Some(token) {
        return Ok(());
    }
    let message = format!(
        "trial {number} was claimed by another worker, because this one missed its heartbeats: its further reports are \
         ignored"
    );
    Err(Error::new(Kind::Conflict, message))
}

/// Locks a trial and returns its state and number.
pub(super) fn lock(rdb: &mut Rdb, trial_id: i64) -> Result<(State, i64)> {
    let mut found = None;
    let sql = rdb.link.dialect().lock_trial;
    rdb.link.query(sql, &[trial_id.into()], &mut |row| {
        found = Some((state_of(row.text(0)?)?, row.int(1)?));
        Ok(())
    })?;
    found.ok_or_else(|| no_trial(&rdb.link.place()))
}

/// Sets an attribute of the row with key `id`, by the statement for user or system attributes.
pub(super) fn put_attr(
    rdb: &mut Rdb,
    [user, system]: [&'static str; 2],
    id: i64,
    scope: Scope,
    key: &str,
    value: &Value,
) -> Result<()> {
    let (sql, text) = match scope {
        Scope::User => (user, value.to_string()),
        Scope::System => (system, json::write_system(value)),
    };
    rdb.link.execute(sql, &[id.into(), key.into(), text.into()]).map(drop)
}

pub(super) fn set_attr(rdb: &mut Rdb, trial_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()> {
    let sql = [
        "INSERT INTO trial_user_attributes (trial_id, key, value_json) VALUES ($1, $2, $3) \
         ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
        "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES ($1, $2, $3) \
         ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
    ];
    put_attr(rdb, sql, trial_id, scope, key, value)
}

pub(super) fn set_attrs(rdb: &mut Rdb, trial_id: i64, scope: Scope, attrs: &Attributes) -> Result<()> {
    attrs.iter().try_for_each(|(key, value)| set_attr(rdb, trial_id, scope, key, value))
}

pub(super) fn report(
    rdb: &mut Rdb,
    trial_id: i64,
    step: i64,
    value: f64,
    system_attrs: &Attributes,
    checkpoint: Option<&[u8]>,
) -> Result<()> {
    lock_own(rdb, trial_id)?;
    let [value, kind] = float_cells(value);
    let sql = "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) \
               VALUES ($1, $2, $3, $4) ON CONFLICT (trial_id, step) DO UPDATE \
               SET intermediate_value = excluded.intermediate_value, \
               intermediate_value_type = excluded.intermediate_value_type";
    rdb.link.execute(sql, &[trial_id.into(), step.into(), value, kind])?;
    set_attrs(rdb, trial_id, Scope::System, system_attrs)?;
    if let Some(state) = checkpoint {
        let sql = "INSERT INTO headsmith_checkpoints (trial_id, step, state) VALUES ($1, $2, $3) \
                   ON CONFLICT (trial_id) DO UPDATE SET step = excluded.step, state = excluded.state";
        let state = crate::storages::cell::Cell::Blob(state.into());
        rdb.link.execute(sql, &[trial_id.into(), step.into(), state])?;
    }
    beat(rdb, trial_id)
}

pub(super) fn heartbeat(rdb: &mut Rdb, trial_ids: &[i64]) -> Result<()> {
    for &trial_id in trial_ids {
        let running = "SELECT trial_id FROM trials WHERE trial_id = $1 AND state = 'RUNNING'";
        if studies::number(rdb, running, &[trial_id.into()])?.is_some() {
            beat(rdb, trial_id)?;
        }
    }
    Ok(())
}

/// Writes a heartbeat at the time of the database's clock.
pub(super) fn beat(rdb: &mut Rdb, trial_id: i64) -> Result<()> {
    let now = rdb.link.now()?;
    let sql = "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ($1, $2) \
               ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat";
    rdb.link.execute(sql, &[trial_id.into(), now.into()]).map(drop)
}

pub(super) fn finish(
    rdb: &mut Rdb,
    trial_id: i64,
    state: State,
    value: Option<f64>,
    [user_attrs, system_attrs]: [&Attributes; 2],
) -> Result<()> {
    check_end(state, value)?;
    let write = PendingWrite::Finish { trial_id, state };
    if rdb.unacknowledged.as_ref() == Some(&write) && lock(rdb, trial_id)?.0 == state {
        rdb.unacknowledged = None;
        return Ok(());
    }
    lock_own(rdb, trial_id)?;
    set_attrs(rdb, trial_id, Scope::User, user_attrs)?;
    set_attrs(rdb, trial_id, Scope::System, system_attrs)?;
    let value = match value {
        None if state == State::Pruned => last_report(rdb, trial_id)?,
        value => value,
    };
    if let Some(value) = value {
        let [value, kind] = float_cells(value);
        let sql = "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ($1, 0, $2, $3) \
                   ON CONFLICT (trial_id, objective) DO UPDATE \
                   SET value = excluded.value, value_type = excluded.value_type";
        rdb.link.execute(sql, &[trial_id.into(), value, kind])?;
    }
    forget_checkpoint(rdb, trial_id)?;
    end(rdb, trial_id, state)?;
    rdb.in_progress = Some(write);
    Ok(())
}

/// Sets the final state of a locked trial.
pub(super) fn end(rdb: &mut Rdb, trial_id: i64, state: State) -> Result<()> {
    let now = rdb.now();
    let sql = "UPDATE trials SET state = $1, datetime_complete = $2 WHERE trial_id = $3";
    rdb.link.execute(sql, &[state_name(state).into(), now.into(), trial_id.into()]).map(drop)
}

fn check_end(state: State, value: Option<f64>) -> Result<()> {
    let wrong = match (state, value) {
        (State::Running | State::Waiting, _) => "a trial ends as complete, pruned or failed",
        (_, Some(value)) if value.is_nan() => "a trial's value is a number: one without ends as failed",
        (State::Complete, None) => "a complete trial has a value",
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Configuration, wrong))
}

/// The value of a pruned trial.
fn last_report(rdb: &mut Rdb, trial_id: i64) -> Result<Option<f64>> {
    let mut last = None;
    let sql = "SELECT intermediate_value, intermediate_value_type FROM trial_intermediate_values \
               WHERE trial_id = $1 ORDER BY step DESC LIMIT 1";
    rdb.link.query(sql, &[trial_id.into()], &mut |row| {
        last = Some(super::history::float(&row, 0)?);
        Ok(())
    })?;
    Ok(last.filter(|value| !value.is_nan()))
}

pub(super) fn checkpoint(rdb: &mut Rdb, trial_id: i64) -> Result<Option<Checkpoint>> {
    let mut found = None;
    if rdb.has_checkpoints()? {
        let sql = "SELECT step, state FROM headsmith_checkpoints WHERE trial_id = $1";
        rdb.link.query(sql, &[trial_id.into()], &mut |row| {
            found = Some(Checkpoint { step: row.int(0)?, state: row.blob(1)?.to_vec() });
            Ok(())
        })?;
    }
    Ok(found)
}

pub(super) fn forget_checkpoint(rdb: &mut Rdb, trial_id: i64) -> Result<()> {
    if rdb.has_checkpoints()? {
        let sql = "DELETE FROM headsmith_checkpoints WHERE trial_id = $1";
        rdb.link.execute(sql, &[trial_id.into()])?;
    }
    Ok(())
}
