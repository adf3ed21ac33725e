//! The report of a search.

use super::answer::Answer;
use super::beside::Beside;
use super::cost;
use super::search::Candidate;
use crate::context::Context;
use crate::error::Result;
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
    beside: &mut Beside<'_, '_>,
    (left_out, reduced): (&[(String, String)], &[String]),
    done: Done,
    simpler: Option<SimplerReport>,
    context: &Context<'_>,
) -> Result<AutoReport> {
    let (rows, candidates) = (beside.rows, beside.candidates);
    let against_first = against(beside, Some(0), context)?;
    let against_runner_up = against(beside, runner_up(candidates, &beside.answer), context)?;
    let answer = &beside.answer;
    let mut reports: Vec<_> = candidates.iter().map(|candidate| candidate.report.clone()).collect();
    for (at, &member) in answer.members.iter().enumerate() {
        reports[member].weight = answer.pool.as_ref().map_or(1.0, |pool| pool.weights[at]);
        reports[member].gain = answer.gains[at];
    }
    let cost = cost::of_members(candidates, &answer.members);
    let n_train = rows.data.train.y.len();
    let n_val = rows.data.val.as_ref().map_or(0, |val| val.y.len());
    Ok(AutoReport {
        n_steps: done.n_steps,
        search_seconds: done.search_seconds,
        n_rows: rows.scored().y.len(),
        n_folds: rows.n_folds,
        n_fitted: if done.is_fitted_again { n_train + n_val } else { n_train },
        repeat: repeat(beside, (!left_out.is_empty(), reduced), done),
        is_chosen_on_val: rows.is_scored_on_val,
        left_out: left_out.to_vec(),
        candidates: reports,
        calibration: answer.form.name().to_owned(),
        calibrations: answer
            .calibrations
            .iter()
            .map(|(form, loss)| (form.name().to_owned(), *loss))
            .collect(),
        decision: answer.decision.clone(),
        n_bytes: cost.n_bytes,
        predict_seconds: cost.predict.as_secs_f64(),
        against_first,
        against_runner_up,
        simpler,
        distilled: None,
    })
}

/// The flags that repeat the search.
fn repeat(beside: &Beside<'_, '_>, (is_left_out, reduced): (bool, &[String]), done: Done) -> String {
    let mut flags = format!("--steps {}", done.n_steps);
    if is_left_out {
        let mut heads: Vec<&str> = Vec::new();
        for candidate in beside.candidates {
            if !heads.contains(&candidate.head.name()) {
                heads.push(candidate.head.name());
            }
        }
        flags += &format!(" --heads {}", heads.join(","));
    }
    if !reduced.is_empty() {
        flags += &format!(" --reduced {}", reduced.join(","));
    }
    if let Some(n_trials) = beside.candidates.iter().find_map(|candidate| candidate.cut_trials) {
        flags += &format!(" --trials {n_trials}");
    }
    if beside.rows.data.val.is_some() && !done.is_fitted_again {
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
    beside: &mut Beside<'_, '_>,
    other: Option<usize>,
    context: &Context<'_>,
) -> Result<Option<Comparison>> {
    let Some(other) = other.filter(|&other| beside.answer.members != [other]) else { return Ok(None) };
    let difference = beside.difference(other, context)?;
    Ok(Some(Comparison {
        metric: context.metric,
        baseline: beside.candidates[other].report.title.clone(),
        candidate: beside.answer.title(beside.candidates),
        difference,
        note: String::new(),
    }))
}
