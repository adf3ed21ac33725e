//! What every trial of a study does: train a head with the trial's parameters on rows that all trials share.

use std::collections::BTreeMap;

use headsmith_heads::params::{Params, Value};
use headsmith_kernels::Pool;
use headsmith_study::{Choice, Outcome, Running};

use super::by_hand::{self, ByHand};
use super::{forest, mlp};
use crate::error::{Error, Result};
use crate::fit::{FitData, Scaled};
use crate::head::{HeadConfig, HeadKind};

/// The rows, the head, and what its trials have in common. Rows are scaled for each scaling that occurs, for all
/// trials together.
#[derive(Debug)]
pub(crate) struct Task<'d> {
    pub(super) seed: u64,
    /// The head with the parameters that are not searched.
    base: HeadConfig,
    scaled: BTreeMap<String, Scaled<'d>>,
    /// Trials that somebody wants ended.
    pub(super) by_hand: ByHand,
}

impl<'d> Task<'d> {
    /// Makes rows ready for trials of `base` with the `scalings` that they may choose from.
    ///
    /// # Errors
    /// When there are no validation rows.
    pub(crate) fn new(
        base: HeadConfig,
        scalings: Vec<String>,
        data: &'d FitData,
        seed: u64,
        pool: &Pool,
    ) -> Result<Task<'d>> {
        if data.val.is_none() {
            return Err(Error::usage("a study needs validation rows: its trials are judged by them"));
        }
        let kind = base.kind;
        let ready = |scaling: String| Ok((scaling.clone(), Scaled::new(&scaling, kind, data, pool)?));
        let scaled = scalings.into_iter().map(ready).collect::<Result<_>>()?;
        Ok(Task { seed, base, scaled, by_hand: ByHand::default() })
    }

    /// Runs a trial; whatever is wrong with it is said in its outcome.
    ///
    /// # Errors
    /// When the storage fails.
    pub(crate) fn run(&self, trial: &mut Running<'_>) -> headsmith_study::Result<Outcome> {
        let params = match self.params(&trial.params()) {
            Ok(params) => params,
            Err(error) => return Ok(Outcome::Failed { reason: error.to_string() }),
        };
        let scaled = params.text("scale").or(Some("none")).and_then(|scaling| self.scaled.get(scaling));
        let Some(scaled) = scaled else {
            return Ok(Outcome::Failed { reason: "its scaling is not among the study's".to_owned() });
        };
        let (train, val) = match scaled.samples() {
            Ok((train, Some(val))) => (train, val),
            Ok((_, None)) => {
                return Ok(Outcome::Failed { reason: "there are no validation rows".to_owned() });
            }
            Err(error) => return Ok(Outcome::Failed { reason: error.to_string() }),
        };
        let outcome = match self.base.kind {
            HeadKind::Mlp => mlp::run(trial, train, val, &params, self),
            HeadKind::Forest => forest::run(trial, train, val, &params, self),
        };
        outcome.map(by_hand::note)
    }

    fn params(&self, chosen: &BTreeMap<&str, Choice>) -> Result<Params> {
        with_chosen(&self.base, chosen.iter().map(|(name, choice)| (*name, choice)))
    }
}

/// The parameters of `base` with the `chosen` ones in their places.
///
/// # Errors
/// When one is unknown or out of range.
pub(crate) fn with_chosen<'c>(
    base: &HeadConfig,
    chosen: impl Iterator<Item = (&'c str, &'c Choice)>,
) -> Result<Params> {
    let base_values = base.params.iter().map(|(name, value)| (name, value.clone()));
    let given: Vec<(&str, Value)> =
        base_values.chain(chosen.filter_map(|(name, choice)| Some((name, value(choice)?)))).collect();
    Ok(base.kind.table().resolve(given)?)
}

/// A choice as a parameter's value; `None` leaves the parameter as it is.
fn value(choice: &Choice) -> Option<Value> {
    match choice {
        Choice::Null => None,
        Choice::Bool(flag) => Some(Value::Bool(*flag)),
        Choice::Int(int) => Some(Value::Int(*int)),
        Choice::Float(float) => Some(Value::Float(*float)),
        Choice::Text(text) => Some(Value::Text(text.clone())),
    }
}
