//! Conformal prediction sets: for each row the classes that its probabilities do not rule out, so that the true class is among them with a given
//! probability, the level, whatever the classifier (Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005).
//!
//! A class is in the set of a row if its probability is at least a threshold. That is the score `1 - p` of Sadinle, Lei and Wasserman ("Least
//! ambiguous set-valued classifiers with bounded error levels", *JASA* 114, 2019): of all sets with the same coverage these are the smallest on average where
//! probabilities are calibrated. Scores that add up the more probable classes, APS (Romano, Sesia and Candès, "Classification with valid and adaptive
//! coverage", NeurIPS 2020) and RAPS (Angelopoulos, Bates, Jordan and Malik, "Uncertainty sets for image classifiers using conformal prediction", ICLR 2021), cover
//! hard rows better, with larger sets; `docs/guide/conformal.md` has the comparison.
//!
//! The threshold is the k-th largest probability that rows of known classes, which the classifier did not learn from, give to their class, with `k =
//! ceil((n + 1) level)` of n rows. If these rows and a new one are exchangeable, the new one's class is in its set with a probability of at least the
//! level, and of at most `level + 1 / (n + 1)` without ties. With too few rows (`k > n`) the threshold is 0, and every class is in every set.
//!
//! - **By class**: a threshold for each class from its rows alone covers each class with the level, not only all classes together.
//! - **Weights**: a row of weight w counts as w rows. The new row counts as much as the heaviest of the others (Tibshirani, Barber, Candès and Ramdas, "Conformal
//!   prediction under covariate shift", NeurIPS 2019, with the largest weight where that of the new row is unknown).
//! - **Groups**: rows of a group are not exchangeable with those of others, but groups are. Each group counts as one, its rows share that, and so does the group of
//!   the new row: its class is covered with the level if its group is new (Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023).

mod rows;
mod scores;
mod sets;

pub use rows::{Options, Rows};
pub use scores::{ClassCoverage, SetIntervals, SetScores};
pub use sets::ConformalSets;

use crate::check::{Error, Result};

/// Refuses a level that is not above 0 and below 1.
fn check_level(level: f64) -> Result<()> {
    match level > 0.0 && level < 1.0 {
        true => Ok(()),
        false => Err(Error(format!(
            "the level of prediction sets is {level:?}, expected a number above 0 and below 1, such as 0.9"
        ))),
    }
}
