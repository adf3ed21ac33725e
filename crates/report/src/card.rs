//! A model card: the same facts in the headings of Mitchell and others, "Model cards for model reporting" (FAT* 2019).

use headsmith_metrics::{Metric, PerClass};
use serde_json::Value;

use crate::facts::{Facts, Judged, OUT_OF_FOLD, largest_classes};
use crate::metric::Score;
use crate::schema::{AutoReport, CandidateReport, ClassCount, Finding, FitReport, Judgement};
use crate::sections::reproduce;
use crate::table::Table;
use crate::text::{MAX_LISTED, counted, interval, markdown, of_many, percent, score, thousands, value};
use crate::{sets, verdict};

/// The scores that the card has, by the names that it has for them.
const SCORES: [(Score, &str); 9] = [
    (Score::Of(Metric::WeightedF1), "weighted F1"),
    (Score::Of(Metric::Accuracy), "accuracy"),
    (Score::Of(Metric::BalancedAccuracy), "balanced accuracy"),
    (Score::Of(Metric::MacroF1), "macro F1"),
    (Score::RocAuc, "ROC AUC"),
    (Score::Of(Metric::Mcc), "Matthews correlation"),
    (Score::Of(Metric::LogLoss), "log loss"),
    (Score::Brier, "Brier score"),
    (Score::Ece, "calibration error"),
];

