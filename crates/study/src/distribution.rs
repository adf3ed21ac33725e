//! The values that a parameter may have.

mod decimal;
mod json;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// The values of one parameter, as in Optuna's distributions of the same names.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Floats in `low ..= high`; with a `step`, only `low`, `low + step` and so on.
    Float {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// Whether to draw evenly on a logarithmic scale; not together with a step.
        log: bool,
        /// The distance between neighbouring values.
        step: Option<f64>,
    },
    /// Integers in `low ..= high`, `step` apart.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
        /// Whether to draw evenly on a logarithmic scale; only with a step of 1.
        log: bool,
        /// The distance between neighbouring values, at least 1.
        step: i64,
    },
    /// One of a list of choices. The internal value is the choice's index.
    Categorical {
        /// The choices, at least one.
        choices: Vec<Choice>,
    },
}

/// A choice, or the value of any parameter as the user sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// Python's `None`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string.
    Text(String),
}

/// Storages keep values as floats, which represent every integer up to this one: 2^53.
const EXACT: u64 = 1 << 53;

impl Choice {
    /// Whether Python's `==` holds, or both are NaN: `1`, `1.0` and `True` are the same.
    pub fn same(&self, other: &Choice) -> bool {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a == b || (a.is_nan() && b.is_nan()),
            _ => self == other,
        }
    }

    /// The value as a number, if it is one in Python.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Choice::Bool(yes) => Some(f64::from(u8::from(yes))),
            Choice::Int(n) => Some(n as f64),
            Choice::Float(x) => Some(x),
            Choice::Null | Choice::Text(_) => None,
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Null => f.write_str("none"),
            Choice::Bool(yes) => write!(f, "{yes}"),
            Choice::Int(n) => write!(f, "{n}"),
            Choice::Float(x) => write!(f, "{x:?}"),
            Choice::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = |log: bool| if log { ", log" } else { "" };
        match self {
            Distribution::Float { low, high, log: l, step } => {
                write!(f, "float {low:?} to {high:?}{}", log(*l))?;
                step.map_or(Ok(()), |step| write!(f, ", step {step:?}"))
            }
            Distribution::Int { low, high, log: l, step } => {
                write!(f, "int {low} to {high}{}", log(*l))?;
                if *step == 1 { Ok(()) } else { write!(f, ", step {step}") }
            }
            Distribution::Categorical { choices } => {
                let choices: Vec<String> = choices.iter().map(Choice::to_string).collect();
                write!(f, "one of {}", choices.join(", "))
            }
        }
    }
}

impl Distribution {
    /// Checks the distribution of the parameter `name`, and lowers `high` to the last value that the step reaches,
    /// as Optuna does.
    ///
    /// # Errors
    /// An invalid distribution; the message names the parameter, the fault and the fix.
    pub fn checked(mut self, name: &str) -> Result<Distribution> {
        match &mut self {
            Distribution::Float { low, high, log, step } => {
                check_float(*low, *high, *log, *step).map_err(|wrong| refused(name, &wrong))?;
                if let Some(step) = *step {
                    *high = decimal::last_of_grid(*low, *high, step).0;
                }
            }
            Distribution::Int { low, high, log, step } => {
                check_int(*low, *high, *log, *step).map_err(|wrong| refused(name, &wrong))?;
                *high -= (*high - *low) % *step;
            }
            Distribution::Categorical { choices } if choices.is_empty() => {
                return Err(refused(name, "there are no choices; give at least one"));
            }
            Distribution::Categorical { .. } => {}
        }
        Ok(self)
    }

    /// Whether the internal `value` is one of the values.
    pub fn contains(&self, value: f64) -> bool {
        match *self {
            Distribution::Float { low, high, step, .. } => {
                let on_grid = step.is_none_or(|step| {
                    let k = (value - low) / step;
                    (k - k.round()).abs() < 1e-8
                });
                low <= value && value <= high && on_grid
            }
            Distribution::Int { low, high, step, .. } => {
                let (low, high) = (low as f64, high as f64);
                low <= value && value <= high && (value - low) % step as f64 == 0.0
            }
            Distribution::Categorical { ref choices } => {
                value.trunc() >= 0.0 && value.trunc() < choices.len() as f64
            }
        }
    }

    /// Whether there is only one value.
    pub fn is_single(&self) -> bool {
        match self {
            Distribution::Float { low, high, step: None, .. } => low == high,
            _ => self.n_values() == Some(1),
        }
    }

    /// The number of values; `None` for a continuous range.
    pub fn n_values(&self) -> Option<u64> {
        match *self {
            Distribution::Float { low, high, step, .. } => {
                step.map(|step| decimal::last_of_grid(low, high, step).1.saturating_add(1))
            }
            Distribution::Int { low, high, step, .. } => Some(high.abs_diff(low) / step.unsigned_abs() + 1),
            Distribution::Categorical { ref choices } => Some(choices.len() as u64),
        }
    }

