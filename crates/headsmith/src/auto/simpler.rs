//! The verdict: a simpler candidate than the answer, and what it would cost.

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::PairedDifference;

use super::beside::Beside;
use super::cost;
use crate::context::Context;
use crate::error::Result;
use crate::report::SimplerReport;

/// Of a single candidate's file size, the answer's must be more to count as less simple.
const LARGER: f64 = 1.25;

/// The simplest candidate that is not worse than the answer beyond chance; without one, the best of the simpler ones. `None` if the answer
/// is the simplest.
///
/// # Errors
/// When the predictions cannot be compared.
pub(super) fn simpler(beside: &mut Beside<'_, '_>, context: &Context<'_>) -> Result<Option<SimplerReport>> {
    let (candidates, members) = (beside.candidates, &beside.answer.members);
    let n_bytes = cost::of_members(candidates, members).n_bytes;
    let is_simpler =
        |&i: &usize| *members != [i] && candidates[i].cost.n_bytes as f64 * LARGER < n_bytes as f64;
    let mut simpler: Vec<usize> = (0..candidates.len()).filter(is_simpler).collect();
    simpler.sort_by_key(|&i| candidates[i].cost.n_bytes);
    let mut best: Option<SimplerReport> = None;
    for candidate in simpler {
        let report = compared(beside, candidate, context)?;
        if report.is_as_good {
            return Ok(Some(report));
        }
        let score = |report: &SimplerReport| candidates[report.candidate].report.log_loss;
        best = match best {
            Some(best) if score(&best) <= score(&report) => Some(best),
            _ => Some(report),
        };
    }
    Ok(best)
}

fn compared(beside: &mut Beside<'_, '_>, candidate: usize, context: &Context<'_>) -> Result<SimplerReport> {
    let difference = beside.difference(candidate, context)?;
    Ok(SimplerReport {
        candidate,
        title: beside.candidates[candidate].report.title.clone(),
        is_as_good: !is_worse(&difference, context.metric),
        difference: Some(difference),
        is_taken: false,
    })
}

/// Whether the second of the compared is significantly worse.
fn is_worse(difference: &PairedDifference, metric: Metric) -> bool {
    let of_metric = difference.by_metric.get(metric);
    let is_beyond_chance = of_metric.low > 0.0 || of_metric.high < 0.0;
    is_beyond_chance && metric.is_better(of_metric.observed, 0.0)
}
