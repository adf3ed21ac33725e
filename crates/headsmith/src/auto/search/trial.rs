//! One attempt: a head fitted, and its predictions of rows that the fit did not see.

use std::time::{Duration, Instant};

use headsmith_heads::head::{Folds, Shape};
use headsmith_heads::params::Value;
use headsmith_heads::training::{self, Next};
use headsmith_heads::{Event, Fitting, Job};
use headsmith_kernels::Matrix;
use headsmith_metrics::Metric;
use headsmith_model::{Model, Node, Record};

use super::super::budget::Budget;
use super::super::cost::Cost;
use super::super::portfolio::Attempt;
use super::super::rows::{self, REFIT, SearchRows};
use super::super::work::Work;
use super::Candidate;
use super::deadline::until;
use super::study::HeadStudy;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitOptions, Scaled};
use crate::head::HeadConfig;
use crate::memory::{self, MEGABYTE};
use crate::partition::{Partition, Rows};
use crate::progress::Progress;
use crate::report::CandidateReport;
use crate::rows::FitRows;

/// Of the epochs that a fit may have, early stopping leaves one in so many, in most fits.
const USUAL_SHARE: u64 = 5;

/// An attempt under way.
#[derive(Clone, Copy)]
pub(super) struct Trial<'t, 'd> {
    pub(super) rows: &'t SearchRows<'d>,
    pub(super) attempt: &'t Attempt,
    /// Candidates before it. The first is finished whatever the budget.
    pub(super) n_before: usize,
    pub(super) started: Instant,
    /// Steps before it.
    pub(super) n_steps: usize,
}

/// The end of an attempt.
pub(super) enum Tried {
    Candidate(Box<Candidate>),
    /// There was no time for predictions of all rows: why.
    NoTime(String),
}

/// A fit on all training rows.
struct Whole {
    node: Node,
    chosen: Vec<(&'static str, Value)>,
    /// Whether the budget or a stop cut off the choice.
    is_cut: bool,
}

/// Fits that were scored.
struct Scored {
    head: HeadConfig,
    proba: Matrix,
    /// Whether one fit gave them.
    is_closed_form: bool,
    whole: Option<Whole>,
    refit: Duration,
    cost: Cost,
}

impl Trial<'_, '_> {
    /// Fits the head and predicts the rows that score it.
    ///
    /// # Errors
    /// When the head cannot be fitted on the rows, or the search is stopped before it is.
    pub(super) fn run(self, budget: &mut Budget, context: &mut Context<'_>) -> Result<Tried> {
        let head = &self.attempt.head;
        self.check_memory(head)?;
        match HeadStudy::of(self.attempt, self.rows) {
            None => self.of(head.clone(), budget, context),
            Some(study) => study.run(self, budget, context),
        }
    }

