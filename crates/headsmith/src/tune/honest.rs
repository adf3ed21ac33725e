//! How much to believe of the best of many trials: its score on the rows that chose it flatters.

use std::sync::Arc;

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::{self, Options};
use headsmith_study::{State, Trial};

use super::{TRIAL, predictions, with_best};
use crate::context::Context;
use crate::error::Result;
use crate::fit::{self, FitData, FitOptions};
use crate::head::HeadConfig;
use crate::hold_back;
use crate::report::StudyReport;
use crate::split::units;

/// Resamples of the validation rows; each looks at every trial.
const N_RESAMPLES: u32 = 2_000;

/// Puts the best trial's score into the report, with its interval and corrected for its having been chosen, when the
/// trials kept what they predicted.
///
/// # Errors
/// When the predictions are not of the validation rows.
pub(super) fn judge(
    report: &mut StudyReport,
    trials: &[Arc<Trial>],
    data: &FitData,
    context: &Context<'_>,
) -> Result<()> {
    let (Some(val), Some(best)) = (&data.val, &report.best) else { return Ok(()) };
    let n_classes = val.classes.len();
    let metric = context.metric;
    let chosen = best.value.unwrap_or(metric.worst());
    // Trials that ended early were candidates too, but for those whose best epoch beat what was chosen in the end.
    let was_candidate = |trial: &&Arc<Trial>| match trial.state {
        State::Complete => true,
        State::Pruned => !trial.intermediate.values().any(|value| metric.is_better(*value, chosen)),
        _ => false,
    };
    let mut candidates: Vec<&Arc<Trial>> = trials.iter().filter(was_candidate).collect();
    // The best trial is first: of equals, the selected one.
    candidates.sort_by_key(|trial| (trial.number != best.number, trial.number));
    let of = |trial: &&Arc<Trial>| predictions::of(&trial.system_attrs, val.y.len(), n_classes);
    let predictions: Vec<Option<Vec<u16>>> = candidates.iter().map(of).collect();
    // Without its predictions another trial's score would be corrected.
    let is_best = candidates.first().is_some_and(|trial| trial.number == best.number);
    if !is_best || predictions[0].is_none() {
        return Ok(());
    }
    let predictions: Vec<Vec<u16>> = predictions.into_iter().flatten().collect();
    // A log loss needs the probabilities, which a study does not keep.
    if predictions.len() < 2 || metric == Metric::LogLoss {
        return Ok(());
    }
    let units = units::of_rows(val, context.pool);
    let (y, units): (Vec<u32>, Vec<u32>) =
        predictions::rows(val.y.len()).map(|row| (val.y[row], units[row])).unzip();
    let options =
        Options { n_resamples: N_RESAMPLES, seed: context.seed, ..Options::default() }.of_units(&units);
    report.selection =
        Some(bootstrap::selection(&y, &predictions, n_classes, metric, &options, context.pool)?);
    Ok(())
}

/// Puts the best trial's score on the rows that were held back into the report, if any were. No trial may see these rows,
/// so the best one is trained once more: the same parameters and random numbers give the same head.
///
/// # Errors
/// When it cannot be done again.
pub(super) fn judge_held_back(
    report: &mut StudyReport,
    base: &HeadConfig,
    data: &FitData,
    context: &mut Context<'_>,
) -> Result<()> {
    let Some(best) = report.best.as_ref().filter(|_| data.held_back.is_some()) else { return Ok(()) };
    if context.stopping() {
        context.warn("the best trial was not evaluated on the held-back rows, because the study was stopped");
        return Ok(());
    }
    let head = with_best(base, best)?;
    let options = FitOptions {
        purpose: "the best trial again, for the held-back rows".to_owned(),
        chosen_on_val: vec![TRIAL],
        trial: best.number as u32,
        ..FitOptions::default()
    };
    let fitted = fit::fit(&head, data, &options, context)?;
    let (metric, again) = (context.metric, fitted.report.chosen_by());
    if again != best.value {
        context.warn(&format!(
            "the best trial's {metric} is {:?}, and {:?} when it is done again on this machine: the score on the rows \
             held back is that of the latter",
            best.value.unwrap_or(f64::NAN),
            again.unwrap_or(f64::NAN)
        ));
    }
    report.held_back = hold_back::judge(&fitted.model, data, context)?;
    Ok(())
}
