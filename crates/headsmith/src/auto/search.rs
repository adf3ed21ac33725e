//! The search: the attempts of the portfolio one after another, each with predictions of rows that its fit did not see.

mod around;
mod deadline;
mod study;
mod trial;

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use headsmith_heads::calibration::Chosen;
use headsmith_heads::params::Value;
use headsmith_heads::pool;
use headsmith_kernels::Matrix;
use headsmith_model::Node;

pub(super) use self::deadline::until;
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
use crate::judge;
use crate::progress::Progress;
use crate::report::CandidateReport;

/// A head that was tried.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) position: usize,
    pub(super) head: HeadConfig,
    /// The probabilities of each row that scores, by a fit that did not see it, `n_samples x n_classes`.
    pub(super) proba: Matrix,
    /// The same calibrated, and the calibration.
    pub(super) calibrated: Chosen,
    /// The time of the calibration.
    pub(super) calibration: Duration,
    /// Transform and head, fitted on all training rows; `None` where only fits on folds were made.
    pub(super) node: Option<Node>,
    /// The parameters that the fit chose, for fits on more rows.
    pub(super) chosen: Vec<(&'static str, Value)>,
    /// Whether one fit gave the predictions of all rows.
    pub(super) is_closed_form: bool,
    /// Whether its own search was cut off by the budget or a stop: another command may come further.
    pub(super) is_cut: bool,
    /// The trials after which the time ended its study.
    pub(super) cut_trials: Option<u64>,
    /// The time of a fit with what was chosen on these rows.
    pub(super) refit: Duration,
    pub(super) cost: Cost,
    pub(super) report: CandidateReport,
}

impl Candidate {
    /// The head with what its fit chose.
    ///
    /// # Errors
    /// When the head does not take that.
    pub(super) fn chosen_head(&self) -> Result<HeadConfig> {
        self.head.with(self.chosen.iter().map(|(name, value)| (*name, value.clone())))
    }
}

/// The results of a search.
pub(super) struct Searched {
    /// At least one, in the order in which they were tried.
    pub(super) candidates: Vec<Candidate>,
    /// Heads that were left out, and why.
    pub(super) left_out: Vec<(String, String)>,
    /// Heads that were tried in their reduced form.
    pub(super) reduced: Vec<String>,
    /// The time from the end of the search to the last file, without fits.
    pub(super) after: Duration,
}

/// The time to write the report and the other files, and the seconds of each row that a thread draws in a resample.
const REPORT: Duration = Duration::from_millis(400);
const OF_DRAW: f64 = 1.2e-8;
/// A pool is calibrated and decided for in the time of so many calibrations of a candidate.
const OF_POOL: f64 = 2.5;
/// The seconds of a selection's logit and candidate on a thread (up to 7e-6 where few candidates are good together, 2e-6 among twelve), and the candidates
/// whose time it takes besides.
const OF_SELECTION: f64 = 4e-6;
const BESIDE_CANDIDATES: usize = 2;
/// Candidates that the answer is compared with, in most searches.
const MOST_COMPARED: u64 = 3;

/// Tries the attempts until the budget ends, then searches around the best candidates. The first attempt is always tried.
///
/// A head of which no candidate fits into time or memory is tried in its reduced form, if it has one, as are those called `reduced` at once; else it is left out. The search ends where another candidate of a head does not fit. Steps that led to no
/// candidate do not count: so those of the search are the first that all heads but the ones left out have.
///
/// # Errors
/// When no head can be fitted on these rows, or the search is stopped before the first candidate.
pub(super) fn search(
    rows: &SearchRows<'_>,
    (attempts, reduced): (Vec<Attempt>, &[String]),
    store: &Store,
    budget: &mut Budget,
    context: &mut Context<'_>,
) -> Result<Searched> {
    let mut searching = Searching::new(rows, attempts, reduced);
    while let Some(attempt) = searching.next(budget, context)? {
        if let Some(whole) = searching.whole(attempt)?
            && searching.attempt(whole, store, budget, context).is_break()
        {
            break;
        }
    }
    searching.conclude()
}

/// A search under way.
struct Searching<'s, 'd> {
    rows: &'s SearchRows<'d>,
    found: Searched,
    attempts: VecDeque<Attempt>,
    /// How many attempts around good candidates were asked for.
    n_around: usize,
    /// The heads that were tried.
    begun: BTreeSet<&'static str>,
    /// The first error of a fit.
    failure: Option<Error>,
}

