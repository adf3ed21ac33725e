//! What the heads are made of, their parameters, and what was predicted.

use serde_json::Value;

use crate::facts::{Facts, Look};
use crate::table::Table;
use crate::text::{capital, counted, duration, escape, percent, thousands, value};
use crate::verdict;

pub(crate) fn html(facts: &Facts) -> String {
    let heads = facts.report.at("/heads").all();
    let heads: String = heads.iter().map(head).collect();
    heads + &predictions(facts.report.at("/predictions"))
}

fn head(head: &Value) -> String {
    let name = verdict::name(head.at("/head").text());
    let made = structure(head.at("/structure"));
    let params = head.at("/params").as_object().into_iter().flatten();
    let params = params.map(|(name, param)| vec![name.clone(), value(param)]);
    format!(
        "<h3>{}</h3><p>{} Features are scaled by: {}. Fitted in {}.{}</p><details><summary>All parameters</summary>{}</details>",
        escape(&capital(&name)),
        escape(&made),
        escape(head.at("/scaling").text()),
        duration(head.at("/fit_seconds").number().unwrap_or(0.0)),
        match head.at("/model").as_str() {
            Some(path) => format!(" Written to {}.", escape(path)),
            None => String::new(),
        },
        Table::new(["parameter", "value"]).words(&[1]).with(params).html()
    )
}

fn structure(structure: &Value) -> String {
    match structure.at("/kind").text() {
        "forest" => format!(
            "{}, {}, depth at most {}.",
            counted(structure.at("/n_trees").count(), "tree"),
            counted(structure.at("/n_nodes").count(), "node"),
            structure.at("/max_depth").count()
        ),
        "mlp" => {
            let layer =
                |layer: &Value| format!("{} {}", layer.at("/kind").text(), layer.at("/output_width").count());
            let layers: Vec<String> = structure.at("/layers").all().iter().map(layer).collect();
            format!(
                "{} \u{2192} {}: {}.",
                counted(structure.at("/n_features").count(), "feature"),
                layers.join(" \u{2192} "),
                counted(structure.at("/n_params").count(), "weight")
            )
        }
        _ => String::new(),
    }
}

fn predictions(predictions: &Value) -> String {
    let Some(n) = predictions.at("/n_rows").as_u64() else { return String::new() };
    let count = |count: &Value| {
        let rows = count.at("/count").count();
        vec![count.at("/class").text().to_owned(), thousands(rows), percent(rows as f64 / n.max(1) as f64)]
    };
    let files: Vec<String> =
        predictions.at("/files").all().iter().map(|file| file.text().to_owned()).collect();
    let table =
        Table::new(["class", "rows", "share"]).with(predictions.at("/counts").all().iter().map(count));
    format!(
        "<h3>Predictions</h3><p>{} were predicted by the {}, written to {}.</p>{}",
        counted(n, "row"),
        escape(&verdict::name(predictions.at("/head").text())),
        escape(&crate::text::listed(&files)),
        table.html()
    )
}
