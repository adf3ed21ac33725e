//! A summary of the run and its reliability as text: the same on the page and the card.

pub(crate) mod search;

use headsmith_metrics::bootstrap::Difference;
use headsmith_metrics::{Metric, PerClass};

use crate::facts::{Facts, OUT_OF_FOLD};
use crate::schema::{
    AutoReport, Comparison, Finding, Judgement, ReliabilityBin, Severity, StudyReport, TableReport,
};
use crate::text::{counted, duration, interval, listed, percent, score, signed, thousands, with_article};

/// How a remark is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warning,
    Note,
}

/// The file of a path.
pub(crate) fn file(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The whole run in a few sentences.
pub(crate) fn what_was_done(facts: &Facts) -> String {
    let report = &facts.report;
    let tables: Vec<String> = report.tables.iter().map(table).collect();
    let mut text = format!("Headsmith {} read {}. ", report.headsmith_version, listed(&tables));
    let heads = &report.heads;
    let tried = |study: &StudyReport| {
        format!(
            "tried {} in a study ({} ended early)",
            counted(study.n_trials, "setting"),
            thousands(study.n_in("pruned"))
        )
    };
    let is_search = report.auto.as_ref().is_some_and(AutoReport::has_ended);
    let is_compared = report.comparison.is_some() || !report.comparisons.is_empty();
    let compared = match heads.len() {
        0 | 1 => None,
        _ if is_search && !is_compared => None,
        2 => Some("compared the two on the validation rows"),
        _ => Some("compared each with the first on the validation rows"),
    };
    let better = match heads.len() {
        _ if is_search => "it",
        0..=2 => "the better one",
        _ => "the best one",
    };
    // The last head is what a search has found.
    let n_fits = heads.len() - usize::from(is_search && !heads.is_empty());
    let predicted = report.predictions.as_ref().map(|predictions| predictions.n_rows);
    let first = heads[..n_fits].first().map(|head| format!("fitted {}", with_article(head.title())));
    let steps: Vec<String> = first
        .into_iter()
        .chain(report.study.iter().chain(&report.studies).map(tried))
        .chain(heads[..n_fits].iter().skip(1).map(|head| format!("fitted a final {}", head.title())))
        .chain(search::steps(facts))
        .chain(compared.map(str::to_owned))
        .chain(predicted.map(|n| format!("predicted {} with {better}", counted(n, "row"))))
        .collect();
    if !steps.is_empty() {
        text += &format!("It {}. ", listed(&steps));
    }
    if let Some(seconds) = report.seconds {
        text += &format!("This took {} in total.", duration(seconds));
    }
    text
}

fn table(table: &TableReport) -> String {
    format!(
        "{} ({}, {}) as {}",
        file(&table.path),
        counted(table.n_rows, "row"),
        counted(table.n_features, "feature"),
        match table.role.as_str() {
            "train" => "training rows",
            "val" => "validation rows",
            "test" => "rows to predict",
            other => other,
        }
    )
}

/// Whether each further head is better than the first, according to the paired tests.
fn comparisons(facts: &Facts) -> impl Iterator<Item = (Tone, String)> {
    let report = &facts.report;
    report.comparison.iter().chain(&report.comparisons).map(|comparison| {
        let names =
            [&comparison.candidate, &comparison.baseline].map(|head| facts.report.title_of(head).to_owned());
        compared(facts.metric(), &names, comparison)
    })
}

fn compared(metric: Metric, [candidate, baseline]: &[String; 2], comparison: &Comparison) -> (Tone, String) {
    let Difference { observed, low, high, p_value: p } = *comparison.difference.by_metric.get(metric);
    if comparison.difference.identical_predictions && metric.is_greater_better() {
        let same =
            format!("{candidate} and {baseline} predict the same class for every row: neither is better.");
        return (Tone::Note, same);
    }
    let numbers = format!(
        "{metric} {} (95% interval {} to {}, p\u{a0}{p:.4}, paired bootstrap on the same rows)",
        signed(observed),
        signed(low),
        signed(high)
    );
    let (better, worse) =
        if metric.is_greater_better() { (low > 0.0, high < 0.0) } else { (high < 0.0, low > 0.0) };
    match (better, worse) {
        (true, _) => (Tone::Good, format!("The {candidate} is better than the {baseline}: {numbers}.")),
        (_, true) => (Tone::Warning, format!("The {candidate} is worse than the {baseline}: {numbers}.")),
        _ => (
            Tone::Warning,
            format!(
                "The difference between the {candidate} and the {baseline} is not significant: {numbers}. The interval contains 0."
            ),
        ),
    }
}

/// Reservations about the score.
pub(crate) fn trust(facts: &Facts) -> Vec<(Tone, String)> {
    let mut said = Vec::new();
    if let Some(why) = &facts.unfinished {
        said.push((Tone::Warning, why.clone()));
    }
    if facts.report.interrupted {
        said.push((
            Tone::Warning,
            "The run was stopped before its end: parts of it are incomplete or missing.".to_owned(),
        ));
    }
    said.extend(never_predicted(facts));
    said.extend(comparisons(facts));
    said.extend(search::comparisons(facts));
    said.extend(search::simpler(facts));
    said.extend(flattering(facts));
    said.extend(checks(facts));
    said.extend(calibration(facts));
    said.extend(weakest(facts));
    said.extend(gap(facts));
    said.extend(by_hand(facts));
    said
}

/// Classes that no row was predicted as.
fn never_predicted(facts: &Facts) -> Option<(Tone, String)> {
    let never = &facts.scores()?.0.never_predicted;
    let names: Vec<String> = never.iter().take(5).map(|class| format!("\u{201c}{class}\u{201d}")).collect();
    let more = if never.len() > names.len() { ", \u{2026}" } else { "" };
    (!never.is_empty()).then(|| {
        let classes =
            if never.len() == 1 { "1 class is".to_owned() } else { format!("{} classes are", never.len()) };
        (Tone::Warning, format!("{classes} never predicted: {}{more}.", names.join(", ")))
    })
}

/// The earlier uses of the rows, and the numbers that correct for them.
fn flattering(facts: &Facts) -> Vec<(Tone, String)> {
    let mut said = Vec::new();
    let metric = facts.metric();
    if let Some((judgement, rows)) = facts.scores() {
        let caution = judgement.caution().or_else(|| leakage(facts, rows));
        said.push(match caution {
            Some(caution) => {
                let why = caution.strip_suffix(": optimistic").unwrap_or(&caution);
                (Tone::Warning, format!("The score on the {rows} rows is optimistic: {why}."))
            }
            None if rows == OUT_OF_FOLD => (Tone::Good, out_of_fold(facts)),
            None => (
                Tone::Good,
                format!("The {rows} rows took no part in any choice: the score is not optimistic."),
            ),
        });
    }
    said.extend(search::learnt_later(facts).map(|text| (Tone::Note, text)));
    if let Some(selection) = facts.report.study.as_ref().and_then(|study| study.selection) {
        said.push((
            Tone::Note,
            format!(
                "Corrected for selection among {}, the best trial's {metric} is {} (95% interval {}) instead \
                 of {}.",
                counted(selection.n_trials, "trial"),
                score(selection.corrected),
                interval(selection.corrected_interval),
                score(selection.observed)
            ),
        ));
    }
    if let Some(held) = facts.chosen().and_then(|chosen| chosen.held_back.as_ref()) {
        let Judgement { scores, intervals, .. } = &held.judgement;
        said.push((
            Tone::Good,
            format!(
                "On {} that were held back from every choice, its {metric} is {} (95% interval {}).",
                counted(scores.n_samples, "validation row"),
                score(metric.of(scores)),
                interval(intervals.as_ref().map(|intervals| metric.interval(intervals)))
            ),
        ));
    }
    said
}

/// How many of the validation rows the model learnt from, where the checks of the tables found some.
fn leakage(facts: &Facts, rows: &str) -> Option<String> {
    let of_val = |finding: &&Finding| finding.code == "leakage" && finding.table == "val";
    let found = facts.report.findings.iter().find(of_val).filter(|_| rows == "validation")?;
    let (n, n_rows) = (found.count, facts.table("val")?.n_rows);
    Some(format!("{} of {} are also in the training table", thousands(n), counted(n_rows, "row")))
}

/// Why a score on out-of-fold rows may be trusted.
fn out_of_fold(facts: &Facts) -> String {
    search::out_of_fold(facts).unwrap_or_else(|| {
        "Each of the out-of-fold rows was predicted by a fit without it: the score is not optimistic."
            .to_owned()
    })
}

/// `None` before any table was read.
fn checks(facts: &Facts) -> Option<(Tone, String)> {
    if facts.report.tables.is_empty() {
        return None;
    }
    let n = facts.report.findings.iter().filter(|finding| finding.severity != Severity::Note).count();
    Some(match n {
        0 => (
            Tone::Good,
            "The checks of the tables, including rows shared by two tables, found no problems.".to_owned(),
        ),
        n => (Tone::Warning, format!("The checks of the tables found {}: see below.", counted(n, "warning"))),
    })
}

fn calibration(facts: &Facts) -> Option<(Tone, String)> {
    let (judgement, rows) = facts.scores()?;
    let ece = judgement.scores.ece;
    let tone = if ece < 0.05 { Tone::Good } else { Tone::Warning };
    let bins = &facts.chosen()?.evidence.reliability;
    let mean = |what: fn(&ReliabilityBin) -> f64| -> f64 {
        bins.iter().map(|bin| what(bin) * bin.n_samples as f64).sum()
    };
    let lean = match mean(|bin| bin.confidence) - mean(|bin| bin.accuracy) {
        _ if bins.is_empty() || ece < 0.02 => "",
        gap if gap > 0.0 => " It is overconfident.",
        _ => " It is underconfident.",
    };
    Some((
        tone,
        format!(
            "Its probabilities are off by {} on average (calibration error on the {rows} rows).{lean}",
            percent(ece)
        ),
    ))
}

fn weakest(facts: &Facts) -> Option<(Tone, String)> {
    let judgement = facts.scores()?.0;
    let occurs = judgement.scores.per_class.iter().filter(|class| class.support > 0);
    let worst: &PerClass = occurs.min_by(|a, b| a.f1.total_cmp(&b.f1))?;
    Some((
        Tone::Note,
        format!(
            "Its weakest class is \u{201c}{}\u{201d}: F1 {}, recall {}, precision {}.",
            judgement.classes[worst.class],
            score(worst.f1),
            score(worst.recall),
            score(worst.precision)
        ),
    ))
}

/// A note that trials were pruned by hand, which cannot be reproduced.
fn by_hand(facts: &Facts) -> Option<(Tone, String)> {
    let n = facts.report.study.as_ref()?.n_pruned_by_hand;
    (n > 0).then(|| {
        (Tone::Warning, format!("{} pruned by hand: the study is not reproducible.", counted(n, "trial")))
    })
}

/// How much better it is on the rows that it learnt from.
fn gap(facts: &Facts) -> Option<(Tone, String)> {
    let (metric, train) = (facts.metric(), facts.chosen()?.train.as_ref()?);
    let (judgement, rows) = facts.scores().filter(|(judgement, _)| !std::ptr::eq(*judgement, train))?;
    let [train, unseen] = [train, judgement].map(|judgement| metric.of(&judgement.scores));
    Some((
        Tone::Note,
        format!(
            "On the training rows its {metric} is {}, {} compared with the {rows} rows.",
            score(train),
            signed(train - unseen)
        ),
    ))
}
