//! The report of a model on rows that were brought after its fit: the page of a run, without the run.

use headsmith_data::{Classes, Dataset};
use headsmith_heads::event::StopReason;
use headsmith_heads::head::find;
use headsmith_heads::params::TRANSFORM;
use headsmith_heads::{Description, EpochRecord};
use headsmith_model::Model;
use serde::Deserialize;

use crate::context::Context;
use crate::error::Result;
use crate::evaluate::{Features, refuse_other_features, used_before};
use crate::events::Begin;
use crate::evidence::{self, RowSource};
use crate::judge;
use crate::report::{self, FitReport, Machine, REPORT_FORMAT, REPORT_VERSION, Report};
use crate::tables::{self, RoleTable};

/// The facts of a fit beside its model, as far as they are known.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct KnownFit {
    /// Every epoch's figures.
    pub history: Vec<EpochRecord>,
    /// The epoch, from 0, whose weights the model has.
    pub best_epoch: Option<usize>,
    /// Why it ended before its last epoch or tree.
    pub stopped: Option<StopReason>,
    /// The head's structure.
    pub description: Option<Description>,
    /// How features are scaled.
    pub scaling: Option<String>,
    /// The seconds that it took; 0: unknown.
    pub seconds: f64,
}

/// The report of `model` on the rows of `table`, which have labels and were used for `used_for` before.
///
/// # Errors
/// When the rows have no labels, others than the model's, or other features.
pub fn report(
    model: &Model,
    table: RoleTable,
    (fit, used_for): (KnownFit, Vec<String>),
    context: &mut Context<'_>,
) -> Result<Report> {
    let started = Begin::now(Vec::new(), context).started;
    let findings = tables::check(&[&table], context);
    tables::refuse_errors(&findings)?;
    refuse_other_features(model, &Features::of(&table.table))?;
    let used_for = if used_for.is_empty() { used_before(model, &table.report) } else { used_for };
    let RoleTable { table, report: of_table, .. } = table;
    let places = RowSource::all(table.locations());
    let rows = Dataset::new(table, &Classes::new(model.classes().to_vec())?)?;
    let head = of_fit(model, (fit, used_for), (&rows, &places), context)?;
    Ok(Report {
        format: REPORT_FORMAT.to_owned(),
        version: REPORT_VERSION,
        headsmith_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        machine: Machine::this(),
        seed: context.seed,
        jobs: context.pool.n_threads(),
        metric: context.metric,
        tables: vec![of_table],
        findings: findings.iter().map(report::finding).collect(),
        classes: model.classes().to_vec(),
        chosen: head.head.clone(),
        heads: vec![head],
        ..Report::default()
    })
}

fn of_fit(
    model: &Model,
    (fit, used_for): (KnownFit, Vec<String>),
    (rows, places): (&Dataset, &RowSource),
    context: &Context<'_>,
) -> Result<FitReport> {
    let is_unseen = judge::has_intervals(&used_for);
    let judged = judge::judge(model, rows, used_for, context)?;
    let sources = (context.seed, context.pool);
    let evidence = evidence::of(rows, judged.predictions(), places, is_unseen, sources)?;
    let (name, params) = (model.head_name(), model.record().params.clone());
    let scaling =
        || params.get(TRANSFORM).and_then(|scaling| scaling.as_str()).unwrap_or_default().to_owned();
    Ok(FitReport {
        head: name.to_owned(),
        title: find(name).ok().map(|head| head.table().title.to_owned()),
        metric: context.metric,
        scaling: fit.scaling.unwrap_or_else(scaling),
        fit_seconds: fit.seconds,
        calibration_seconds: None,
        epochs: fit.history.len(),
        epoch_seconds: Vec::new(),
        best_epoch: fit.best_epoch,
        stopped: fit.stopped,
        structure: fit.description.unwrap_or_else(|| Description::new(name, String::new())),
        history: fit.history,
        examples: judge::examples(rows, judged.proba.view(), places),
        evidence,
        train: None,
        val: Some(judged.judgement),
        out_of_fold: None,
        folds: None,
        held_back: None,
        conformal: None,
        model: None,
        params,
    })
}
