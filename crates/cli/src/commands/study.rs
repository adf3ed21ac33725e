//! `headsmith study`: inspecting studies and changing them.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context as _, Result, bail};
use clap::ArgMatches;
use headsmith::report::{Objective, TrialRow};
use headsmith::studies::{self, Order, StudyLocation, TrialFilter, TrialRows};

use crate::flags::common::{self, labelled, optional_path_of, path_of};
use crate::view::progress::StderrView;
use crate::{commands, view};

/// Does what the subcommand asks for.
pub(crate) fn study(matches: &ArgMatches) -> Result<()> {
    match matches.subcommand() {
        Some(("list", matches)) => list(matches),
        Some(("show", matches)) => show(matches),
        Some(("best", matches)) => best(matches),
        Some(("trials", matches)) => trials(matches),
        Some(("export", matches)) => export(matches),
        Some(("enqueue", matches)) => enqueue(matches),
        Some(("delete", matches)) => delete(matches),
        Some(("rename", matches)) => rename(matches),
        // clap lets no other through.
        _ => Ok(()),
    }
}

fn location(matches: &ArgMatches) -> StudyLocation {
    StudyLocation {
        storage: matches.get_one::<String>("storage").cloned().unwrap_or_default(),
        name: matches.get_one::<String>("study").cloned(),
    }
}

fn list(matches: &ArgMatches) -> Result<()> {
    let all = studies::list(&location(matches))?;
    if matches.get_flag("json") { view::print_json(&all) } else { view::print(&view::study::list(&all)) }
}

fn show(matches: &ArgMatches) -> Result<()> {
    let (report, trials) = studies::show_with_trials(&location(matches))?;
    if matches.get_flag("json") {
        view::print_json(&report)
    } else {
        let drawn =
            view::history::history(&report.objectives, &trials, view::width(), view::live::has_unicode());
        view::print(&(view::study::summary(&report) + &drawn))
    }
}

fn best(matches: &ArgMatches) -> Result<()> {
    let json = matches.get_flag("json");
    if !matches.get_flag("fit") {
        return show_best(&studies::best(&location(matches))?, json);
    }
    let config = studies::FitBest {
        train: labelled(matches, "train", "labels")?,
        val: labelled(matches, "val", "val_labels")?,
        cache: optional_path_of(matches, "cache"),
        model: path_of(matches, "model"),
    };
    let threads = common::threads(matches);
    let quiet = matches.get_flag("quiet");
    // Seed and metric are the study's own.
    let (report, classes) =
        commands::with_threads(threads, Default::default(), Box::new(StderrView::new(quiet)), |context| {
            studies::fit_best(&location(matches), &config, context)
        })?;
    if json { view::print_json(&report) } else { view::print(&view::text::fit(&report, &classes)) }
}

/// Shows one trial, or a Pareto front.
fn show_best(best: &TrialRows, json: bool) -> Result<()> {
    match (best.objectives.as_slice(), best.trials.as_slice()) {
        ([objective], [trial]) if json => view::print_json(&Best { objective, trial }),
        ([objective], [trial]) => view::print(&view::study::trial(objective, trial)),
        (objectives, front) if json => {
            view::print_json(&serde_json::json!({ "objectives": objectives, "pareto_front": front }))
        }
        (objectives, front) => view::print(&view::study::front(objectives, front)),
    }
}

/// The best trial, and what it is the best in.
#[derive(serde::Serialize)]
struct Best<'b> {
    #[serde(flatten)]
    trial: &'b TrialRow,
    objective: &'b Objective,
}

fn trials(matches: &ArgMatches) -> Result<()> {
    let filter = TrialFilter {
        states: matches.get_many("state").into_iter().flatten().cloned().collect(),
        order: matches.get_one::<String>("sort").map(|column| Order::parse(column)).unwrap_or_default(),
        top: matches.get_one::<u32>("top").map(|top| *top as usize),
    };
    let rows = studies::trials(&location(matches), &filter)?;
    if matches.get_flag("json") {
        view::print_json(&rows.trials)
    } else {
        view::print(&view::study::trials(&rows))
    }
}

fn export(matches: &ArgMatches) -> Result<()> {
    let (location, out) = (location(matches), path_of(matches, "out"));
    let written = studies::export(&location, &out)?;
    if matches.get_flag("json") {
        return view::print_json(&serde_json::json!({ "trials": written, "file": out }));
    }
    view::print(&format!("wrote {} to {}\n", view::progress::counted(written, "trial"), out.display()))
}

fn enqueue(matches: &ArgMatches) -> Result<()> {
    let given = matches.get_many::<String>("values").into_iter().flatten();
    let mut values: Vec<(String, String)> = Vec::new();
    for text in given {
        let (name, value) =
            text.split_once('=').with_context(|| format!("`{text}` is not of the form NAME=VALUE"))?;
        let (name, value) = (name.trim(), value.trim());
        if let Some((_, other)) = values.iter().find(|(other, _)| other == name) {
            let why = format!("{name} is given twice, as {other} and as {value}: give one value");
            return Err(headsmith::Error::usage(why).into());
        }
        values.push((name.to_owned(), value.to_owned()));
    }
    let number = studies::enqueue(&location(matches), &values)?;
    if matches.get_flag("json") {
        return view::print_json(&serde_json::json!({ "number": number }));
    }
    view::print(&format!("trial {number} waits for a worker\n"))
}

fn delete(matches: &ArgMatches) -> Result<()> {
    let location = location(matches);
    let found = studies::find(&location)?;
    if !matches.get_flag("yes")
        && !agreed(&format!("Delete study {} and its {} trials?", found.name, found.n_trials))?
    {
        bail!("nothing was deleted");
    }
    studies::delete(&location)?;
    say(matches, &format!("deleted study {}", found.name), serde_json::json!({ "deleted": found.name }))
}

fn rename(matches: &ArgMatches) -> Result<()> {
    let to = matches.get_one::<String>("to").cloned().unwrap_or_default();
    let from = studies::rename(&location(matches), &to)?;
    say(matches, &format!("study {from} is now {to}"), serde_json::json!({ "from": from, "to": to }))
}

fn say(matches: &ArgMatches, text: &str, json: serde_json::Value) -> Result<()> {
    if matches.get_flag("json") { view::print_json(&json) } else { view::print(&format!("{text}\n")) }
}

/// Asks on the terminal; without one, the flag is needed.
fn agreed(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("{question} There is no terminal to ask on: give --yes");
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
