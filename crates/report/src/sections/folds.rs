//! The scores of a cross-validation: of all rows together, and fold by fold.

use headsmith_metrics::Metric;

use crate::facts::Facts;
use crate::metric::{Score, beside};
use crate::schema::{FitReport, FoldsReport, Judgement};
use crate::table::Table;
use crate::text::{capital, counted, escape, interval, percent, score, thousands, with_article};

pub(crate) fn html(facts: &Facts) -> String {
    let heads = facts.report.heads.iter();
    heads.filter_map(|head| Some(of_head(head, head.folds.as_ref()?, facts.metric()))).collect()
}

fn of_head(head: &FitReport, all: &FoldsReport, metric: Metric) -> String {
    let groups = all.groups.as_ref().map_or(String::new(), |groups| {
        format!(
            " Each of the {} by column \u{201c}{}\u{201d} is in one fold.",
            counted(groups.n_groups, "group"),
            escape(&groups.column)
        )
    });
    let stopping = match all.val_share {
        share if share > 0.0 => format!(
            " Of the rows of the other folds, {} chose the epoch; the scored fold took no part in any choice.",
            percent(share)
        ),
        _ => String::new(),
    };
    format!(
        "<p>The {} were split into {} folds with seed {}, stratified by class.{groups} {} was fitted once \
         for each fold, on the other folds, and predicted that fold.{stopping}</p>{}{}<p class=\"note\">{}.</p>",
        counted(all.out_of_fold.scores.n_samples, "training row"),
        all.n_folds,
        all.seed,
        escape(&capital(&with_article(head.title()))),
        summary(all).html(),
        folds(all, metric).html(),
        escape(&capital(&all.note))
    )
}

fn summary(all: &FoldsReport) -> Table {
    let Judgement { scores, intervals, .. } = &all.out_of_fold;
    let rows = Score::ALL.into_iter().filter_map(|kind| {
        let between = intervals.as_ref().and_then(|intervals| kind.interval(intervals));
        Some(vec![
            kind.name().to_owned(),
            score(kind.of(scores)),
            interval(between),
            score(kind.of_fold(&all.mean)?),
            score(kind.of_fold(&all.std)?),
        ])
    });
    Table::new(["score", "all rows", "95% interval", "mean of the folds", "standard deviation"]).with(rows)
}

fn folds(all: &FoldsReport, metric: Metric) -> Table {
    let shown = beside(metric);
    let rows = all.folds.iter().map(|fold| {
        let counts = [fold.n_samples, fold.n_train, fold.n_val].map(thousands);
        let best = fold.best_epoch.map_or(String::new(), |epoch| thousands(epoch + 1));
        let scores = shown.map(|metric| score(fold.scores.get(metric)));
        [fold.fold.to_string()].into_iter().chain(counts).chain(scores).chain([best]).collect()
    });
    let header = ["fold", "rows", "trained on", "chose the epoch"].into_iter();
    Table::new(header.chain(shown.map(Metric::label)).chain(["epoch"])).with(rows)
}
