//! The queue of trials. Every change of it happens under the study's lock.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::history::{self, History, state_name};
use super::{PendingWrite, Rdb, studies, token, writes};
use crate::error::{Error, Kind, Result};
use crate::storages::{CLAIM_ATTR, Claim, Claimed, Queue, Scope};
use crate::trial::{Attributes, Params, RESUMED, SPENT, State, Trial};

/// The attribute that identifies an enqueued trial.
const ENQUEUED_ATTR: &str = "headsmith:enqueued";

pub(super) fn claim(
    rdb: &mut Rdb,
    study_id: i64,
    grace: Duration,
    choose: &mut dyn FnMut(Queue<'_>) -> Result<Claim>,
) -> Result<Claimed> {
    studies::lock(rdb, study_id)?;
    if let Some(found) = unacknowledged_claim(rdb, study_id)? {
        return Ok(found);
    }
    loop {
        history::refresh(rdb, study_id)?;
        let stale = stale(rdb, study_id, grace)?;
        let history = rdb.histories.entry(study_id).or_default();
        match choose(Queue { trials: &history.trials, stale: &stale })? {
            Claim::Wait => return Ok(Claimed::Wait),
            Claim::Done => return Ok(Claimed::Done),
            Claim::Begin { params, system_attrs } => {
                let trial_id = insert(rdb, study_id, State::Running)?;
                return own(rdb, study_id, trial_id, &params, &system_attrs);
            }
            Claim::Take { trial_id, params, system_attrs } => {
                if claim_trial(rdb, study_id, trial_id)? {
                    return own(rdb, study_id, trial_id, &params, &system_attrs);
                }
            }
            Claim::Fail { trial_id, system_attrs } => {
                if writes::lock(rdb, trial_id)?.0 == State::Running {
                    writes::set_attrs(rdb, trial_id, Scope::System, &system_attrs)?;
                    writes::forget_checkpoint(rdb, trial_id)?;
                    store_time(rdb, study_id, trial_id)?;
                    writes::end(rdb, trial_id, State::Fail)?;
                }
            }
        }
    }
}

/// The trial of a claim whose acknowledgement was lost, if the claim was applied.
fn unacknowledged_claim(rdb: &mut Rdb, study_id: i64) -> Result<Option<Claimed>> {
    let (trial_id, token) = match rdb.unacknowledged.take() {
        Some(PendingWrite::Claim { trial_id, token }) => (trial_id, token),
        other => {
            rdb.unacknowledged = other;
            return Ok(None);
        }
    };
    history::refresh(rdb, study_id)?;
    let trial = history::reread(rdb, study_id, trial_id)?;
    let mine = |trial: &Trial| {
        trial.state == State::Running
            && trial.system_attrs.get(CLAIM_ATTR).and_then(Value::as_str) == Some(&token)
    };
    let Some(trial) = trial.filter(|trial| mine(trial)) else { return Ok(None) };
    rdb.in_progress = Some(PendingWrite::Claim { trial_id, token });
    Ok(Some(Claimed::Trial(Box::new(trial.as_ref().clone()))))
}

/// Marks the trial as claimed by this value, and returns it.
fn own(
    rdb: &mut Rdb,
    study_id: i64,
    trial_id: i64,
    params: &Params,
    system_attrs: &Attributes,
) -> Result<Claimed> {
    set_params(rdb, study_id, trial_id, params)?;
    writes::set_attrs(rdb, trial_id, Scope::System, system_attrs)?;
    let token = token();
    writes::set_attr(rdb, trial_id, Scope::System, CLAIM_ATTR, &Value::from(token.as_str()))?;
    writes::beat(rdb, trial_id)?;
    rdb.in_progress = Some(PendingWrite::Claim { trial_id, token });
    let trial =
        history::reread(rdb, study_id, trial_id)?.ok_or_else(|| super::no_trial(&rdb.link.place()))?;
    Ok(Claimed::Trial(Box::new(trial.as_ref().clone())))
}

/// Inserts a trial with the next number, which under the lock is the number of trials.
fn insert(rdb: &mut Rdb, study_id: i64, state: State) -> Result<i64> {
    let number = match rdb.histories.get(&study_id) {
        Some(history) => i64::try_from(history.trials.len()).ok(),
        None => studies::number(rdb, "SELECT count(*) FROM trials WHERE study_id = $1", &[study_id.into()])?,
    };
    let started = (state == State::Running).then(|| rdb.now());
    let sql = "INSERT INTO trials (number, study_id, state, datetime_start) VALUES ($1, $2, $3, $4) RETURNING trial_id";
    let started = started.map_or(crate::storages::cell::Cell::Null, Into::into);
    let cells = [number.unwrap_or(0).into(), study_id.into(), state_name(state).into(), started];
    let trial_id = studies::number(rdb, sql, &cells)?;
    let trial_id =
        trial_id.ok_or_else(|| Error::new(Kind::Storage, "a trial was inserted and is not there"))?;
    // SQLite reuses the keys of deleted trials; one that Python deleted may have left its checkpoint.
    writes::forget_checkpoint(rdb, trial_id)?;
    Ok(trial_id)
}

/// Stores the time that workers have spent on an abandoned trial; the next worker's time is added to it.
fn store_time(rdb: &mut Rdb, study_id: i64, trial_id: i64) -> Result<()> {
    let trial = rdb.histories.get(&study_id).and_then(|history| history.cached(trial_id));
    let Some(seconds) = trial.and_then(|trial| trial.seconds()) else { return Ok(()) };
    writes::set_attr(rdb, trial_id, Scope::System, SPENT, &Value::from(seconds))?;
    let now = Value::from(rdb.now().to_string());
    writes::set_attr(rdb, trial_id, Scope::System, RESUMED, &now)
}

/// Claims a waiting trial, or an abandoned one; `false` if a process without the study's lock was faster.
fn claim_trial(rdb: &mut Rdb, study_id: i64, trial_id: i64) -> Result<bool> {
    let state = writes::lock(rdb, trial_id)?.0;
    if state.is_finished() {
        return Ok(false);
    }
    if state == State::Running {
        let kept =
            writes::checkpoint(rdb, trial_id)?.map_or(i64::from(i32::MIN), |checkpoint| checkpoint.step);
        let sql = "DELETE FROM trial_intermediate_values WHERE trial_id = $1 AND step > $2";
        rdb.link.execute(sql, &[trial_id.into(), kept.into()])?;
        store_time(rdb, study_id, trial_id)?;
        return Ok(true);
    }
    let now = rdb.now();
    let sql =
        "UPDATE trials SET state = 'RUNNING', datetime_start = $1 WHERE trial_id = $2 AND state = 'WAITING'";
    Ok(rdb.link.execute(sql, &[now.into(), trial_id.into()])? == 1)
}

/// The abandoned running trials.
pub(super) fn stale(rdb: &mut Rdb, study_id: i64, grace: Duration) -> Result<Vec<i64>> {
    let running = |history: &History| {
        let running = history.trials.iter().filter(|trial| trial.state == State::Running);
        running.map(|trial| trial.id).collect::<Vec<_>>()
    };
    let running = rdb.histories.get(&study_id).map(running).unwrap_or_default();
    let now = rdb.link.now()?;
    rdb.heartbeats.tick(now, Instant::now(), grace);
    let mut stale = Vec::new();
    for &trial_id in &running {
        let mut heartbeat = None;
        let sql = "SELECT heartbeat FROM trial_heartbeats WHERE trial_id = $1";
        rdb.link.query(sql, &[trial_id.into()], &mut |row| {
            heartbeat = row.time(0)?;
            Ok(())
        })?;
        if heartbeat.is_some_and(|heartbeat| rdb.heartbeats.is_stale(trial_id, heartbeat, grace)) {
            stale.push(trial_id);
        }
    }
    rdb.heartbeats.retain(&running);
    Ok(stale)
}

/// Adds the trial's missing parameters.
fn set_params(rdb: &mut Rdb, study_id: i64, trial_id: i64, params: &Params) -> Result<()> {
    for (name, (distribution, value)) in params {
        let known = rdb.histories.get(&study_id).and_then(|history| history.distributions.get(name));
        if known.is_some_and(|known| !known.is_compatible(distribution)) {
            let message = format!(
                "the parameter `{name}` had another kind of distribution in this study before: kind, scale and choices \
                 must be the same in all trials; begin a study of another name"
            );
            return Err(Error::new(Kind::Conflict, message));
        }
        let sql = "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (trial_id, param_name) DO NOTHING";
        let text = distribution.to_json();
        let value = crate::storages::cell::Cell::Real(*value);
        rdb.link.execute(sql, &[trial_id.into(), name.as_str().into(), value, text.into()])?;
    }
    Ok(())
}

pub(super) fn enqueue(
    rdb: &mut Rdb,
    study_id: i64,
    fixed: &Attributes,
    user_attrs: &Attributes,
) -> Result<u64> {
    studies::lock(rdb, study_id)?;
    history::refresh(rdb, study_id)?;
    if let Some(number) = enqueued_already(rdb)? {
        return Ok(number);
    }
    let number = rdb.histories.get(&study_id).map_or(0, |history| history.trials.len());
    let trial_id = insert(rdb, study_id, State::Waiting)?;
    let token = token();
    let fixed = Value::Object(fixed.clone().into_iter().collect());
    writes::set_attr(rdb, trial_id, Scope::System, "fixed_params", &fixed)?;
    writes::set_attr(rdb, trial_id, Scope::System, ENQUEUED_ATTR, &Value::from(token.as_str()))?;
    writes::set_attrs(rdb, trial_id, Scope::User, user_attrs)?;
    rdb.in_progress = Some(PendingWrite::Enqueue { trial_id, token });
    Ok(number as u64)
}

/// The number of a trial whose enqueueing was not acknowledged, if it was applied.
fn enqueued_already(rdb: &mut Rdb) -> Result<Option<u64>> {
    let (trial_id, token) = match rdb.unacknowledged.take() {
        Some(PendingWrite::Enqueue { trial_id, token }) => (trial_id, token),
        other => {
            rdb.unacknowledged = other;
            return Ok(None);
        }
    };
    let sql = "SELECT number FROM trials JOIN trial_system_attributes a ON a.trial_id = trials.trial_id \
               WHERE a.trial_id = $1 AND a.key = $2 AND a.value_json = $3";
    let text = Value::from(token).to_string();
    let number = studies::number(rdb, sql, &[trial_id.into(), ENQUEUED_ATTR.into(), text.into()])?;
    Ok(number.and_then(|number| u64::try_from(number).ok()))
}
