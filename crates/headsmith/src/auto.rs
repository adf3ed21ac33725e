//! The search for the best model that the rows hold: heads one after another, those that gain most for their time first, then a pool of the best.
//!
//! Every head is scored by predictions of rows that its fit did not see: in closed form where there is one, in folds elsewhere. The
//! members of the answer are fitted again on all rows.

mod answer;
mod beside;
mod budget;
mod cost;
mod distil;
mod fitted;
mod portfolio;
mod refit;
mod rows;
mod search;
mod simpler;
mod store;
mod summary;
mod work;

use std::path::Path;
use std::time::{Duration, Instant};

use headsmith_data::ReadOptions;

use crate::conformal::ConformalOptions;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{FitData, FittedHead};
use crate::head::HeadConfig;
use crate::partition::check_n_folds;
use crate::report::{AutoReport, StudyReport, TableReport};
use crate::run::RunHead;

use self::beside::Beside;
use self::budget::Budget;
use self::distil::Teacher;
use self::search::{Candidate, Searched};
use self::store::Store;
use self::summary::Done;

pub use self::budget::Limits;
pub(crate) use self::distil::Distilled;
pub use self::portfolio::reducible;

/// Of the time, the part that is kept for a distillation, and the time that writing takes after it.
const SHARE_OF_DISTILLATION: f64 = 0.35;
const AFTER_DISTILLATION: Duration = Duration::from_millis(400);

/// The folds of heads without a closed form, unless another number is asked for.
pub const N_FOLDS: usize = 5;

/// The use of a validation table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValUse {
    /// The answer of a search on the training rows is scored on it; the final model then learns from its rows, too.
    #[default]
    Judge,
    /// Its rows are training rows.
    Train,
    /// Its rows choose members, calibration and decision: their scores are optimistic. The final model then learns from them, too.
    Choose,
}

impl ValUse {
    /// All uses.
    pub const ALL: [ValUse; 3] = [ValUse::Judge, ValUse::Train, ValUse::Choose];

    /// Its name in commands.
    pub fn name(self) -> &'static str {
        match self {
            ValUse::Judge => "judge",
            ValUse::Train => "train",
            ValUse::Choose => "choose",
        }
    }
}

/// The configuration of a search.
#[derive(Debug, Clone)]
pub struct Search {
    /// The time and the steps of the search.
    pub limits: Limits,
    /// When the process started.
    pub started: Instant,
    /// The folds of heads without a closed form, 2 to [`MAX_FOLDS`](crate::folds::MAX_FOLDS).
    pub n_folds: usize,
    /// The heads to try; empty: those of the portfolio.
    pub heads: Vec<String>,
    /// Of these, the ones that are tried in their reduced form ([`reducible`]), as a search does that has no time or memory for them.
    pub reduced: Vec<String>,
    /// The parameters of a head, and the study that looks for others, where the portfolio has a study of it; `None`: its defaults.
    pub tuned: Option<RunHead>,
    /// The use of validation rows.
    pub val_use: ValUse,
    /// The limits of the answer.
    pub bounds: Bounds,
    /// Whether the answer is fitted again on all rows, if there is time.
    pub refits: bool,
    /// Whether a simpler head that is not significantly worse is the answer.
    pub prefers_simple: bool,
    /// The prediction sets of the answer, if it is to have them.
    pub conformal: Option<ConformalOptions>,
    /// The head that the answer is distilled to, if it is.
    pub distil: Option<String>,
}

/// The limits of the answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// The bytes of the model file, at most.
    pub max_model_bytes: Option<u64>,
    /// The time of the prediction of one row among many, at most.
    pub max_predict_time: Option<Duration>,
    /// The bytes of memory that a fit may need beside the rows; `None`: what is free.
    pub max_memory: Option<u64>,
}

impl Search {
    /// A search of the whole portfolio, without limits.
    pub fn new() -> Search {
        Search {
            limits: Limits::default(),
            started: Instant::now(),
            n_folds: N_FOLDS,
            heads: Vec::new(),
            reduced: Vec::new(),
            tuned: None,
            val_use: ValUse::default(),
            bounds: Bounds::default(),
            refits: true,
            prefers_simple: false,
            conformal: None,
            distil: None,
        }
    }

    /// Whether the heads exist and the folds are as many as they may be.
    ///
    /// # Errors
    /// When not.
    pub fn check(&self) -> Result<()> {
        portfolio::attempts(&self.heads)?;
        let untried = |head: &&String| !self.heads.is_empty() && !self.heads.contains(head);
        if let Some(head) = self.reduced.iter().find(untried) {
            let heads = self.heads.join(", ");
            return Err(Error::usage(format!(
                "{head} is to be reduced and is not among the heads to try, {heads}: add it, or do not reduce it"
            )));
        }
        if let Some(head) = &self.distil {
            distil::check(head, self.val_use == ValUse::Choose)?;
        }
        check_n_folds(self.n_folds)
    }
}

impl Default for Search {
    fn default() -> Search {
        Search::new()
    }
}

/// The answer of a search.
pub(crate) struct Found {
    /// The model, fitted on all rows, and its report.
    pub(crate) fitted: FittedHead,
    /// The report of the search.
    pub(crate) auto: AutoReport,
    /// The report of the study, if one was begun.
    pub(crate) study: Option<StudyReport>,
    /// The answer distilled, if that was asked for and there was time.
    pub(crate) distilled: Option<Distilled>,
}

