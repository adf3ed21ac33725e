//! The report of a search.

use headsmith_metrics::Metric;

use super::answer::{self, Answer};
use super::cost::Cost;
use super::rows::SearchRows;
use super::search::{Candidate, Searched};
use crate::context::Context;
use crate::error::Result;
use crate::judge;
use crate::report::{AutoReport, Comparison, SimplerReport};

/// The extent of the search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub(super) n_steps: usize,
    pub(super) search_seconds: f64,
    /// Whether the answer is fitted again on all rows.
    pub(super) is_fitted_again: bool,
}

/// The report of the search that found the answer.
///
/// # Errors
/// When the predictions cannot be compared.
pub(super) fn summary(
    rows: &SearchRows<'_>,
    searched: &Searched,
    answer: &Answer,
    done: Done,
    simpler: Option<SimplerReport>,
    context: &Context<'_>,
) -> Result<AutoReport> {
    let candidates = &searched.candidates;
    let mut reports: Vec<_> = candidates.iter().map(|candidate| candidate.report.clone()).collect();
    for (at, &member) in answer.members.iter().enumerate() {
        reports[member].weight = answer.pool.as_ref().map_or(1.0, |pool| pool.weights[at]);
        reports[member].gain = answer.gains[at];
    }
    let cost = answer.members.iter().fold(Cost::default(), |sum, &i| sum.and(candidates[i].cost));
    let n_train = rows.data.train.y.len();
    let n_val = rows.data.val.as_ref().map_or(0, |val| val.y.len());
    Ok(AutoReport {
        n_steps: done.n_steps,
        search_seconds: done.search_seconds,
        n_rows: rows.scored().y.len(),
        n_folds: rows.n_folds,
        n_fitted: if done.is_fitted_again { n_train + n_val } else { n_train },
        repeat: repeat(rows, searched, done),
        is_chosen_on_val: rows.is_scored_on_val,
        left_out: searched.left_out.clone(),
        candidates: reports,
        calibration: answer.form().name().to_owned(),
        calibrations: answer
            .calibrations
            .iter()
            .map(|(form, loss)| (form.name().to_owned(), *loss))
            .collect(),
        decision: answer.decision.clone(),
        n_bytes: cost.n_bytes,
        predict_seconds: cost.predict.as_secs_f64(),
        against_first: against(rows, candidates, answer, Some(0), context)?,
        against_runner_up: against(rows, candidates, answer, runner_up(candidates, answer), context)?,
        simpler,
    })
}

/// The flags that repeat the search.
fn repeat(rows: &SearchRows<'_>, searched: &Searched, done: Done) -> String {
    let mut flags = format!("--steps {}", done.n_steps);
    if !searched.left_out.is_empty() {
        let mut heads: Vec<&str> = Vec::new();
        let names = searched.candidates.iter().map(|candidate| candidate.report.head.as_str());
        names.for_each(|name| {
            if !heads.contains(&name) {
                heads.push(name)
            }
        });
        flags += &format!(" --heads {}", heads.join(","));
    }
    if rows.data.val.is_some() && !done.is_fitted_again {
        flags += " --no-refit";
    }
    flags
}

/// The best candidate by log loss that is not the answer.
fn runner_up(candidates: &[Candidate], answer: &Answer) -> Option<usize> {
    let others = (0..candidates.len()).filter(|&i| answer.members != [i]);
    others.min_by(|&a, &b| candidates[a].report.log_loss.total_cmp(&candidates[b].report.log_loss))
}

/// The answer beside a candidate by itself, if that is another model.
fn against(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    answer: &Answer,
    other: Option<usize>,
    context: &Context<'_>,
) -> Result<Option<Comparison>> {
    let Some(other) = other.filter(|&other| answer.members != [other]) else { return Ok(None) };
    let alone = answer::of_one(rows, candidates, other, context);
    let (of_answer, of_alone) = (answer.predictions(), alone.predictions());
    let difference = judge::difference(&rows.scored().y, of_answer, of_alone, context)?;
    Ok(Some(Comparison {
        metric: Metric::clone(&context.metric),
        baseline: candidates[other].report.title.clone(),
        candidate: answer.title(candidates),
        difference,
        note: String::new(),
    }))
}
