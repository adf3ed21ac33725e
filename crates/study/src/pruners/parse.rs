//! Parses pruners from command-line text: a name, and options after a colon.
//!
//! ```text
//! median
//! median:n_startup_trials=10,n_warmup_steps=4
//! patient-hyperband:patience=5,max_resource=50
//! ```
//!
//! | name | options and their defaults |
//! |---|---|
//! | `none` | |
//! | `median` | `n_startup_trials=5`, `n_warmup_steps=0`, `interval_steps=1`, `n_min_trials=1` |
//! | `percentile` | `percentile=25`, and those of `median` |
//! | `threshold` | `lower`, `upper` (one is needed), `n_warmup_steps=0`, `interval_steps=1` |
//! | `wilcoxon` | `p_threshold=0.1`, `n_startup_steps=2` |
//! | `halving` | `min_resource=1` (or `auto`), `reduction_factor=4`, `min_early_stopping_rate=0`, `bootstrap_count=0`, `faithful=false` |
//! | `hyperband` | `min_resource=1`, `max_resource` (the trial's epochs, or `auto`), `reduction_factor=3`, `bootstrap_count=0`, `faithful=false` |
//! | `asha` | `min_resource=1`, `reduction_factor=3`, `first_step=0` |
//! | `one-epoch` | `epochs=1`, `keep=10` |
//! | `patient` | early stopping: `patience=10`, `min_delta=0`, `faithful=false` |
//! | `patient-`any of these | `patience=10`, `min_delta=0`, `faithful`, and those of the other |
//!
//! `patient-hyperband` behaves as in Optuna: `faithful` is `true` by default. `faithful` applies to both parts.

use std::fmt::Display;
use std::str::FromStr;

use super::{
    Asha, Hyperband, Nop, OneEpoch, Patient, Percentile, Pruner, SuccessiveHalving, Threshold, Wilcoxon,
};
use super::{halving, hyperband, percentile};
use crate::error::{Error, Kind, Result};
use crate::nearest::did_you_mean;

/// The names of the pruners; each may have the prefix `patient-`.
pub const NAMES: [&str; 10] = [
    "none",
    "median",
    "percentile",
    "threshold",
    "wilcoxon",
    "halving",
    "hyperband",
    "asha",
    "one-epoch",
    "patient",
];

/// The pruner that `text` describes, for trials of `epochs` steps where that is known.
///
/// # Errors
/// An unknown pruner or option, or an invalid value; the message names it.
pub fn parse(text: &str, epochs: Option<i64>) -> Result<Box<dyn Pruner>> {
    let mut options = Options::of(text)?;
    let pruner = make(&mut options, epochs).map_err(|e| options.error(&e.to_string()))?;
    options.finish()?;
    Ok(pruner)
}

fn make(options: &mut Options<'_>, epochs: Option<i64>) -> Result<Box<dyn Pruner>> {
    let name = options.name;
    let Some(inner) = name.strip_prefix("patient") else { return plain(name, options, epochs, false) };
    let faithful = options.take("faithful", name == "patient-hyperband", "true or false")?;
    let wrapped = match inner.strip_prefix('-') {
        Some(inner) => Some(plain(inner, options, epochs, faithful)?),
        None if inner.is_empty() => None,
        None => return Err(unknown(name)),
    };
    let patience = options.take("patience", 10, WHOLE)?;
    Ok(Box::new(Patient::new(wrapped, patience, options.take("min_delta", 0.0, NUMBER)?, faithful)?))
}

