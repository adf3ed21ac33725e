//! Creates, finds, renames and deletes studies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{PendingWrite, Rdb, no_study, writes};
use crate::error::{Error, Kind, Result};
use crate::storages::cell::Cell;
use crate::storages::{Scope, StudyRecord};
use crate::trial::{Attributes, Direction};

/// The longest name in the schema, in characters.
const LONGEST_NAME: usize = 512;

pub(super) fn create(rdb: &mut Rdb, name: &str, direction: Direction) -> Result<StudyRecord> {
    check_name(name)?;
    if let Some(PendingWrite::Create { study_id, name: lost }) = &rdb.unacknowledged
        && lost == name
    {
        let study_id = *study_id;
        if let Some(found) = rdb.read(|rdb| find(rdb, name))?
            && found.id == study_id
        {
            rdb.unacknowledged = None;
            return Ok(found);
        }
    }
    let id = rdb.write(|rdb| insert(rdb, name, direction))?;
    let (user_attrs, system_attrs) = (Attributes::new(), Attributes::new());
    let further_directions = Vec::new();
    Ok(StudyRecord { id, name: name.to_owned(), direction, further_directions, user_attrs, system_attrs })
}

fn insert(rdb: &mut Rdb, name: &str, direction: Direction) -> Result<i64> {
    let sql =
        "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT (study_name) DO NOTHING RETURNING study_id";
    let id = number(rdb, sql, &[name.into()])?.ok_or_else(|| name_taken(rdb, name))?;
    let sql = "INSERT INTO study_directions (direction, study_id, objective) VALUES ($1, $2, 0)";
    rdb.link.execute(sql, &[direction_name(direction).into(), id.into()])?;
    rdb.in_progress = Some(PendingWrite::Create { study_id: id, name: name.to_owned() });
    Ok(id)
}

pub(super) fn find(rdb: &mut Rdb, name: &str) -> Result<Option<StudyRecord>> {
    let Some(id) = number(rdb, "SELECT study_id FROM studies WHERE study_name = $1", &[name.into()])? else {
        return Ok(None);
    };
    match all(rdb, Some(id))?.pop() {
        Some(study) => Ok(Some(study)),
        None => {
            let message = format!(
                "study {name} in {} says neither minimize nor maximize: it is incomplete; choose another name",
                rdb.link.place()
            );
            Err(Error::new(Kind::Conflict, message))
        }
    }
}

/// All studies with a direction, or only the one with this key.
pub(super) fn all(rdb: &mut Rdb, only: Option<i64>) -> Result<Vec<StudyRecord>> {
    let range = [only.unwrap_or(0).into(), only.unwrap_or(i32::MAX.into()).into()];
    let mut directions: BTreeMap<i64, Vec<Option<Direction>>> = BTreeMap::new();
    let sql = "SELECT study_id, direction FROM study_directions WHERE study_id BETWEEN $1 AND $2 \
               ORDER BY study_id, objective";
    rdb.link.query(sql, &range, &mut |row| {
        directions.entry(row.int(0)?).or_default().push(direction_of(row.text(1)?));
        Ok(())
    })?;
    let mut studies = BTreeMap::new();
    let sql = "SELECT study_id, study_name FROM studies WHERE study_id BETWEEN $1 AND $2";
    rdb.link.query(sql, &range, &mut |row| {
        let (id, name) = (row.int(0)?, row.text(1)?.to_owned());
        let all: Option<Vec<Direction>> = directions.remove(&id).into_iter().flatten().collect();
        if let Some((&direction, further)) = all.as_deref().and_then(<[Direction]>::split_first) {
            let (user_attrs, system_attrs) = (Attributes::new(), Attributes::new());
            let further_directions = further.to_vec();
            studies.insert(
                id,
                StudyRecord { id, name, direction, further_directions, user_attrs, system_attrs },
            );
        }
        Ok(())
    })?;
    let sql = "SELECT study_id, key, value_json FROM study_user_attributes WHERE study_id BETWEEN $1 AND $2";
    rdb.link.query(sql, &range, &mut |row| {
        if let Some(study) = studies.get_mut(&row.int(0)?) {
            study.user_attrs.insert(row.text(1)?.to_owned(), row.json(2));
        }
        Ok(())
    })?;
    let sql =
        "SELECT study_id, key, value_json FROM study_system_attributes WHERE study_id BETWEEN $1 AND $2";
    rdb.link.query(sql, &range, &mut |row| {
        if let Some(study) = studies.get_mut(&row.int(0)?) {
            study.system_attrs.insert(row.text(1)?.to_owned(), row.json(2));
        }
        Ok(())
    })?;
    Ok(studies.into_values().collect())
}

