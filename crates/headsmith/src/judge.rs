//! Evaluation: scores with their intervals, and the earlier uses of the rows.

use headsmith_data::Dataset;
use headsmith_kernels::{MatRef, Matrix};
use headsmith_metrics::bootstrap::{Intervals, PairedDifference};
use headsmith_metrics::{Predictions, bootstrap, conformal};
use headsmith_model::Model;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::evidence::{self, RowSource};
use crate::predict::refuse_overflow;
use crate::report::{ClassProbability, Comparison, Example, FitReport, FoldsReport, Judgement, MANY_CLASSES};
use crate::split::units;

/// An evaluation with the probabilities that it is based on.
#[derive(Debug)]
pub struct Judged {
    /// Scores and intervals.
    pub judgement: Judgement,
    /// The probabilities, `n_samples x n_classes`.
    pub proba: Matrix,
    /// The class of each row by the model's decision; without one, the most probable.
    pub decided: Vec<u32>,
}

impl Judged {
    /// The probabilities with the decided classes.
    pub fn predictions(&self) -> Predictions<'_> {
        Predictions::decided(self.proba.view(), &self.decided)
    }
}

/// The predictions of a cross-validation, and its report.
#[derive(Debug, Clone)]
pub struct CrossValidated {
    /// Its report.
    pub report: FoldsReport,
    /// The probabilities of each row by the head that did not see it, `n_samples x n_classes`.
    pub proba: Matrix,
    /// The class of each row by the decision of that head; without one, the most probable.
    pub decided: Vec<u32>,
    /// The fold of each row, from 1.
    pub fold_of: Vec<u32>,
    /// The class of each row.
    pub y: Vec<u32>,
    /// The weight of each row, if the table has weights.
    pub weights: Option<Vec<f32>>,
    /// The group of each row, where a column groups them.
    pub groups: Option<Vec<u32>>,
}

impl CrossValidated {
    /// The probabilities with the decided classes.
    pub fn predictions(&self) -> Predictions<'_> {
        Predictions::decided(self.proba.view(), &self.decided)
    }

    /// The rows with their probabilities, to calibrate prediction sets.
    pub(crate) fn rows(&self) -> conformal::Rows<'_> {
        let rows = conformal::Rows::new(self.proba.view(), &self.y);
        rows.weighted(self.weights.as_deref()).grouped(self.groups.as_deref())
    }
}

/// Rows whose classes are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LabelledRows<'r> {
    pub(crate) classes: &'r [String],
    pub(crate) y: &'r [u32],
    /// The unit of each row, numbered from 0: rows of one are right and wrong together. Intervals alone need them.
    pub(crate) units: &'r [u32],
}

impl<'r> LabelledRows<'r> {
    /// The rows of `data`, which are of these units.
    pub(crate) fn of(data: &'r Dataset, units: &'r [u32]) -> LabelledRows<'r> {
        LabelledRows { classes: data.classes.names(), y: &data.y, units }
    }
}

/// The use of the training rows.
pub(crate) const WEIGHTS: &str = "weights";

/// How many rows may be drawn for an interval: 10,000 resamples of 20,000 rows, a second or two.
const MAX_DRAWS: u64 = 200_000_000;

/// The same for a comparison within a search, of which there are several.
const MAX_DRAWS_OF_FEW: u64 = 80_000_000;

/// How many rows are shown with their probabilities, as the notebook did.
const N_EXAMPLES: usize = 10;

/// How many of many classes a row is shown with.
const N_TOP: usize = 5;

/// Scores `model` on `rows`, which had been used for `used_for` before.
///
/// # Errors
/// When the rows have another width than the model, or the model gives something that is no distribution.
pub fn judge(model: &Model, rows: &Dataset, used_for: Vec<String>, context: &Context<'_>) -> Result<Judged> {
    let (proba, decided) = model.predict_decided(rows.x.view(), context.pool)?;
    refuse_overflow(&proba, 0)?;
    let predictions = Predictions::decided(proba.view(), &decided);
    // Hashes of all rows are only worth their time where something is drawn.
    let units = if has_intervals(&used_for) { units::of_rows(rows, context.pool) } else { Vec::new() };
    let judgement = of_proba(LabelledRows::of(rows, &units), predictions, used_for, context)?;
    Ok(Judged { judgement, proba, decided })
}

/// Scores the predictions (`n_samples x n_classes`: probabilities, with decided classes or without) of `rows`, which had been
/// used for `used_for` before.
///
/// # Errors
/// When they are not of as many rows, or are no distributions.
pub(crate) fn of_proba<'p>(
    LabelledRows { classes, y, units }: LabelledRows<'_>,
    predictions: impl Into<Predictions<'p>>,
    used_for: Vec<String>,
    context: &Context<'_>,
) -> Result<Judgement> {
    let predictions = predictions.into();
    let scores = headsmith_metrics::score(y, predictions)?;
    let intervals = match has_intervals(&used_for) {
        false => None,
        true => {
            let options = resampling(y.len(), context.seed).of_units(units);
            Some(bootstrap::intervals(y, predictions, &options, context.pool)?)
        }
    };
    Ok(Judgement::new(classes.to_vec(), scores, intervals, used_for))
}

/// The same of predictions each of which is of a fit without the row's unit: their intervals are wider.
///
/// # Errors
/// As [`of_proba`].
pub(crate) fn of_refits<'p>(
    rows: LabelledRows<'_>,
    predictions: impl Into<Predictions<'p>>,
    used_for: Vec<String>,
    context: &Context<'_>,
) -> Result<Judgement> {
    let predictions = predictions.into();
    let judgement = of_proba(rows, predictions, used_for, context)?;
    let widen = |intervals: Intervals| {
        let effective = bootstrap::EffectiveRows::of(rows.y, predictions, rows.units);
        intervals.of_refits(&judgement.scores, effective)
    };
    let intervals = judgement.intervals.map(widen);
    Ok(Judgement { intervals, ..judgement })
}