impl<'s, 'd> Searching<'s, 'd> {
    fn new(rows: &'s SearchRows<'d>, attempts: Vec<Attempt>, reduced: &[String]) -> Searching<'s, 'd> {
        let (candidates, left_out) = (Vec::new(), Vec::new());
        let found = Searched { candidates, left_out, reduced: reduced.to_vec(), after: Duration::ZERO };
        Searching {
            rows,
            found,
            attempts: VecDeque::from(attempts),
            n_around: 0,
            begun: BTreeSet::new(),
            failure: None,
        }
    }

    /// The next attempt; `None` when there is none, or no time for it.
    ///
    /// # Errors
    /// When parameters around a candidate are none of its head.
    fn next(&mut self, budget: &Budget, context: &Context<'_>) -> Result<Option<Attempt>> {
        // A study of a whole space comes last: it finds less in its time than one around what is good.
        let is_study = self.attempts.front().is_none_or(|attempt| attempt.study.is_some());
        let around = match is_study && self.n_around < around::MOST {
            true => around::attempt(&self.found.candidates, self.n_around, self.rows)?,
            false => None,
        };
        self.n_around += usize::from(is_study);
        let next = around.or_else(|| self.attempts.pop_front());
        let is_over = !self.found.candidates.is_empty() && (context.stopping() || budget.is_spent());
        Ok(next.filter(|_| !is_over))
    }

    /// The attempt with the parameters that it has of earlier candidates; `None` if its head is left out, or there is such a candidate.
    ///
    /// # Errors
    /// When the parameters are none of its head.
    fn whole(&self, attempt: Attempt) -> Result<Option<Attempt>> {
        let (name, candidates) = (attempt.head.name(), &self.found.candidates);
        if self.found.left_out.iter().any(|(head, _)| head == name) {
            return Ok(None);
        }
        let is_new = |whole: &Attempt| {
            !candidates.iter().any(|candidate| candidate.head == whole.head)
                || study::is_begun(whole, self.rows)
        };
        Ok(like(attempt, candidates)?.filter(is_new))
    }

