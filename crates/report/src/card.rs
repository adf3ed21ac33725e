//! A model card: the same facts in the headings of Mitchell and others, "Model cards for model reporting" (FAT* 2019).

use crate::facts::{Facts, Look};
use crate::sections::reproduce;
use crate::table::Table;
use crate::text::{MAX_LISTED, counted, escape, interval, of_many, percent, score, thousands, value};
use crate::verdict;
use serde_json::Value;

/// The model card, in Markdown.
pub fn card(facts: &Facts) -> String {
    let head = facts.chosen();
    let name = verdict::name(head.at("/head").text());
    let parts = [
        format!("# Model card: {} for {}\n", name, escape(&classes(facts))),
        details(facts, &name),
        use_of(facts),
        factors(facts),
        metrics(facts),
        data(facts),
        quantitative(facts),
        ethical().to_owned(),
        caveats(facts),
        again(facts),
    ];
    parts.join("\n")
}

fn classes(facts: &Facts) -> String {
    match facts.classes() {
        few if few.len() <= 6 => few.join(", "),
        many => counted(many.len() as u64, "class"),
    }
}

fn details(facts: &Facts, name: &str) -> String {
    let head = facts.chosen();
    let params = head.at("/params").as_object().into_iter().flatten();
    let params: Vec<String> = params.map(|(name, param)| format!("{name} = {}", value(param))).collect();
    format!(
        "## Model details\n\n- Kind: {name}; features scaled by: {}\n- Made by: Headsmith {}{}\n- Classes: {}\n- Features: {}\n\
         - Parameters: {}\n- File: {}\n\n{}\n",
        escape(head.at("/scaling").text()),
        facts.report.at("/headsmith_version").text(),
        match facts.report.at("/started").text() {
            "" => String::new(),
            started => format!(", {started}"),
        },
        escape(&match facts.classes() {
            many if many.len() > MAX_LISTED => counted(many.len() as u64, "class"),
            few => few.join(", "),
        }),
        facts.table("train").map_or(0, |table| table.at("/n_features").count()),
        escape(&params.join(", ")),
        escape(head.at("/model").as_str().unwrap_or("not written")),
        escape(&verdict::what_was_done(facts))
    )
}

fn use_of(facts: &Facts) -> String {
    format!(
        "## Intended use\n\nTo predict which of {} a row of embeddings belongs to, if the embeddings come from the same encoder as \
         the training rows. Headsmith does not know what the rows describe: add here what the model is for, and \
         what it must not be used for.\n",
        counted(facts.classes().len() as u64, "class")
    )
}

fn factors(facts: &Facts) -> String {
    let table = facts.table("train");
    let labels = table.map_or(&[][..], |table| table.at("/labels").all());
    let n = table.map_or(1, |table| table.at("/n_rows").count().max(1));
    let mut labels: Vec<&Value> = labels.iter().collect();
    let note = of_many(labels.len());
    if labels.len() > MAX_LISTED {
        labels.sort_by_key(|label| std::cmp::Reverse(label.at("/count").count()));
        labels.truncate(MAX_LISTED);
    }
    let rows = labels.into_iter().map(|label| {
        let count = label.at("/count").count();
        vec![label.at("/class").text().to_owned(), thousands(count), percent(count as f64 / n as f64)]
    });
    format!(
        "## Factors\n\nScores per class are below. The tables define no other groups.{note}\n\n{}",
        Table::new(["class", "training rows", "share"]).with(rows).markdown()
    )
}

fn metrics(facts: &Facts) -> String {
    let (metric, (scores, rows)) = (facts.metric(), facts.scores());
    let line = |(key, name): (&str, &str)| {
        vec![name.to_owned(), score(scores[key].number()), interval(&scores["intervals"][key])]
    };
    let shown = [
        ("weighted_f1", "weighted F1"),
        ("accuracy", "accuracy"),
        ("balanced_accuracy", "balanced accuracy"),
        ("macro_f1", "macro F1"),
        ("roc_auc_ovr", "ROC AUC"),
        ("mcc", "Matthews correlation"),
        ("log_loss", "log loss"),
        ("brier", "Brier score"),
        ("ece", "calibration error"),
    ];
    let mut table = Table::new(["score", "value", "95% interval"]).with(shown.into_iter().map(line));
    let selection = facts.report.at("/study/selection");
    if let Some(corrected) = selection.at("/corrected").number() {
        table.add([
            format!("{metric} corrected for selection"),
            score(corrected),
            interval(selection.at("/corrected_interval")),
        ]);
    }
    let held = facts.chosen().at("/held_back");
    if let Some(value) = held[metric.key].number() {
        table.add([
            format!("{metric} on rows held back"),
            score(value),
            interval(&held["intervals"][metric.key]),
        ]);
    }
    format!(
        "## Metrics\n\nOn {}.\n\n{}",
        counted(scores.at("/n_samples").count(), &format!("{rows} row")),
        table.markdown()
    )
}

fn data(facts: &Facts) -> String {
    let tables = facts.report.at("/tables").all().iter().map(|table| {
        vec![
            table.at("/role").text().to_owned(),
            table.at("/path").text().to_owned(),
            thousands(table.at("/n_rows").count()),
            format!("`{}`", table.at("/fingerprint").text()),
        ]
    });
    let findings = facts.report.at("/findings").all().iter();
    let findings: Vec<String> = findings
        .map(|finding| {
            format!("- {}: {}\n", finding.at("/severity").text(), escape(finding.at("/message").text()))
        })
        .collect();
    let findings = if findings.is_empty() { "- nothing\n".to_owned() } else { findings.concat() };
    format!(
        "## Training and evaluation data\n\n{}\nFindings of the checks:\n\n{findings}",
        Table::new(["table", "file", "rows", "content hash"]).words(&[1, 3]).with(tables).markdown()
    )
}

fn quantitative(facts: &Facts) -> String {
    let classes = facts.scores().0.at("/per_class").all();
    let shown = if classes.len() > MAX_LISTED { MAX_LISTED } else { classes.len() };
    let rows = facts.largest_classes(shown).into_iter().map(|i| &classes[i]).map(|class| {
        let scores = ["/precision", "/recall", "/f1", "/roc_auc"].map(|path| score(class.at(path).number()));
        [class.at("/class").text().to_owned(), thousands(class.at("/support").count())]
            .into_iter()
            .chain(scores)
            .collect()
    });
    format!(
        "## Quantitative analyses\n\n{}{}",
        match of_many(classes.len()) {
            note if note.is_empty() => note,
            note => format!("{}\n\n", note.trim()),
        },
        Table::new(["class", "support", "precision", "recall", "F1", "ROC AUC"]).with(rows).markdown()
    )
}

fn ethical() -> &'static str {
    "## Ethical considerations\n\nA head reproduces the errors and biases of its labels and of the encoder. Nothing was measured here for groups of \
     people: do that before you use the model for decisions about people.\n"
}

fn caveats(facts: &Facts) -> String {
    let said: String =
        verdict::trust(facts).iter().map(|(_, said)| format!("- {}\n", escape(said))).collect();
    format!(
        "## Caveats and recommendations\n\n{said}- All scores apply to rows like the validation rows: evaluate the model again on rows from another source.\n"
    )
}

fn again(facts: &Facts) -> String {
    let command =
        reproduce::command(facts).map_or(String::new(), |command| format!("```sh\n{command}\n```\n\n"));
    let rows = reproduce::rows(facts).into_iter().map(Vec::from);
    format!(
        "## How to reproduce it\n\n{command}{}",
        Table::new(["what", "which"]).words(&[1]).with(rows).markdown()
    )
}
