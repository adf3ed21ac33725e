//! The model, its score, its interval, the scores that correct it, and the baseline's, on one axis; and whether to trust it.

use serde_json::Value;

use crate::axis::Axis;
use crate::facts::{Facts, Look};
use crate::figure::Figure;
use crate::metric::Metric;
use crate::plot::Plot;
use crate::table::Table;
use crate::text::{counted, escape, interval, score};
use crate::verdict::{self, Tone};

/// A score of the figure.
struct Line {
    name: &'static str,
    class: &'static str,
    value: f64,
    interval: Value,
}

pub(crate) fn html(facts: &Facts) -> String {
    let remark = |(tone, said): (Tone, String)| {
        let class = match tone {
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Note => "noted",
        };
        format!("<li class=\"{class}\">{}</li>", escape(&said))
    };
    let trust: String = verdict::trust(facts).into_iter().map(remark).collect();
    format!("{}<h3>Whether to trust it</h3><ul class=\"trust\">{trust}</ul>", hero(facts))
}

fn hero(facts: &Facts) -> String {
    let (scores, rows) = facts.scores();
    let metric = facts.metric();
    let Some(value) = scores[metric.key].number() else {
        return "<p>No head was fitted, so there is no score.</p>".to_owned();
    };
    let [_, others @ ..] = metric.beside();
    let others = others.map(|(key, name)| format!("{name} {}", score(scores[key].number())));
    let between = match interval(&scores["intervals"][metric.key]) {
        none if none.is_empty() => String::new(),
        between => format!("<p>95% interval {between}</p>"),
    };
    let lines = lines(facts);
    let figure = if lines.len() > 1 { figure(&lines, metric) } else { String::new() };
    format!(
        "<div class=\"hero\"><div><p class=\"note\">{}</p><p class=\"big\">{}</p>\
         <p><b>{metric}</b> on {}</p>{between}<p class=\"note\">{}</p></div>{figure}</div>",
        escape(&format!("The {} predicts", verdict::name(facts.chosen().at("/head").text()))),
        score(value),
        counted(scores.at("/n_samples").count(), &format!("{rows} row")),
        others.join(", "),
    )
}

fn lines<'f>(facts: &'f Facts) -> Vec<Line> {
    let chosen = facts.chosen();
    let selection = facts.report.at("/study/selection");
    let key = facts.metric().key;
    let value = |scores: &'f Value| &scores[key];
    let between = |scores: &'f Value| &scores["intervals"][key];
    let mut lines = Vec::new();
    let mut add = |name, class, value: &Value, interval: &Value| {
        if let Some(value) = value.number() {
            lines.push(Line { name, class, value, interval: interval.clone() });
        }
    };
    let baseline = facts.report.at("/heads/0");
    if facts.report.at("/heads").all().len() > 1 && baseline.at("/head") != chosen.at("/head") {
        add("baseline", "cg", value(baseline.at("/val")), between(baseline.at("/val")));
    }
    let (scores, _) = facts.scores();
    add("chosen head", "c0", value(scores), between(scores));
    if chosen.at("/head").text() != "forest" {
        add("corrected for selection", "c1", selection.at("/corrected"), selection.at("/corrected_interval"));
    }
    let held = chosen.at("/held_back");
    add("rows held back", "c2", value(held), between(held));
    lines
}

fn figure(lines: &[Line], metric: Metric) -> String {
    let names: Vec<String> = lines.iter().rev().map(|line| line.name.to_owned()).collect();
    let ends = |line: &Line| Some((line.interval.at("/low").number()?, line.interval.at("/high").number()?));
    let all = lines.iter().flat_map(|line| {
        let (low, high) = ends(line).unwrap_or((line.value, line.value));
        [low, line.value, high]
    });
    let x = Axis::around(&metric.to_string(), all);
    let height = 60.0 + 34.0 * lines.len() as f64;
    let mut plot = Plot::sized(400.0, height, x, Axis::names("", &names));
    for (line, y) in lines.iter().zip((0..lines.len()).rev()) {
        let said = format!("{}: {} ({})", line.name, score(line.value), interval(&line.interval));
        plot.whisker(line.class, y as f64, line.value, ends(line), &said);
    }
    let rows =
        lines.iter().map(|line| vec![line.name.to_owned(), score(line.value), interval(&line.interval)]);
    Figure {
        title: "",
        legend: Vec::new(),
        svg: plot.svg(&format!("{metric} with intervals")),
        read: "Dots are scores, whiskers their 95% intervals: the range of the score on other rows of the same kind.",
        numbers: Table::new(["score".to_owned(), metric.to_string(), "95% interval".to_owned()]).with(rows),
        wide: false,
    }
    .html()
}