fn plain(
    name: &str,
    options: &mut Options<'_>,
    epochs: Option<i64>,
    faithful: bool,
) -> Result<Box<dyn Pruner>> {
    Ok(match name {
        "none" => Box::new(Nop),
        "median" => Box::new(median(options, 50.0)?),
        "percentile" => {
            let percentile = options.take("percentile", 25.0, NUMBER)?;
            Box::new(median(options, percentile)?)
        }
        "threshold" => Box::new(Threshold::new(
            options.take("lower", f64::NEG_INFINITY, NUMBER)?,
            options.take("upper", f64::INFINITY, NUMBER)?,
            options.take("n_warmup_steps", 0, WHOLE)?,
            options.take("interval_steps", 1, WHOLE)?,
        )?),
        "wilcoxon" => Box::new(Wilcoxon::new(
            options.take("p_threshold", 0.1, NUMBER)?,
            options.take("n_startup_steps", 2, WHOLE)?,
        )?),
        "halving" => Box::new(SuccessiveHalving::new(halving::Options {
            min_resource: options.take_auto("min_resource", Some(1))?,
            reduction_factor: options.take("reduction_factor", 4, WHOLE)?,
            min_early_stopping_rate: options.take("min_early_stopping_rate", 0, WHOLE)?,
            bootstrap_count: options.take("bootstrap_count", 0, WHOLE)?,
            faithful: options.take("faithful", faithful, "true or false")?,
        })?),
        "hyperband" => Box::new(Hyperband::new(hyperband::Options {
            min_resource: options.take("min_resource", 1, WHOLE)?,
            max_resource: options.take_auto("max_resource", epochs)?,
            reduction_factor: options.take("reduction_factor", 3, WHOLE)?,
            bootstrap_count: options.take("bootstrap_count", 0, WHOLE)?,
            faithful: options.take("faithful", faithful, "true or false")?,
        })?),
        "asha" => Box::new(Asha::new(
            options.take("min_resource", 1, WHOLE)?,
            options.take("reduction_factor", 3, WHOLE)?,
            options.take("first_step", 0, WHOLE)?,
        )?),
        "one-epoch" => {
            Box::new(OneEpoch::new(options.take("epochs", 1, WHOLE)?, options.take("keep", 10, WHOLE)?)?)
        }
        _ => return Err(unknown(options.name)),
    })
}

fn median(options: &mut Options<'_>, percentile: f64) -> Result<Percentile> {
    Percentile::new(percentile::Options {
        percentile,
        n_startup_trials: options.take("n_startup_trials", 5, WHOLE)?,
        n_warmup_steps: options.take("n_warmup_steps", 0, WHOLE)?,
        interval_steps: options.take("interval_steps", 1, WHOLE)?,
        n_min_trials: options.take("n_min_trials", 1, WHOLE)?,
    })
}

fn unknown(name: &str) -> Error {
    let known = NAMES.iter().flat_map(|n| [n.to_string(), format!("patient-{n}")]).collect::<Vec<_>>();
    let known = did_you_mean(name, known.iter().map(String::as_str));
    let message = format!(
        "there is no such pruner{known}; there are {}, and `patient-` before any of them",
        NAMES.join(", ")
    );
    Error::new(Kind::Configuration, message)
}

const WHOLE: &str = "a whole number";
const NUMBER: &str = "a number";

/// The options in a text. Each is removed when it is read, and the rest is unknown.
struct Options<'t> {
    text: &'t str,
    name: &'t str,
    given: Vec<(&'t str, &'t str)>,
    asked: Vec<&'static str>,
}

