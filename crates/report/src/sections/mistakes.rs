//! The most confident mistakes of the head.

use serde_json::Value;

use crate::facts::{Facts, Look};
use crate::table::Table;
use crate::text::{counted, score, thousands};

pub(crate) fn html(facts: &Facts) -> String {
    let evidence = facts.evidence();
    let mistakes = evidence.at("/mistakes").all();
    if mistakes.is_empty() {
        return String::new();
    }
    let file = facts.table("val").or(facts.table("train")).map_or("", |table| table.at("/path").text());
    let row = |mistake: &Value| {
        vec![
            mistake.at("/place").text().to_owned(),
            mistake.at("/label").text().to_owned(),
            mistake.at("/predicted").text().to_owned(),
            score(mistake.at("/probability").number()),
            score(mistake.at("/label_probability").number()),
        ]
    };
    let header = ["where", "label", "predicted", "its probability", "the label\u{2019}s probability"];
    format!(
        "<p>{} of {} are predicted wrongly. These are the most confident mistakes, the most confident first; their rows are in {}. Look \
         at them: such rows often have a wrong label, belong to two classes, or show what the embedding misses.</p>{}",
        thousands(evidence.at("/n_mistakes").count()),
        counted(facts.scores().0.at("/n_samples").count(), "row"),
        crate::text::escape(file),
        Table::new(header).words(&[1, 2]).with(mistakes.iter().map(row)).html()
    )
}
