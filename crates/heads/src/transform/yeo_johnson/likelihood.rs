//! The `lambda` of the largest likelihood.
//!
//! The negative log likelihood of a bent column, up to constants and divided by n, is log(variance) / 2 - (lambda - 1) mean(s), where
//! s = sign(x) log(1 + |x|). It is strictly convex (Marchand, Muzellec, Beguier and Ogier du Terrail, "SecureFedYJ: a safe feature
//! Gaussianization protocol for federated learning", NeurIPS 2022), so its slope rises, and `lambda` is where the slope is 0. That is
//! found to all digits that matter, where a search for the minimum itself sees half of them.
//!
//! The slope is cov(z, z') / variance(z) - mean(s), with z the bent values and z' their derivatives by `lambda`. Both are measured
//! from the pivot here, and so is s, which changes nothing.

use super::{log, stretched};

/// A column's logarithms, from the pivot on.
struct Logs {
    /// Negative for negative values.
    signed: Vec<(f64, bool)>,
    mean: f64,
}

/// Exponents times logarithms stay below this, so that squares of bent values, also of values 20 times as large as the training
/// rows', are finite and above zero: half of the exponents of f64 (the bounds of SciPy's `yeojohnson_normmax`).
const LARGEST_LOG: f64 = 336.0;
/// Digits of `lambda` that are looked for.
const PRECISION: f64 = 1e-11;

/// The most likely `lambda` for a column, which is not constant.
pub(super) fn best_lambda(column: &[f32], pivot: f64) -> f64 {
    let from = log(pivot);
    let signed: Vec<(f64, bool)> = column.iter().map(|v| (log(f64::from(*v)) - from, *v >= 0.0)).collect();
    let mean = signed.iter().map(|(d, positive)| if *positive { *d } else { -d }).sum::<f64>();
    let logs = Logs { mean: mean / signed.len() as f64, signed };
    let (low, high) = bounds(column);
    let widest = logs.signed.iter().fold(0.0f64, |most, (d, _)| most.max(d.abs()));
    root(|lambda| logs.slope(lambda), low, high, 0.5 / widest.max(f64::MIN_POSITIVE))
}

/// Between which numbers `lambda` is looked for.
fn bounds(column: &[f32]) -> (f64, f64) {
    let largest = column.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    let most = LARGEST_LOG / (20.0 * f64::from(largest)).ln_1p();
    let of_positive = (-most, most);
    let of_negative = (2.0 - most, 2.0 + most);
    let any = |negative: bool| column.iter().any(|v| (*v < 0.0) == negative);
    match (any(true), any(false)) {
        (true, true) => (of_positive.0.max(of_negative.0), of_positive.1.min(of_negative.1)),
        (true, false) => of_negative,
        _ => of_positive,
    }
}

impl Logs {
    /// How the negative log likelihood changes with `lambda`.
    fn slope(&self, lambda: f64) -> f64 {
        let bent = |(d, positive): &(f64, bool)| match positive {
            true => (stretched(lambda, *d), stretched_slope(lambda, *d)),
            false => (-stretched(2.0 - lambda, *d), stretched_slope(2.0 - lambda, *d)),
        };
        let bent: Vec<(f64, f64)> = self.signed.iter().map(bent).collect();
        let n = bent.len() as f64;
        let (sum, sum_slope) = bent.iter().fold((0.0, 0.0), |(a, b), (z, slope)| (a + z, b + slope));
        let (mean, mean_slope) = (sum / n, sum_slope / n);
        let (variance, covariance) = bent.iter().fold((0.0, 0.0), |(variance, covariance), (z, slope)| {
            let difference = z - mean;
            (variance + difference * difference, covariance + difference * (slope - mean_slope))
        });
        covariance / variance - self.mean
    }
}

/// The derivative of [`stretched`] by a: `(d exp(a d) - stretched(a, d)) / a`, d^2 / 2 for a = 0.
fn stretched_slope(a: f64, d: f64) -> f64 {
    let t = a * d;
    let by_square = if t.abs() < 0.25 {
        // The sum over k of t^k / (k! (k + 2)): the difference would lose digits.
        let factors = [12.0f64, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        factors.iter().fold(1.0 / 14.0, |sum, k| sum * t / k + 1.0 / (k + 1.0))
    } else {
        let e = t.exp_m1();
        (t * (e + 1.0) - e) / (t * t)
    };
    d * d * by_square
}

/// Where the rising function `f` is 0 between `low` and `high`, of which one is below 1 and one above it; the bound beyond which it would be, if it is nowhere 0. It looks from
/// 1 on in steps that double from `step`, then between the last two.
fn root(f: impl Fn(f64) -> f64, low: f64, high: f64, step: f64) -> f64 {
    let (mut a, mut fa) = (1.0, f(1.0));
    let (direction, bound) = if fa > 0.0 { (-1.0, low) } else { (1.0, high) };
    let mut width = step;
    loop {
        let b = (a + direction * width).clamp(low, high);
        let fb = f(b);
        // Also where it is no number: there, the likelihood is no better.
        if !(fb * direction < 0.0) {
            return between(&f, (a, fa), (b, fb), PRECISION * step);
        }
        if b == bound {
            return b;
        }
        (a, fa, width) = (b, fb, 2.0 * width);
    }
}

/// Where `f` is 0 between two places at which it has different signs: by inverse quadratic interpolation where that is safe, otherwise by
/// halving (Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without using derivatives",
/// Advances in Engineering Software 28, 1997).
fn between(f: impl Fn(f64) -> f64, first: (f64, f64), second: (f64, f64), precision: f64) -> f64 {
    let ((mut b, mut fb), (mut a, mut fa)) = (first, second);
    let mut share: f64 = 0.5;
    // Halving alone would take less than this.
    for _ in 0..200 {
        let (best, f_best) = if fb.abs() < fa.abs() { (b, fb) } else { (a, fa) };
        let least = (precision + 2.0 * f64::EPSILON * best.abs()) / (b - a).abs();
        if f_best == 0.0 || !(least <= 0.5) {
            return best;
        }
        let x = a + share.clamp(least, 1.0 - least) * (b - a);
        let fx = f(x);
        let (c, fc);
        if (fx > 0.0) == (fa > 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, fc, b, fb) = (b, fb, a, fa);
        }
        (a, fa) = (x, fx);
        let (xi, phi) = ((a - b) / (c - b), (fa - fb) / (fc - fb));
        let is_safe = phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi;
        share = match is_safe {
            true => fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb),
            false => 0.5,
        };
    }
    a
}

