//! Where things stand in the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the root `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder `path` of the workspace's target folder.
pub(crate) fn target(path: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target).join(path)
}

/// The release binary.
pub(crate) fn binary() -> PathBuf {
    target("release").join(format!("headsmith{}", std::env::consts::EXE_SUFFIX))
}

/// The example binary `name` of a release build.
pub(crate) fn example(name: &str) -> PathBuf {
    target("release/examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// `cargo` with `args`, in the root.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root());
    command
}

/// The build of the release binary, of the examples that benches and referees run, and of Python's extension: in one command, so that all have the same
/// features and no dependency is built twice.
pub(crate) fn build() -> Command {
    let packages = [
        "--package=headsmith-cli",
        "--package=headsmith-data",
        "--package=headsmith-heads",
        "--package=headsmith-python",
    ];
    let mut command = cargo(["build", "--release", "--locked", "--bins", "--examples", "--lib"]);
    command.args(packages);
    command
}

/// The files with ending `ending` right in the folder `path` of the workspace, in the order of their names.
pub(crate) fn files(path: &str, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(path))?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|e| e == ending));
    files.sort();
    Ok(files)
}
