//! The search over heads: the score as it grew, the candidates, the members of the model, and what else was chosen.

mod candidates;
mod growth;

use headsmith_metrics::Metric;

use crate::facts::{Facts, largest};
use crate::figure::grid;
use crate::metric::Score;
use crate::schema::{AutoReport, Comparison};
use crate::table::Table;
use crate::text::{MAX_LISTED, counted, duration, escape, of_many, score, signed};
use crate::verdict::search::{against, distilled, scored_on, simpler};

pub(crate) fn html(facts: &Facts) -> String {
    let Some(auto) = &facts.report.auto else { return String::new() };
    let figures = growth::figures(facts, auto);
    let tried = intro(auto) + &grid(&figures) + &candidates::html(auto, facts.metric());
    if !auto.has_ended() {
        return tried;
    }
    let comparisons = compared(auto, facts.metric());
    let simpler = simpler(facts).map_or(String::new(), |(_, text)| paragraph(&text));
    let distilled =
        distilled(facts).map_or(String::new(), |text| format!("<h3>Distilled</h3>{}", paragraph(&text)));
    format!(
        "{tried}{}<h3>Against other models</h3>{comparisons}{simpler}{distilled}{}",
        choices(auto, facts),
        repeat(auto)
    )
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escape(text))
}

fn intro(auto: &AutoReport) -> String {
    let n = counted(auto.candidates.len(), "candidate");
    if !auto.has_ended() {
        return paragraph(&format!(
            "The search did not end: {n} had been tried, each scored on rows that its fits did not see."
        ));
    }
    paragraph(&format!(
        "The search tried {n} in {}; it ended {} after the start. {}",
        counted(auto.n_steps, "step"),
        duration(auto.search_seconds),
        scored_on(auto)
    ))
}

/// The calibration and the decision after the members are mixed.
fn choices(auto: &AutoReport, facts: &Facts) -> String {
    let row = |(form, loss): &(String, f64)| {
        let taken = if *form == auto.calibration { "taken" } else { "" };
        vec![form.clone(), score(*loss), taken.to_owned()]
    };
    let calibrations = Table::new(["calibration", "log loss", ""]).with(auto.calibrations.iter().map(row));
    let decision = match auto.has_decision() {
        true => format!(
            "The class with the greatest log probability plus offset is predicted. The offsets maximise {}.",
            facts.metric()
        ),
        false => "The most probable class is predicted.".to_owned(),
    };
    let offsets = if auto.has_decision() { offsets(facts, auto) } else { String::new() };
    format!(
        "<h3>Calibration and decision</h3><p>Each form of calibration was scored by fits on other rows; one is taken \
         if it is better than none by more than the standard error of the difference.</p>{}{}{offsets}",
        calibrations.html(),
        paragraph(&decision)
    )
}

/// The offset of each class; of many, those of the classes with the most rows.
fn offsets(facts: &Facts, auto: &AutoReport) -> String {
    let (classes, support) = (&facts.report.classes, facts.scores().map(|(judgement, _)| judgement));
    let n_rows =
        |class: usize| support.and_then(|of| of.scores.per_class.get(class)).map_or(0, |class| class.support);
    let n_classes = classes.len().min(auto.decision.len());
    let rows = largest(n_classes, MAX_LISTED, n_rows).into_iter();
    let rows = rows.map(|class| vec![classes[class].clone(), signed(auto.decision[class])]);
    let note = match of_many(n_classes) {
        note if note.is_empty() => note,
        note => format!("<p class=\"note\">{}</p>", note.trim()),
    };
    format!("{}{note}", Table::new(["class", "offset"]).with(rows).html())
}

/// The model against single candidates on the same rows.
fn compared(auto: &AutoReport, metric: Metric) -> String {
    let shown: Vec<Metric> = match metric {
        Metric::LogLoss => vec![metric],
        _ => vec![metric, Metric::LogLoss],
    };
    let row = |which: &str, comparison: &Comparison, metric: Metric| {
        let difference = comparison.difference.by_metric.get(metric);
        vec![
            format!("{which}: {}", comparison.baseline),
            metric.label().to_owned(),
            Score::Of(metric).better().to_owned(),
            signed(difference.observed),
            format!("{} to {}", signed(difference.low), signed(difference.high)),
            format!("{:.4}", difference.p_value),
        ]
    };
    let rows = against(auto).into_iter().flat_map(|(which, comparison)| {
        shown.iter().map(move |&metric| row(which, comparison, metric)).collect::<Vec<_>>()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["the model less the", "score", "better", "difference", "95% interval", "p"];
    format!(
        "<p>Differences of scores in the same resamples of the same rows. An interval that contains 0 may be chance.</p>{}",
        Table::new(header).words(&[1, 2]).with(rows).html()
    )
}

fn repeat(auto: &AutoReport) -> String {
    format!(
        "<h3>The same search again</h3><p>The search is one fixed sequence of steps, of which it did the first {}. With these \
         flags, and without --time, it is done again, to the same bytes, with any number of threads:</p><pre>{}</pre>",
        auto.n_steps,
        escape(&auto.repeat)
    )
}
