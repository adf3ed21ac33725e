//! Failing disks, files, locks and clocks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headsmith_study::storages::{self, Claim, Claimed, Options};
use headsmith_study::{Attributes, Error, Kind, State};
use jiff::Timestamp;
use rusqlite::Connection;

use crate::crashes::check_integrity;
use crate::server::mount;
use crate::{begin, finish, open, params, study, trial, url};

fn refused(url: &str) -> Error {
    storages::open(url, &Options::default()).err().unwrap_or_else(|| panic!("{url} opens"))
}

fn check(error: &Error, kind: Kind, texts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for word in texts {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_full_disk_is_reported_and_damages_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = mount(folder.path(), "size=700k") else { return };
    let mut storage = open(&url(folder.path()));
    let id = study(storage.as_mut());
    let trial = begin(storage.as_mut(), id);
    let ballast = folder.path().join("ballast");
    fs::write(&ballast, vec![1; 200_000]).unwrap();
    let (none, state) = (Attributes::new(), vec![7; 8000]);
    let mut acknowledged = 0;
    let error = loop {
        match storage.report(trial.id, acknowledged, 0.5, &none, Some(&state)) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    check(&error, Kind::Storage, &["disk is full", "Make room"]);
    assert!(acknowledged > 3);
    let again = storage.report(trial.id, acknowledged, 0.5, &none, Some(&state)).unwrap_err();
    check(&again, Kind::Storage, &["disk is full"]);
    assert_eq!(storage.trials(id).unwrap()[0].intermediate.len() as i64, acknowledged);
    fs::remove_file(ballast).unwrap();
    storage.report(trial.id, acknowledged, 0.5, &none, Some(&state)).unwrap();
    drop(storage);
    check_integrity(&folder.path().join("study.db"));
    let seen = open(&url(folder.path())).trials(id).unwrap();
    assert_eq!(seen[0].intermediate.len() as i64, acknowledged + 1);
}

#[test]
fn a_disk_full_from_the_start_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = mount(folder.path(), "size=64k") else { return };
    fs::write(folder.path().join("ballast"), vec![1; 60_000]).unwrap();
    check(&refused(&url(folder.path())), Kind::Storage, &["disk is full"]);
}

#[test]
fn a_read_only_folder_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mount) = mount(folder.path(), "size=2m") else { return };
    let database = url(folder.path());
    let id = study(open(&database).as_mut());
    mount.read_only();
    // A study that is not open is a single file, in the mode of the connection that was the last.
    let mut storage = open(&database);
    assert_eq!(storage.trials(id).unwrap(), [], "it can be read");
    let error = storage.set_study_attr(id, storages::Scope::User, "k", &true.into()).unwrap_err();
    check(&error, Kind::Storage, &["read-only"]);
    let other = refused(&format!("sqlite:///{}", folder.path().join("other.db").display()));
    check(&other, Kind::Storage, &["cannot be opened", "create files in its folder"]);
}

#[test]
fn impossible_paths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere/study.db");
    check(&refused(&nowhere.display().to_string()), Kind::Storage, &["there is no folder"]);
    check(&refused(&folder.path().display().to_string()), Kind::Storage, &["it is a folder"]);
    check(&refused("mysql://u:p@h/d"), Kind::Configuration, &["mysql", "postgresql://"]);
    check(&refused("postgresql://h/d?sslmode=require"), Kind::Configuration, &["encrypted"]);
    check(
        &refused("postgresql://u:secret@127.0.0.1:1/d"),
        Kind::Unavailable,
        &["postgresql://u@127.0.0.1:1/d"],
    );
    let text = folder.path().join("notes.txt");
    fs::write(&text, "a shopping list, longer than a hundred bytes, ".repeat(4)).unwrap();
    check(&refused(&text.display().to_string()), Kind::Storage, &["not an SQLite database"]);
    assert!(fs::read_to_string(&text).unwrap().starts_with("a shopping list"), "it is not touched");
}

#[test]
fn a_damaged_database_is_reported_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let mut storage = open(&url(folder.path()));
    let id = study(storage.as_mut());
    for _ in 0..20 {
        let trial = begin(storage.as_mut(), id);
        finish(storage.as_mut(), trial.id, 0.5);
    }
    drop(storage);
    let database = folder.path().join("study.db");
    let mut bytes = fs::read(&database).unwrap();
    let end = bytes.len();
    bytes[2 * 4096..end].fill(0xa5);
    fs::write(&database, &bytes).unwrap();
    let opened = storages::open(&url(folder.path()), &Options::default());
    let error = match opened {
        Err(error) => error,
        Ok(mut storage) => storage.trials(id).map(|_| ()).unwrap_err(),
    };
    check(&error, Kind::Storage, &["damaged", ".recover"]);
    assert_eq!(fs::read(&database).unwrap(), bytes);
}

