//! The search: the attempts of the portfolio one after another, each with predictions of rows that its fit did not see.

mod trial;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use headsmith_heads::params::Value;
use headsmith_kernels::Matrix;
use headsmith_model::Node;

use self::trial::{Trial, Tried};
use super::answer::MAX_MEMBERS;
use super::budget::Budget;
use super::cost::Cost;
use super::portfolio::Attempt;
use super::rows::SearchRows;
use super::store::Store;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::head::HeadConfig;
use crate::progress::Progress;
use crate::report::CandidateReport;

/// A head that was tried.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) position: usize,
    pub(super) head: HeadConfig,
    /// The probabilities of each row that scores, by a fit that did not see it, `n_samples x n_classes`.
    pub(super) proba: Matrix,
    /// Transform and head, fitted on all training rows; `None` where only fits on folds were made.
    pub(super) node: Option<Node>,
    /// The parameters that the fit chose, for fits on more rows.
    pub(super) chosen: Vec<(&'static str, Value)>,
    /// Whether its own search was cut off by the budget or a stop: another command may come further.
    pub(super) is_cut: bool,
    /// The time of a fit with what was chosen on these rows.
    pub(super) refit: Duration,
    pub(super) cost: Cost,
    pub(super) report: CandidateReport,
}

/// The results of a search.
pub(super) struct Searched {
    /// At least one, in the order in which they were tried.
    pub(super) candidates: Vec<Candidate>,
    /// Heads that were left out, and why.
    pub(super) left_out: Vec<(String, String)>,
}

/// Tries the attempts until the budget ends. The first is always tried.
///
/// A head whose first step does not fit into the time is left out; the search ends where a step of a head that was begun does not: so what
/// was done is a first part of the attempts with the heads that were not left out.
///
/// # Errors
/// When no head can be fitted on these rows, or the search is stopped before the first candidate.
pub(super) fn search(
    rows: &SearchRows<'_>,
    attempts: Vec<Attempt>,
    store: &Store,
    budget: &mut Budget,
    context: &mut Context<'_>,
) -> Result<Searched> {
    let mut found = Searched { candidates: Vec::new(), left_out: Vec::new() };
    let (mut begun, mut failure) = (BTreeSet::new(), None);
    for attempt in attempts {
        let is_first = found.candidates.is_empty();
        if !is_first && (context.stopping() || budget.is_spent()) {
            break;
        }
        let name = attempt.head.name();
        if found.left_out.iter().any(|(head, _)| head == name) {
            continue;
        }
        let Some(attempt) = around(attempt, &found.candidates)? else { continue };
        let (n_before, n_steps) = (found.candidates.len(), budget.n_steps());
        let trial = Trial { rows, attempt: &attempt, n_before, started: Instant::now(), n_steps };
        let tried = match store.kept(&attempt, rows.scored().y.len()) {
            Some((candidate, n_steps)) => {
                budget.resume(n_steps);
                Ok(Tried::Candidate(Box::new(candidate)))
            }
            None => {
                let tried = trial.run(budget, context);
                match &tried {
                    Ok(Tried::Candidate(candidate)) if !candidate.is_cut => {
                        store.keep(candidate, budget.n_steps())?;
                    }
                    _ => (),
                }
                tried
            }
        };
        match tried {
            Ok(Tried::Candidate(candidate)) => {
                context.emit(&Progress::Candidate(&candidate.report));
                found.candidates.push(*candidate);
                let all: Vec<&Candidate> = found.candidates.iter().collect();
                budget.keep(refits(rows, &all));
            }
            Ok(Tried::NoTime(what)) if !begun.contains(name) && budget.n_steps() == trial.n_steps => {
                context.warn(&format!("{name} is left out: {what}"));
                found.left_out.push((name.to_owned(), what));
                continue;
            }
            Ok(Tried::NoTime(_)) => break,
            Err(error) if error.is_stopped() => break,
            // Another head may do where this one cannot.
            Err(error) => {
                context.warn(&format!("{name} is left out: {error}"));
                found.left_out.push((name.to_owned(), error.to_string()));
                failure = failure.or(Some(error));
            }
        }
        begun.insert(name);
    }
    match (found.candidates.is_empty(), failure) {
        (false, _) => Ok(found),
        (true, Some(error)) => Err(error),
        (true, None) => Err(Error::stopped("stopped before anything was fitted: nothing was written")),
    }
}

/// The attempt with what the entry that it is like has chosen; `None` if that one is no candidate.
fn around(attempt: Attempt, candidates: &[Candidate]) -> Result<Option<Attempt>> {
    let Some(like) = attempt.like else { return Ok(Some(attempt)) };
    match candidates.iter().find(|candidate| candidate.position == like) {
        Some(like) => attempt.with(&like.chosen).map(Some),
        None => Ok(None),
    }
}

/// The time of the fits that follow the search, if the slowest of `candidates` are the members.
pub(super) fn refits(rows: &SearchRows<'_>, candidates: &[&Candidate]) -> Duration {
    let on_all = rows.growth();
    let of = |candidate: &&Candidate| {
        let on_search = if candidate.node.is_some() { 0.0 } else { 1.0 };
        candidate.refit.mul_f64(on_search + on_all)
    };
    let mut times: Vec<Duration> = candidates.iter().map(of).collect();
    times.sort_unstable_by_key(|time| std::cmp::Reverse(*time));
    times.into_iter().take(MAX_MEMBERS).sum()
}
