//! Slices: the score over each parameter alone.

use headsmith_metrics::Metric;

use super::{MAX_DOTS, Param, best_of, class, legend, said};
use crate::axis::Axis;
use crate::facts::{Facts, Trial};
use crate::plot::Plot;
use crate::table::Table;
use crate::text::{escape, score, value};

/// The most parameters: the most important ones.
const MAX_PARAMS: usize = 9;

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let metric = facts.metric();
    let trials: Vec<&Trial> = facts.trials.iter().filter(|trial| trial.value.is_some()).collect();
    let names: Vec<&str> = facts.searched().into_iter().take(MAX_PARAMS).collect();
    if trials.len() < 2 || names.is_empty() {
        return None;
    }
    let slices: String = names.iter().map(|name| slice(name, &trials, best_of(facts), metric)).collect();
    let mut keys = legend(&trials);
    keys.push(("c1".to_owned(), "the best trial".to_owned()));
    let keys = keys.into_iter().map(|(class, name)| {
        format!("<span class=\"key\"><i class=\"{class}\"></i>{}</span>", escape(&name))
    });
    let rows = trials.iter().map(|trial| {
        let params = names.iter().map(|name| trial.params.get(*name).map_or(String::new(), value));
        [trial.number.to_string(), trial.state.clone(), score(trial.value)]
            .into_iter()
            .chain(params)
            .collect()
    });
    let name = metric.to_string();
    let header = ["trial", "state", &name].into_iter().chain(names.iter().copied());
    Some(format!(
        "<figure class=\"wide\"><figcaption>Slices</figcaption><div class=\"legend\">{}</div><div class=\"small\">{slices}</div>\
         <p class=\"read\">Each drawing has the score over one parameter, the most important first. Look for where high dots \
         gather; best dots at the edge of a drawing say that the range searched may be too narrow.</p>\
         <details class=\"long\"><summary>Numbers</summary>{}</details></figure>",
        keys.collect::<String>(),
        Table::new(header).words(&[1]).with(rows).html()
    ))
}

fn slice(name: &str, trials: &[&Trial], best: Option<&Trial>, metric: Metric) -> String {
    let param = Param::of(name, trials);
    let y = Axis::around(&metric.to_string(), trials.iter().filter_map(|trial| trial.value));
    let mut plot = Plot::sized(290.0, 200.0, param.axis.clone(), y);
    let step = trials.len().div_ceil(MAX_DOTS / 4).max(1);
    for trial in trials.iter().step_by(step) {
        if let (Some(x), Some(y)) = (param.value(name, trial), trial.value) {
            plot.dot(class(trial), (x, y), 3.0, &said(trial, metric));
        }
    }
    if let Some((best, x, y)) = best.and_then(|best| Some((best, param.value(name, best)?, best.value?))) {
        plot.dot("c1", (x, y), 4.5, &said(best, metric));
    }
    plot.svg(&format!("{metric} over {name}"))
}
