//! What was done, and whether to trust it, in words: the page and the card say the same.

use serde_json::Value;

use crate::facts::{Facts, Look};
use crate::text::{counted, duration, interval, listed, percent, score, signed, thousands};

/// How a remark is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Warning,
    Note,
}

/// What a head is called.
pub(crate) fn name(head: &str) -> String {
    match head {
        "forest" => "random forest".to_owned(),
        "mlp" => "multilayer perceptron".to_owned(),
        other => other.to_owned(),
    }
}

/// The file of a path.
pub(crate) fn file(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The whole run in a few sentences.
pub(crate) fn what_was_done(facts: &Facts) -> String {
    let report = &facts.report;
    let version = report.at("/headsmith_version").text();
    let tables: Vec<String> = report.at("/tables").all().iter().map(table).collect();
    let mut text = format!("Headsmith {version} read {}. ", listed(&tables));
    let heads = report.at("/heads").all();
    let study = report.at("/study");
    let steps: Vec<String> = [
        heads.first().map(|head| format!("fitted a {}", name(head.at("/head").text()))),
        (!study.is_null()).then(|| {
            let pruned = study.at("/states").all().iter().find(|line| line.at("/state").text() == "pruned");
            let pruned = pruned.map_or(0, |line| line.at("/n_trials").count());
            format!(
                "tried {} in a study ({} ended early)",
                counted(study.at("/n_trials").count(), "setting"),
                thousands(pruned)
            )
        }),
        heads.get(1).map(|head| format!("fitted a final {}", name(head.at("/head").text()))),
        (heads.len() > 1).then(|| "compared the two on the validation rows".to_owned()),
        report
            .at("/predictions/n_rows")
            .as_u64()
            .map(|n| format!("predicted {} with the better one", counted(n, "row"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !steps.is_empty() {
        text += &format!("It {}. ", listed(&steps));
    }
    if let Some(seconds) = report.at("/seconds").number() {
        text += &format!("This took {} in total.", duration(seconds));
    }
    text
}

fn table(table: &Value) -> String {
    format!(
        "{} ({}, {}) as {}",
        file(table.at("/path").text()),
        counted(table.at("/n_rows").count(), "row"),
        counted(table.at("/n_features").count(), "feature"),
        match table.at("/role").text() {
            "train" => "training rows",
            "val" => "validation rows",
            "test" => "rows to predict",
            other => other,
        }
    )
}

/// Whether the chosen head is better than the baseline, as the paired test says; `None` without a comparison.
pub(crate) fn comparison(facts: &Facts) -> Option<(Tone, String)> {
    let comparison = facts.report.at("/comparison");
    let metric = facts.metric();
    let difference = &comparison["difference"][metric.key];
    let [observed, low, high, p] =
        ["/observed", "/low", "/high", "/p_value"].map(|path| difference.at(path).number());
    let (observed, low, high, p) = (observed?, low?, high?, p?);
    let (candidate, baseline) =
        (name(comparison.at("/candidate").text()), name(comparison.at("/baseline").text()));
    if comparison.at("/difference/identical_predictions").as_bool() == Some(true) && !metric.is_loss() {
        let same =
            format!("{candidate} and {baseline} predict the same class for every row: neither is better.");
        return Some((Tone::Note, same));
    }
    let numbers = format!(
        "{metric} {} (95% interval {} to {}, p\u{a0}{p:.4}, paired bootstrap on the same rows)",
        signed(observed),
        signed(low),
        signed(high)
    );
    let (better, worse) = if metric.is_loss() { (high < 0.0, low > 0.0) } else { (low > 0.0, high < 0.0) };
    Some(match (better, worse) {
        (true, _) => (Tone::Good, format!("The {candidate} is better than the {baseline}: {numbers}.")),
        (_, true) => (Tone::Warning, format!("The {candidate} is worse than the {baseline}: {numbers}.")),
        _ => (
            Tone::Warning,
            format!(
                "The difference between {candidate} and {baseline} is not significant: {numbers}. The interval contains 0."
            ),
        ),
    })
}

/// What to think of before the score is believed.
pub(crate) fn trust(facts: &Facts) -> Vec<(Tone, String)> {
    let mut said = Vec::new();
    if let Some(why) = &facts.unfinished {
        said.push((Tone::Warning, why.clone()));
    }
    if facts.report.at("/interrupted").as_bool() == Some(true) {
        said.push((
            Tone::Warning,
            "The run was stopped before its end: parts of it are incomplete or missing.".to_owned(),
        ));
    }
    said.extend(never_predicted(facts));
    said.extend(comparison(facts));
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
    let never = facts.scores().0.at("/never_predicted").all();
    let names: Vec<String> =
        never.iter().take(5).map(|class| format!("\u{201c}{}\u{201d}", class.text())).collect();
    let more = if never.len() > names.len() { ", \u{2026}" } else { "" };
    (!never.is_empty()).then(|| {
        let classes =
            if never.len() == 1 { "1 class is".to_owned() } else { format!("{} classes are", never.len()) };
        (Tone::Warning, format!("{classes} never predicted: {}{more}.", names.join(", ")))
    })
}

/// What the rows had been used for, and the numbers that correct for it.
fn flattering(facts: &Facts) -> Vec<(Tone, String)> {
    let mut said = Vec::new();
    let (metric, (scores, rows)) = (facts.metric(), facts.scores());
    match scores.at("/caution").as_str() {
        Some(caution) => {
            said.push((Tone::Warning, format!("The score on the {rows} rows is optimistic: {caution}.")))
        }
        None if scores.is_null() => {}
        None => said.push((
            Tone::Good,
            format!("The {rows} rows took no part in any choice: the score is not optimistic."),
        )),
    }
    let selection = facts.report.at("/study/selection");
    if let (Some(observed), Some(corrected)) =
        (selection.at("/observed").number(), selection.at("/corrected").number())
    {
        said.push((
            Tone::Note,
            format!(
                "Corrected for selection among {}, the best trial's {metric} is {} (95% interval {}) instead \
                 of {}.",
                counted(selection.at("/n_trials").count(), "trial"),
                score(corrected),
                interval(selection.at("/corrected_interval")),
                score(observed)
            ),
        ));
    }
    let held = facts.chosen().at("/held_back");
    if let Some(value) = held[metric.key].number() {
        said.push((
            Tone::Good,
            format!(
                "On {} that were held back from every choice, its {metric} is {} (95% interval {}).",
                counted(held.at("/n_samples").count(), "validation row"),
                score(value),
                interval(&held["intervals"][metric.key])
            ),
        ));
    }
    said
}

fn checks(facts: &Facts) -> Option<(Tone, String)> {
    let findings = facts.report.at("/findings").as_array()?;
    let n = findings.iter().filter(|finding| finding.at("/severity").text() != "note").count() as u64;
    Some(match n {
        0 => (
            Tone::Good,
            "The checks of the tables, including rows shared by two tables, found no problems.".to_owned(),
        ),
        n => (Tone::Warning, format!("The checks of the tables found {}: see below.", counted(n, "warning"))),
    })
}

fn calibration(facts: &Facts) -> Option<(Tone, String)> {
    let (scores, rows) = facts.scores();
    let ece = scores.at("/ece").number()?;
    let tone = if ece < 0.05 { Tone::Good } else { Tone::Warning };
    let bins = facts.evidence().at("/reliability").all();
    let mean = |what: &str| -> f64 {
        bins.iter().filter_map(|bin| Some(bin.at(what).number()? * bin.at("/n_samples").number()?)).sum()
    };
    let lean = match mean("/confidence") - mean("/accuracy") {
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
    let classes = facts.scores().0.at("/per_class").all();
    let occurs = classes.iter().filter(|class| class.at("/support").count() > 0);
    let worst = occurs.min_by(|a, b| {
        let f1 = |class: &Value| class.at("/f1").number().unwrap_or(0.0);
        f1(a).total_cmp(&f1(b))
    })?;
    Some((
        Tone::Note,
        format!(
            "Its weakest class is \u{201c}{}\u{201d}: F1 {}, recall {}, precision {}.",
            worst.at("/class").text(),
            score(worst.at("/f1").number()),
            score(worst.at("/recall").number()),
            score(worst.at("/precision").number())
        ),
    ))
}

/// That somebody pruned trials, which nobody can do again in the same epochs.
fn by_hand(facts: &Facts) -> Option<(Tone, String)> {
    let n = facts.report.at("/study/n_pruned_by_hand").count();
    (n > 0).then(|| {
        (Tone::Warning, format!("{} pruned by hand: the study is not reproducible.", counted(n, "trial")))
    })
}

/// How much better it is on the rows that it learnt from.
fn gap(facts: &Facts) -> Option<(Tone, String)> {
    let (metric, chosen) = (facts.metric(), facts.chosen());
    let train = chosen["train"][metric.key].number()?;
    let val = chosen["val"][metric.key].number()?;
    Some((
        Tone::Note,
        format!(
            "On the training rows its {metric} is {}, {} compared with the validation rows.",
            score(train),
            signed(train - val)
        ),
    ))
}
