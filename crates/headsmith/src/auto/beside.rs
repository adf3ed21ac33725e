//! The answer beside single candidates, on the rows that scored both.

use std::collections::BTreeMap;

use headsmith_metrics::bootstrap::PairedDifference;

use super::answer::{self, Answer};
use super::rows::SearchRows;
use super::search::Candidate;
use crate::context::Context;
use crate::error::Result;
use crate::judge::{self, LabelledRows};

/// An answer, and its differences from candidates that were compared with it.
pub(super) struct Beside<'s, 'd> {
    pub(super) rows: &'s SearchRows<'d>,
    pub(super) candidates: &'s [Candidate],
    pub(super) answer: Answer,
    differences: BTreeMap<usize, PairedDifference>,
}

impl<'s, 'd> Beside<'s, 'd> {
    pub(super) fn new(
        rows: &'s SearchRows<'d>,
        candidates: &'s [Candidate],
        answer: Answer,
    ) -> Beside<'s, 'd> {
        Beside { rows, candidates, answer, differences: BTreeMap::new() }
    }

    /// The scores of the answer less those of candidate `other` by itself; computed once.
    ///
    /// # Errors
    /// When the predictions cannot be compared.
    pub(super) fn difference(&mut self, other: usize, context: &Context<'_>) -> Result<PairedDifference> {
        if let Some(known) = self.differences.get(&other) {
            return Ok(*known);
        }
        let alone = answer::of_one(self.candidates, other, context);
        let (of_answer, of_alone) = (self.answer.predictions(), alone.predictions());
        let scored = LabelledRows::of(self.rows.scored(), self.rows.scored_units());
        let difference = judge::difference(scored, of_answer, of_alone, context)?;
        self.differences.insert(other, difference);
        Ok(difference)
    }
}
