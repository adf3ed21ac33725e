//! The verdict: a simpler candidate than the answer, and what it would cost.

use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::PairedDifference;

use super::answer::{self, Answer};
use super::rows::SearchRows;
use super::search::Candidate;
use crate::context::Context;
use crate::error::Result;
use crate::judge;
use crate::report::SimplerReport;

/// Of a single candidate's file size, the answer's must be more to count as less simple.
const LARGER: f64 = 1.25;

/// The simplest candidate that is not worse than the answer beyond chance; without one, the best of the simpler ones. `None` if the answer
/// is the simplest.
///
/// # Errors
/// When the predictions cannot be compared.
pub(super) fn simpler(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    answer: &Answer,
    context: &Context<'_>,
) -> Result<Option<SimplerReport>> {
    let n_bytes: u64 = answer.members.iter().map(|&member| candidates[member].cost.n_bytes).sum();
    let is_simpler =
        |&i: &usize| answer.members != [i] && candidates[i].cost.n_bytes as f64 * LARGER < n_bytes as f64;
    let mut simpler: Vec<usize> = (0..candidates.len()).filter(is_simpler).collect();
    simpler.sort_by_key(|&i| candidates[i].cost.n_bytes);
    let mut best: Option<SimplerReport> = None;
    for candidate in simpler {
        let report = compared(rows, candidates, answer, candidate, context)?;
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

fn compared(
    rows: &SearchRows<'_>,
    candidates: &[Candidate],
    answer: &Answer,
    candidate: usize,
    context: &Context<'_>,
) -> Result<SimplerReport> {
    let alone = answer::of_one(rows, candidates, candidate, context);
    let (of_answer, of_alone) = (answer.predictions(), alone.predictions());
    let difference = judge::difference(&rows.scored().y, of_answer, of_alone, context)?;
    Ok(SimplerReport {
        candidate,
        title: candidates[candidate].report.title.clone(),
        is_as_good: !is_worse(&difference, context.metric),
        difference: Some(difference),
        is_taken: false,
    })
}

/// Whether the second of the compared is worse beyond chance.
fn is_worse(difference: &PairedDifference, metric: Metric) -> bool {
    let of_metric = difference.by_metric.get(metric);
    let is_beyond_chance = of_metric.low > 0.0 || of_metric.high < 0.0;
    is_beyond_chance && metric.is_better(of_metric.observed, 0.0)
}
