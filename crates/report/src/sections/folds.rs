//! The scores of a cross-validation: of all rows together, and fold by fold.

use serde_json::Value;

use crate::facts::{Facts, Look};
use crate::metric::{METRICS, Metric};
use crate::table::Table;
use crate::text::{capital, counted, escape, interval, percent, score, thousands};
use crate::verdict;

/// The keys of the scores of a fold.
const KEYS: [&str; 8] =
    ["weighted_f1", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "brier", "mcc", "ece"];

pub(crate) fn html(facts: &Facts) -> String {
    let heads = facts.report.at("/heads").all().iter();
    heads.filter(|head| head.at("/folds").is_object()).map(|head| of_head(head, facts.metric())).collect()
}

fn of_head(head: &Value, metric: Metric) -> String {
    let all = head.at("/folds");
    let rows = all.at("/out_of_fold/n_samples").count();
    let groups = match all.at("/groups") {
        Value::Null => String::new(),
        groups => format!(
            " Each of the {} by column \u{201c}{}\u{201d} is in one fold.",
            counted(groups.at("/n_groups").count(), "group"),
            escape(groups.at("/column").text())
        ),
    };
    let stopping = match all.at("/val_share").number() {
        Some(share) if share > 0.0 => format!(
            " Of the rows of the other folds, {} chose the epoch; the scored fold took no part in any choice.",
            percent(share)
        ),
        _ => String::new(),
    };
    format!(
        "<p>The {} were split into {} folds with seed {}, stratified by class.{groups} A {} was fitted once \
         for each fold, on the other folds, and predicted that fold.{stopping}</p>{}{}<p class=\"note\">{}.</p>",
        counted(rows, "training row"),
        all.at("/n_folds").count(),
        all.at("/seed").count(),
        escape(&verdict::name(head.at("/head").text())),
        summary(all).html(),
        folds(all, metric).html(),
        escape(&capital(all.at("/note").text()))
    )
}

fn summary(all: &Value) -> Table {
    let scores = all.at("/out_of_fold");
    let rows = METRICS.into_iter().filter(|(key, ..)| KEYS.contains(key)).map(|(key, name, _)| {
        vec![
            name.to_owned(),
            score(scores[key].number()),
            interval(&scores["intervals"][key]),
            score(all["mean"][key].number()),
            score(all["std"][key].number()),
        ]
    });
    Table::new(["score", "all rows", "95% interval", "mean of the folds", "standard deviation"]).with(rows)
}

fn folds(all: &Value, metric: Metric) -> Table {
    let shown = metric.beside();
    let rows = all.at("/folds").all().iter().map(|fold| {
        let counts = ["/n_samples", "/n_train", "/n_val"].map(|path| thousands(fold.at(path).count()));
        let best = fold.at("/best_epoch").as_u64().map_or(String::new(), |epoch| thousands(epoch + 1));
        let scores = shown.map(|(key, _)| score(fold[key].number()));
        let first = [fold.at("/fold").count().to_string()].into_iter();
        first.chain(counts).chain(scores).chain([best]).collect()
    });
    let header = ["fold", "rows", "trained on", "chose the epoch"].into_iter();
    Table::new(header.chain(shown.map(|(_, name)| name)).chain(["epoch"])).with(rows)
}
