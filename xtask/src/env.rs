//! The Python environments, each made from its `requirements.txt`: that of the referees (`cargo xtask env`), that
//! of what builds the wheel (`cargo xtask wheel`), that of the peers in training, which is large and only `cargo xtask bench training` needs, and those of the quality suite, which
//! only `cargo xtask bench quality` needs: one with encoders of text, and one for each peer that is large.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{step, workspace};

/// An environment of its own in the target folder.
pub(crate) struct Environment {
    /// Its folder in the target folder.
    folder: &'static str,
    requirements: &'static str,
    /// Whether the requirements name every package, so that nothing else is installed.
    complete: bool,
    /// The newest minor version of Python 3 for which there are all its packages.
    newest: u32,
}

pub(crate) const REFEREES: Environment = Environment {
    folder: "referees",
    requirements: "bench/referees/requirements.txt",
    complete: false,
    newest: 14,
};

pub(crate) const WHEEL: Environment =
    Environment { folder: "wheel-env", requirements: "crates/python/wheel.txt", complete: true, newest: 14 };

pub(crate) const TRAINING_PEERS: Environment = Environment {
    folder: "peers-env",
    requirements: "bench/peers/training/requirements.txt",
    complete: true,
    newest: 13,
};

pub(crate) const QUALITY: Environment = Environment {
    folder: "quality-env",
    requirements: "bench/quality/requirements.txt",
    complete: true,
    newest: 13,
};

/// The peers of the quality suite with an environment of their own, by the names of `--peers`.
pub(crate) const QUALITY_PEERS: [(&str, Environment); 2] = [
    (
        "autogluon",
        Environment {
            folder: "autogluon-env",
            requirements: "bench/quality/autogluon.txt",
            complete: true,
            newest: 13,
        },
    ),
    (
        "flaml",
        Environment {
            folder: "flaml-env",
            requirements: "bench/quality/flaml.txt",
            complete: true,
            newest: 13,
        },
    ),
];

/// The oldest minor version that the pinned packages support.
const OLDEST: u32 = 11;
const PYTHONS: [&str; 5] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];

impl Environment {
    /// Gives the environment's Python; makes the environment first where it is missing or made from other requirements.
    pub(crate) fn python(&self) -> Result<PathBuf> {
        let folder = workspace::target(self.folder);
        let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        let wanted = workspace::root().join(self.requirements);
        // The stamp is the file itself: what was installed, word by word.
        let stamp = folder.join("installed.txt");
        let requirements = fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
        if !fs::read(&stamp).is_ok_and(|installed| installed == requirements) || !python.exists() {
            self.make(&folder, &python, &wanted)?;
            fs::write(&stamp, requirements)?;
        }
        Ok(python)
    }

    fn make(&self, folder: &Path, python: &Path, requirements: &Path) -> Result<()> {
        let Some(system) = PYTHONS.into_iter().find(|python| suits(python, self.newest)) else {
            bail!(
                "{} needs Python 3.{OLDEST} to 3.{} with its venv module: install python3 and python3-venv (Debian, \
                 Ubuntu); tests run without it by cargo xtask test --no-python",
                self.requirements,
                self.newest
            );
        };
        let mut venv = Command::new(system);
        step::run("Python environment", venv.args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]);
        pip.args(self.complete.then_some("--no-deps")).arg("--requirement");
        step::run("Python packages", pip.arg(requirements))
    }
}

fn suits(python: &str, newest: u32) -> bool {
    let versions = format!("(3, {OLDEST}) <= sys.version_info[:2] <= (3, {newest})");
    let mut probe = Command::new(python);
    probe.args(["-c", &format!("import sys, venv, ensurepip; sys.exit(not {versions})")]);
    probe.stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
