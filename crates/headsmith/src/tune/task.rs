//! The task of every trial of a study: train a head with the trial's parameters on rows that all trials share.

use std::collections::BTreeMap;

use headsmith_heads::Head;
use headsmith_heads::params::Value;
use headsmith_kernels::Pool;
use headsmith_metrics::Metric;
use headsmith_study::{Choice, Outcome, Running};

use super::by_hand::{self, ByHand};
use super::trial;
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::fit::{FitData, Scaled};
use crate::head::HeadConfig;
use crate::report::TrialRow;
use crate::rows::FitRows;
use crate::snapshot::choice;

/// The rows, the head, and what its trials have in common. Rows are scaled for each scaling that occurs, for all
/// trials together.
#[derive(Debug)]
pub(crate) struct Task<'d> {
    pub(super) seed: u64,
    /// The metric that is a trial's value.
    pub(super) metric: Metric,
    /// The head with the parameters that are not searched.
    base: HeadConfig,
    scaled: BTreeMap<String, Scaled<'d>>,
    /// Trials that a user wants to end.
    pub(super) by_hand: ByHand,
    /// Sends the trials' networks to the view.
    pub(super) watch: Watch,
}

impl<'d> Task<'d> {
    /// Makes rows ready for trials of `base` with the `scalings` that they may choose from.
    ///
    /// # Errors
    /// When there are no validation rows, and the head predicts no training row by a fit without it.
    pub(crate) fn new(
        base: HeadConfig,
        scalings: Vec<String>,
        data: &'d FitData,
        (seed, metric): (u64, Metric),
        watch: Watch,
        pool: &Pool,
    ) -> Result<Task<'d>> {
        let head = base.head();
        if data.val.is_none() && !head.traits().out_of_fold {
            return Err(Error::usage(format!(
                "a study of {} needs validation rows: its trials are judged by them",
                base.name()
            )));
        }
        let rows = FitRows::from(data);
        let ready = |scaling: String| Ok((scaling.clone(), Scaled::new(&scaling, head, &rows, pool)?));
        let scaled = scalings.into_iter().map(ready).collect::<Result<_>>()?;
        Ok(Task { seed, metric, base, scaled, by_hand: ByHand::default(), watch })
    }

    /// The head that the trials fit.
    pub(super) fn head(&self) -> &'static dyn Head {
        self.base.head()
    }

    /// Runs a trial; its outcome contains its errors.
    ///
    /// # Errors
    /// When the storage fails.
    pub(crate) fn run(&self, trial: &mut Running<'_>) -> headsmith_study::Result<Outcome> {
        let head = match self.head_with(&trial.params()) {
            Ok(head) => head,
            Err(error) => return Ok(Outcome::Failed { reason: error.to_string() }),
        };
        let params = head.params();
        let Some(scaled) = self.scaled.get(params.transform()) else {
            return Ok(Outcome::Failed { reason: "its scaling is not among the study's".to_owned() });
        };
        match scaled.samples() {
            Ok((train, val)) => trial::run(trial, (train, val), params, self).map(by_hand::note),
            Err(error) => Ok(Outcome::Failed { reason: error.to_string() }),
        }
    }

    fn head_with(&self, chosen: &BTreeMap<&str, Choice>) -> Result<HeadConfig> {
        with_chosen(&self.base, chosen.iter().map(|(name, choice)| (*name, choice)))
    }
}

/// The head `base` with the `chosen` parameters in their places.
///
/// # Errors
/// When one is unknown or out of range.
pub(crate) fn with_chosen<'c>(
    base: &HeadConfig,
    chosen: impl Iterator<Item = (&'c str, &'c Choice)>,
) -> Result<HeadConfig> {
    base.with(chosen.filter_map(|(name, choice)| Some((name, value(choice)?))))
}

/// The head `base` with the parameters of a study's best trial.
///
/// # Errors
/// When one is unknown or out of range.
pub(crate) fn with_best(base: &HeadConfig, best: &TrialRow) -> Result<HeadConfig> {
    let chosen: Vec<(&str, Choice)> =
        best.params.iter().map(|(name, value)| (name.as_str(), choice(value))).collect();
    with_chosen(base, chosen.iter().map(|(name, choice)| (*name, choice)))
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

/// The head of the final fit of a study's best trial: `base` with the trial's parameters, and no less of what trials have less
/// of ([`HeadConfig::trial`]) than the head has by default. So the fit has the same epochs as
/// the trial, and more.
///
/// # Errors
/// When the head does not know the parameters.
pub(crate) fn final_head(base: &HeadConfig, best: &TrialRow) -> Result<HeadConfig> {
    let head = with_best(base, best)?;
    let raised = base.trial().iter().filter_map(|(name, _)| {
        let Value::Int(least) = base.default_of(name)? else { return None };
        // The word `none` is no number, and longer than any.
        head.params().int(name).filter(|had| *had < least).map(|_| (*name, Value::Int(least)))
    });
    head.with(raised.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_fit_has_what_the_trials_had_where_that_was_more() {
        let best = TrialRow {
            number: 3,
            state: "complete".to_owned(),
            value: Some(0.5),
            params: [("neurons0".to_owned(), 77.into())].into(),
            epochs: 9,
            best_epoch: Some(4),
            ..TrialRow::default()
        };
        let none = || Value::Text("none".to_owned());
        for (epochs, patience, expected) in [
            (100, 20.into(), (500, Some(50))),
            (1000, 100.into(), (1000, Some(100))),
            (100, none(), (500, None)),
        ] {
            let given = [("epochs", epochs.into()), ("patience", patience)];
            let base = HeadConfig::with_preset("mlp", "classic", given);
            let head = final_head(&base.unwrap(), &best).unwrap();
            let int = |name| head.params().int(name);
            assert_eq!(
                (int("epochs"), int("patience"), int("neurons0")),
                (Some(expected.0), expected.1, Some(77))
            );
        }
        let forest = HeadConfig::new("forest", [("max_depth", 3.into())]).unwrap();
        let chosen = TrialRow { params: [("max_depth".to_owned(), 4.into())].into(), ..best };
        assert_eq!(final_head(&forest, &chosen).unwrap().params().int("max_depth"), Some(4));
    }
}