    /// The internal value at `index` (below [`n_values`](Self::n_values)); the smallest value of a continuous range.
    pub fn nth(&self, index: u64) -> f64 {
        match *self {
            Distribution::Float { low, high, step, .. } => {
                step.map_or(low, |step| (low + index as f64 * step).min(high))
            }
            Distribution::Int { low, step, .. } => low as f64 + index as f64 * step as f64,
            Distribution::Categorical { .. } => index as f64,
        }
    }

    /// The distance between neighbouring values; `None` for continuous ranges and choices.
    pub fn step(&self) -> Option<f64> {
        match *self {
            Distribution::Float { step, .. } => step,
            Distribution::Int { step, .. } => Some(step as f64),
            Distribution::Categorical { .. } => None,
        }
    }

    /// Whether values are drawn on a logarithmic scale.
    pub fn is_log(&self) -> bool {
        matches!(self, Distribution::Float { log: true, .. } | Distribution::Int { log: true, .. })
    }

    /// Converts an internal value to the user's value.
    pub fn external(&self, value: f64) -> Choice {
        match self {
            Distribution::Float { .. } => Choice::Float(value),
            Distribution::Int { .. } => Choice::Int(value as i64),
            Distribution::Categorical { choices } => {
                choices.get(value as usize).cloned().unwrap_or(Choice::Null)
            }
        }
    }

    /// Converts the user's value of the parameter `name` to the internal value.
    ///
    /// # Errors
    /// A value that the parameter does not have; the message names the parameter.
    pub fn internal(&self, name: &str, value: &Choice) -> Result<f64> {
        let inside = match self {
            Distribution::Categorical { choices } => choices
                .iter()
                .position(|choice| choice == value)
                .or_else(|| choices.iter().position(|choice| choice.same(value)))
                .map(|index| index as f64),
            _ => value.number().filter(|&number| self.contains(number)),
        };
        inside.ok_or_else(|| {
            Error::new(Kind::Configuration, format!("{name}: {value} is not among its values ({self})"))
        })
    }

    /// Whether a study with this distribution can continue with `other`. Optuna's rule: a parameter keeps its kind,
    /// its scale (`log`) and its choices, but its bounds and step may change.
    pub fn is_compatible(&self, other: &Distribution) -> bool {
        match (self, other) {
            (Distribution::Categorical { choices: a }, Distribution::Categorical { choices: b }) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Distribution::Float { log: a, .. }, Distribution::Float { log: b, .. })
            | (Distribution::Int { log: a, .. }, Distribution::Int { log: b, .. }) => a == b,
            _ => false,
        }
    }

    /// Whether Optuna regards both as equal: it compares choices with Python's `==`.
    pub fn same(&self, other: &Distribution) -> bool {
        self == other || (matches!(self, Distribution::Categorical { .. }) && self.is_compatible(other))
    }
}

fn refused(name: &str, wrong: &str) -> Error {
    Error::new(Kind::Configuration, format!("{name}: {wrong}"))
}

type CheckResult = std::result::Result<(), String>;

fn check_float(low: f64, high: f64, log: bool, step: Option<f64>) -> CheckResult {
    if !low.is_finite() || !high.is_finite() {
        return Err(format!("low and high must be finite numbers, found {low:?} and {high:?}"));
    }
    check_order(&low, &high)?;
    if log && low <= 0.0 {
        return Err(format!("with log, low must be above 0, found {low:?}; raise low, or take log away"));
    }
    match step {
        Some(_) if log => Err("log and step exclude each other; take one of them away".into()),
        Some(step) if !(step > 0.0 && step.is_finite()) => {
            Err(format!("step must be above 0, found {step:?}; without a step all floats between are meant"))
        }
        _ => Ok(()),
    }
}

fn check_int(low: i64, high: i64, log: bool, step: i64) -> CheckResult {
    check_order(&low, &high)?;
    if let Some(n) = [low, high].into_iter().find(|n| n.unsigned_abs() > EXACT) {
        return Err(format!("integers must lie within 2^53 of 0, found {n}; use a float, or another unit"));
    }
    if step < 1 {
        return Err(format!("step must be at least 1, found {step}"));
    }
    if log && step != 1 {
        return Err(format!("with log, step must be 1, found {step}; take step or log away"));
    }
    if log && low < 1 {
        return Err(format!("with log, low must be at least 1, found {low}; raise low, or take log away"));
    }
    Ok(())
}

