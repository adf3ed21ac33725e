//! The tables: creates them if they are missing, and refuses those of another version.

use super::link::{Access, Link};
use crate::error::{Error, Kind, Result};

/// Optuna's own version number of the schema; unchanged since Optuna uses Alembic.
const SCHEMA_VERSION: i64 = 12;
/// The version of Optuna with this schema.
const LIBRARY_VERSION: &str = "5.0.0";
/// The schema's Alembic revision.
const REVISION: &str = "v3.2.0.a";
const OLDER_REVISIONS: [&str; 9] = [
    "v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c",
    "v3.0.0.d",
];
const ALEMBIC: &str = include_str!("schema/alembic.sql");

/// Creates the tables, or checks that they are those of [`REVISION`].
pub(super) fn ensure(link: &mut dyn Link) -> Result<()> {
    if is_complete(link)? {
        return Ok(());
    }
    in_transaction(link, |link| {
        // Another process may have created them meanwhile.
        if !link.has_table("version_info")? {
            link.script(link.dialect().schema)?;
        }
        write_version(link)
    })
}

/// Creates the table of checkpoints.
pub(super) fn make_checkpoints(link: &mut dyn Link) -> Result<()> {
    in_transaction(link, |link| link.script(link.dialect().checkpoints))
}

fn in_transaction(link: &mut dyn Link, work: impl FnOnce(&mut dyn Link) -> Result<()>) -> Result<()> {
    link.begin(Access::Write)?;
    let done = match link.dialect().lock_schema {
        Some(lock) => link.script(lock),
        None => Ok(()),
    };
    if let Err(error) = done.and_then(|()| work(link)) {
        link.rollback();
        return Err(error);
    }
    link.commit()
}

/// Whether everything exists; only reads, so that read-only users can open a study.
fn is_complete(link: &mut dyn Link) -> Result<bool> {
    if !link.has_table("version_info")? || !link.has_table("alembic_version")? {
        return Ok(false);
    }
    match (schema_version(link)?, revision(link)?) {
        (Some(version), Some(revision)) => check(link, version, Some(&revision)).map(|()| true),
        _ => Ok(false),
    }
}

/// Writes the missing rows that give the tables' version.
fn write_version(link: &mut dyn Link) -> Result<()> {
    if !link.has_table("alembic_version")? {
        link.script(ALEMBIC)?;
    }
    let (version, revision) = (schema_version(link)?, revision(link)?);
    check(link, version.unwrap_or(SCHEMA_VERSION), revision.as_deref())?;
    if version.is_none() {
        let insert =
            "INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, $1, $2)";
        link.execute(insert, &[SCHEMA_VERSION.into(), LIBRARY_VERSION.into()])?;
    }
    if revision.is_none() {
        link.execute("INSERT INTO alembic_version (version_num) VALUES ($1)", &[REVISION.into()])?;
    }
    Ok(())
}

fn check(link: &dyn Link, version: i64, revision: Option<&str>) -> Result<()> {
    let place = link.place();
    let what_to_do = match revision {
        Some(REVISION) if version == SCHEMA_VERSION => return Ok(()),
        None if version == SCHEMA_VERSION => return Ok(()),
        Some(revision) if !OLDER_REVISIONS.contains(&revision) && revision != REVISION => {
            "it was made by a newer Optuna: use a newer version of this program, or another database"
                .to_owned()
        }
        _ => format!(
            "it was made by an older Optuna: bring it up to date by `optuna storage upgrade --storage {place}` \
             (Optuna 3.2 to 5; copy the database first)"
        ),
    };
    let found = revision.map_or_else(|| format!("version {version}"), str::to_owned);
    let message =
        format!("the study database {place} has the schema {found}, expected {REVISION}: {what_to_do}");
    Err(Error::new(Kind::Storage, message))
}

fn schema_version(link: &mut dyn Link) -> Result<Option<i64>> {
    let mut version = None;
    link.query("SELECT schema_version FROM version_info", &[], &mut |row| {
        version = Some(row.int(0)?);
        Ok(())
    })?;
    Ok(version)
}

fn revision(link: &mut dyn Link) -> Result<Option<String>> {
    let mut revision = None;
    link.query("SELECT version_num FROM alembic_version", &[], &mut |row| {
        revision = Some(row.text(0)?.to_owned());
        Ok(())
    })?;
    Ok(revision)
}
