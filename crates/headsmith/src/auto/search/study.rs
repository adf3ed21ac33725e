//! A study as a part of the search: trials of a head's parameters, then the head with the best.

use std::time::{Duration, Instant};

use headsmith_metrics::Metric;

use super::super::budget::Budget;
use super::super::portfolio::{Attempt, StudyKind};
use super::super::rows::{self, SearchRows, TunedHead};
use super::deadline::until;
use super::trial::{Trial, Tried};
use crate::context::Context;
use crate::error::Result;
use crate::fit::FitData;
use crate::head::HeadConfig;
use crate::progress::Progress;
use crate::report::StudyReport;
use crate::run::N_TRIALS;
use crate::tune::{self, StudyConfig};

/// Of the training rows, those that score the trials of a study of the whole space.
const VAL_SHARE: f64 = 0.2;
/// Trials differ: a step may take so many times longer than the one before.
const UNEVEN: f64 = 2.0;
/// Of the time that is left, a step may take one in so many parts; the folds take about as much again.
const PARTS: usize = 3;
/// Trials that are one step of the search.
const TRIALS_AT_ONCE: u64 = 4;

/// The study of an attempt.
pub(super) struct HeadStudy<'s> {
    tuned: &'s TunedHead<'s>,
    kind: StudyKind,
    /// The head whose parameters the best trial's replace.
    head: HeadConfig,
    config: StudyConfig,
}

/// Whether a study comes before the fit of `attempt`.
pub(super) fn is_begun(attempt: &Attempt, rows: &SearchRows<'_>) -> bool {
    HeadStudy::of(attempt, rows).is_some()
}

/// The trials that a budget allowed.
struct Studied {
    report: Option<StudyReport>,
    n_done: u64,
    n_trials: u64,
}

