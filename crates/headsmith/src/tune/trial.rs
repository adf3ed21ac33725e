//! A trial: a fit whose epochs are reported, that the pruner may end, and that a later process can resume.

use std::sync::Arc;

use headsmith_heads::head::{Folds, Resume, State};
use headsmith_heads::params::Params;
use headsmith_heads::training::{self, Next};
use headsmith_heads::{EpochRecord, Fitted, Fitting, Job, Samples};
use headsmith_kernels::{Matrix, Pool};
use headsmith_metrics::Predictions;
use headsmith_model::{most_probable, state};
use headsmith_study::{Attributes, NextAction, Outcome, Running};
use serde_json::json;

use super::predictions;
use super::task::Task;
use crate::memory;

/// How the steps of a trial ended.
enum End {
    /// There are no more.
    Complete,
    /// The trial is not worth more of them, for this reason if it is not the pruner's.
    Pruned(Option<String>),
    Interrupted,
    Failed(String),
}

/// The record of a trial beside its reports.
struct Scored {
    value: f64,
    user_attrs: Attributes,
    system_attrs: Attributes,
}

/// Fits to the last step or until the fit ends by itself, unless the trial is pruned, stopped or diverges. The value of a head
/// with epochs is that of its best epoch; other heads are scored at the end, and report once. Without validation rows, out-of-fold predictions score.
pub(super) fn run(
    trial: &mut Running<'_>,
    (train, val): (Samples<'_>, Option<Samples<'_>>),
    params: &Params,
    task: &Task<'_>,
) -> headsmith_study::Result<Outcome> {
    let (pool, number) = (Pool::inline(), trial.number() as u32);
    let (metric, seed) = (task.metric, task.seed);
    let job = Job { train, val, params, metric, seed, trial: number, pool: &pool };
    let mut fitting = match begin(trial, job, task) {
        Ok(fitting) => fitting,
        Err(reason) => return Ok(Outcome::Failed { reason }),
    };
    let end = steps(trial, fitting.as_mut(), task)?;
    let has_epochs = fitting.best_epoch().is_some();
    let scored = match end {
        End::Failed(reason) => return Ok(Outcome::Failed { reason }),
        End::Interrupted => return Ok(Outcome::Interrupted),
        End::Complete | End::Pruned(_) => score(fitting, job),
    };
    let Scored { value, user_attrs, system_attrs } = match (scored, &end) {
        (Ok(scored), _) => scored,
        // It ended before it could predict.
        (Err(_), End::Pruned(reason)) => {
            let (user_attrs, system_attrs) = Default::default();
            return Ok(Outcome::Pruned { reason: reason.clone(), user_attrs, system_attrs });
        }
        (Err(reason), _) => return Ok(Outcome::Failed { reason }),
    };
    let reason = match end {
        End::Pruned(reason) => reason,
        _ if !has_epochs && trial.report(0, value, &mut || None)? == NextAction::Prune => None,
        _ => return Ok(Outcome::Complete { value, user_attrs, system_attrs }),
    };
    Ok(Outcome::Pruned { reason, user_attrs, system_attrs })
}

/// Begins the fit, or resumes it from its checkpoint.
fn begin<'a>(
    trial: &mut Running<'_>,
    job: Job<'a>,
    task: &Task<'_>,
) -> Result<Box<dyn Fitting + 'a>, String> {
    if let Some(shortage) = memory::shortage(task.head(), &job) {
        return Err(format!("{shortage}: search {}, or fewer --jobs", shortage.hint));
    }
    let resume = match trial.take_checkpoint() {
        Some(checkpoint) => {
            let (text, tensors) = state::from_bytes(&checkpoint.state).map_err(|error| error.to_string())?;
            let values = trial.reports().iter().map(|(step, value)| (*step as usize, *value));
            Some(Resume { state: State { text, tensors }, values: values.collect() })
        }
        None => None,
    };
    task.head().begin(job, resume).map_err(|error| error.to_string())
}

