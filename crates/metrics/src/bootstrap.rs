//! Bootstrap intervals: how much a score would vary with other samples (Efron and Tibshirani, "An introduction to the
//! bootstrap", 1993, chapters 13 and 15).
//!
//! A resample draws as many rows as there are, with replacement and without stratification: a rare class is drawn
//! sometimes more and sometimes less often, because the next table will have other counts too. Each score is computed
//! again for every resample; the interval is between two percentiles of the results. If resampling cannot show the
//! effect of other rows (the score is perfect, or a class is never predicted), Wilson's bounds (`unseen.rs`) widen it.
//! Rows are drawn, not their scores, so the scores of one resample belong together, and so do those of two heads in
//! [`paired_difference`]. (Drawing the confusion matrix as one multinomial per row would give the same counts, but log
//! loss, Brier score and calibration need the rows.)
//!
//! Rows that belong together (of one speaker, copies of one picture) are right and wrong together, so that a draw of single rows shows too little
//! variation. With [`Options::units`] a resample draws units, as many as there are, each with all its rows (the cluster bootstrap: Davison and Hinkley,
//! "Bootstrap methods and their application", 1997, section 3.8), and bounds that count rows count units instead.
//!
//! All randomness of resample `r` comes from Philox with `(seed, r)`: intervals are the same for any number of
//! threads, and the first of many resamples are those of few.

mod classes;
mod intervals;
mod paired;
mod refits;
mod selection;
mod strata;
mod unseen;
mod wilson;

pub use classes::{ClassIntervals, class_intervals};
pub use intervals::{Intervals, intervals};
pub use paired::{Difference, PairedDifference, paired_difference};
pub use selection::{Selection, selection};

use headsmith_kernels::Pool;
use serde::{Deserialize, Serialize};

use crate::check::{Error, Result};

/// Options for resampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options<'u> {
    /// The number of resamples; at least 1. Default: 10,000.
    pub n_resamples: u32,
    /// The share of resamples within an interval, between 0 and 1. Default: 0.95.
    pub confidence: f64,
    /// The seed of the resamples. Default: 42.
    pub seed: u64,
    /// The unit of each row, in any numbers: rows of one unit are drawn together. Default: `None`, each row by itself.
    pub units: Option<&'u [u32]>,
}

/// A score's confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { n_resamples: 10_000, confidence: 0.95, seed: 42, units: None }
    }
}

impl Options<'_> {
    /// The same with rows of these units drawn together.
    pub fn of_units(self, units: &[u32]) -> Options<'_> {
        Options { units: Some(units), ..self }
    }

    fn check(&self, n_samples: usize) -> Result<()> {
        if self.n_resamples == 0 {
            return Err(Error("0 resamples, expected at least 1".into()));
        }
        if !(0.0 < self.confidence && self.confidence < 1.0) {
            return Err(Error(format!(
                "a confidence of {}, expected a number between 0 and 1",
                self.confidence
            )));
        }
        if let Some(units) = self.units.filter(|units| units.len() != n_samples) {
            return Err(Error(format!("{n_samples} labels but the units of {} rows", units.len())));
        }
        Ok(())
    }
}

impl Interval {
    /// The percentile interval of `confidence`, with equal shares outside at both ends. Sorts `values`.
    fn of(values: &mut [f64], confidence: f64) -> Interval {
        values.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - confidence);
        Interval { low: quantile(values, tail), high: quantile(values, 1.0 - tail) }
    }
}

/// The quantile `q` of sorted values, with linear interpolation: `numpy.quantile`.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// The number of resamples in one piece of work.
const PIECE: u32 = 64;

/// Calls `statistics` for each resample, and returns the results in order. Each piece of work has its own scratch.
fn replicate<S, T: Send>(
    options: &Options<'_>,
    pool: &Pool,
    scratch: impl Fn() -> S + Sync + Send,
    statistics: impl Fn(u32, &mut S) -> T + Sync + Send,
) -> Vec<T> {
    let n_pieces = options.n_resamples.div_ceil(PIECE);
    let piece = |i: usize| -> Vec<T> {
        let first = i as u32 * PIECE;
        let end = options.n_resamples.min(first.saturating_add(PIECE));
        let mut scratch = scratch();
        (first..end).map(|r| statistics(r, &mut scratch)).collect()
    };
    pool.map(n_pieces as usize, piece).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        // numpy.quantile([1, 2, 4, 8, 16], [0, 0.1, 0.5, 0.9, 1])
        let expected = [1.0, 1.4, 4.0, 12.8, 16.0];
        for (q, e) in [0.0, 0.1, 0.5, 0.9, 1.0].into_iter().zip(expected) {
            assert!((quantile(&values, q) - e).abs() < 1e-12, "{q}");
        }
        assert_eq!(Interval::of(&mut [3.0], 0.95), Interval { low: 3.0, high: 3.0 });
    }

    #[test]
    fn resamples_are_in_order_and_unique() {
        for n_resamples in [1, 63, 64, 65, 1000] {
            let options = Options { n_resamples, ..Options::default() };
            let seen = replicate(&options, &Pool::new(3).unwrap(), || (), |r, ()| r);
            assert_eq!(seen, (0..n_resamples).collect::<Vec<_>>());
        }
    }

    #[test]
    fn invalid_options_are_refused() {
        let message = |options: Options<'_>| options.check(3).unwrap_err().to_string();
        assert_eq!(
            message(Options { n_resamples: 0, ..Options::default() }),
            "0 resamples, expected at least 1"
        );
        assert_eq!(
            message(Options { confidence: 95.0, ..Options::default() }),
            "a confidence of 95, expected a number between 0 and 1"
        );
        assert!(message(Options { confidence: f64::NAN, ..Options::default() }).contains("NaN"));
        assert_eq!(
            message(Options { units: Some(&[0, 1]), ..Options::default() }),
            "3 labels but the units of 2 rows"
        );
    }
}
