//! Faults under `headsmith tune`: each is named, none does damage, and the same command then goes on to the very trials of a
//! study that nothing happened to.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::patience::{PATIENCE, wait_for, wait_until};
use crate::server::{Server, mount};
use crate::tune::content;
use crate::world::{World, binary};

/// Trials small enough to be done many times.
const STUDY: &str =
    "tune --train train.csv --val val.csv --epochs 12 --neurons1 6 --neurons2 6 --study s --jobs 2";

fn whole(world: &World) -> Vec<Value> {
    world.run(&format!("{STUDY} --trials 14 --quiet --storage whole.db"), 0);
    content(world, "whole.db")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn must_say(output: &Output, words: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(words.iter().all(|word| stderr.contains(word)), "{words:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

fn check_integrity(world: &World, storage: &str) {
    let database = rusqlite::Connection::open(world.path(storage)).unwrap();
    let answer: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

fn start(world: &World, args: &str) -> Child {
    world.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the study has so many finished trials.
fn wait_for_finished(world: &World, storage: &str, n_finished: u64) {
    wait_until("finished trials", || {
        let shown =
            world.command(&format!("study show --storage {storage} --study s --json")).output().unwrap();
        let found = serde_json::from_slice::<Value>(&shown.stdout).ok();
        found.and_then(|found| found["n_finished"].as_u64()).is_some_and(|found| found >= n_finished)
    });
}

/// What a command says on standard error, read as it comes.
fn listen(child: &mut Child) -> Arc<Mutex<String>> {
    let said: Arc<Mutex<String>> = Arc::default();
    let (stderr, own) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&said));
    thread::spawn(move || {
        stderr.lines().map_while(Result::ok).for_each(|line| own.lock().unwrap().push_str(&(line + "\n")));
    });
    said
}

/// Whether a process has a file open. Where that cannot be known, yes.
fn has_open(child: &Child, path: &Path) -> bool {
    let Ok(mut open) = fs::read_dir(format!("/proc/{}/fd", child.id())) else { return true };
    let path = path.canonicalize().unwrap();
    open.any(|open| open.is_ok_and(|open| fs::read_link(open.path()).is_ok_and(|open| open == path)))
}

/// On a small disk where one can be mounted; else the process may not write longer files.
#[test]
fn a_full_disk() {
    let world = World::with_tables();
    let whole = whole(&world);
    fs::create_dir(world.path("disk")).unwrap();
    let command = format!("{STUDY} --trials 14 --quiet --storage disk/study.db");
    let mounted = mount(&world.path("disk"), "size=420k");
    let output = if mounted.is_some() {
        world.command(&command).output().unwrap()
    } else {
        // In units of 512 bytes; the signal that comes with it is not for us.
        let limited = format!("trap '' XFSZ; ulimit -f 420; exec {} {command}", binary().display());
        Command::new("sh").arg("-c").arg(limited).current_dir(world.path(".")).output().unwrap()
    };
    must_say(&output, &["disk is full", "Make room", "disk/study.db"]);
    if mounted.is_some() {
        let remount = ["-o", "remount,size=20m"];
        assert!(Command::new("mount").args(remount).arg(world.path("disk")).status().unwrap().success());
    }
    world.run(&command, 0);
    assert_eq!(content(&world, "disk/study.db"), whole);
    check_integrity(&world, "disk/study.db");
}

/// Root may write everywhere: then the command is run as somebody else.
#[test]
fn a_read_only_folder() {
    let world = World::with_tables();
    let whole = whole(&world);
    fs::create_dir(world.path("folder")).unwrap();
    let command = |n: u64| format!("{STUDY} --trials {n} --quiet --storage folder/study.db");
    let mounted = mount(&world.path("folder"), "size=20m");
    let mode =
        |mode: u32| fs::set_permissions(world.path("folder"), fs::Permissions::from_mode(mode)).unwrap();
    let read_only = |is: bool| match &mounted {
        Some(mounted) if is => mounted.read_only(),
        Some(_) => {
            let remount = ["-o", "remount,rw"];
            assert!(
                Command::new("mount").args(remount).arg(world.path("folder")).status().unwrap().success()
            );
        }
        None => mode(if is { 0o555 } else { 0o755 }),
    };
    read_only(true);
    must_say(&world.command(&command(14)).output().unwrap(), &["folder/study.db", "cannot be opened"]);
    read_only(false);
    world.run(&command(5), 0);
    read_only(true);
    must_say(&world.command(&command(14)).output().unwrap(), &["folder/study.db", "is read-only"]);
    read_only(false);
    world.run(&command(14), 0);
    assert_eq!(content(&world, "folder/study.db"), whole);
}

#[test]
fn a_database_that_another_process_locks() {
    let world = World::with_tables();
    let whole = whole(&world);
    let command = format!("{STUDY} --trials 14 --storage locked.db");
    world.run(&format!("{STUDY} --trials 5 --quiet --storage locked.db"), 0);
    let other = rusqlite::Connection::open(world.path("locked.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // For longer than it is waited for: it is said, and nothing is done.
    let output = world.command(&format!("{command} --wait-for-storage 1s")).output().unwrap();
    must_say(&output, &["locked by another process", "locked.db"]);
    // For less: it waits, and goes on.
    let waiting = start(&world, &format!("{command} --quiet"));
    wait_until("a process at the database", || has_open(&waiting, &world.path("locked.db")));
    // A moment in which it may try; the study is the same where it had none.
    thread::sleep(Duration::from_millis(500));
    other.execute_batch("COMMIT").unwrap();
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(content(&world, "locked.db"), whole);
    check_integrity(&world, "locked.db");
}

/// The server is gone in the middle of a study, for 5 s, or for as many as `HEADSMITH_OUTAGE` says.
#[test]
fn a_server_that_is_gone() {
    let Some(server) = Server::start() else { return };
    let world = World::with_tables();
    let whole = whole(&world);
    let seconds = std::env::var("HEADSMITH_OUTAGE").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let (url, begin) = (server.url(), Instant::now());
    let command = format!("{STUDY} --storage {url}");
    // Without end, so that it goes on when the server goes.
    let mut working = start(&world, &command);
    let said = listen(&mut working);
    wait_for_finished(&world, &url, 2);
    server.kill();
    let down = Instant::now();
    // Who does not wait is told, and does no harm.
    must_say(
        &world.command(&format!("{command} --quiet --wait-for-storage 1s")).output().unwrap(),
        &["reached"],
    );
    wait_until("a word of it", || said.lock().unwrap().contains("cannot be reached"));
    thread::sleep(Duration::from_secs(seconds).saturating_sub(down.elapsed()));
    server.up();
    let away = down.elapsed();
    wait_for_finished(&world, &url, 14);
    assert!(Command::new("kill").args(["-INT", &working.id().to_string()]).status().unwrap().success());
    let status = wait_for("the end of the study", || working.try_wait().unwrap());
    assert!(status.success(), "{}", said.lock().unwrap());
    world.run(&format!("{command} --trials 14 --quiet"), 0);
    world.run(&format!("study export --storage {url} --study s --out server.json --json"), 0);
    assert_eq!(without_times(&world.read("server.json"))[..14], whole[..]);
    println!("the server was gone for {away:.1?}; the study took {:.1?}", begin.elapsed());
}

/// Killed at random moments, 5 times or `HEADSMITH_KILLS`, while studies go on.
#[test]
fn a_server_that_is_killed() {
    let Some(server) = Server::start() else { return };
    let world = World::with_tables();
    let whole = whole(&world);
    let kills: u64 = std::env::var("HEADSMITH_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let (mut killed, mut studies) = (0u64, 0u64);
    while killed < kills {
        let url = server.database();
        studies += 1;
        let mut working = start(&world, &format!("{STUDY} --trials 14 --quiet --storage {url}"));
        loop {
            // At any moment of a study of about a second.
            thread::sleep(Duration::from_micros(
                (killed * 7919 + studies).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44,
            ));
            if working.try_wait().unwrap().is_some() || killed == kills {
                break;
            }
            server.kill();
            server.up();
            killed += 1;
            // Killed again before anybody came back, it is one outage to a client, which ends by its limit. So every third
            // time it is left alone for longer than a client waits between two tries.
            if killed.is_multiple_of(3) {
                thread::sleep(Duration::from_millis(5_200));
            }
        }
        let output = working.wait_with_output().unwrap();
        if !output.status.success() {
            // Killed while the command connected for the first time, which it does not wait for: a wrong address would
            // be noticed late. The same command goes on.
            must_say(&output, &["cannot be reached"]);
            world.run(&format!("{STUDY} --trials 14 --quiet --storage {url}"), 0);
        }
        world.run(&format!("study export --storage {url} --study s --out killed.json --json"), 0);
        assert_eq!(without_times(&world.read("killed.json")), whole, "after {killed} kills");
    }
    println!("{kills} kills of the server in {studies} studies, each the same as one that was let alone");
}

fn without_times(json: &str) -> Vec<Value> {
    let mut trials: Vec<Value> = serde_json::from_str(json).unwrap();
    for trial in trials.iter_mut().filter_map(Value::as_object_mut) {
        trial.retain(|key, _| !["seconds", "started", "completed"].contains(&key.as_str()));
    }
    trials
}

/// Heartbeats that are an hour off are what a moved clock comes to: an hour ahead, they say nothing; an hour behind, their
/// workers look dead, and the two processes take each other's trials up.
#[test]
fn a_clock_that_is_moved_by_an_hour() {
    let world = World::with_tables();
    let whole = whole(&world);
    for hour in ["+1 hours", "-1 hours"] {
        let storage = format!("clock{}.db", &hour[..1]);
        let command = format!("{STUDY} --trials 14 --quiet --storage {storage}");
        let working = [start(&world, &command), start(&world, &command)];
        for n_finished in [1, 4, 8] {
            wait_for_finished(&world, &storage, n_finished);
            let sql = "UPDATE trial_heartbeats SET heartbeat = strftime('%Y-%m-%d %H:%M:%f', heartbeat, ?1)";
            let database = rusqlite::Connection::open(world.path(&storage)).unwrap();
            database.busy_timeout(PATIENCE).unwrap();
            assert!(database.execute(sql, [hour]).unwrap() > 0);
        }
        for one in working {
            let output = one.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        assert_eq!(content(&world, &storage), whole, "{hour}");
        check_integrity(&world, &storage);
    }
}

/// A learning rate at which every network leaves the numbers.
#[test]
fn trials_that_diverge_fail_with_a_reason() {
    let world = World::with_tables();
    world.write("space.toml", "[lr]\nlow = 1e-3\nhigh = 100.0\nlog = true\n");
    let rows = world.read("train.csv");
    // One row that no float can square.
    let broken = rows.replacen("\"[", "\"[3e38, -3e38, 3e38, -3e38, 3e38, -3e38]\",neutral\n\"[", 1);
    world.write("huge.csv", &broken);
    let command = "tune --train huge.csv --val val.csv --epochs 3 --scale none --space space.toml --trials 10 --study s \
                   --storage nan.db --quiet --random-start --json";
    let report = world.json(command);
    assert_eq!(report["n_finished"], 10);
    let trials = world.json("study trials --storage nan.db --study s --json");
    let bad: Vec<&Value> = trials
        .as_array()
        .unwrap()
        .iter()
        .filter(|trial| trial["state"] == "failed" || !trial["reason"].is_null())
        .collect();
    assert!(!bad.is_empty(), "{trials}");
    assert!(
        bad.iter().all(|trial| trial["reason"].as_str().is_some_and(|reason| reason.len() > 10)),
        "{trials}"
    );
    // Nothing is done twice.
    assert_eq!(world.json(command)["n_finished"], 10);
}
