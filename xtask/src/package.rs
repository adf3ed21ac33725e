//! The Python package as the release build makes it: its sources with the extension beside them, in a folder for `PYTHONPATH`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{env, step, workspace};

const SOURCES: &str = "crates/python/python/headsmith";
const GENERATOR: &str = "crates/python/generate.py";

/// Puts the package together; gives the folder that it is in.
pub(crate) fn assemble() -> Result<PathBuf> {
    let folder = workspace::target("python");
    let package = folder.join("headsmith");
    // Files that are no more would stay.
    let _ = fs::remove_dir_all(&package);
    fs::create_dir_all(&package).with_context(|| format!("cannot make {}", package.display()))?;
    for file in fs::read_dir(workspace::root().join(SOURCES))? {
        let file = file?.path();
        if file.is_file() {
            copy(&file, &package.join(file.file_name().unwrap_or_default()))?;
        }
    }
    copy(&extension(), &package.join(if cfg!(windows) { "_headsmith.pyd" } else { "_headsmith.abi3.so" }))?;
    Ok(folder)
}

/// Writes the generated files of the package anew.
pub(crate) fn generate() -> Result<()> {
    let folder = assemble()?;
    let mut command = Command::new(env::REFEREES.python()?);
    command.arg(GENERATOR).current_dir(workspace::root()).env("PYTHONPATH", folder);
    step::run("classes of the Python package", &mut command)
}

/// The extension module of the release build.
fn extension() -> PathBuf {
    let (start, ending) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    workspace::target("release").join(format!("{start}_headsmith{ending}"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