/// The model card, in Markdown.
pub fn card(facts: &Facts) -> String {
    let title = facts.chosen().map_or("", FitReport::title);
    let parts = [
        format!("# Model card: {} for {}\n", markdown(title), markdown(&classes(facts, 6))),
        details(facts, title),
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

/// The names of at most `n` classes; of more, their number.
fn classes(facts: &Facts, n: usize) -> String {
    match &facts.report.classes {
        few if few.len() <= n => few.join(", "),
        many => counted(many.len(), "class"),
    }
}

fn details(facts: &Facts, title: &str) -> String {
    let head = facts.chosen();
    let params = head.iter().flat_map(|head| &head.params);
    let params = listed(params);
    let found =
        verdict::search::model(facts).map_or(String::new(), |text| format!("{}\n\n", markdown(&text)));
    format!(
        "## Model details\n\n- Kind: {}; features scaled by: {}\n- Made by: Headsmith {}{}\n- Classes: {}\n- Features: {}\n\
         {}- File: {}\n\n{found}{}\n",
        markdown(title),
        markdown(head.map_or("", |head| &head.scaling)),
        markdown(&facts.report.headsmith_version),
        match facts.report.started.as_str() {
            "" => String::new(),
            started => format!(", {}", markdown(started)),
        },
        markdown(&classes(facts, MAX_LISTED)),
        facts.table("train").map_or(0, |table| table.n_features),
        match params.as_str() {
            "" => members(facts),
            params => format!("- Parameters: {}\n", markdown(params)),
        },
        markdown(head.and_then(|head| head.model.as_deref()).unwrap_or("not written")),
        markdown(&verdict::what_was_done(facts))
    )
}

/// Parameters in a row.
fn listed<'p>(params: impl IntoIterator<Item = (&'p String, &'p Value)>) -> String {
    let params = params.into_iter().map(|(name, param)| format!("{name} = {}", value(param)));
    params.collect::<Vec<_>>().join(", ")
}

/// The members of a model without parameters of its own, with theirs.
fn members(facts: &Facts) -> String {
    let members = facts.report.auto.as_ref().map_or_else(Vec::new, AutoReport::members);
    let member = |(_, member): (usize, &CandidateReport)| {
        let (title, params) = (markdown(&member.title), markdown(&listed(&member.params)));
        format!("- Member with weight {:.3}: {title}: {params}\n", member.weight)
    };
    members.into_iter().map(member).collect()
}

fn use_of(facts: &Facts) -> String {
    format!(
        "## Intended use\n\nTo predict which of {} a row of embeddings belongs to, if the embeddings come from the same encoder as \
         the training rows. Headsmith does not know what the rows describe: add here what the model is for, and \
         what it must not be used for.\n",
        counted(facts.report.classes.len(), "class")
    )
}

fn factors(facts: &Facts) -> String {
    let table = facts.table("train");
    let n = table.map_or(1, |table| table.n_rows.max(1));
    let mut labels: Vec<&ClassCount> = table.iter().flat_map(|table| &table.labels).collect();
    let note = of_many(labels.len());
    if labels.len() > MAX_LISTED {
        labels.sort_by_key(|label| std::cmp::Reverse(label.count));
        labels.truncate(MAX_LISTED);
    }
    let rows = labels.into_iter().map(|label| {
        vec![label.class.clone(), thousands(label.count), percent(label.count as f64 / n as f64)]
    });
    format!(
        "## Factors\n\nScores per class are below. The tables define no other groups.{note}\n\n{}",
        Table::new(["class", "training rows", "share"]).with(rows).markdown()
    )
}

fn metrics(facts: &Facts) -> String {
    let Some((Judgement { scores, intervals, .. }, rows)) = facts.scores() else {
        return "## Metrics\n\nNo head was fitted, so there is no score.\n".to_owned();
    };
    let metric = facts.metric();
    let line = |(kind, name): (Score, &str)| {
        let between = intervals.as_ref().and_then(|intervals| kind.interval(intervals));
        vec![name.to_owned(), score(kind.of(scores)), interval(between)]
    };
    let mut table = Table::new(["score", "value", "95% interval"]).with(SCORES.into_iter().map(line));
    if let Some(selection) = facts.report.study.as_ref().and_then(|study| study.selection) {
        table.add([
            format!("{metric} corrected for selection"),
            score(selection.corrected),
            interval(selection.corrected_interval),
        ]);
    }
    if let Some(held) = facts.chosen().and_then(|chosen| chosen.held_back.as_ref()) {
        let between = held.judgement.intervals.as_ref().map(|intervals| metric.interval(intervals));
        table.add([
            format!("{metric} on rows held back"),
            score(metric.of(&held.judgement.scores)),
            interval(between),
        ]);
    }
    if let Some(report) = facts.conformal() {
        let (scores, rows) = report.shown();
        let [coverage, size] = [scores.intervals.coverage, scores.intervals.mean_size].map(interval);
        let of_sets = format!("of {} prediction sets ({rows} rows)", sets::level(report.level));
        table.add([format!("coverage {of_sets}"), score(scores.coverage), coverage]);
        table.add([format!("mean size {of_sets}"), score(scores.mean_size), size]);
    }
    let unseen = if rows == OUT_OF_FOLD { ", each predicted by fits without it" } else { "" };
    format!(
        "## Metrics\n\nOn {}{unseen}.\n\n{}",
        counted(scores.n_samples, &format!("{rows} row")),
        table.markdown()
    )
}

fn data(facts: &Facts) -> String {
    let tables = facts.report.tables.iter().map(|table| {
        vec![table.role.clone(), table.path.clone(), thousands(table.n_rows), table.fingerprint.clone()]
    });
    let finding =
        |finding: &Finding| format!("- {}: {}\n", finding.severity.name(), markdown(&finding.message));
    let findings: String = facts.report.findings.iter().map(finding).collect();
    let findings = if findings.is_empty() { "- nothing\n" } else { &findings };
    format!(
        "## Training and evaluation data\n\n{}\nFindings of the checks:\n\n{findings}",
        Table::new(["table", "file", "rows", "content hash"]).words(&[1, 3]).with(tables).markdown()
    )
}

fn quantitative(facts: &Facts) -> String {
    let header = ["class", "support", "precision", "recall", "F1", "ROC AUC"];
    let (note, rows) = facts.scores().map_or_else(Default::default, by_class);
    format!("## Quantitative analyses\n\n{note}{}", Table::new(header).with(rows).markdown())
}

/// A row for each class, or for the largest of many, with a note about it.
fn by_class((judgement, _): Judged<'_>) -> (String, Vec<Vec<String>>) {
    let classes = &judgement.scores.per_class;
    let row = |class: &PerClass| {
        let scores = [Some(class.precision), Some(class.recall), Some(class.f1), class.roc_auc];
        let first = [judgement.classes[class.class].clone(), thousands(class.support)];
        first.into_iter().chain(scores.map(score)).collect()
    };
    let note = match of_many(classes.len()) {
        note if note.is_empty() => note,
        note => format!("{}\n\n", note.trim()),
    };
    (note, largest_classes(judgement, MAX_LISTED).into_iter().map(|i| row(&classes[i])).collect())
}

fn ethical() -> &'static str {
    "## Ethical considerations\n\nA head reproduces the errors and biases of its labels and of the encoder. Nothing was measured here for groups of \
     people: do that before you use the model for decisions about people.\n"
}

fn caveats(facts: &Facts) -> String {
    let said: String =
        verdict::trust(facts).iter().map(|(_, said)| format!("- {}\n", markdown(said))).collect();
    let rows = facts.scores().map_or("validation", |(_, rows)| rows);
    format!(
        "## Caveats and recommendations\n\n{said}- All scores apply to rows like the {rows} rows: evaluate the model again on rows from another source.\n"
    )
}

fn again(facts: &Facts) -> String {
    let command =
        reproduce::command(facts).map_or(String::new(), |command| format!("```sh\n{command}\n```\n\n"));
    let rows = reproduce::rows(facts).into_iter().map(Vec::from);
    format!(
        "## How to reproduce it\n\n{command}{}\n\n{}",
        markdown(&reproduce::promise(facts)),
        Table::new(["what", "which"]).words(&[1]).with(rows).markdown()
    )
}