    /// Tries it, in the reduced form where that is asked for or the whole did not fit. Breaks where the search ends.
    fn attempt(
        &mut self,
        whole: Attempt,
        store: &Store,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> ControlFlow<()> {
        let name = whole.head.name();
        let is_reduced = self.found.reduced.iter().any(|head| head == name);
        let attempt = whole.in_reduced_form().filter(|_| is_reduced).unwrap_or_else(|| whole.clone());
        let (n_before, n_steps) = (self.found.candidates.len(), budget.n_steps());
        let trial = Trial { rows: self.rows, attempt: &attempt, n_before, started: Instant::now(), n_steps };
        let tried = kept_or_tried(trial, store, budget, context);
        let is_over = !budget.has_steps() || context.stopping();
        if !matches!(tried, Ok(Tried::Candidate(_))) {
            // The search that these steps repeat has no part of this attempt.
            budget.forget(n_steps);
        }
        let is_new = !self.begun.contains(name);
        if is_new
            && !is_over
            && attempt.reduced.is_some()
            && let Some(why) = why_not(&tried)
        {
            context.warn(&format!("{name} is tried in its reduced form: {why}"));
            self.found.reduced.push(name.to_owned());
            self.attempts.push_front(whole);
            return ControlFlow::Continue(());
        }
        match tried {
            Ok(Tried::Candidate(candidate)) => {
                if attempt.reduced.as_ref() == Some(&candidate.head) {
                    // An earlier process had no time for the whole.
                    self.found.reduced.push(name.to_owned());
                }
                self.begun.insert(name);
                self.include(*candidate, budget, context)
            }
            Ok(Tried::NoTime(what)) if is_new && !is_over => {
                self.leave_out(name, what, context);
                ControlFlow::Continue(())
            }
            Ok(Tried::NoTime(_)) => ControlFlow::Break(()),
            Err(error) if error.is_stopped() => ControlFlow::Break(()),
            // Another head may do where this one cannot.
            Err(error) => {
                self.leave_out(name, error.to_string(), context);
                self.failure.get_or_insert(error);
                self.begun.insert(name);
                ControlFlow::Continue(())
            }
        }
    }

    fn leave_out(&mut self, name: &str, why: String, context: &mut Context<'_>) {
        context.warn(&format!("{name} is left out: {why}"));
        self.found.left_out.push((name.to_owned(), why));
    }

    /// Adds a candidate, and keeps time for what follows the search. Breaks after one that the steps cut off: with more, its own search would continue.
    fn include(
        &mut self,
        candidate: Candidate,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> ControlFlow<()> {
        context.emit(&Progress::Candidate(&candidate.report));
        let is_cut = candidate.is_cut;
        self.found.candidates.push(candidate);
        self.found.after = after_search(self.rows, &self.found.candidates, context.pool.n_threads());
        let all: Vec<&Candidate> = self.found.candidates.iter().collect();
        let of_members = refits(0.0, &all).saturating_add(self.found.after);
        budget.keep(of_members.max(refits(self.rows.growth(), &all)));
        if is_cut { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// # Errors
    /// When there is no candidate: why not.
    fn conclude(self) -> Result<Searched> {
        let Searching { mut found, failure, .. } = self;
        let candidates = &found.candidates;
        found.reduced.retain(|head| candidates.iter().any(|candidate| candidate.head.name() == head));
        match (found.candidates.is_empty(), failure) {
            (false, _) => Ok(found),
            (true, Some(error)) => Err(error),
            (true, None) => Err(Error::stopped("stopped before anything was fitted: nothing was written")),
        }
    }
}

/// The candidate of an earlier process, or the attempt's own, which is kept unless something cut it off. A candidate that cannot be kept is a warning.
fn kept_or_tried(
    trial: Trial<'_, '_>,
    store: &Store,
    budget: &mut Budget,
    context: &mut Context<'_>,
) -> Result<Tried> {
    if let Some(candidate) = store.kept(trial.attempt, trial.rows, context) {
        if trial.n_before == 0 {
            context.emit(&Progress::Resuming(store.folder()));
        }
        budget.resume(candidate.report.n_steps);
        return Ok(Tried::Candidate(Box::new(candidate)));
    }
    let tried = trial.run(budget, context);
    if let Ok(Tried::Candidate(candidate)) = &tried
        && !candidate.is_cut
        && candidate.cut_trials.is_none()
        && let Err(error) = store.keep(candidate)
    {
        context.warn(&format!("a search that is killed will try {} again: {error}", candidate.head.name()));
    }
    tried
}

/// Why an attempt that nobody stopped led to no candidate.
fn why_not(tried: &Result<Tried>) -> Option<String> {
    match tried {
        Ok(Tried::NoTime(why)) => Some(why.clone()),
        Err(error) if !error.is_stopped() => Some(error.to_string()),
        _ => None,
    }
}

/// The candidate with what it chose, fitted on `rows`: with predictions of each by a fit without it.
///
/// # Errors
/// When it cannot be fitted on them.
pub(super) fn fitted_again(
    candidate: &Candidate,
    rows: &SearchRows<'_>,
    budget: &mut Budget,
    context: &mut Context<'_>,
) -> Result<Candidate> {
    let head = candidate.chosen_head()?;
    let attempt = Attempt { position: candidate.position, head, like: None, reduced: None, study: None };
    let trial = Trial { rows, attempt: &attempt, n_before: 0, started: Instant::now(), n_steps: 0 };
    match trial.run(budget, context)? {
        Tried::Candidate(candidate) => Ok(*candidate),
        Tried::NoTime(why) => Err(Error::failure(why)),
    }
}

/// The attempt with what the entry that it is like has chosen; `None` if that one is no candidate.
fn like(attempt: Attempt, candidates: &[Candidate]) -> Result<Option<Attempt>> {
    let Some(like) = attempt.like else { return Ok(Some(attempt)) };
    match candidates.iter().find(|candidate| candidate.position == like) {
        Some(like) => attempt.with(&like.chosen).map(Some),
        None => Ok(None),
    }
}

/// The time that choosing, judging, drawing and writing take after a search with these candidates, of which there is one at least, beside the fits.
fn after_search(rows: &SearchRows<'_>, candidates: &[Candidate], n_threads: usize) -> Duration {
    let n_rows = rows.scored().y.len() + rows.judges().map_or(0, |val| val.y.len());
    let draws = judge::n_draws(n_rows) + MOST_COMPARED * judge::n_draws_of_difference(n_rows);
    let n_logits = match candidates.len() {
        1 => 0,
        n => (n + BESIDE_CANDIDATES) * pool::n_logits(rows.scored().y.len(), candidates[0].proba.n_cols()),
    };
    let on_threads = (OF_DRAW * draws as f64 + OF_SELECTION * n_logits as f64) / n_threads as f64;
    REPORT + Duration::from_secs_f64(on_threads) + candidates[0].calibration.mul_f64(OF_POOL)
}

/// The time of the fits that follow the search, if the slowest of `candidates` are the members: of those that were fitted in folds alone, and of all on more rows,
/// each in `on_all` times its time on those of the search.
pub(super) fn refits(on_all: f64, candidates: &[&Candidate]) -> Duration {
    let of = |candidate: &&Candidate| {
        let on_search = if candidate.node.is_some() { 0.0 } else { 1.0 };
        candidate.refit.mul_f64(on_search + on_all)
    };
    let mut times: Vec<Duration> = candidates.iter().map(of).collect();
    times.sort_unstable_by_key(|time| std::cmp::Reverse(*time));
    times.into_iter().take(MAX_MEMBERS).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use headsmith_data::{Dataset, ReadOptions};
    use headsmith_heads::params::TRANSFORM;
    use headsmith_kernels::Philox;

    use super::super::budget::Limits;
    use super::super::{Bounds, Search, rows};
    use super::*;
    use crate::fit::FitData;
    use crate::{Metric, Pool, Progress};

    const N: usize = 3000;

    fn data() -> FitData {
        let mut random = Philox::new(3, 0, 0).sequence(0, 0);
        let values: Vec<f32> = (0..3 * N).map(|_| random.uniform() as f32 - 0.5).collect();
        let label = |row: &[f32]| ["far", "near"][usize::from(row[0] * row[0] + row[1] * row[1] < 0.1)];
        let labels: Vec<&str> = values.chunks_exact(3).map(label).collect();
        FitData::new(Dataset::from_arrays(Matrix::new(values.clone(), N, 3), &labels).unwrap())
    }

    fn kernel_of_50() -> Attempt {
        let head =
            HeadConfig::new("kernel", [("gamma", Value::Float(1.0)), ("alpha", Value::Float(0.1))]).unwrap();
        let reduced = Some(head.with([("n_landmarks", Value::Int(50))]).unwrap());
        Attempt { position: 0, head, like: None, reduced, study: None }
    }

    fn with_rows<T>(
        config: &Search,
        data: &FitData,
        work: impl FnOnce(&SearchRows<'_>, &mut Budget, &mut Context<'_>) -> T,
    ) -> T {
        let (pool, stop, read) = (Pool::new(2).unwrap(), AtomicBool::new(false), ReadOptions::default());
        let mut view = |_: &Progress<'_>| {};
        let metric = Metric::default();
        let mut context = Context { seed: 1, metric, pool: &pool, stop: &stop, view: &mut view };
        let rows = rows::to_search(config, data, (&[], &read), &context);
        let mut budget = Budget::new(Instant::now(), Limits::default(), || 1e9);
        work(&rows, &mut budget, &mut context)
    }

    fn searched(config: &Search) -> Searched {
        let (folder, data) = (tempfile::tempdir().unwrap(), data());
        let store = Store::new(folder.path(), String::new(), data.train.classes.names());
        let attempts = vec![kernel_of_50()];
        with_rows(config, &data, |rows, budget, context| {
            search(rows, (attempts, &config.reduced), &store, budget, context).unwrap()
        })
    }

    #[test]
    fn a_head_without_memory_is_tried_in_its_reduced_form_and_flags_repeat_that() {
        let max_memory = Some(100 << 20);
        let short = searched(&Search { bounds: Bounds { max_memory, ..Bounds::default() }, ..Search::new() });
        assert_eq!(short.reduced, ["kernel"]);
        assert!(short.left_out.is_empty());
        let [candidate] = &short.candidates[..] else { panic!("{} candidates", short.candidates.len()) };
        assert_eq!(candidate.head.params().int("n_landmarks"), Some(50));
        let again = searched(&Search { reduced: short.reduced.clone(), ..Search::new() });
        assert_eq!(again.candidates[0].proba, candidate.proba);
        let whole = searched(&Search::new());
        assert!(whole.reduced.is_empty() && whole.candidates[0].proba != candidate.proba);
    }

    #[test]
    fn a_fit_with_what_was_chosen_has_the_transform_that_came_before() {
        let mut data = data().train;
        // Without the transform, only the last feature counts, which says nothing.
        data.x.as_mut_slice().chunks_exact_mut(3).for_each(|row| row[2] *= 1e4);
        let data = FitData::new(Dataset {
            x: data.x.view().rows(0, 400).to_matrix(),
            y: data.y[..400].to_vec(),
            ..data
        });
        let transform = (TRANSFORM, Value::Text("standardise".to_owned()));
        let head = HeadConfig::new("kernel", [transform]).unwrap();
        let attempt = Attempt { position: 0, head, like: None, reduced: None, study: None };
        with_rows(&Search::new(), &data, |rows, budget, context| {
            let trial = Trial { rows, attempt: &attempt, n_before: 0, started: Instant::now(), n_steps: 0 };
            let Tried::Candidate(candidate) = trial.run(budget, context).unwrap() else {
                panic!("no candidate")
            };
            let again = fitted_again(&candidate, rows, budget, context).unwrap();
            let (first, second) = (candidate.report.log_loss, again.report.log_loss);
            assert!(first < 0.5 && (second - first).abs() < 0.01, "{first} {second}");
        });
    }
}