fn steps(
    trial: &mut Running<'_>,
    fitting: &mut dyn Fitting,
    task: &Task<'_>,
) -> headsmith_study::Result<End> {
    loop {
        let step = match training::next(fitting) {
            Ok(Next::Step(step)) => step,
            Ok(Next::End) => return Ok(End::Complete),
            Ok(Next::Diverged(error)) => return Ok(End::Pruned(Some(error.to_string()))),
            Err(error) => return Ok(End::Failed(error.to_string())),
        };
        let go_on = match step.epoch {
            Some(record) => report(trial, fitting, &record, task)?,
            None if trial.is_stopping() => NextAction::Stop,
            None => NextAction::Continue,
        };
        match (task.by_hand.reason(trial), go_on) {
            (Some(reason), _) => return Ok(End::Pruned(Some(reason))),
            (None, NextAction::Prune) => return Ok(End::Pruned(None)),
            (None, NextAction::Stop) => return Ok(End::Interrupted),
            (None, NextAction::Continue) => (),
        }
    }
}

/// Reports an epoch, with the state to resume from where one is due.
fn report(
    trial: &mut Running<'_>,
    fitting: &dyn Fitting,
    record: &EpochRecord,
    task: &Task<'_>,
) -> headsmith_study::Result<NextAction> {
    task.watch.epoch(trial.number(), fitting.network().as_deref(), record);
    let value = record.val.map_or(f64::NAN, |scores| scores.get(task.metric));
    // Weights that are not finite cannot be written: such a trial is not resumed.
    let mut checkpoint = || {
        let state = fitting.state()?;
        state::to_bytes(&state.text, &state.tensors).ok()
    };
    trial.report(record.epoch as i64, value, &mut checkpoint)
}

/// The probabilities of `rows`, and their decided classes.
fn predicted(fitted: &dyn Fitted, rows: Samples<'_>, pool: &Pool) -> (Matrix, Vec<u32>) {
    let mut decided = Some(Vec::new());
    let proba = rows.predict(pool, |rows| {
        let (proba, of_rows) = fitted.predict(rows, pool);
        decided = decided.take().zip(of_rows).map(|(all, more)| [all, more].concat());
        proba
    });
    let decided = decided.unwrap_or_else(|| most_probable(proba.view()));
    (proba, decided)
}

/// Ends the fit and scores the head on the validation rows, or, without any, on the training rows by fits without each.
fn score(mut fitting: Box<dyn Fitting + '_>, job: Job<'_>) -> Result<Scored, String> {
    let (best, n_steps) = (fitting.best_epoch(), fitting.done());
    fitting.conclude().map_err(|error| error.to_string())?;
    let folds = job.train.units().map_or(Folds::LeaveOneOut, Folds::Of);
    let left_out = if job.val.is_none() { fitting.out_of_fold(folds) } else { None };
    let fitted: Arc<dyn Fitted> = fitting.finish().map_err(|error| error.to_string())?;
    let (y, proba, decided) = match (job.val, left_out) {
        (Some(val), _) => {
            let (proba, decided) = predicted(fitted.as_ref(), val, job.pool);
            (val.y(), proba, decided)
        }
        (None, Some(proba)) => {
            let decided = most_probable(proba.view());
            (job.train.y(), proba, decided)
        }
        (None, None) => {
            return Err("there are no validation rows, and no out-of-fold predictions with these parameters"
                .to_owned());
        }
    };
    let sizes = fitted.description().sizes;
    let mut user_attrs: Attributes =
        sizes.into_iter().map(|(name, size)| (name.to_owned(), json!(size))).collect();
    let value = match best {
        Some((epoch, value)) => {
            user_attrs.insert("best_epoch".to_owned(), json!(epoch));
            user_attrs.insert("epochs".to_owned(), json!(n_steps));
            value
        }
        None => {
            let scores = headsmith_metrics::score(y, Predictions::decided(proba.view(), &decided));
            job.metric.of(&scores.map_err(|error| error.to_string())?)
        }
    };
    Ok(Scored { value, user_attrs, system_attrs: predictions::attribute(&decided) })
}
