//! Calibrated thresholds, and the sets that they give.

use serde::{Deserialize, Serialize};

use super::{Options, check_level};
use crate::check::{Error, Result};

/// Calibrated prediction sets: a class is in the set of a row if its probability is at least the class's threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct ConformalSets {
    level: f64,
    by_class: bool,
    thresholds: Vec<f64>,
}

/// The same as a file has it, unchecked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    level: f64,
    by_class: bool,
    thresholds: Vec<f64>,
}

impl TryFrom<Stored> for ConformalSets {
    type Error = Error;

    fn try_from(Stored { level, by_class, thresholds }: Stored) -> Result<ConformalSets> {
        ConformalSets::new(Options { level, by_class }, thresholds)
    }
}

impl ConformalSets {
    /// Sets with one threshold for each class, 0 to 1.
    ///
    /// # Errors
    /// When a threshold or the level is out of range, or thresholds that are not by class differ.
    pub fn new(Options { level, by_class }: Options, thresholds: Vec<f64>) -> Result<ConformalSets> {
        check_level(level)?;
        if let Some(class) = thresholds.iter().position(|threshold| !(0.0..=1.0).contains(threshold)) {
            return Err(Error(format!(
                "threshold {class} of the prediction sets is {:?}, expected a number from 0 to 1",
                thresholds[class]
            )));
        }
        if !by_class && thresholds.iter().any(|threshold| *threshold != thresholds[0]) {
            return Err(Error(
                "the thresholds of the prediction sets differ, expected equal ones unless they are by class"
                    .to_owned(),
            ));
        }
        Ok(ConformalSets { level, by_class, thresholds })
    }

    /// The probability with which a set contains the true class.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// Whether each class is covered with the level by itself.
    pub fn is_by_class(&self) -> bool {
        self.by_class
    }

    /// The least probability of each class with which it is in a set; 0: it is in every set.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.thresholds.len()
    }

    /// The classes in the set of a row with these probabilities, in their order; there may be none.
    ///
    /// # Panics
    /// If there are more probabilities than classes.
    pub fn set<'s>(&'s self, proba: &'s [f32]) -> impl Iterator<Item = usize> + 's {
        (0..proba.len()).filter(move |&class| f64::from(proba[class]) >= self.thresholds[class])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_at_its_threshold_is_in_the_set() {
        let options = Options { level: 0.9, by_class: true };
        let sets = ConformalSets::new(options, vec![0.5, 0.25, 0.0]).unwrap();
        let of = |proba: &[f32]| sets.set(proba).collect::<Vec<usize>>();
        assert_eq!(of(&[0.5, 0.25, 0.25]), [0, 1, 2]);
        assert_eq!(of(&[0.5f32.next_down(), 0.125, 0.375]), [2]);
        let strict = ConformalSets::new(Options { level: 0.5, by_class: false }, vec![0.75; 2]).unwrap();
        assert_eq!(strict.set(&[0.5, 0.5]).count(), 0);
    }

    #[test]
    fn thresholds_out_of_range_are_refused() {
        let message = |level, by_class, thresholds: &[f64]| {
            ConformalSets::new(Options { level, by_class }, thresholds.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(
            message(0.9, true, &[0.5, -0.1]),
            "threshold 1 of the prediction sets is -0.1, expected a number from 0 to 1"
        );
        assert!(message(0.9, true, &[f64::NAN]).contains("threshold 0"));
        assert!(message(0.9, false, &[0.5, 0.25]).contains("expected equal ones"));
        assert!(message(1.0, false, &[0.5]).contains("the level of prediction sets is 1.0"));
    }
}