pub(super) fn rename(rdb: &mut Rdb, study_id: i64, name: &str) -> Result<()> {
    check_name(name)?;
    lock(rdb, study_id)?;
    let sql = "SELECT study_id FROM studies WHERE study_name = $1 AND study_id <> $2";
    if number(rdb, sql, &[name.into(), study_id.into()])?.is_some() {
        return Err(name_taken(rdb, name));
    }
    let sql = "UPDATE studies SET study_name = $1 WHERE study_id = $2";
    rdb.link.execute(sql, &[name.into(), study_id.into()]).map(drop)
}

pub(super) fn delete(rdb: &mut Rdb, study_id: i64) -> Result<()> {
    match lock(rdb, study_id) {
        Err(error)
            if error.kind() == Kind::NotFound
                && rdb.unacknowledged == Some(PendingWrite::Delete { study_id }) =>
        {
            rdb.unacknowledged = None;
            return Ok(());
        }
        locked => locked?,
    }
    if rdb.has_checkpoints()? {
        let sql = "DELETE FROM headsmith_checkpoints WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)";
        rdb.link.execute(sql, &[study_id.into()])?;
    }
    for sql in ROWS_OF_A_STUDY {
        rdb.link.execute(sql, &[study_id.into()])?;
    }
    rdb.histories.remove(&study_id);
    rdb.in_progress = Some(PendingWrite::Delete { study_id });
    Ok(())
}

const ROWS_OF_A_STUDY: [&str; 11] = [
    "DELETE FROM trial_user_attributes WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
    "DELETE FROM trial_system_attributes WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
    "DELETE FROM trial_params WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
    "DELETE FROM trial_values WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
    "DELETE FROM trial_intermediate_values WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
    "DELETE FROM trial_heartbeats WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = $1)",
    "DELETE FROM trials WHERE study_id = $1",
    "DELETE FROM study_user_attributes WHERE study_id = $1",
    "DELETE FROM study_system_attributes WHERE study_id = $1",
    "DELETE FROM study_directions WHERE study_id = $1",
    "DELETE FROM studies WHERE study_id = $1",
];

pub(super) fn set_attr(rdb: &mut Rdb, study_id: i64, scope: Scope, key: &str, value: &Value) -> Result<()> {
    lock(rdb, study_id)?;
    let sql = [
        "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES ($1, $2, $3) \
         ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
        "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES ($1, $2, $3) \
         ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
    ];
    writes::put_attr(rdb, sql, study_id, scope, key, value)
}

/// Keeps others from adding trials until the transaction ends.
pub(super) fn lock(rdb: &mut Rdb, study_id: i64) -> Result<()> {
    let sql = rdb.link.dialect().lock_study;
    number(rdb, sql, &[study_id.into()])?.map(drop).ok_or_else(|| no_study(&rdb.link.place()))
}

/// Checks that the study exists.
pub(super) fn check(rdb: &mut Rdb, study_id: i64) -> Result<()> {
    let found = number(rdb, "SELECT study_id FROM studies WHERE study_id = $1", &[study_id.into()])?;
    found.map(drop).ok_or_else(|| no_study(&rdb.link.place()))
}

/// The number that a statement returns, if it returns a row.
pub(super) fn number(rdb: &mut Rdb, sql: &'static str, params: &[Cell<'_>]) -> Result<Option<i64>> {
    let mut number = None;
    rdb.link.query(sql, params, &mut |row| {
        number = Some(row.int(0)?);
        Ok(())
    })?;
    Ok(number)
}

fn check_name(name: &str) -> Result<()> {
    if name.chars().count() <= LONGEST_NAME && !name.contains('\0') {
        return Ok(());
    }
    let message = format!("a study's name has at most {LONGEST_NAME} characters, none of them NUL");
    Err(Error::new(Kind::Configuration, message))
}

fn name_taken(rdb: &Rdb, name: &str) -> Error {
    let message = format!(
        "there is a study `{name}` in {} already: choose another name, or resume it",
        rdb.link.place()
    );
    Error::new(Kind::Conflict, message)
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Minimize => "MINIMIZE",
        Direction::Maximize => "MAXIMIZE",
    }
}

fn direction_of(name: &str) -> Option<Direction> {
    match name {
        "MINIMIZE" => Some(Direction::Minimize),
        "MAXIMIZE" => Some(Direction::Maximize),
        _ => None,
    }
}