fn check_order<T: PartialOrd + fmt::Debug>(low: &T, high: &T) -> CheckResult {
    if low > high {
        return Err(format!("low must not be above high, found {low:?} and {high:?}; exchange them"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(low: f64, high: f64, log: bool, step: Option<f64>) -> Distribution {
        Distribution::Float { low, high, log, step }
    }

    fn int(low: i64, high: i64, log: bool, step: i64) -> Distribution {
        Distribution::Int { low, high, log, step }
    }

    fn texts(choices: &[&str]) -> Distribution {
        Distribution::Categorical { choices: choices.iter().map(|&c| Choice::Text(c.into())).collect() }
    }

    #[test]
    fn errors_name_the_parameter_and_the_fix() {
        for (distribution, message) in [
            (
                float(1.0, 0.0, false, None),
                "lr: low must not be above high, found 1.0 and 0.0; exchange them",
            ),
            (
                float(0.0, 1.0, true, None),
                "lr: with log, low must be above 0, found 0.0; raise low, or take log away",
            ),
            (float(1.0, 2.0, true, Some(0.1)), "lr: log and step exclude each other; take one of them away"),
            (float(1.0, 2.0, false, Some(0.0)), "lr: step must be above 0, found 0.0"),
            (float(f64::NAN, 2.0, false, None), "lr: low and high must be finite numbers, found NaN and 2.0"),
            (
                float(0.0, f64::INFINITY, false, None),
                "lr: low and high must be finite numbers, found 0.0 and inf",
            ),
            (int(3, 1, false, 1), "lr: low must not be above high, found 3 and 1; exchange them"),
            (int(1, 3, false, 0), "lr: step must be at least 1, found 0"),
            (int(1, 3, true, 2), "lr: with log, step must be 1, found 2"),
            (int(0, 3, true, 1), "lr: with log, low must be at least 1, found 0"),
            (int(0, i64::MAX, false, 1), "lr: integers must lie within 2^53 of 0"),
            (int(i64::MIN, i64::MAX, false, 1), "lr: integers must lie within 2^53 of 0"),
            (texts(&[]), "lr: there are no choices; give at least one"),
        ] {
            let error = distribution.checked("lr").unwrap_err();
            assert!(error.to_string().starts_with(message), "{error}");
            assert_eq!(error.kind(), Kind::Configuration);
        }
    }

    #[test]
    fn high_is_lowered_to_the_grid() {
        assert_eq!(int(1, 10, false, 4).checked("n").unwrap(), int(1, 9, false, 4));
        let checked = float(0.0, 0.35, false, Some(0.1)).checked("x").unwrap();
        assert_eq!(checked, float(0.0, 0.3, false, Some(0.1)));
        assert_eq!(checked.n_values(), Some(4));
    }

    #[test]
    fn values_inside_and_outside() {
        let steps = float(0.0, 1.0, false, Some(0.1));
        assert!(steps.contains(0.30000000000000004) && !steps.contains(0.35) && !steps.contains(1.1));
        assert!(!int(1, 9, false, 4).contains(3.0) && int(1, 9, false, 4).contains(5.0));
        assert_eq!(int(1, 9, false, 4).external(5.0), Choice::Int(5));
        let choices = Distribution::Categorical {
            choices: vec![Choice::Bool(true), Choice::Int(1), Choice::Float(f64::NAN), Choice::Null],
        };
        for index in 0..4 {
            let outside = choices.external(index as f64);
            assert_eq!(choices.internal("c", &outside).unwrap(), index as f64);
        }
        assert_eq!(choices.internal("c", &Choice::Float(1.0)).unwrap(), 0.0);
        let error = texts(&["a", "b"]).internal("head", &Choice::Text("c".into())).unwrap_err();
        assert_eq!(error.to_string(), "head: c is not among its values (one of a, b)");
        assert!(steps.internal("x", &Choice::Float(f64::NAN)).is_err());
    }

    #[test]
    fn single_values_and_grids() {
        assert!(float(1.0, 1.0, true, None).is_single() && !float(1.0, 2.0, true, None).is_single());
        assert!(float(0.0, 0.5, false, Some(1.0)).is_single() && int(3, 4, false, 2).is_single());
        assert!(texts(&["a"]).is_single());
        assert_eq!(float(0.0, 1.0, false, None).n_values(), None);
        assert_eq!(int(-5, 5, false, 5).n_values(), Some(3));
        assert_eq!(int(-5, 5, false, 5).nth(2), 5.0);
    }

    #[test]
    fn compatible_changes() {
        assert!(float(0.0, 1.0, false, None).is_compatible(&float(0.0, 2.0, false, Some(0.5))));
        assert!(!float(0.5, 1.0, false, None).is_compatible(&float(0.5, 1.0, true, None)));
        assert!(!int(0, 1, false, 1).is_compatible(&float(0.0, 1.0, false, None)));
        assert!(!texts(&["a", "b"]).is_compatible(&texts(&["b", "a"])));
    }
}