#[test]
fn a_lock_of_another_process_is_waited_for_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let lock_wait = Duration::from_millis(200);
    let options = Options { lock_wait, ..Options::default() };
    let mut storage = storages::open(&url(folder.path()), &options).unwrap();
    let id = study(storage.as_mut());
    let trial = begin(storage.as_mut(), id);
    let other = Connection::open(folder.path().join("study.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let start = std::time::Instant::now();
    let error = storage.report(trial.id, 0, 0.5, &Attributes::new(), None).unwrap_err();
    check(&error, Kind::Unavailable, &["locked by another process", "0.2 s"]);
    assert!(start.elapsed() >= lock_wait);
    other.execute_batch("COMMIT").unwrap();
    storage.report(trial.id, 0, 0.5, &Attributes::new(), None).unwrap();
}

#[test]
fn a_schema_of_another_version_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("study.db");
    study(open(&url(folder.path())).as_mut());
    let set = |sql: &str| Connection::open(&database).unwrap().execute_batch(sql).unwrap();
    set("UPDATE alembic_version SET version_num = 'v3.0.0.d'");
    check(&refused(&url(folder.path())), Kind::Storage, &["v3.0.0.d", "older", "optuna storage upgrade"]);
    set("UPDATE alembic_version SET version_num = 'v9.0.0.a'");
    check(&refused(&url(folder.path())), Kind::Storage, &["v9.0.0.a", "newer"]);
    set("DELETE FROM alembic_version; UPDATE version_info SET schema_version = 11");
    check(&refused(&url(folder.path())), Kind::Storage, &["version 11", "older"]);
    set("UPDATE version_info SET schema_version = 12");
    assert_eq!(open(&url(folder.path())).studies().unwrap().len(), 1, "a missing row is stamped");
    let revision: String = Connection::open(&database)
        .unwrap()
        .query_row("SELECT version_num FROM alembic_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(revision, "v3.2.0.a");
}

static OFFSET: AtomicI64 = AtomicI64::new(0);

fn moved_clock() -> Timestamp {
    let offset = Duration::from_secs(OFFSET.load(Ordering::SeqCst).unsigned_abs());
    if OFFSET.load(Ordering::SeqCst) < 0 { Timestamp::now() - offset } else { Timestamp::now() + offset }
}

#[test]
fn a_clock_that_is_moved_by_an_hour_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { clock: moved_clock, ..Options::default() };
    let open = || storages::open(&url(folder.path()), &options).unwrap();
    let (worker, other) = (&mut *open(), &mut *open());
    let id = study(worker);
    let grace = Duration::from_secs(60);
    let mut numbers = Vec::new();
    for hours in [0, 1, -1, 2] {
        OFFSET.store(3600 * hours, Ordering::SeqCst);
        let stale = other.claim(id, grace, &mut |queue| {
            assert_eq!(queue.stale, [0_i64; 0], "nobody is dead for a clock of {hours} h");
            Ok(Claim::Wait)
        });
        assert_eq!(stale.unwrap(), Claimed::Wait);
        let begun = other.claim(id, grace, &mut |_| {
            Ok(Claim::Begin { params: params(0.5), system_attrs: Attributes::new() })
        });
        let begun = trial(begun.unwrap());
        numbers.push(begun.number);
        other.report(begun.id, 0, 0.5, &Attributes::new(), None).unwrap();
    }
    assert_eq!(numbers, [0, 1, 2, 3]);
    for running in worker.trials(id).unwrap() {
        finish(other, running.id, 0.5);
    }
    assert!(worker.trials(id).unwrap().iter().all(|trial| trial.state == State::Complete));
}

#[test]
fn power_durability_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let durability = storages::Durability::Power;
    let options = Options { durability, ..Options::default() };
    let mut storage = storages::open(&url(folder.path()), &options).unwrap();
    let id = study(storage.as_mut());
    let trial = begin(storage.as_mut(), id);
    finish(storage.as_mut(), trial.id, 0.5);
    assert!(is_wal(&folder.path().join("study.db")));
}

fn is_wal(database: &Path) -> bool {
    let connection = Connection::open(database).unwrap();
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    mode == "wal" && fs::metadata(database).unwrap().permissions().mode() & 0o400 != 0
}
