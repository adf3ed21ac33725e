//! How much to believe of the best of many trials: its score on the rows that chose it flatters.

use std::sync::Arc;

use headsmith_metrics::bootstrap::{self, Options};
use headsmith_study::{State, Trial};

use super::{StudyReport, predictions};
use crate::context::Context;
use crate::error::Result;
use crate::fit::FitData;

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
    let chosen = best.value.unwrap_or(f64::NEG_INFINITY);
    // Trials that ended early were candidates too, but for those whose best epoch beat what was chosen in the end.
    let was_candidate = |trial: &&Arc<Trial>| match trial.state {
        State::Complete => true,
        State::Pruned => trial.intermediate.values().all(|value| *value <= chosen),
        _ => false,
    };
    let mut candidates: Vec<&Arc<Trial>> = trials.iter().filter(was_candidate).collect();
    // The best stands first: of equals, it is the one that was chosen.
    candidates.sort_by_key(|trial| (trial.number != best.number, trial.number));
    let predictions: Vec<Vec<u16>> = candidates
        .iter()
        .filter_map(|trial| predictions::of(&trial.system_attrs, val.y.len(), n_classes))
        .collect();
    if predictions.len() < 2 {
        return Ok(());
    }
    let y: Vec<u32> = predictions::rows(val.y.len()).map(|row| val.y[row]).collect();
    let options = Options { n_resamples: N_RESAMPLES, seed: context.seed, ..Options::default() };
    report.selection = Some(bootstrap::selection(&y, &predictions, n_classes, &options, context.pool)?);
    Ok(())
}
