//! `cargo xtask bench`: our numbers beside the peers', one line each. The scripts of `bench/peers` measure: both sides
//! in turns in one run, medians.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{env, heads, million, package, quality, scaling, step, training, workspace};

const NAMES: [&str; 4] = ["parse", "forest", "mlp", "python"];
/// What has peers, an environment and a table of its own.
const TRAINING: &str = "training";
/// What has no peers: the cost of fits of growing size.
const SCALING: &str = "scaling";
/// Heads beside scikit-learn and beside the operations they need, on rows it makes.
const HEADS: &str = "heads";
/// As scaling, for one size, that of a table which is not held in memory; gigabytes, so it is done only when named.
const MILLION: &str = "million";
/// The search and the heads beside scikit-learn, AutoGluon and FLAML on public tables; hours, so it is done only when named.
const QUALITY: &str = "quality";

/// Measures `names`, or all, on the tables of the folder `data`; prints and writes what was measured. `suite` is the part of
/// the quality suite that is measured.
pub(crate) fn run(data: &str, suite: &quality::Suite, names: &[String]) -> Result<()> {
    let known =
        |name: &str| NAMES.contains(&name) || [TRAINING, SCALING, HEADS, MILLION, QUALITY].contains(&name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let names = NAMES.join(", ");
        bail!(
            "there is no measurement `{unknown}`; there are {names}, {TRAINING}, {SCALING}, {HEADS}, {MILLION}, \
             {QUALITY}"
        );
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    let data = fs::canonicalize(data).with_context(|| format!("there is no folder {data}"))?;
    step::run("release build", &mut workspace::build())?;
    if NAMES.into_iter().any(wanted) {
        beside_peers(&data, &NAMES.into_iter().filter(|name| wanted(name)).collect::<Vec<_>>())?;
    }
    if wanted(TRAINING) {
        training::run()?;
    }
    if wanted(SCALING) {
        scaling::run()?;
    }
    if wanted(HEADS) {
        heads::run()?;
    }
    let named = |name: &str| names.iter().any(|n| n == name);
    if named(MILLION) {
        million::run()?;
    }
    if named(QUALITY) { quality::run(suite) } else { Ok(()) }
}

/// Runs the scripts of `names`; prints and writes one table of their rows.
fn beside_peers(data: &Path, names: &[&str]) -> Result<()> {
    let python = env::REFEREES.python()?;
    let mut rows = Vec::new();
    for name in names {
        rows.extend(measure(&python, name, data)?);
    }
    let text = table(&rows);
    print!("\n{text}");
    let folder = workspace::target("bench");
    fs::create_dir_all(&folder)?;
    write(folder.join("bench.txt"), &text)?;
    write(folder.join("bench.json"), &serde_json::to_string_pretty(&json!({ "rows": rows }))?)
}

/// Runs one script; each line it prints is an object with `what`, `ours`, `peer`, `unit` and `name` (of the peer).
fn measure(python: &Path, name: &str, data: &Path) -> Result<Vec<Value>> {
    let mut command = Command::new(python);
    command.arg(format!("bench/peers/measure_{name}.py")).arg(data).current_dir(workspace::root());
    command.env("HEADSMITH", workspace::binary()).env("PYTHONPATH", package::assemble()?);
    eprintln!("measuring {name} ..");
    let output = command.stderr(Stdio::inherit()).output().context("cannot start Python")?;
    if !output.status.success() {
        bail!("measuring {name} failed; to run it again: {}", step::typed(&command));
    }
    let lines = String::from_utf8(output.stdout)?;
    lines
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
        .collect()
}

fn table(rows: &[Value]) -> String {
    let mut text = format!("{:<58} {:>10} {:>10} {:>7}  peer\n", "measured", "headsmith", "peer", "ratio");
    for row in rows {
        let unit = row["unit"].as_str().unwrap_or_default();
        let (ours, peer) =
            (row["ours"].as_f64().unwrap_or(f64::NAN), row["peer"].as_f64().unwrap_or(f64::NAN));
        let what = format!(
            "{}{}",
            row["what"].as_str().unwrap_or_default(),
            if unit.is_empty() { "" } else { ", " }
        );
        // Less is better for seconds and bytes, and only there a ratio says something.
        let ratio = if unit.is_empty() { String::new() } else { format!("{:.1}", peer / ours) };
        let name = row["name"].as_str().unwrap_or_default();
        let _ =
            writeln!(text, "{:<58} {ours:>10.4} {peer:>10.4} {ratio:>7}  {name}", format!("{what}{unit}"));
    }
    text
}

fn write(file: PathBuf, text: &str) -> Result<()> {
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}
