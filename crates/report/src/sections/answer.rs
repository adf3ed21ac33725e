//! The model, its score, its interval, the scores that correct it, and the baseline's, on one axis; and whether to trust it.

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::Interval;

use crate::axis::Axis;
use crate::facts::{Facts, OUT_OF_FOLD};
use crate::figure::Figure;
use crate::metric::beside;
use crate::plot::Plot;
use crate::schema::{AutoReport, FitReport, Judgement};
use crate::table::Table;
use crate::text::{counted, escape, in_brackets, interval, score, short};
use crate::verdict::{self, Tone};

/// The use of validation rows that chose the head's trial in a study.
const TRIAL: &str = "trial";

/// A score of the figure.
struct Line {
    name: String,
    class: &'static str,
    value: f64,
    interval: Option<Interval>,
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
    let (Some(chosen), Some((Judgement { scores, intervals, .. }, rows))) = (facts.chosen(), facts.scores())
    else {
        return match verdict::search::best_so_far(facts) {
            Some(best) => format!("<p>No model was fitted on all rows. {}</p>", escape(&best)),
            None => "<p>No head was fitted, so there is no score.</p>".to_owned(),
        };
    };
    let metric = facts.metric();
    let [_, others @ ..] = beside(metric);
    let others = others.map(|other| format!("{other} {}", score(other.of(scores))));
    let between = intervals.as_ref().map_or(String::new(), |intervals| {
        format!("<p>95% interval {}</p>", interval(metric.interval(intervals)))
    });
    let unseen = if rows == OUT_OF_FOLD { ", each predicted by fits without it" } else { "" };
    let model =
        verdict::search::model(facts).map_or(String::new(), |text| format!("<p>{}</p>", escape(&text)));
    let lines = lines(facts, chosen);
    let (class, figure) = match lines.len() {
        0 | 1 => ("hero alone", String::new()),
        _ => ("hero", figure(&lines, metric)),
    };
    format!(
        "<div class=\"{class}\"><div><p class=\"note\">{}</p><p class=\"big\">{}</p>\
         <p><b>{metric}</b> on {}{unseen}</p>{between}<p class=\"note\">{}</p></div>{figure}</div>{model}",
        escape(&format!("The {} predicts", chosen.title())),
        score(metric.of(scores)),
        counted(scores.n_samples, &format!("{rows} row")),
        others.join(", "),
    )
}

fn lines(facts: &Facts, chosen: &FitReport) -> Vec<Line> {
    let metric = facts.metric();
    let line = |name: &str, class, judgement: &Judgement| Line {
        name: name.to_owned(),
        class,
        value: metric.of(&judgement.scores),
        interval: judgement.intervals.as_ref().map(|intervals| metric.interval(intervals)),
    };
    let searched = facts.report.auto.as_ref().map_or_else(Vec::new, |auto| singles(auto, metric));
    let name = if facts.report.auto.is_some() { "the model" } else { "chosen head" };
    // Of a search, the rows that scored its candidates and the model alike.
    let of_search =
        chosen.out_of_fold.as_ref().filter(|_| facts.report.auto.is_some() && chosen.val.is_some());
    let baseline = facts.report.heads.first().filter(|baseline| baseline.head != chosen.head);
    let baseline = baseline.and_then(|baseline| baseline.val.as_ref());
    let of_study = chosen.val.as_ref().is_some_and(|val| val.used_for.iter().any(|what| what == TRIAL));
    let selection = facts.report.study.as_ref().and_then(|study| study.selection).filter(|_| of_study);
    let rest = [
        baseline.map(|val| line("baseline", "cg", val)),
        of_search.map(|out_of_fold| line("the model, out of fold", "c3", out_of_fold)),
        facts.scores().map(|(judgement, _)| line(name, "c0", judgement)),
        selection.map(|selection| Line {
            name: "corrected for selection".to_owned(),
            class: "c1",
            value: selection.corrected,
            interval: Some(selection.corrected_interval),
        }),
        chosen.held_back.as_ref().map(|held| line("rows held back", "c2", &held.judgement)),
    ];
    searched.into_iter().chain(rest.into_iter().flatten()).collect()
}

/// The first candidate of a search and its best, by themselves, where the model is another.
fn singles(auto: &AutoReport, metric: Metric) -> Vec<Line> {
    let best = auto.best_so_far(|a, b| metric.is_better(a.score, b.score));
    let members = auto.members();
    let is_model = |i: usize| matches!(members[..], [(only, _)] if only == i);
    let shown = [Some((0, "first")), best.last().map(|&best| (best, "best alone"))];
    let mut shown: Vec<(usize, &str)> = shown.into_iter().flatten().filter(|&(i, _)| !is_model(i)).collect();
    // The last of equal ones: the best.
    if matches!(shown[..], [(first, _), (best, _)] if first == best) {
        shown.remove(0);
    }
    let line = |(i, name): (usize, &str)| {
        let candidate = auto.candidates.get(i)?;
        let name = format!("{name}: {}", short(&candidate.title, 16));
        Some(Line { name, class: "cg", value: candidate.score, interval: None })
    };
    shown.into_iter().filter_map(line).collect()
}

fn figure(lines: &[Line], metric: Metric) -> String {
    let names: Vec<String> = lines.iter().rev().map(|line| line.name.clone()).collect();
    let ends = |line: &Line| line.interval.map(|interval| (interval.low, interval.high));
    let all = lines.iter().flat_map(|line| {
        let (low, high) = ends(line).unwrap_or((line.value, line.value));
        [low, line.value, high]
    });
    let x = Axis::around(&metric.to_string(), all);
    let height = 60.0 + 34.0 * lines.len() as f64;
    let mut plot = Plot::sized(400.0, height, x, Axis::names("", &names));
    for (line, y) in lines.iter().zip((0..lines.len()).rev()) {
        let said = format!("{}: {}{}", line.name, score(line.value), in_brackets(line.interval));
        plot.whisker(line.class, y as f64, line.value, ends(line), &said);
    }
    let rows = lines.iter().map(|line| vec![line.name.clone(), score(line.value), interval(line.interval)]);
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