/// Whether scores of rows with these earlier uses have intervals: those of rows that the weights were fitted on say nothing of new rows.
pub(crate) fn has_intervals(used_for: &[String]) -> bool {
    !used_for.iter().any(|what| what == WEIGHTS)
}

/// 10,000 resamples; fewer, but no less than 1,000, where the rows are so many that they would take minutes.
fn resampling(n_samples: usize, seed: u64) -> bootstrap::Options<'static> {
    resampled(n_samples, MAX_DRAWS, (1_000, 10_000), seed)
}

/// How many rows are drawn for the scores of so many rows, with their intervals for each class.
pub(crate) fn n_draws(n_samples: usize) -> u64 {
    let n = n_samples as u64;
    n * u64::from(resampling(n_samples, 0).n_resamples) + n * u64::from(evidence::n_resamples(n_samples))
}

/// The same for the difference of two predictions.
pub(crate) fn n_draws_of_difference(n_samples: usize) -> u64 {
    n_samples as u64 * u64::from(resampling_of_few(n_samples, 0).n_resamples)
}

/// Resamples for a comparison within a search, of which there are several: 2,000, or no less than 400.
fn resampling_of_few(n_samples: usize, seed: u64) -> bootstrap::Options<'static> {
    resampled(n_samples, MAX_DRAWS_OF_FEW, (400, 2_000), seed)
}

/// From the fewest to the most resamples, as many as so many draws of rows allow.
fn resampled(
    n_samples: usize,
    draws: u64,
    (fewest, most): (u64, u64),
    seed: u64,
) -> bootstrap::Options<'static> {
    let n_resamples = (draws / n_samples.max(1) as u64).clamp(fewest, most) as u32;
    bootstrap::Options { n_resamples, seed, ..Default::default() }
}

/// The first rows' labels beside their probabilities.
pub(crate) fn examples(rows: &Dataset, proba: MatRef<'_>, places: &RowSource) -> Vec<Example> {
    let names = rows.classes.names();
    let many = names.len() > MANY_CLASSES;
    let example = |i: usize| Example {
        place: places.of(i),
        label: names[rows.y[i] as usize].clone(),
        probabilities: if many { Vec::new() } else { proba.row(i).to_vec() },
        top: if many { top(names, proba.row(i)) } else { Vec::new() },
        label_probability: many.then(|| proba.row(i)[rows.y[i] as usize]),
    };
    (0..N_EXAMPLES.min(rows.y.len())).map(example).collect()
}

/// The most probable classes, of equals the earlier first.
fn top(names: &[String], proba: &[f32]) -> Vec<ClassProbability> {
    let mut classes: Vec<usize> = (0..names.len()).collect();
    classes.sort_by(|&a, &b| proba[b].total_cmp(&proba[a]));
    let one = |&class: &usize| ClassProbability { class: names[class].clone(), probability: proba[class] };
    classes.iter().take(N_TOP).map(one).collect()
}

/// The scores of the predictions `a` less those of `b`, both of the same rows, in fewer resamples than other comparisons: a search
/// compares several models.
///
/// # Errors
/// When the predictions are not of these rows.
pub(crate) fn difference(
    LabelledRows { y, units, .. }: LabelledRows<'_>,
    a: Predictions<'_>,
    b: Predictions<'_>,
    context: &Context<'_>,
) -> Result<PairedDifference> {
    let options = resampling_of_few(y.len(), context.seed).of_units(units);
    Ok(bootstrap::paired_difference(y, a, b, &options, context.pool)?)
}

/// Compares two heads, the first being the baseline, on the validation rows.
///
/// # Errors
/// When the predictions are not of the same rows.
pub(crate) fn compare(
    rows: &Dataset,
    (baseline, of_baseline): (&FitReport, Predictions<'_>),
    (candidate, of_candidate): (&FitReport, Predictions<'_>),
    context: &Context<'_>,
) -> Result<Comparison> {
    let units = units::of_rows(rows, context.pool);
    let options = resampling(rows.y.len(), context.seed).of_units(&units);
    let difference =
        bootstrap::paired_difference(&rows.y, of_candidate, of_baseline, &options, context.pool)?;
    let caution = candidate.val.as_ref().and_then(Judgement::caution);
    Ok(Comparison {
        metric: context.metric,
        baseline: baseline.head.clone(),
        candidate: candidate.head.clone(),
        difference,
        note: caution.unwrap_or_default(),
    })
}

/// The few scores that a model file remembers.
pub(crate) fn brief(report: &FitReport) -> Value {
    let brief = |judgement: &Judgement| {
        let scores = &judgement.scores;
        let mut brief = json!({
            "weighted_f1": scores.weighted_f1,
            "accuracy": scores.accuracy,
            "log_loss": scores.log_loss,
            "caution": judgement.caution(),
        });
        brief[report.metric.name()] = json!(report.metric.of(scores));
        brief
    };
    let mut metrics = serde_json::Map::new();
    for (name, judged) in [("train", &report.train), ("val", &report.val)] {
        if let Some(judged) = judged {
            metrics.insert(name.to_owned(), brief(judged));
        }
    }
    if let Some(judgement) = &report.out_of_fold {
        metrics.insert("out_of_fold".to_owned(), brief(judgement));
    }
    if let Some(folds) = &report.folds {
        metrics.insert("folds".to_owned(), brief(&folds.out_of_fold));
    }
    Value::Object(metrics)
}

impl From<headsmith_metrics::Error> for Error {
    fn from(error: headsmith_metrics::Error) -> Error {
        Error::data(error.to_string())
    }
}