/// Searches on the training rows of `data`, of the tables with these reports.
///
/// # Errors
/// When no head can be fitted on them or is within the bounds, or the search is stopped before the first candidate.
pub(crate) fn find(
    config: &Search,
    data: &FitData,
    tables: (&[TableReport], &ReadOptions),
    out: &Path,
    context: &mut Context<'_>,
) -> Result<Found> {
    let limits = config.limits.before(config.distil.as_ref().map_or(0.0, |_| SHARE_OF_DISTILLATION));
    let mut budget = Budget::new(config.started, limits, || work::product_rate(context.pool));
    let rows = rows::to_search(config, data, tables, context);
    rows.check()?;
    let store = Store::new(out, key(config, tables, data, context), data.train.classes.names());
    let of_command = config.tuned.as_ref().map(|tuned| &tuned.head);
    let attempts = portfolio::attempts(&config.heads)?.into_iter().map(|attempt| attempt.given(of_command));
    let attempts = attempts.collect::<Result<Vec<_>>>()?;
    let Searched { candidates, left_out, reduced, after } =
        search::search(&rows, (attempts, &config.reduced), &store, &mut budget, context)?;
    let search_seconds = budget.elapsed().as_secs_f64();
    let answer = answer::answer(&rows, &candidates, &config.bounds, context)?;
    let mut beside = Beside::new(&rows, &candidates, answer);
    let mut simpler = simpler::simpler(&mut beside, context)?;
    if let Some(simpler) = simpler.as_mut().filter(|simpler| config.prefers_simple && simpler.is_as_good) {
        simpler.is_taken = true;
        let taken = answer::of_one(&candidates, simpler.candidate, context);
        beside = Beside::new(&rows, &candidates, taken);
    }
    let members: Vec<&Candidate> = beside.answer.members.iter().map(|&member| &candidates[member]).collect();
    let is_fitted_again = config.refits
        && !context.stopping()
        && data.val.is_some()
        && budget.allows_refits(search::refits(rows.growth(), &members), after);
    let done = Done { n_steps: budget.n_steps(), search_seconds, is_fitted_again };
    let mut auto = summary::summary(&mut beside, (&left_out, &reduced), done, simpler, context)?;
    let fitted = fitted::fitted(&rows, &candidates, &beside.answer, is_fitted_again, context)?;
    auto.n_bytes = fitted.model.to_bytes()?.len() as u64;
    let distilled = match &config.distil {
        Some(name) => {
            let teacher = Teacher { rows: &rows, candidates: &candidates, answer: &beside.answer };
            distilled(name, &teacher, (config, &fitted, is_fitted_again), context)?
        }
        None => None,
    };
    if !context.stopping() {
        store.clear();
    }
    let study = rows.tuned.as_ref().and_then(|tuned| tuned.report.take());
    Ok(Found { fitted, auto, study, distilled })
}

/// Distils the answer in the time that is left; `None`, with a warning, where that is too short, or the command is stopped.
fn distilled(
    name: &str,
    teacher: &Teacher<'_, '_>,
    (config, fitted, is_fitted_again): (&Search, &FittedHead, bool),
    context: &mut Context<'_>,
) -> Result<Option<Distilled>> {
    // A time that the clock cannot show is no limit.
    let time = config.limits.time.map(|time| time.saturating_sub(AFTER_DISTILLATION));
    let deadline = time.and_then(|time| config.started.checked_add(time));
    let of_val = teacher.rows.judges().zip(fitted.val.as_ref()).filter(|_| is_fitted_again);
    let of_val = of_val.map(|(val, judged)| (val, judged.proba.view()));
    let done = search::until(deadline, context, |context| {
        context.check_stop()?;
        distil::distil(name, teacher, of_val, context)
    });
    let why = match done {
        Ok(Some(distilled)) => return Ok(Some(distilled)),
        Ok(None) => "there is no time left for it",
        Err(error) if error.is_stopped() => "the command was stopped",
        Err(error) => return Err(error),
    };
    context.warn(&format!("the answer was not distilled: {why}"));
    Ok(None)
}

/// Everything that decides the candidates of a search beside their number; the same in every process.
fn key(
    config: &Search,
    (reports, read): (&[TableReport], &ReadOptions),
    data: &FitData,
    context: &Context<'_>,
) -> String {
    let tables: Vec<&str> = reports.iter().map(|table| table.fingerprint.as_str()).collect();
    let values = |head: &HeadConfig| {
        head.params().iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>()
    };
    let tuned = config.tuned.as_ref().map(|tuned| {
        let study = tuned.study.as_ref().map(|study| (values(&study.head), study.n_trials));
        (values(&tuned.head), study)
    });
    let read = (&read.group_column, &read.weight_column, data.design());
    let memory = config.bounds.max_memory;
    format!(
        "{} {} {} {tables:?} {read:?} {memory:?} {} {:?} {:?} {tuned:?} {}",
        env!("CARGO_PKG_VERSION"),
        context.seed,
        context.metric.name(),
        config.n_folds,
        config.val_use,
        config.reduced,
        portfolio::PORTFOLIO
    )
}
