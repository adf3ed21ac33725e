//! `cargo xtask bench quality`: the search and the heads beside scikit-learn on public tables, which it makes from what
//! packages ship, with the rows of AutoGluon and FLAML. `bench/quality/suite.py` measures.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{env, step, workspace};

/// The part of the suite that is measured: names, separated by commas.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Suite {
    /// The peers that have environments of their own, or `none`: what the cache has of the others stays. By default all.
    pub(crate) peers: Option<String>,
    /// The tables, by default all.
    pub(crate) tables: Option<String>,
}

/// Measures with the release build what is not in the cache `target/quality`; writes `quality.txt`, `.json` and `.svg` to
/// the folder of benches and, if all tables are measured, `docs/quality.md` and its summary in README.
pub(crate) fn run(suite: &Suite) -> Result<()> {
    let all = all_peers();
    let peers = named(suite.peers.as_deref().unwrap_or(&all))?;
    let mut command = Command::new(env::QUALITY.python()?);
    command.arg("bench/quality/suite.py").current_dir(workspace::root());
    command.arg("--headsmith").arg(workspace::binary());
    command.arg("--out").arg(workspace::target("bench"));
    command.arg("--folder").arg(workspace::target("quality"));
    for (name, environment) in env::QUALITY_PEERS.iter().filter(|(name, _)| peers.contains(name)) {
        command.arg(format!("--{name}")).arg(environment.python()?);
    }
    match &suite.tables {
        Some(tables) => command.args(["--tables", tables]),
        None => command.args(["--page", "docs/quality.md", "--readme", "README.md"]),
    };
    step::run("quality", &mut command)
}

/// The names of a list of peers, each of which has an environment.
fn named(peers: &str) -> Result<Vec<&str>> {
    if peers == "none" {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = peers.split(',').map(str::trim).collect();
    let known = env::QUALITY_PEERS.map(|(name, _)| name);
    match names.iter().find(|name| !known.contains(name)) {
        Some(unknown) => bail!("there is no peer `{unknown}`; there are {}, or none", known.join(", ")),
        None => Ok(names),
    }
}

/// All peers, as `--peers` names them.
fn all_peers() -> String {
    env::QUALITY_PEERS.map(|(name, _)| name).join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_named_or_none() {
        assert_eq!(named("none").unwrap(), [""; 0]);
        assert_eq!(named(&all_peers()).unwrap(), ["autogluon", "flaml"]);
        assert_eq!(named("flaml").unwrap(), ["flaml"]);
        assert!(named("flaml,h2o").unwrap_err().to_string().contains("h2o"));
    }
}
