//! The programs that tests need and Rust does not bring, in one list: how to tell that one is there, how it is installed,
//! and what is skipped without it.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::step;

/// A program that tests need.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// Any of these programs will do; all names of one entry must be there.
    programs: &'static [&'static [&'static str]],
    /// Folders to search beside PATH; `*` stands for a version.
    folders: &'static [&'static str],
    install: Install,
    /// What is skipped without it. The name of a script of `bench/referees` skips the whole script.
    needed_by: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Install {
    /// Packages of Debian and Ubuntu.
    Apt(&'static [&'static str]),
    /// A crate with a binary.
    Cargo(&'static str),
}

pub(crate) const DENY: &str = "cargo-deny";
pub(crate) const POSTGRES: &str = "PostgreSQL";
pub(crate) const VALGRIND: &str = "valgrind";
const PYTHON: &str = "Python with venv";

const TOOLS: [Tool; 8] = [
    Tool {
        name: DENY,
        programs: &[&["cargo-deny"]],
        folders: &[],
        install: Install::Cargo("cargo-deny"),
        needed_by: &["licences"],
    },
    Tool {
        name: POSTGRES,
        programs: &[&["initdb", "pg_ctl"]],
        folders: &["/usr/lib/postgresql/*/bin"],
        install: Install::Apt(&["postgresql"]),
        needed_by: &["tests of PostgreSQL", "part of study_storage.py", "part of study_machines.py"],
    },
    Tool {
        name: VALGRIND,
        programs: &[&["valgrind"]],
        folders: &[],
        install: Install::Apt(&["valgrind"]),
        needed_by: &["instruction counts"],
    },
    Tool {
        name: PYTHON,
        programs: &[],
        folders: &[],
        install: Install::Apt(&["python3", "python3-venv"]),
        needed_by: &["all referees"],
    },
    Tool {
        name: "tmux",
        programs: &[&["tmux"]],
        folders: &[],
        install: Install::Apt(&["tmux"]),
        needed_by: &["part of live_terminal.py"],
    },
    Tool {
        name: "Chromium",
        programs: &[
            &["chromium"],
            &["chromium-browser"],
            &["google-chrome"],
            &["google-chrome-stable"],
            &["chrome"],
        ],
        folders: &[],
        install: Install::Apt(&["chromium"]),
        needed_by: &["report_page.py", "tensorboard_pages.py"],
    },
    Tool {
        name: "Node with npm",
        programs: &[&["node", "npm"]],
        folders: &[],
        install: Install::Apt(&["nodejs", "npm"]),
        needed_by: &["part of exported_models.py"],
    },
    Tool {
        name: "ip (iproute2)",
        programs: &[&["ip"]],
        folders: &[],
        install: Install::Apt(&["iproute2"]),
        needed_by: &["part of study_machines.py"],
    },
];

/// What of [`TOOLS`] is missing after everything that can be installed was.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Missing(Vec<&'static str>);

impl Missing {
    /// Whether the tool `name` is missing.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// Whether the referees have no Python.
    pub(crate) fn python(&self) -> bool {
        self.has(PYTHON)
    }

    /// The tool for whose lack the referee `script` (a file name) is skipped.
    pub(crate) fn skips(&self, script: &str) -> Option<&'static str> {
        let tool = |name: &&str| TOOLS.iter().find(|tool| tool.name == *name);
        self.0.iter().filter_map(tool).find(|tool| tool.needed_by.contains(&script)).map(|tool| tool.name)
    }
}

/// Installs what is missing where that needs no question, and prints a line for each tool that stays missing. Without
/// `python` the referees' own tools are not looked for.
///
/// # Errors
/// When a tool stays missing and `CI` is `true`.
pub(crate) fn ensure(python: bool) -> Result<Missing> {
    let wanted = |tool: &Tool| python || [DENY, POSTGRES, VALGRIND].contains(&tool.name);
    let missing = || TOOLS.iter().filter(|tool| wanted(tool) && !is_there(tool)).collect::<Vec<_>>();
    install(&missing());
    let missing = missing();
    missing.iter().for_each(|tool| println!("{}", line(tool)));
    if !missing.is_empty() && std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        bail!("CI needs every tool");
    }
    Ok(Missing(missing.iter().map(|tool| tool.name).collect()))
}

fn line(tool: &Tool) -> String {
    let how = match &tool.install {
        Install::Apt(packages) => format!("apt-get install {} (Debian, Ubuntu)", packages.join(" ")),
        Install::Cargo(name) => format!("cargo install --locked {name}"),
    };
    format!("{} is missing, skipped: {}; to install it: {how}", tool.name, tool.needed_by.join(", "))
}

