//! The search around the best candidates, after those without a study: a study of each, in the storage of the command's.

use super::super::portfolio::{Attempt, StudyKind};
use super::super::rows::{REFIT, SearchRows};
use super::Candidate;
use crate::error::Result;
use crate::tune;

/// Candidates that are searched around.
pub(super) const MOST: usize = 2;
/// The positions of these attempts, after those of the portfolio and of heads that it lacks.
const FIRST_POSITION: usize = 900;

/// The attempt around the candidate of rank `rank` by log loss, counted from 0, among those that one fit scores after a search of several steps: a head that compares all
/// its parameters in one step has nothing left to find. `None` where there is none, or no storage.
///
/// # Errors
/// When the head does not take what it chose.
pub(super) fn attempt(
    candidates: &[Candidate],
    rank: usize,
    rows: &SearchRows<'_>,
) -> Result<Option<Attempt>> {
    let has_storage = rows.tuned.as_ref().is_some_and(|tuned| tuned.config.study.is_some());
    let is_searched = |candidate: &&Candidate| {
        candidate.is_closed_form && candidate.report.n_steps > 1 && candidate.position < FIRST_POSITION
    };
    let mut best: Vec<&Candidate> = candidates.iter().filter(is_searched).collect();
    best.sort_by(|a, b| a.report.log_loss.total_cmp(&b.report.log_loss));
    let Some(winner) = best.get(rank).filter(|_| has_storage) else { return Ok(None) };
    let head = winner.chosen_head()?;
    let fit = winner.refit.div_f64(REFIT);
    Ok(tune::has_neighbours(&head).then(|| Attempt {
        position: FIRST_POSITION + winner.position,
        head,
        like: None,
        reduced: None,
        study: Some(StudyKind::Around(fit)),
    }))
}