#[cfg(test)]
mod tests {
    use super::super::{Bend, moments, pivot};
    use super::*;

    fn column(n: usize, value: impl Fn(f64) -> f64) -> Vec<f32> {
        (0..n).map(|i| value(((i * 7919 + 13) % 1009) as f64 / 1009.0) as f32).collect()
    }

    /// The formula as it is written.
    fn naive(column: &[f32], lambda: f64) -> f64 {
        let bend = Bend { lambda, pivot: 0.0 };
        let n = column.len() as f64;
        let (_, variance) = moments(column.iter().map(|v| bend.at(f64::from(*v))), n);
        let signed = column.iter().map(|v| log(f64::from(*v)).copysign(f64::from(*v)));
        variance.ln() / 2.0 - (lambda - 1.0) * signed.sum::<f64>() / n
    }

    #[test]
    fn the_slope_is_that_of_the_likelihood() {
        for values in [
            column(300, |u| u * u * 5.0 - 1.0),
            column(300, |u| u + 0.5),
            column(300, |u| -3.0 * u * u - 0.1),
        ] {
            let from = log(pivot(&values));
            let signed: Vec<(f64, bool)> =
                values.iter().map(|v| (log(f64::from(*v)) - from, *v >= 0.0)).collect();
            let mean =
                signed.iter().map(|(d, positive)| if *positive { *d } else { -d }).sum::<f64>() / 300.0;
            let logs = Logs { signed, mean };
            for lambda in [-1.0, 0.0, 0.5, 1.0, 2.0, 2.5] {
                let h = 1e-5;
                let expected = (naive(&values, lambda + h) - naive(&values, lambda - h)) / (2.0 * h);
                let found = logs.slope(lambda);
                assert!((found - expected).abs() < 1e-7, "lambda {lambda}: {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn no_lambda_near_the_best_is_better() {
        for values in [
            column(1000, |u| u * u * 5.0 - 1.0),
            column(1000, |u| (1.0 - u).ln() * -2.0),
            column(1000, |u| 1e-4 * (u * u - 0.2)),
            column(1000, |u| if u > 0.5 { u } else { 0.0 }),
            column(1000, |u| 1e30 * u * u * u),
        ] {
            let best = best_lambda(&values, pivot(&values));
            let least = naive(&values, best);
            for away in [1e-2, 1e-1, 1.0] {
                let away = away * (1.0 + best.abs());
                assert!(naive(&values, best - away) > least && naive(&values, best + away) > least, "{best}");
            }
        }
    }

    #[test]
    fn the_slope_of_a_stretched_logarithm_has_its_digits() {
        for (a, d) in [(1e-9, 1.0), (0.249, 1.0), (0.251, 1.0), (-0.2501, 1.0), (2.0, 3.0), (-2.0, 0.001)] {
            let h = 1e-4 * (1.0 + f64::abs(a));
            // Of fourth order.
            let at = |k: f64| stretched(a + k * h, d);
            let expected = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h);
            let found = stretched_slope(a, d);
            assert!((found / expected - 1.0).abs() < 1e-9, "{a} {d}: {found}, expected {expected}");
        }
        assert_eq!(stretched_slope(0.0, 3.0), 4.5);
    }

    #[test]
    fn roots_are_found_and_bounds_kept() {
        let f = |x: f64| (x - 3.7).exp_m1();
        assert!((root(f, -100.0, 100.0, 0.1) - 3.7).abs() < 1e-10);
        assert!((root(|x| (x + 250.5).powi(3), -1e3, 1e3, 0.1) + 250.5).abs() < 1e-3);
        assert_eq!(root(f, -100.0, 2.5, 0.1), 2.5);
        assert_eq!(root(|x| f(-x), -2.5, 100.0, 0.1), 100.0);
        assert_eq!(root(|x| x - 1.0, -1.0, 3.0, 0.1), 1.0);
    }
}
