//! The wheel that is published: the profile `wheel`, equal functions once, compressed with Zopfli, and looked over by auditwheel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{env, step, workspace};

const MANIFEST: &str = "crates/python/Cargo.toml";
const COMPRESSOR: &str = "crates/python/compress.py";
/// Functions with the same instructions are linked once, which saves 2%. The linker of Rust's own toolchains for this system can do that.
const ONCE: &str = "-Clink-arg=-Wl,--icf=all";

/// Builds it, into `target/wheels`.
pub(crate) fn build() -> Result<()> {
    let (python, folder) = (env::WHEEL.python()?, workspace::target("wheels"));
    // What is found there afterwards is the new one.
    let _ = fs::remove_dir_all(&folder);
    let mut maturin = Command::new(&python);
    maturin.current_dir(workspace::root()).args(["-m", "maturin", "build", "--locked", "--profile", "wheel"]);
    maturin.args(["-m", MANIFEST, "-o"]).arg(&folder);
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        maturin.args(["--", ONCE]);
    }
    step::run("wheel", &mut maturin)?;
    let wheel = only_file(&folder)?;
    let mut compress = Command::new(&python);
    step::run("compression", compress.current_dir(workspace::root()).arg(COMPRESSOR).arg(&wheel))?;
    if cfg!(target_os = "linux") {
        step::run("auditwheel", Command::new(&python).args(["-m", "auditwheel", "show"]).arg(&wheel))?;
    }
    println!("{}", wheel.display());
    Ok(())
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    match &files[..] {
        [only] => Ok(only.clone()),
        _ => bail!("{} has {} files, expected one wheel", folder.display(), files.len()),
    }
}
