//! The rules of the workspace that no compiler checks.

mod arrows;
mod english;
mod heads;
mod sources;
mod words;

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The files of the repository, from its root: those git knows and those it would take.
fn files() -> Vec<PathBuf> {
    let mut git = Command::new("git");
    // A clone that belongs to another user is as good.
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root());
    let output = git.output().expect("git lists the files");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("names are UTF-8");
    names.split_terminator('\0').map(PathBuf::from).filter(|file| root().join(file).is_file()).collect()
}
