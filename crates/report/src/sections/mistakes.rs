//! The most confident mistakes of the head.

use crate::facts::Facts;
use crate::schema::Mistake;
use crate::table::Table;
use crate::text::{counted, escape, score, thousands};

pub(crate) fn html(facts: &Facts) -> String {
    let (Some(chosen), Some((judgement, _))) = (facts.chosen(), facts.scores()) else { return String::new() };
    let evidence = &chosen.evidence;
    if evidence.mistakes.is_empty() {
        return String::new();
    }
    let file = facts.table("val").or(facts.table("train")).map_or("", |table| &table.path);
    let row = |mistake: &Mistake| {
        vec![
            mistake.place.clone(),
            mistake.label.clone(),
            mistake.predicted.clone(),
            score(f64::from(mistake.probability)),
            score(f64::from(mistake.label_probability)),
        ]
    };
    let header = ["where", "label", "predicted", "its probability", "the label\u{2019}s probability"];
    format!(
        "<p>{} of {} are predicted wrongly. These are the most confident mistakes, the most confident first; their rows are in {}. Look \
         at them: such rows often have a wrong label, belong to two classes, or show what the embedding misses.</p>{}",
        thousands(evidence.n_mistakes),
        counted(judgement.scores.n_samples, "row"),
        escape(file),
        Table::new(header).words(&[1, 2]).with(evidence.mistakes.iter().map(row)).html()
    )
}
