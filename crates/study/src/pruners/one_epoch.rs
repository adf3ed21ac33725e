//! "Train all one epoch, keep the best": the cheap baseline that every pruner has to beat (Egelé, Guyon, Vishwanath
//! and Balaprakash, "Is one epoch all you need for multi-fidelity hyperparameter optimization?", 2023,
//! arXiv:2307.15422).
//!
//! There all candidates are trained for one epoch and the best tenth to the end. The number of trials of a study is not
//! known in advance, so here each trial is judged at its `epochs`-th report. It continues if it is within the best
//!
//! ```text
//! max(1, floor(n / keep))        n: trials that have reported as often, this one included
//! ```
//!
//! by its best value so far, and then runs to its end. A trial with only NaN values is pruned.

use super::steps::{best, better, require};
use super::{Peers, Pruner, Verdict};
use crate::error::Result;
use crate::trial::Trial;

/// Judges each trial once, after its first epochs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneEpoch {
    epochs: usize,
    keep: usize,
}

impl OneEpoch {
    /// Judges at the `epochs`-th report; about one trial in `keep` continues.
    ///
    /// # Errors
    /// If a number is 0.
    pub fn new(epochs: usize, keep: usize) -> Result<OneEpoch> {
        require(epochs >= 1, "epochs", epochs, "1 or more")?;
        require(keep >= 1, "keep", keep, "1 or more")?;
        Ok(OneEpoch { epochs, keep })
    }
}

impl Pruner for OneEpoch {
    fn judge(&self, peers: Peers<'_>, trial: &Trial) -> Verdict {
        if trial.intermediate.len() != self.epochs {
            return Verdict::keep_running();
        }
        let early = |t: &Trial| best(peers.direction, t.intermediate.values().copied().take(self.epochs));
        let own = early(trial);
        if own.is_nan() {
            return Verdict::of(true);
        }
        let (mut n, mut n_better) = (1, 0);
        for peer in peers.trials.iter().filter(|t| t.intermediate.len() >= self.epochs) {
            n += 1;
            n_better += usize::from(better(peers.direction, early(peer), own));
        }
        Verdict::of(n_better >= (n / self.keep).max(1))
    }
}
