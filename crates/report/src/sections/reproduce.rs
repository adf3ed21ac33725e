//! How to reproduce it: command, seed, versions, hashes of the data.

use crate::facts::Facts;
use crate::schema::Machine;
use crate::table::Table;
use crate::text::{counted, escape};

pub(crate) fn html(facts: &Facts) -> String {
    let facts_of = |rows: Vec<[String; 2]>| {
        Table::new(["what", "which"]).words(&[1]).with(rows.into_iter().map(Vec::from))
    };
    format!(
        "{}<p>{}</p>{}",
        command(facts).map_or(String::new(), |command| format!("<pre>{}</pre>", escape(&command))),
        escape(&promise(facts)),
        facts_of(rows(facts)).html()
    )
}

const SAME: &str = "the same numbers on any machine with the same instructions, whatever the number of threads; only times differ.";

/// The way to the same numbers again: the command, unless the clock or a stop ended a part of it.
pub(crate) fn promise(facts: &Facts) -> String {
    let report = &facts.report;
    let has =
        |flag: &str| report.command.iter().any(|word| word == flag || word.starts_with(&format!("{flag}=")));
    let search = report.auto.as_ref().filter(|auto| auto.has_ended());
    match search {
        Some(auto) if report.interrupted || !has("--steps") => format!(
            "The clock or a stop ended the search, and would end it elsewhere another time. With {} and without --time, the same tables, seed and version give {SAME}",
            auto.repeat
        ),
        _ if report.interrupted || facts.unfinished.is_some() => {
            "It did not run to its end: the same command would give other numbers.".to_owned()
        }
        _ if has("--timeout") => format!(
            "The clock ended the study: with --trials of the number of its trials and without --timeout, the same tables, seed and version give {SAME}"
        ),
        _ => format!("The same tables, seed and version give {SAME}"),
    }
}

/// The command, as a shell takes it; `None` where it is not known.
pub(crate) fn command(facts: &Facts) -> Option<String> {
    let words = &facts.report.command;
    let quoted = |word: &String| {
        let is_plain =
            !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:=,+@%".contains(c));
        if is_plain { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    (!words.is_empty()).then(|| words.iter().map(quoted).collect::<Vec<_>>().join(" "))
}

/// The conditions of the same result.
pub(crate) fn rows(facts: &Facts) -> Vec<[String; 2]> {
    let report = &facts.report;
    let study = report.study.as_ref().filter(|study| !study.name.is_empty());
    let known = [
        ("Headsmith", Some(report.headsmith_version.clone())),
        ("seed", Some(report.seed.to_string())),
        ("started", Some(report.started.clone()).filter(|started| !started.is_empty())),
        ("machine", machine(&report.machine, report.jobs)),
        ("study", study.map(|study| format!("{} in {}", study.name, study.storage))),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
    let tables = report.tables.iter().map(|table| {
        let rows = counted(table.n_rows, "row");
        [format!("{} {}", table.role, table.path), format!("{rows}, content hash {}", table.fingerprint)]
    });
    known.chain(tables).collect()
}

fn machine(Machine { os, arch }: &Machine, jobs: usize) -> Option<String> {
    (!arch.is_empty()).then(|| format!("{os} on {arch}, {}", counted(jobs, "thread")))
}
