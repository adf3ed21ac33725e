//! The score against time as it grew.

use headsmith_metrics::Metric;

use crate::axis::Axis;
use crate::facts::Facts;
use crate::figure::Figure;
use crate::plot::Plot;
use crate::schema::{AutoReport, CandidateReport};
use crate::table::Table;
use crate::text::{capital, duration, score};

/// A figure of the metric, and one of the log loss, if that is another.
pub(super) fn figures(facts: &Facts, auto: &AutoReport) -> Vec<String> {
    let metric = facts.metric();
    let others = Some(Metric::LogLoss).filter(|other| *other != metric);
    let metrics = std::iter::once(metric).chain(others);
    metrics.filter_map(|metric| figure(facts, auto, metric)).collect()
}

/// The candidate's value of a metric that the search has of it.
fn value(candidate: &CandidateReport, metric: Metric) -> f64 {
    if metric == Metric::LogLoss { candidate.log_loss } else { candidate.score }
}

fn figure(facts: &Facts, auto: &AutoReport, metric: Metric) -> Option<String> {
    let last = auto.candidates.last()?;
    let best = auto.best_so_far(|a, b| metric.is_better(value(a, metric), value(b, metric)));
    let answer = answer(facts, auto, metric);
    let end = if auto.has_ended() { auto.search_seconds.max(last.at_seconds) } else { last.at_seconds };
    let values = auto.candidates.iter().map(|candidate| value(candidate, metric)).chain(answer);
    let mut plot =
        Plot::new(Axis::around("seconds since the start", [0.0, end]), Axis::around(metric.label(), values));
    let points = best.iter().map(|&i| (auto.candidates[i].at_seconds, value(&auto.candidates[i], metric)));
    let mut points: Vec<(f64, f64)> = points.collect();
    points.extend(points.last().map(|(_, value)| (end, *value)).filter(|(end, _)| end.is_finite()));
    plot.steps("c1", &points);
    for (i, candidate) in auto.candidates.iter().enumerate() {
        let class = if candidate.weight > 0.0 || !auto.has_ended() { "c0" } else { "cg hollow" };
        let at = (candidate.at_seconds, value(candidate, metric));
        plot.dot(class, at, 4.0, &said(i, candidate, metric));
    }
    if let Some(answer) = answer {
        plot.dot("c2", (end, answer), 6.0, &format!("the model: {metric} {answer:.4}"));
    }
    let rows = best.iter().map(|&i| {
        let candidate = &auto.candidates[i];
        vec![
            (i + 1).to_string(),
            candidate.title.clone(),
            duration(candidate.at_seconds),
            score(value(candidate, metric)),
        ]
    });
    let better = if metric.is_greater_better() { "Higher is better." } else { "Lower is better." };
    let svg = plot.svg(&format!("{metric} of the candidates by the time at which they were ready"));
    Some(
        Figure {
            title: &format!("{} against time", capital(metric.label())),
            legend: legend(auto, answer.is_some()),
            svg,
            read: &format!(
                "{better} A dot is a candidate at the time at which it was ready. Where the line was still getting better at the \
                 end, more time may help."
            ),
            numbers: Table::new(["candidate", "head", "ready after", metric.label()]).words(&[1]).with(rows),
            wide: false,
        }
        .html(),
    )
}

/// The model's score on the rows that scored the candidates.
fn answer(facts: &Facts, auto: &AutoReport, metric: Metric) -> Option<f64> {
    let chosen = facts.chosen().filter(|_| auto.has_ended())?;
    let judged = if auto.is_chosen_on_val { chosen.val.as_ref() } else { chosen.out_of_fold.as_ref() };
    judged.map(|judged| metric.of(&judged.scores))
}

fn said(i: usize, candidate: &CandidateReport, metric: Metric) -> String {
    format!(
        "candidate {}, {}: {metric} {:.4}, took {}, ready after {}",
        i + 1,
        candidate.title,
        value(candidate, metric),
        duration(candidate.seconds),
        duration(candidate.at_seconds)
    )
}

fn legend(auto: &AutoReport, has_answer: bool) -> Vec<(String, String)> {
    let has_others = auto.candidates.iter().any(|candidate| candidate.weight == 0.0);
    let members = if auto.has_ended() { "member of the model" } else { "candidate" };
    let keys = [
        Some(("c0", members)),
        Some(("cg hollow", "other candidate")).filter(|_| has_others && auto.has_ended()),
        Some(("c1", "best so far")),
        Some(("c2", "the model")).filter(|_| has_answer),
    ];
    keys.into_iter().flatten().map(|(class, name)| (class.to_owned(), name.to_owned())).collect()
}