fn is_there(tool: &Tool) -> bool {
    if tool.name == PYTHON {
        return succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    found(tool, &path)
}

/// Whether one of the tool's entries is whole in a single folder of `path` or of the tool's own.
fn found(tool: &Tool, path: &OsString) -> bool {
    let own = tool.folders.iter().copied().flat_map(folders);
    let folders: Vec<_> = std::env::split_paths(path).chain(own).collect();
    let whole =
        |names: &&[&str]| folders.iter().any(|folder| names.iter().all(|name| folder.join(name).is_file()));
    tool.programs.iter().any(whole)
}

/// The folders that `pattern` names, in which one part may be `*`.
fn folders(pattern: &str) -> Vec<std::path::PathBuf> {
    let Some((parent, rest)) = pattern.split_once("/*/") else { return vec![pattern.into()] };
    let versions = std::fs::read_dir(Path::new(parent)).into_iter().flatten().flatten();
    versions.map(|version| version.path().join(rest)).collect()
}

/// Installs packages as root on Debian and Ubuntu, and crates anywhere.
fn install(missing: &[&Tool]) {
    let packages: Vec<&str> = missing
        .iter()
        .filter_map(|tool| match &tool.install {
            Install::Apt(packages) => Some(*packages),
            Install::Cargo(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    if !packages.is_empty() {
        apt(&packages);
    }
    for tool in missing {
        if let Install::Cargo(name) = &tool.install {
            // Without optimisation: what runs for seconds need not build for minutes.
            let install = ["install", "--locked", "--quiet", "--debug", name];
            let result = step::run(name, Command::new("cargo").args(install));
            result.unwrap_or_else(|error| println!("{error}"));
        }
    }
}

fn apt(packages: &[&str]) {
    let root = succeeds(Command::new("sh").args(["-c", "test \"$(id -u)\" = 0"]));
    let prefix: &[&str] = match root {
        true => &[],
        false if succeeds(Command::new("sudo").args(["-n", "true"])) => &["sudo", "-n"],
        false => return,
    };
    let run = |args: &[&str]| {
        let words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
            .collect();
        succeeds(Command::new(words[0]).args(&words[1..]).args(args))
    };
    let install = [&["install", "-y", "--no-install-recommends"], packages].concat();
    if run(&["update"]) && run(&install) {
        println!("ok installed {}", packages.join(", "));
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn tool(name: &str) -> &'static Tool {
        TOOLS.iter().find(|tool| tool.name == name).unwrap()
    }

    #[test]
    fn a_tool_is_there_when_all_programs_of_an_entry_are_in_one_folder() {
        let base = std::env::temp_dir().join(format!("headsmith-tools-{}", std::process::id()));
        let [one, two] = ["one", "two"].map(|name| base.join(name));
        for folder in [&one, &two] {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(one.join("initdb"), "").unwrap();
        std::fs::write(two.join("pg_ctl"), "").unwrap();
        let path = std::env::join_paths([&one, &two]).unwrap();
        let postgres = Tool { folders: &[], ..*tool(POSTGRES) };
        assert!(!found(&postgres, &path), "its programs are in two folders");
        std::fs::write(two.join("initdb"), "").unwrap();
        assert!(found(&postgres, &path));
        std::fs::write(one.join("google-chrome"), "").unwrap();
        assert!(found(tool("Chromium"), &path), "any of its names will do");
        assert!(!found(tool("tmux"), &path));
        let pattern = format!("{}/*/bin", base.display());
        assert!(folders(&pattern).contains(&one.join("bin")));
        std::fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn what_is_missing_skips_what_needs_it_by_name() {
        let missing = Missing(vec!["Chromium", "tmux"]);
        assert_eq!(missing.skips("report_page.py"), Some("Chromium"));
        assert_eq!(missing.skips("live_terminal.py"), None, "only a part of it needs tmux");
        assert!(!missing.python() && Missing(vec![PYTHON]).python());
        let line = line(tool("tmux"));
        assert_eq!(
            line,
            "tmux is missing, skipped: part of live_terminal.py; to install it: apt-get install tmux (Debian, Ubuntu)"
        );
    }

    #[test]
    fn every_referee_that_is_named_exists() {
        let scripts = workspace::files("bench/referees", "py").unwrap();
        let there = |name: &str| scripts.iter().any(|script| script.ends_with(name));
        for needed in TOOLS.iter().flat_map(|tool| tool.needed_by) {
            let script = needed.strip_prefix("part of ").unwrap_or(needed);
            assert!(!script.ends_with(".py") || there(script), "{script}");
        }
    }
}
