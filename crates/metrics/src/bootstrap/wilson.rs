//! Wilson's interval of a share, for scores that no resample changes: E. B. Wilson, "Probable inference, the law of
//! succession, and statistical inference", 1927.
//!
//! `(k + z^2 / 2 -+ z sqrt(k (n - k) / n + z^2 / 4)) / (n + z^2)`, with `z` the normal quantile of the confidence.

use super::{Interval, normal};

impl Interval {
    /// Wilson's interval of `hits` among `n`, which need not be whole numbers; 0 to 1 if `n` is 0.
    pub fn wilson(hits: f64, n: f64, confidence: f64) -> Interval {
        if n <= 0.0 {
            return Interval { low: 0.0, high: 1.0 };
        }
        let z = normal::quantile(0.5 + 0.5 * confidence);
        let (middle, all) = (hits + z * z / 2.0, n + z * z);
        let half = z * (hits * (n - hits).max(0.0) / n + z * z / 4.0).sqrt();
        Interval { low: ((middle - half) / all).max(0.0), high: ((middle + half) / all).min(1.0) }
    }

    /// The interval of a mean by the normal distribution, from its standard error.
    pub fn normal(mean: f64, standard_error: f64, confidence: f64) -> Interval {
        let half = normal::quantile(0.5 + 0.5 * confidence) * standard_error;
        Interval { low: mean - half, high: mean + half }
    }

    /// This interval if it has a width; else that of `bounds`, extended to the score.
    pub(super) fn or(self, bounds: impl FnOnce() -> Interval) -> Interval {
        if self.has_width() {
            return self;
        }
        let bounds = bounds();
        Interval { low: bounds.low.min(self.low), high: bounds.high.max(self.high) }
    }

    /// Whether resamples differed.
    pub(super) fn has_width(self) -> bool {
        self.high - self.low > f64::EPSILON
    }

    /// The interval without a width.
    pub(super) fn at(score: f64) -> Interval {
        Interval { low: score, high: score }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_statsmodels() {
        // statsmodels.stats.proportion.proportion_confint(k, n, 0.05, "wilson")
        for (k, n, low, high) in [
            (0.0, 6.0, 0.0, 0.390334287),
            (6.0, 6.0, 0.609665712, 1.0),
            (594.0, 600.0, 0.978356455, 0.995409078),
        ] {
            let found = Interval::wilson(k, n, 0.95);
            assert!(
                (found.low - low).abs() < 1e-6 && (found.high - high).abs() < 1e-6,
                "{k} of {n}: {found:?}"
            );
        }
        assert_eq!(Interval::wilson(0.0, 0.0, 0.95), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn an_interval_with_a_width_is_unchanged() {
        let wide = Interval { low: 0.2, high: 0.3 };
        assert_eq!(wide.or(|| Interval { low: 0.0, high: 1.0 }), wide);
        let point = Interval { low: 1.0, high: 1.0 };
        assert_eq!(point.or(|| Interval { low: 0.6, high: 0.9 }), Interval { low: 0.6, high: 1.0 });
    }
}