impl<'s> HeadStudy<'s> {
    /// The study of `attempt`, where there is a storage for it.
    pub(super) fn of(attempt: &Attempt, rows: &'s SearchRows<'_>) -> Option<HeadStudy<'s>> {
        let (tuned, kind) = (rows.tuned.as_ref()?, attempt.study?);
        let study = tuned.config.study.as_ref()?;
        match kind {
            StudyKind::Whole if attempt.head.name() != tuned.config.head.name() => None,
            StudyKind::Whole if study.n_trials == Some(0) => None,
            StudyKind::Whole => {
                Some(HeadStudy { tuned, kind, head: tuned.config.head.clone(), config: study.clone() })
            }
            StudyKind::Around(_) => {
                let config = StudyConfig {
                    is_around: true,
                    space: None,
                    n_trials: None,
                    name: None,
                    fixed: Vec::new(),
                    listed: false,
                    pruner: "none".to_owned(),
                    head: attempt.head.clone(),
                    ..study.clone()
                };
                Some(HeadStudy { tuned, kind, head: attempt.head.clone(), config })
            }
        }
    }

    /// Runs the trials that the budget allows, and fits the head with the best.
    ///
    /// # Errors
    /// When the study's storage fails, the head cannot be fitted, or the search is stopped before it is.
    pub(super) fn run(
        self,
        trial: Trial<'_, '_>,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> Result<Tried> {
        let Studied { report, n_done, n_trials } = self.trials(&trial, budget, context)?;
        let best = report.as_ref().and_then(|report: &StudyReport| report.best.as_ref());
        let head = match best {
            Some(best) => tune::with_best(&self.head, best)?,
            // Around what is a candidate already there is nothing new.
            None if self.is_around() => return Ok(Tried::NoTime("no trial ended in time".to_owned())),
            None => self.head.clone(),
        };
        if let Some(report) = report {
            context.emit(&Progress::Studied(&report));
            if !self.is_around() {
                self.tuned.report.replace(Some(report));
            }
        }
        let mut tried = trial.of(head, budget, context)?;
        if let Tried::Candidate(candidate) = &mut tried {
            let is_cut = n_done < n_trials;
            match self.kind {
                // The time is over: its steps are the last of the search.
                StudyKind::Around(_) => candidate.is_cut |= is_cut,
                StudyKind::Whole => candidate.cut_trials = is_cut.then_some(n_done),
            }
        }
        Ok(tried)
    }

    fn is_around(&self) -> bool {
        matches!(self.kind, StudyKind::Around(_))
    }

    /// The rows of the trials: of the whole space, those that select epochs are no part of the training rows.
    fn data(&self, rows: &SearchRows<'_>, context: &mut Context<'_>) -> Result<Option<FitData>> {
        let train = || rows::train_only(rows.data);
        match (rows.is_scored_on_val, self.kind) {
            (true, _) => Ok(None),
            (false, StudyKind::Around(_)) => Ok(Some(train())),
            (false, StudyKind::Whole) => train().split(VAL_SHARE, context).map(Some),
        }
    }

    /// Some trials after the other, while the budget allows them and the fits that follow.
    fn trials(
        &self,
        trial: &Trial<'_, '_>,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> Result<Studied> {
        let rows = trial.rows;
        let own = self.data(rows, context)?;
        let data = own.as_ref().unwrap_or(rows.data);
        // The fits that follow are steps, too: so the same number of steps repeats a study that the time ended.
        let n_after = if rows.is_scored_on_val || self.is_around() { 1 } else { rows.n_folds };
        let metric = if self.is_around() { Metric::LogLoss } else { context.metric };
        let (mut config, mut last) = (self.config.clone(), None);
        let n_trials = config.n_trials.unwrap_or(N_TRIALS);
        let mut studied = Studied { report: None, n_done: 0, n_trials };
        let begin = Instant::now();
        for step in 1..=n_trials.div_ceil(TRIALS_AT_ONCE) {
            let next = self.foresee(trial, budget, last, context.pool.n_threads());
            let after = next.mul_f64(n_after as f64 / TRIALS_AT_ONCE as f64);
            let fits = budget.allows(next.mul_f64(UNEVEN).saturating_add(after));
            if context.stopping() || !budget.leaves(n_after) || trial.n_before > 0 && !fits {
                break;
            }
            // The time limit is that of all steps together; the first one has a whole one.
            config.timeout = self.config.timeout.map(|timeout| timeout.saturating_sub(begin.elapsed()));
            if config.timeout.is_some_and(|left| left.is_zero()) {
                break;
            }
            let start = Instant::now();
            config.n_trials = Some(n_trials.min(step * TRIALS_AT_ONCE));
            let deadline = budget.deadline_of_first(PARTS).filter(|_| trial.n_before > 0);
            let context = &mut Context {
                seed: context.seed,
                metric,
                pool: context.pool,
                stop: context.stop,
                view: &mut *context.view,
            };
            let stepped = until(deadline, context, |context| {
                tune::study(&config, data, &self.tuned.tables(), self.tuned.read, context)
            })?;
            // The trials of a step that was cut off do not count: its folds would not end in time.
            let Some(stepped) = stepped else { break };
            let n_done = n_trials.min(step * TRIALS_AT_ONCE);
            // A time limit can end a step before all its trials begin.
            studied.n_done =
                if config.timeout.is_some() { n_done.min(stepped.n_finished as u64) } else { n_done };
            studied.report = Some(stepped);
            last = Some(start.elapsed());
            budget.count(None, start.elapsed());
        }
        Ok(studied)
    }

    /// The time of the next trials: that of the last, or, before any was timed, of as many operations as they have at most.
    fn foresee(
        &self,
        trial: &Trial<'_, '_>,
        budget: &Budget,
        last: Option<Duration>,
        n_threads: usize,
    ) -> Duration {
        match (self.kind, last) {
            // A trial is done by one thread.
            (StudyKind::Around(fit), None) => {
                fit.mul_f64((TRIALS_AT_ONCE as usize * n_threads) as f64 / self.config.n_jobs.max(1) as f64)
            }
            (_, Some(last)) => budget.foresee(None, Some(last)),
            (StudyKind::Whole, None) => {
                let work = trial.work(&self.head).map(|work| work.times(TRIALS_AT_ONCE));
                budget.foresee(work, None)
            }
        }
    }
}
