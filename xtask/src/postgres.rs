//! The PostgreSQL server that tests of the study start: installed where that can be done without asking.

use std::path::Path;
use std::process::{Command, Stdio};

/// The variable that makes tests fail, rather than leave something out, where PostgreSQL is missing.
pub(crate) const NEEDED: &str = "HEADSMITH_NEED_POSTGRES";

/// Whether the tests can have a server; installs it first as root on Debian and Ubuntu.
pub(crate) fn ensure() -> bool {
    if is_there() {
        return true;
    }
    let quiet = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).stderr(Stdio::null());
        apt.status().is_ok_and(|status| status.success())
    };
    let installed = quiet(&["update", "-q"]) && quiet(&["install", "-q", "-y", "postgresql"]) && is_there();
    if installed {
        println!("ok PostgreSQL is installed");
    } else {
        println!("PostgreSQL is not installed, its tests are left out: apt-get install postgresql");
    }
    installed
}

/// Whether it is installed.
pub(crate) fn is_there() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let has = |folder: &Path, program: &str| folder.join(program).is_file();
    folders.iter().any(|folder| has(folder, "initdb") && has(folder, "pg_ctl"))
}