    /// Fits a head with given parameters.
    pub(super) fn of(
        self,
        head: HeadConfig,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> Result<Tried> {
        context.emit(&Progress::Fitting { head: head.name(), purpose: "candidate", metric: context.metric });
        if self.rows.is_scored_on_val {
            return self.on_val(head, budget, context);
        }
        match head.head().traits().out_of_fold {
            true => self.at_once(&head, budget, context),
            false => self.in_folds(head, None, budget, context),
        }
    }

    fn shape(&self) -> Shape {
        let train = &self.rows.data.train;
        Shape {
            n_samples: train.y.len(),
            n_val: 0,
            n_features: train.x.n_cols(),
            n_classes: train.classes.len(),
        }
    }

    /// The work of a fit: at most, but of heads with epochs, most of which end early.
    pub(super) fn work(&self, head: &HeadConfig) -> Option<Work> {
        let operations = head.head().cost(self.shape(), head.params()).ok()?.operations;
        Some(match (has_epochs(head), head.uses_val()) {
            (true, true) => Work::products(operations / USUAL_SHARE),
            (true, false) => Work::products(operations),
            (false, _) => Work::other(operations),
        })
    }

    /// The work of a fit of `part` as a share of that of `whole`, at most 1: with its parameters chosen, a head has less to do.
    fn share_of_work(&self, part: &HeadConfig, whole: &HeadConfig) -> f64 {
        match (self.work(part), self.work(whole)) {
            (Some(part), Some(whole)) if whole.operations > 0 => {
                (part.operations as f64 / whole.operations as f64).min(1.0)
            }
            _ => 1.0,
        }
    }

    /// Refuses a head that needs more memory than the search may take.
    fn check_memory(&self, head: &HeadConfig) -> Result<()> {
        let (Some(limit), Ok(cost)) = (self.rows.max_memory, head.head().cost(self.shape(), head.params()))
        else {
            return Ok(());
        };
        match cost.bytes > limit {
            false => Ok(()),
            true => Err(Error::failure(format!(
                "{} needs about {} MB beside the rows and --memory allows {:.1} MB",
                head.table().title,
                cost.bytes.div_ceil(MEGABYTE),
                limit as f64 / MEGABYTE as f64
            ))),
        }
    }

    /// Fits on all rows, whose predictions a closed form gives; in folds where there is none after all.
    fn at_once(self, head: &HeadConfig, budget: &mut Budget, context: &mut Context<'_>) -> Result<Tried> {
        let (data, pool) = (self.rows.data, context.pool);
        let scaled = Scaled::new(head.params().transform(), head.head(), &FitRows::from(data), pool)?;
        let (train, _) = scaled.samples()?;
        let job = Job::new(train, head.params(), context.seed, pool);
        memory::check_fit(head.head(), &job)?;
        let mut fitting = head.head().begin(job, None)?;
        let last = match self.steps(fitting.as_mut(), self.work(head), budget, context)? {
            Ok(last) => last,
            Err(why) => return Ok(Tried::NoTime(why)),
        };
        let (is_cut, is_at_once) = (fitting.done() < fitting.total(), fitting.total() == 1);
        fitting.conclude()?;
        let proba = fitting.out_of_fold(Folds::Of(self.rows.scored_units()));
        let fitted = fitting.finish()?;
        let chosen = fitted.chosen();
        let with_chosen = head.with(chosen.iter().map(|(name, value)| (*name, value.clone())))?;
        // Of several steps, the last is a fit with what the others chose.
        let refit = match last.filter(|_| !chosen.is_empty() && !is_at_once) {
            Some(step) => step.mul_f64(REFIT),
            None => self.started.elapsed().mul_f64(self.share_of_work(&with_chosen, head)),
        };
        let whole = Whole { node: scaled.node(Node::Head(fitted)), chosen, is_cut };
        let Some(proba) = proba else {
            return self.in_folds(with_chosen, Some(whole), budget, context);
        };
        let cost = self.cost(&whole.node, context)?;
        let scored =
            Scored { head: head.clone(), proba, is_closed_form: true, whole: Some(whole), refit, cost };
        self.candidate(scored, budget, context)
    }

    /// The steps of a fit that the budget allows, and the time of the last; or why there are too few. `whole` is the work of all, where it
    /// is known.
    fn steps(
        &self,
        fitting: &mut dyn Fitting,
        whole: Option<Work>,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> Result<std::result::Result<Option<Duration>, String>> {
        context.emit(&Progress::Fit(&Event::Started { total: fitting.total(), unit: fitting.unit() }));
        let (mut last, mut foreseen) = (None, Duration::ZERO);
        while fitting.done() < fitting.total() {
            let of_all = whole.filter(|_| fitting.total() == 1);
            let work = fitting.next_operations().map(Work::products).or(of_all);
            foreseen = budget.foresee(work, last);
            let to_first = foresee_first(fitting, budget);
            if self.n_before > 0 && fitting.done() > 0 && !budget.allows(to_first) {
                foreseen = to_first;
                break;
            }
            // Without a second candidate, a better model of the training rows is worth more than one of all rows.
            let after = self.rows.after_step(self.n_before > 1);
            let with_end = foreseen.mul_f64(1.0 + if work.is_some() { after } else { 0.0 });
            if !self.goes_on(with_end, fitting.done(), budget, context) {
                break;
            }
            let start = Instant::now();
            match training::next(fitting)? {
                Next::Step(_) => (),
                Next::End | Next::Diverged(_) => break,
            }
            last = Some(start.elapsed());
            budget.count(work, start.elapsed());
            let (done, total, unit) = (fitting.done(), fitting.total(), fitting.unit());
            context.emit(&Progress::Fit(&Event::Steps { done, total, unit }));
        }
        if self.n_before > 0 && fitting.best().is_none() {
            return Ok(Err(no_time(foreseen)));
        }
        Ok(Ok(last))
    }

    /// Whether the next step is done. The first candidate needs one step at least.
    fn goes_on(&self, next: Duration, done: usize, budget: &Budget, context: &Context<'_>) -> bool {
        let is_needed = self.n_before == 0 && done == 0;
        is_needed || budget.allows(next) && !context.stopping()
    }

    /// Fits on all folds but one, in turn.
    fn in_folds(
        self,
        head: HeadConfig,
        whole: Option<Whole>,
        budget: &mut Budget,
        context: &mut Context<'_>,
    ) -> Result<Tried> {
        let SearchRows { data, units, groups, n_folds, .. } = self.rows;
        let shape = self.shape();
        let all = Rows::of(&data.train, data.cache.as_deref());
        let shares = (*n_folds, rows::VAL_SHARE);
        let folds = Partition::new(all, units.clone(), *groups, shares, context)?;
        let mut proba = Matrix::zeros(shape.n_samples, shape.n_classes);
        let (mut last, mut model) = (None, None);
        // Epochs are many, and so foreseen; other heads end long before the most operations that they may need.
        let first = self.work(&head).filter(|_| has_epochs(&head));
        for fold in 0..*n_folds {
            let next = budget.foresee(first.filter(|_| last.is_none()), last);
            if self.n_before > 0 && !budget.allows(next) {
                return Ok(Tried::NoTime(no_time(next)));
            }
            let start = Instant::now();
            let deadline = budget.deadline_of_first(n_folds - fold).filter(|_| self.n_before > 0);
            let Some(fitted) = until(deadline, context, |context| folds.fit(fold, &head, context))? else {
                return Ok(Tried::NoTime(no_time(start.elapsed() * (n_folds - fold) as u32)));
            };
            folds.place(fold, &fitted.proba, &mut proba);
            let progress = Progress::Fold { fold: &fitted.report, n_folds: *n_folds, metric: context.metric };
            context.emit(&progress);
            (last, model) = (Some(start.elapsed()), Some(fitted.model));
            budget.count(None, start.elapsed());
        }
        let cost = model.map(|model| Cost::of(&model, &data.train, context.pool)).transpose()?;
        // All rows are more than those of a fold's fit, and the time grows with their square at most.
        let more = *n_folds as f64 / (*n_folds as f64 - 1.0);
        let of_fold = last.map_or(Duration::ZERO, |took| took.mul_f64(more * more));
        self.candidate(
            Scored {
                head,
                proba,
                is_closed_form: false,
                whole,
                refit: of_fold,
                cost: cost.unwrap_or_default(),
            },
            budget,
            context,
        )
    }

    /// Fits on the training rows and predicts the validation rows, which also select the epoch of a head that has epochs.
    fn on_val(self, head: HeadConfig, budget: &mut Budget, context: &mut Context<'_>) -> Result<Tried> {
        let data = self.rows.data;
        let work = self.work(&head);
        let next = budget.foresee(work, None);
        if self.n_before > 0 && !budget.allows(next) {
            return Ok(Tried::NoTime(no_time(next)));
        }
        let deadline = budget.deadline_of_first(1).filter(|_| self.n_before > 0);
        let trained = until(deadline, context, |context| {
            let trained = fit::train(&head, (data, false), &FitOptions::default(), context)?;
            context.check_stop()?;
            Ok(trained)
        })?;
        let Some(trained) = trained else { return Ok(Tried::NoTime(no_time(self.started.elapsed()))) };
        budget.count(work, self.started.elapsed());
        let (node, chosen) = (trained.model.node().clone(), trained.chosen);
        let proba = trained.model.predict_proba(self.rows.scored().x.view(), context.pool)?;
        let cost = Cost::of(&trained.model, &data.train, context.pool)?;
        let (whole, refit) = (Some(Whole { node, chosen, is_cut: false }), self.started.elapsed());
        self.candidate(Scored { head, proba, is_closed_form: false, whole, refit, cost }, budget, context)
    }

    fn cost(&self, node: &Node, context: &Context<'_>) -> Result<Cost> {
        let train = &self.rows.data.train;
        let model = Model::new(train.classes.names().to_vec(), node.clone(), Record::default())?;
        Cost::of(&model, train, context.pool)
    }

    fn candidate(self, scored: Scored, budget: &Budget, context: &Context<'_>) -> Result<Tried> {
        let Scored { head, proba, is_closed_form, whole, refit, cost } = scored;
        let start = Instant::now();
        let calibrated = self.rows.calibrated(proba.view(), context);
        let calibration = start.elapsed();
        let scores = headsmith_metrics::score(&self.rows.scored().y, calibrated.proba.view())?;
        let (node, chosen, is_cut) =
            whole.map_or((None, Vec::new(), false), |whole| (Some(whole.node), whole.chosen, whole.is_cut));
        let mut params: serde_json::Map<_, _> = head.params().iter().filter_map(fit::as_json).collect();
        params.extend(chosen.iter().filter_map(|(name, value)| fit::as_json((name, value))));
        let report = CandidateReport {
            telling: telling(&head, &chosen),
            head: head.name().to_owned(),
            title: head.table().title.to_owned(),
            calibration: calibrated.form.name().to_owned(),
            params,
            score: context.metric.of(&scores),
            log_loss: Metric::LogLoss.of(&scores),
            seconds: self.started.elapsed().as_secs_f64(),
            at_seconds: budget.elapsed().as_secs_f64(),
            n_steps: budget.n_steps() - self.n_steps,
            n_bytes: cost.n_bytes,
            predict_seconds: cost.predict.as_secs_f64(),
            ..CandidateReport::default()
        };
        let position = self.attempt.position;
        let candidate = Candidate {
            position,
            head,
            proba,
            calibrated,
            calibration,
            node,
            chosen,
            is_closed_form,
            is_cut,
            cut_trials: None,
            refit,
            cost,
            report,
        };
        Ok(Tried::Candidate(Box::new(candidate)))
    }
}

/// The duration of the steps up to the first that leaves something that predicts.
fn foresee_first(fitting: &dyn Fitting, budget: &Budget) -> Duration {
    let steps = fitting.operations_to_first();
    steps
        .into_iter()
        .fold(Duration::ZERO, |sum, of| sum.saturating_add(budget.foresee(Some(Work::products(of)), None)))
}

/// The names of the parameters that the fit chose, and of words and fractions that differ from their defaults.
fn telling(head: &HeadConfig, chosen: &[(&'static str, Value)]) -> Vec<String> {
    let table = head.table();
    let differs = |(name, value): &(&str, &Value)| {
        let default = table.param(name).map(|param| param.default.value());
        matches!(value, Value::Text(_) | Value::Float(_)) && default.is_ok_and(|default| default != **value)
    };
    let set = head.params().iter().filter(differs).map(|(name, _)| name);
    let is_set = |name: &str| chosen.iter().any(|(other, _)| *other == name);
    let set = set.filter(|name| !is_set(name));
    set.chain(chosen.iter().map(|(name, _)| *name)).map(str::to_owned).collect()
}

/// Whether the steps of a head's fits are epochs: their work is foreseen, and it is that of matrix products.
fn has_epochs(head: &HeadConfig) -> bool {
    head.table().find("epochs").is_some()
}

fn no_time(needed: Duration) -> String {
    format!("there is no time for it: it needs about {:.1} s", needed.as_secs_f64())
}
