//! The members of the answer, fitted on all rows.

use headsmith_model::Node;

use super::rows::{self, VAL_SHARE};
use super::search::Candidate;
use crate::context::Context;
use crate::error::Result;
use crate::fit::{self, FitData, FitOptions};
use crate::progress::Progress;

/// `candidate` fitted on the training rows of `data`, which has no others, with what its search chose.
///
/// # Errors
/// When the fit fails.
pub(super) fn fitted(candidate: &Candidate, data: &FitData, context: &mut Context<'_>) -> Result<Node> {
    let head = candidate.chosen_head()?;
    let own = match head.uses_val() {
        true => Some(rows::train_only(data).split(VAL_SHARE, context)?),
        false => None,
    };
    let (options, metric) = (FitOptions::default(), context.metric);
    context.emit(&Progress::Fitting { head: head.name(), purpose: "all rows", metric });
    Ok(fit::train(&head, (own.as_ref().unwrap_or(data), false), &options, context)?.model.node().clone())
}
