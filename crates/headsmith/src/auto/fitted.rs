//! The final model: the answer's members fitted on all rows, and the report of its scores.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use headsmith_heads::Description;
use headsmith_kernels::Matrix;
use headsmith_model::{Model, Node};
use serde_json::Map;

use super::answer::Answer;
use super::refit;
use super::rows::{self, SearchRows};
use super::search::Candidate;
use crate::conformal::{self, Calibrated, ConformalOptions};
use crate::context::Context;
use crate::error::Result;
use crate::evidence;
use crate::fit::{self, FittedHead};
use crate::judge::{self, Judged, LabelledRows};
use crate::progress::Progress;
use crate::report::{CalibrationRows, FitReport, Judgement};

/// The choices of validation rows that are used to choose.
const CHOICES: [&str; 4] = ["members", "calibration", "decision", "parameters"];

/// Fits the members of `answer`, judges them, and fits them again on all rows if that is asked for. A fit is finished, although the search was asked
/// to stop.
///
/// # Errors
/// When a fit fails.
pub(super) fn fitted(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    answer: &Answer,
    is_fitted_again: bool,
    context: &mut Context<'_>,
) -> Result<FittedHead> {
    let never = AtomicBool::new(false);
    let context = &mut Context {
        seed: context.seed,
        metric: context.metric,
        pool: context.pool,
        stop: &never,
        view: &mut *context.view,
    };
    let data = rows.data;
    let names = data.train.classes.names().to_vec();
    let record = data.record_of(context.seed);
    let make = |nodes: Vec<Node>| answer.model(nodes, names.clone(), record.clone());
    let start = Instant::now();
    let all = if is_fitted_again { rows::all(data) } else { None };
    let judge = |model: &Model, context: &Context<'_>| match rows.judges() {
        Some(val) => judge::judge(model, val, Vec::new(), context).map(Some),
        None => Ok(None),
    };
    let (judged, model) = match &all {
        None => {
            let model = make(members(answer, candidates, rows, context)?)?;
            (judge(&model, context)?, model)
        }
        Some(all) => {
            let judged = match rows.judges() {
                Some(_) => judge(&make(members(answer, candidates, rows, context)?)?, context)?,
                None => None,
            };
            let mut fit = |&member: &usize| refit::fitted(&candidates[member], all, context);
            (judged, make(answer.members.iter().map(&mut fit).collect::<Result<Vec<Node>>>()?)?)
        }
    };
    let fit_seconds = start.elapsed().as_secs_f64();
    let learnt_from = all.as_ref().map_or(&data.train, |all| &all.train);
    let train = judge::judge(&model, learnt_from, vec![judge::WEIGHTS.to_owned()], context)?.judgement;
    let of_fit = OfFit { model: &model, fit_seconds, train, judged: judged.as_ref() };
    let report = report(rows, candidates, answer, of_fit, context)?;
    let mut fitted = FittedHead { val: judged, model, report };
    if let Some(options) = rows.conformal {
        let calibrated =
            calibrated(options, rows, answer, fitted.val.as_ref().map(|val| &val.proba), context)?;
        fitted = fitted.with_sets(calibrated)?;
    }
    let used_for = match (&all, &fitted.report.val) {
        // The scores of validation rows are those of a model without them; this one has learnt from them.
        (Some(_), _) => vec![judge::WEIGHTS.to_owned()],
        (None, Some(val)) => val.used_for.clone(),
        (None, None) => Vec::new(),
    };
    fit::remember_scores(&mut fitted, used_for);
    context.emit(&Progress::Fitted(&fitted.report));
    Ok(fitted)
}

/// The prediction sets by the answer's predictions of the rows that scored it, on the validation rows that judge it.
fn calibrated(
    options: ConformalOptions,
    rows: &SearchRows<'_>,
    answer: &Answer,
    judged: Option<&Matrix>,
    context: &mut Context<'_>,
) -> Result<Calibrated> {
    let kind = match rows.is_scored_on_val {
        true => CalibrationRows::Validation,
        false => CalibrationRows::OutOfFold,
    };
    let calibrating = conformal::rows_of(rows.scored(), &answer.proba);
    let judges = rows.judges().zip(judged).map(|(val, proba)| conformal::rows_of(val, proba));
    conformal::calibrate(options, (calibrating, kind), judges, rows.data.train.classes.names(), context)
}

/// The fits of the members on the rows that were searched on.
///
/// # Errors
/// When a fit fails.
pub(super) fn members(
    answer: &Answer,
    candidates: &[Candidate],
    rows: &SearchRows<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Node>> {
    let (mut train, mut nodes) = (None, Vec::new());
    for &member in &answer.members {
        nodes.push(match &candidates[member].node {
            Some(node) => node.clone(),
            None => {
                let train = train.get_or_insert_with(|| rows::train_only(rows.data));
                refit::fitted(&candidates[member], train, context)?
            }
        });
    }
    Ok(nodes)
}

/// The final model, and how it was made.
struct OfFit<'m> {
    model: &'m Model,
    fit_seconds: f64,
    /// The scores on the rows that it learnt from.
    train: Judgement,
    /// The predictions of validation rows by the model of the search.
    judged: Option<&'m Judged>,
}

/// The report of the answer on the rows that judge it: validation rows, or without any those that were searched on, each predicted by fits without it.
fn report(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    answer: &Answer,
    OfFit { model, fit_seconds, train, judged }: OfFit<'_>,
    context: &Context<'_>,
) -> Result<FitReport> {
    let scored = rows.scored();
    let used_for = if rows.is_scored_on_val { CHOICES.map(str::to_owned).to_vec() } else { Vec::new() };
    let (labelled, predictions) = (LabelledRows::of(scored, rows.scored_units()), answer.predictions());
    let (val, out_of_fold) = match rows.is_scored_on_val {
        true => (Some(judge::of_proba(labelled, predictions, used_for, context)?), None),
        false => {
            let out_of_fold = judge::of_refits(labelled, predictions, used_for, context)?;
            (judged.map(|judged| judged.judgement.clone()), Some(out_of_fold))
        }
    };
    let (shown, predictions) = match (judged, rows.judges()) {
        (Some(judged), Some(val)) => (val, judged.predictions()),
        _ => (scored, answer.predictions()),
    };
    let (sources, places) = ((context.seed, context.pool), &rows.data.places);
    let params = match answer.members[..] {
        [only] => candidates[only].report.params.clone(),
        _ => Map::new(),
    };
    let titles: Vec<&str> =
        answer.members.iter().map(|&member| candidates[member].report.title.as_str()).collect();
    Ok(FitReport {
        head: model.head_name().to_owned(),
        title: Some(answer.title(candidates)),
        params,
        metric: context.metric,
        scaling: "each member by its own transform".to_owned(),
        fit_seconds,
        calibration_seconds: None,
        epochs: 0,
        epoch_seconds: Vec::new(),
        best_epoch: None,
        stopped: None,
        structure: Description::new(model.head_name(), titles.join(", ")),
        history: Vec::new(),
        train: Some(train),
        val,
        held_back: None,
        conformal: None,
        out_of_fold,
        folds: None,
        evidence: evidence::of(shown, predictions, places, true, sources)?,
        examples: judge::examples(shown, predictions.proba(), places),
        model: None,
    })
}
