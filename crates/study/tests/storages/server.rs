//! A PostgreSQL server for the tests: in a temporary folder, with its socket there, removed with the test.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use crate::patience::{PATIENCE, wait_until};

/// A server that runs until this value is dropped.
pub(crate) struct Server {
    folder: TempDir,
    bin: PathBuf,
    databases: AtomicUsize,
}

impl Server {
    /// Starts a server; prints a note and returns `None` if PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Server> {
        let Some(bin) = programs() else {
            assert!(
                std::env::var_os("HEADSMITH_NEED_POSTGRES").is_none(),
                "PostgreSQL is needed, and not installed: apt-get install postgresql"
            );
            eprintln!("left out: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("permissions");
        let server = Server { folder, bin, databases: AtomicUsize::new(0) };
        if let Some((user, group)) = other_user() {
            chown(server.folder.path(), Some(user), Some(group)).expect("the server's user");
        }
        server.run("initdb", &["-A", "trust", "-U", "postgres", "--no-sync"]);
        server.up();
        Some(server)
    }

    /// Creates an empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut client = postgres::Client::connect(&self.url(), postgres::NoTls).expect("it connects");
        client.batch_execute(&format!("CREATE DATABASE {name}")).expect("the database is made");
        self.url().replace("/postgres?", &format!("/{name}?"))
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql://postgres@/postgres?host={}", self.folder.path().display())
    }

    pub(crate) fn up(&self) {
        let sockets = self.folder.path().display();
        let options = format!("-k {sockets} -c listen_addresses='' -c max_connections=60");
        self.control(&["-l", &format!("{sockets}/log"), "-o", &options, "start"]);
    }

    pub(crate) fn down(&self) {
        self.control(&["-m", "fast", "stop"]);
    }

    /// Runs `pg_ctl` and waits for it.
    fn control(&self, args: &[&str]) {
        self.run("pg_ctl", &[&["-w", "-t", &PATIENCE.as_secs().to_string()], args].concat());
    }

    /// Kills all its processes, so that nothing is flushed, as in an outage.
    pub(crate) fn kill(&self) {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("its number");
        let pid = pid.lines().next().expect("a line").to_owned();
        // While stopped, it cannot fork.
        let _ = Command::new("kill").args(["-STOP", &pid]).status();
        let children = Command::new("pgrep").args(["-P", &pid]).output().expect("pgrep").stdout;
        let mut pids: Vec<String> = vec![pid];
        pids.extend(String::from_utf8_lossy(&children).split_whitespace().map(str::to_owned));
        let _ = Command::new("kill").arg("-9").args(&pids).stderr(Stdio::null()).status();
        // A new server refuses to start while an old process holds the shared memory.
        wait_until("the end of a killed server", || !pids.iter().any(|pid| is_alive(pid)));
        // A zombie still looks alive to the new server.
        for lock in [self.data().join("postmaster.pid"), self.folder.path().join(".s.PGSQL.5432.lock")] {
            let _ = std::fs::remove_file(lock);
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(self.bin.join(program));
        command.arg("-D").arg(self.data()).args(args).current_dir(self.folder.path()).stdout(Stdio::null());
        command.env_remove("PGDATA").stdin(Stdio::null());
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        assert!(command.status().expect("it starts").success(), "{command:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = Command::new(self.bin.join("pg_ctl"));
        stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).stdout(Stdio::null());
        if let Some((user, group)) = other_user() {
            stop.uid(user).gid(group);
        }
        let _ = stop.stderr(Stdio::null()).status();
    }
}

/// Whether a process exists and is not a zombie.
fn is_alive(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().and_then(|rest| rest.trim().chars().next()).is_some_and(|state| state != 'Z')
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok();
    let mut found: Vec<PathBuf> =
        versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    found.into_iter().rev().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

/// PostgreSQL refuses to run as root: root runs it as the user `postgres`, or as `nobody`.
fn other_user() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").ok()?;
    if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).or(Some((65534, 65534)))
}

/// Mounts a file system, if that is allowed: only by root, and not in every container.
pub(crate) fn mount(folder: &Path, options: &str) -> Option<Mount> {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).stderr(Stdio::null());
    if !mount.status().is_ok_and(|status| status.success()) {
        eprintln!("left out: a small disk cannot be mounted here (needs root)");
        return None;
    }
    Some(Mount(folder.to_owned()))
}

/// A mounted folder, unmounted when this value is dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn read_only(&self) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "remount,ro"]).arg(&self.0).status().expect("mount").success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
