//! Conformal prediction sets of a model: the rows that calibrate them, and the report. `docs/guide/conformal.md` is their page.
//!
//! The thresholds come from rows that the model did not learn from, or from predictions of training rows by fits without them. The second are not those of the model
//! itself, which has learnt from all rows: its coverage is that of the jackknife and of cross-validation, close to the level but without a guarantee (Barber, Candès,
//! Ramdas and Tibshirani, "Predictive inference with the jackknife+", *Annals of Statistics* 49, 2021; Vovk, "Cross-conformal predictors", *Annals of Mathematics
//! and Artificial Intelligence* 74, 2015).

use headsmith_data::Dataset;
use headsmith_kernels::Matrix;
use headsmith_metrics::ConformalSets;
use headsmith_metrics::conformal::Rows;
use headsmith_model::Model;

pub use headsmith_metrics::conformal::Options as ConformalOptions;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{FitData, FitOptions};
use crate::head::HeadConfig;
use crate::report::{CalibrationRows, ConformalReport};
use crate::split::named;

/// The share of the validation rows that are held back for the thresholds where the others choose.
pub const HELD_BACK_SHARE: f64 = 0.5;

/// Calibrated sets with their report.
pub(crate) type Calibrated = (ConformalSets, ConformalReport);

/// Calibrates sets for the classes `names` by `rows`, which are of the kind `kind`, and scores them on the rows `judges`, which had no part in it.
///
/// # Errors
/// When there are no rows, or their weights are no weights.
pub(crate) fn calibrate(
    options: ConformalOptions,
    (rows, kind): (Rows<'_>, CalibrationRows),
    judges: Option<Rows<'_>>,
    names: &[String],
    context: &mut Context<'_>,
) -> Result<Calibrated> {
    let sets = rows.calibrate(options)?;
    let calibration = rows.score(&sets)?;
    let always = always(options, rows, &sets, names, context);
    let report = ConformalReport {
        level: options.level,
        by_class: options.by_class,
        rows: kind,
        n_rows: calibration.n_samples,
        n_groups: rows.n_groups(),
        thresholds: sets.thresholds().to_vec(),
        always,
        calibration,
        val: judges.map(|judges| judges.score(&sets)).transpose()?,
    };
    Ok((sets, report))
}

/// The classes that are in every set, of which the view is warned.
fn always(
    options: ConformalOptions,
    rows: Rows<'_>,
    sets: &ConformalSets,
    names: &[String],
    context: &mut Context<'_>,
) -> Vec<String> {
    let least = options.least_rows();
    let n_units = rows.n_units_of_class();
    let n_all = rows.n_groups().unwrap_or_else(|| n_units.iter().sum());
    let is_rare = |class: usize| if options.by_class { n_units[class] < least } else { n_all < least };
    let in_every: Vec<usize> = (0..names.len()).filter(|&class| sets.thresholds()[class] == 0.0).collect();
    let always: Vec<&str> = in_every.iter().map(|&class| names[class].as_str()).collect();
    let units = if rows.n_groups().is_some() { "groups" } else { "rows" };
    match (always.is_empty(), options.by_class) {
        (true, _) => {}
        _ if !in_every.iter().any(|&class| is_rare(class)) => context.warn(&format!(
            "in every prediction set: {}: a level of {} has no threshold above 0, since a few {units} have most of the weight, or too many give their class no probability",
            named(&always),
            options.level
        )),
        (false, false) => context.warn(&format!(
            "every class is in every prediction set: {n_all} {units} give the thresholds, and a level of {} needs {least}",
            options.level
        )),
        (false, true) => context.warn(&format!(
            "{} {} in every prediction set: a level of {} needs {least} {units} of each class: {}",
            always.len(),
            if always.len() == 1 { "class is" } else { "classes are" },
            options.level,
            named(&always)
        )),
    }
    always.into_iter().map(str::to_owned).collect()
}

/// The rows of `data` with these probabilities.
pub(crate) fn rows_of<'r>(data: &'r Dataset, proba: &'r Matrix) -> Rows<'r> {
    Rows::new(proba.view(), &data.y).weighted(data.weights.as_deref()).grouped(data.units.as_deref())
}

/// The rows that calibrate the sets of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Those of the cross-validation before the fit.
    Folds,
    /// Validation rows that choose nothing.
    Validation,
    /// Those that are held back.
    HeldBack,
    /// The training rows, each predicted by the same fit without it, in closed form.
    LeftOut,
}

impl Source {
    /// The rows that calibrate the sets of a fit of `head`.
    ///
    /// # Errors
    /// When all rows are learnt from or choose.
    pub(crate) fn of(head: &HeadConfig, data: &FitData, options: &FitOptions) -> Result<Source> {
        let chooses = head.uses_val() || options.chooses_head || !options.chosen_on_val.is_empty();
        match (&options.folds, &data.held_back, &data.val) {
            (Some(_), ..) => Ok(Source::Folds),
            (None, Some(_), _) => Ok(Source::HeldBack),
            (None, None, Some(_)) if !chooses => Ok(Source::Validation),
            (None, None, None) if head.head().traits().out_of_fold => Ok(Source::LeftOut),
            _ => Err(no_rows()),
        }
    }
}

fn no_rows() -> Error {
    Error::usage(
        "--conformal needs rows that the fit does not learn from and that choose nothing: cross-validate with --folds 5, or name validation rows with --val or \
         --val-share",
    )
}

/// The sets of the fitted `model` of `data` by the rows of `source`, scored on validation rows that had no part in the thresholds, if there are any.
///
/// # Errors
/// When these rows cannot be predicted, or there are none: some parameters have no closed form of out-of-fold predictions.
pub(crate) fn of_fit(
    (options, source): (ConformalOptions, Source),
    (data, fit): (&FitData, &FitOptions),
    model: &Model,
    (val_proba, left_out): (Option<&Matrix>, Option<&Matrix>),
    context: &mut Context<'_>,
) -> Result<Calibrated> {
    let held_proba = match &data.held_back {
        Some((_, held)) if source == Source::HeldBack => {
            Some(model.predict_proba(held.x.view(), context.pool)?)
        }
        _ => None,
    };
    let rows = match source {
        Source::Folds => fit.folds.as_ref().map(|folds| (folds.rows(), CalibrationRows::OutOfFold)),
        Source::LeftOut => left_out.map(|proba| (rows_of(&data.train, proba), CalibrationRows::OutOfFold)),
        Source::Validation => (data.val.as_ref().zip(val_proba))
            .map(|(val, proba)| (rows_of(val, proba), CalibrationRows::Validation)),
        Source::HeldBack => (data.held_back.as_ref().zip(held_proba.as_ref()))
            .map(|((_, held), proba)| (rows_of(held, proba), CalibrationRows::HeldBack)),
    };
    let judges = data.val.as_ref().filter(|_| source != Source::Validation).zip(val_proba);
    let judges = judges.map(|(val, proba)| rows_of(val, proba));
    calibrate(options, rows.ok_or_else(no_rows)?, judges, model.classes(), context)
}
