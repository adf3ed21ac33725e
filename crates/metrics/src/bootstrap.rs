//! Bootstrap intervals: how far a score would move had other samples been drawn (Efron and Tibshirani, "An introduction to
//! the bootstrap", 1993, chapters 13 and 15).
//!
//! A resample draws as many rows as there are, with replacement, as they come: of a rare class sometimes more and
//! sometimes fewer, for the next table will have other counts too. Each score is computed again for every resample; the
//! interval is between two percentiles of the results. Where resampling cannot show what other rows would do (the score is
//! perfect, or a class is never predicted), Wilson's bounds (`unseen.rs`) widen it. The rows are drawn, not their scores, so the scores of one
//! resample belong together, and so do those of two heads in [`paired_difference`]. (The confusion matrix alone could
//! be drawn as a multinomial for each of its rows, which is what counting drawn rows amounts to; but log loss, Brier
//! score and calibration need the rows, and then the matrix comes for nothing.)
//!
//! What is random in resample `r` comes from Philox with `(seed, r)`: intervals are the same for any number of
//! threads, and the first resamples of many are those of few.

mod classes;
mod intervals;
mod paired;
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

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How many resamples; at least 1. 10,000 when not told.
    pub n_resamples: u32,
    /// The share of resamples within an interval, between 0 and 1. 0.95 when not told.
    pub confidence: f64,
    /// The seed of the resamples. 42 when not told.
    pub seed: u64,
}

/// The range of a score that holds its confidence of the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options { n_resamples: 10_000, confidence: 0.95, seed: 42 }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        if self.n_resamples == 0 {
            return Err(Error("0 resamples, expected at least 1".into()));
        }
        if !(0.0 < self.confidence && self.confidence < 1.0) {
            return Err(Error(format!(
                "a confidence of {}, expected a number between 0 and 1",
                self.confidence
            )));
        }
        Ok(())
    }
}

impl Interval {
    /// The percentile interval of `confidence`: as much is left out below as above. Sorts `values`.
    fn of(values: &mut [f64], confidence: f64) -> Interval {
        values.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - confidence);
        Interval { low: quantile(values, tail), high: quantile(values, 1.0 - tail) }
    }
}

/// The quantile `q` of values in order, between two of them linearly: `numpy.quantile`.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// How many resamples are one piece of work.
const PIECE: u32 = 64;

/// What `statistics` makes of each resample, in order. Each piece of work has a scratch of its own.
fn replicate<S, T: Send>(
    options: &Options,
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
    fn resamples_come_in_order_and_each_once() {
        for n_resamples in [1, 63, 64, 65, 1000] {
            let options = Options { n_resamples, ..Options::default() };
            let seen = replicate(&options, &Pool::new(3).unwrap(), || (), |r, ()| r);
            assert_eq!(seen, (0..n_resamples).collect::<Vec<_>>());
        }
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let message = |options: Options| options.check().unwrap_err().to_string();
        assert_eq!(
            message(Options { n_resamples: 0, ..Options::default() }),
            "0 resamples, expected at least 1"
        );
        assert_eq!(
            message(Options { confidence: 95.0, ..Options::default() }),
            "a confidence of 95, expected a number between 0 and 1"
        );
        assert!(message(Options { confidence: f64::NAN, ..Options::default() }).contains("NaN"));
    }
}