impl<'t> Options<'t> {
    fn of(text: &'t str) -> Result<Options<'t>> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let mut options = Options { text, name: name.trim(), given: Vec::new(), asked: Vec::new() };
        for pair in rest.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(options.error(&format!("`{pair}` is not an option; an option is `name=value`")));
            };
            let key = key.trim();
            if options.given.iter().any(|(name, _)| *name == key) {
                return Err(options.error(&format!("{key} is given twice")));
            }
            options.given.push((key, value.trim()));
        }
        Ok(options)
    }

    fn take<T: FromStr>(&mut self, key: &'static str, otherwise: T, expected: &str) -> Result<T> {
        self.read(key, otherwise, expected, |value| value.parse().ok())
    }

    /// A whole number, or `auto` for `None`.
    fn take_auto(&mut self, key: &'static str, otherwise: Option<i64>) -> Result<Option<i64>> {
        let read = |value: &str| if value == "auto" { Some(None) } else { value.parse().ok().map(Some) };
        self.read(key, otherwise, "a whole number or `auto`", read)
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        otherwise: T,
        expected: impl Display,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let Some(at) = self.given.iter().position(|(name, _)| *name == key) else { return Ok(otherwise) };
        let (_, value) = self.given.remove(at);
        let wrong = || Error::new(Kind::Configuration, format!("{key} is `{value}`, expected {expected}"));
        read(value).ok_or_else(wrong)
    }

    fn finish(&self) -> Result<()> {
        let Some((key, _)) = self.given.first() else { return Ok(()) };
        let near = did_you_mean(key, self.asked.iter().copied());
        let known = match self.asked.is_empty() {
            true => "it has none".to_owned(),
            false => format!("there are {}", self.asked.join(", ")),
        };
        Err(self.error(&format!("{key} is not an option of {}{near}; {known}", self.name)))
    }

    fn error(&self, what: &str) -> Error {
        Error::new(Kind::Configuration, format!("pruner `{}`: {what}", self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text, Some(100)).unwrap_err().to_string()
    }

    #[test]
    fn every_name_is_a_pruner_and_may_be_patient() {
        for name in NAMES {
            let options = if name == "threshold" { ":upper=1" } else { "" };
            parse(&format!("{name}{options}"), None).unwrap();
            if name != "patient" {
                parse(&format!("patient-{name}{options}"), None).unwrap();
            }
        }
    }

    #[test]
    fn options_are_read() {
        let shown = |text| format!("{:?}", parse(text, Some(100)).unwrap());
        let median = shown("median: n_startup_trials = 7, n_warmup_steps=2");
        assert!(median.contains("n_startup_trials: 7") && median.contains("n_warmup_steps: 2"), "{median}");
        assert!(shown("hyperband").contains("max_resource: Some(100)"));
        assert!(shown("hyperband:max_resource=auto").contains("max_resource: None"));
        let patient = shown("patient-hyperband");
        assert!(patient.contains("AtCall") && patient.contains("faithful: true"), "{patient}");
        let patient = shown("patient-hyperband:faithful=false,patience=3");
        assert!(patient.contains("Curve") && patient.contains("patience: 3"), "{patient}");
    }

    #[test]
    fn errors_name_the_option() {
        assert_eq!(
            message("medain"),
            "pruner `medain`: there is no such pruner; did you mean `median`?; there are none, median, percentile, \
             threshold, wilcoxon, halving, hyperband, asha, one-epoch, patient, and `patient-` before any of them"
        );
        assert!(message("patient-hyperbrand").contains("did you mean `patient-hyperband`?"));
        assert!(message("patience").contains("there is no such pruner"));
        assert_eq!(
            message("median:n_startup=3"),
            "pruner `median:n_startup=3`: n_startup is not an option of median; did you mean `n_startup_trials`?; there \
             are n_startup_trials, n_warmup_steps, interval_steps, n_min_trials"
        );
        assert_eq!(
            message("asha:reduction_factor=x"),
            "pruner `asha:reduction_factor=x`: reduction_factor is `x`, expected a whole number"
        );
        assert_eq!(
            message("halving:reduction_factor=1"),
            "pruner `halving:reduction_factor=1`: reduction_factor is 1, expected 2 or more"
        );
        assert_eq!(message("none:x=1"), "pruner `none:x=1`: x is not an option of none; it has none");
        assert_eq!(message("asha:x"), "pruner `asha:x`: `x` is not an option; an option is `name=value`");
        assert!(
            message("threshold").contains("threshold is without bounds, expected `lower`, `upper` or both")
        );
        assert!(message("median:n_min_trials=2,n_min_trials=3").contains("given twice"));
        assert!(message("halving:min_resource=auto,bootstrap_count=2").contains("bootstrap_count needs"));
        assert!(message("hyperband:min_resource=200").contains("max_resource is 100, expected at least"));
        assert!(message("patient:min_delta=nan").contains("min_delta is NaN, expected 0 or more"));
        assert!(message("").contains("there is no such pruner"));
    }
}
