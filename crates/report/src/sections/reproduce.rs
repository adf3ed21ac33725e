//! How to reproduce it: command, seed, versions, hashes of the data.

use crate::facts::{Facts, Look};
use crate::table::Table;
use crate::text::{counted, escape};

pub(crate) fn html(facts: &Facts) -> String {
    let facts_of = |rows: Vec<[String; 2]>| {
        Table::new(["what", "which"]).words(&[1]).with(rows.into_iter().map(Vec::from))
    };
    format!(
        "{}<p>The same tables, seed and version give the same numbers on any machine with the same instructions, whatever the \
         number of threads; only times differ.</p>{}",
        command(facts).map_or(String::new(), |command| format!("<pre>{}</pre>", escape(&command))),
        facts_of(rows(facts)).html()
    )
}

/// The command, as a shell takes it.
pub(crate) fn command(facts: &Facts) -> Option<String> {
    let words = facts.report.at("/command").as_array()?;
    let quoted = |word: &str| {
        let is_plain =
            !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:=,+@%".contains(c));
        if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    Some(words.iter().map(|word| quoted(word.text())).collect::<Vec<_>>().join(" "))
}

/// What must be the same.
pub(crate) fn rows(facts: &Facts) -> Vec<[String; 2]> {
    let report = &facts.report;
    let mut rows = vec![
        ["Headsmith".to_owned(), report.at("/headsmith_version").text().to_owned()],
        ["seed".to_owned(), report.at("/seed").to_string()],
    ];
    let mut text = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push([name.to_owned(), value]);
        }
    };
    text("started", report.at("/started").text().to_owned());
    text("machine", machine(facts));
    text(
        "study",
        match report.at("/study/name").text() {
            "" => String::new(),
            name => format!("{name} in {}", report.at("/study/storage").text()),
        },
    );
    for table in report.at("/tables").all() {
        let what = format!("{} {}", table.at("/role").text(), table.at("/path").text());
        rows.push([
            what,
            format!(
                "{}, content hash {}",
                counted(table.at("/n_rows").count(), "row"),
                table.at("/fingerprint").text()
            ),
        ]);
    }
    rows
}

fn machine(facts: &Facts) -> String {
    let machine = facts.report.at("/machine");
    match machine.at("/arch").text() {
        "" => String::new(),
        arch => format!(
            "{} on {arch}, {}",
            machine.at("/os").text(),
            counted(facts.report.at("/jobs").count(), "thread")
        ),
    }
}
