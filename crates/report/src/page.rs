//! The page as a whole.

use crate::facts::Facts;
use crate::sections;
use crate::text::escape;
use crate::verdict;

const STYLE: &str = include_str!("style.css");

/// A section of the page: its anchor, its title and its content; empty if there is nothing to show.
type Section = (&'static str, &'static str, fn(&Facts) -> String);

const SECTIONS: [Section; 15] = [
    ("answer", "Result", sections::answer::html),
    ("search", "Search", sections::search::html),
    ("data", "Data and checks", sections::data::html),
    ("scores", "Scores", sections::scores::html),
    ("folds", "Cross-validation", sections::folds::html),
    ("classes", "Classes", sections::classes::html),
    ("confusion", "Confusion", sections::confusion::html),
    ("curves", "ROC and precision-recall", sections::curves::html),
    ("calibration", "Calibration", sections::calibration::html),
    ("sets", "Prediction sets", sections::sets::html),
    ("learning", "Learning curves", sections::learning::html),
    ("study", "Study", sections::study::html),
    ("mistakes", "Mistakes", sections::mistakes::html),
    ("model", "Model and predictions", sections::model::html),
    ("reproduce", "How to reproduce it", sections::reproduce::html),
];

/// The page: one file of HTML that needs nothing else.
pub fn html(facts: &Facts) -> String {
    let shown: Vec<(&str, &str, String)> = SECTIONS
        .into_iter()
        .map(|(anchor, title, html)| (anchor, title, html(facts)))
        .filter(|(_, _, html)| !html.is_empty())
        .collect();
    let nav: String =
        shown.iter().map(|(anchor, title, _)| format!("<a href=\"#{anchor}\">{title}</a>")).collect();
    let body: String = shown
        .iter()
        .map(|(anchor, title, html)| format!("<section id=\"{anchor}\"><h2>{title}</h2>{html}</section>\n"))
        .collect();
    let title = title(facts);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"headsmith\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><p class=\"brand\">Headsmith report</p><h1>{title}</h1><p class=\"lead\">{}</p></header>\n\
         <nav aria-label=\"Contents\">{nav}</nav>\n<main>\n{body}</main>\n<footer>{}</footer>\n</body>\n</html>\n",
        escape(&verdict::what_was_done(facts)),
        footer(facts),
    )
}

fn title(facts: &Facts) -> String {
    let classes = facts.report.classes.len();
    let train = facts.table("train").or(facts.report.tables.first());
    let train = train.map_or("", |table| verdict::file(&table.path));
    escape(&format!("{classes} classes from {train}"))
}

fn footer(facts: &Facts) -> String {
    let started = match facts.report.started.as_str() {
        "" => String::new(),
        started => format!(", begun {}", escape(started)),
    };
    format!(
        "Made by Headsmith {}{started}. This page has no script and fetches nothing.",
        escape(&facts.report.headsmith_version)
    )
}
