//! The head that studies of runs and searches tune.

use std::path::Path;

use headsmith_heads::params::Value;

use super::{RECIPE, RunHead};
use crate::error::Result;
use crate::folder::STUDY;
use crate::head::HeadConfig;
use crate::tune::StudyConfig;

/// The parameter that limits the epochs of a head that has them.
const EPOCHS: &str = "epochs";
/// Epochs of a trial at most: most heads are at their best by then.
const TRIAL_EPOCHS: i64 = 50;

/// The trials of a study within a run or a search, unless another number is asked for.
pub const N_TRIALS: u64 = 24;

/// The head of the trials of a run: its epochs are the final fit's, which early stopping ends; a trial needs no more than a trial has.
///
/// # Errors
/// When it does not take so many.
pub fn of_trials(head: HeadConfig) -> Result<HeadConfig> {
    match head.params().int(EPOCHS) {
        None => Ok(head),
        Some(epochs) => head.with([(EPOCHS, epochs.min(TRIAL_EPOCHS).into())]),
    }
}

impl RunHead {
    /// The head that a study tunes within a search, with its study in the output folder `out`: of `n_trials` at most, `n_jobs` at once.
    ///
    /// # Errors
    /// When there is no such head.
    pub fn tuned_in_search(out: &Path, n_jobs: usize, n_trials: Option<u64>) -> Result<RunHead> {
        let head = HeadConfig::new(RECIPE[1], std::iter::empty::<(&str, Value)>())?;
        let trial = head.trial().iter().map(|(name, value)| (*name, value.value()));
        let of_trials = of_trials(head.with(trial)?)?;
        let storage = out.join(STUDY).display().to_string();
        let study = StudyConfig { n_trials, n_jobs, ..StudyConfig::new(of_trials, storage) };
        Ok(RunHead { head, study: Some(study) })
    }
}
