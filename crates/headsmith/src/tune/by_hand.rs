//! Trials that a user ends by hand: the one way in which a view acts on a study. The study records it: such a trial has
//! the reason and an attribute of its own, because such a study is not reproducible.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use headsmith_study::{Outcome, Running};
use serde_json::json;

use crate::snapshot::PRUNED_BY_HAND;

/// The reason that is recorded.
const REASON: &str = "pruned by hand";

/// The trials that are to end, by number.
#[derive(Debug, Default)]
pub(super) struct ByHand {
    trials: Mutex<BTreeSet<u64>>,
}

impl ByHand {
    /// Wants a trial ended with its next report.
    pub(super) fn prune(&self, number: u64) {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }

    /// Why `trial` is to end, if it is.
    pub(super) fn reason(&self, trial: &Running<'_>) -> Option<String> {
        let trials = self.trials.lock().unwrap_or_else(PoisonError::into_inner);
        trials.contains(&trial.number()).then(|| REASON.to_owned())
    }
}

/// Notes in the attributes of a trial that was pruned by hand that it was.
pub(super) fn note(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Pruned { reason, user_attrs, mut system_attrs } if reason.as_deref() == Some(REASON) => {
            system_attrs.insert(PRUNED_BY_HAND.to_owned(), json!(true));
            Outcome::Pruned { reason, user_attrs, system_attrs }
        }
        other => other,
    }
}
