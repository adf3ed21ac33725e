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
    /// Each with whether its value is positive.
    logs: Vec<(f64, bool)>,
    /// The mean, those of negative values with a minus.
    mean: f64,
}

/// Exponents times logarithms stay below this, so that squares of bent values, also of values 20 times as large as the training
/// rows', are finite and above zero: half of the exponents of f64 (the bounds of SciPy's `yeojohnson_normmax`).
const LARGEST_LOG: f64 = 336.0;
/// How precisely `lambda` is looked for, as a share of a step that changes results.
const PRECISION: f64 = 1e-9;
/// The values of a long column that are looked at first, and how many are summed at a time.
const FEW: usize = 1000;
const CHUNK: usize = 256;

/// The most likely `lambda` for a column, which is not constant.
pub(super) fn best_lambda(column: &[f32], pivot: f64) -> f64 {
    let logs = Logs::new(column.iter(), pivot);
    let bounds = bounds(column);
    let widest = logs.logs.iter().fold(0.0f64, |most, (d, _)| most.max(d.abs()));
    let step = 0.5 / widest.max(f64::MIN_POSITIVE);
    let every = column.len() / FEW;
    if every < 2 {
        return root(|lambda| logs.slope(lambda), bounds, (1.0, step), PRECISION * step);
    }
    // Few values tell nearly where it is.
    let few = Logs::new(column.iter().step_by(every), pivot);
    let start = root(|lambda| few.slope(lambda), bounds, (1.0, step), 1e-3 * step);
    root(|lambda| logs.slope(lambda), bounds, (start, 0.1 * step), PRECISION * step)
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
    fn new<'c>(values: impl ExactSizeIterator<Item = &'c f32>, pivot: f64) -> Logs {
        let (n, from) = (values.len() as f64, log(pivot));
        let logs: Vec<(f64, bool)> = values.map(|v| (log(f64::from(*v)) - from, *v >= 0.0)).collect();
        let sum = logs.iter().map(|(d, positive)| if *positive { *d } else { -d }).sum::<f64>();
        Logs { logs, mean: sum / n }
    }

    /// How the negative log likelihood changes with `lambda`.
    fn slope(&self, lambda: f64) -> f64 {
        let bent = |(d, positive): &(f64, bool)| match positive {
            true => (stretched(lambda, *d), stretched_slope(lambda, *d)),
            false => (-stretched(2.0 - lambda, *d), stretched_slope(2.0 - lambda, *d)),
        };
        let (mut total, mut values) = (Moments::default(), [(0.0, 0.0); CHUNK]);
        for logs in self.logs.chunks(CHUNK) {
            let values = &mut values[..logs.len()];
            values.iter_mut().zip(logs).for_each(|(to, log)| *to = bent(log));
            total.add(&Moments::of(values));
        }
        total.products / total.squares - self.mean
    }
}

/// Sums over bent values and their slopes.
#[derive(Debug, Default)]
struct Moments {
    n: f64,
    /// The means of both.
    mean: (f64, f64),
    /// The sum of squares of values around their mean.
    squares: f64,
    /// The sum of products of values and slopes around their means.
    products: f64,
}

impl Moments {
    fn of(values: &[(f64, f64)]) -> Moments {
        let n = values.len() as f64;
        let (a, b) = values.iter().fold((0.0, 0.0), |(a, b), (z, slope)| (a + z, b + slope));
        let mean = (a / n, b / n);
        let (squares, products) = values.iter().fold((0.0, 0.0), |(squares, products), (z, slope)| {
            let difference = z - mean.0;
            (squares + difference * difference, products + difference * (slope - mean.1))
        });
        Moments { n, mean, squares, products }
    }

    /// Adds other values (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983).
    fn add(&mut self, other: &Moments) {
        let n = self.n + other.n;
        let (a, b) = (other.mean.0 - self.mean.0, other.mean.1 - self.mean.1);
        let (share, common) = (other.n / n, self.n * other.n / n);
        self.squares += other.squares + a * a * common;
        self.products += other.products + a * b * common;
        self.mean = (self.mean.0 + a * share, self.mean.1 + b * share);
        self.n = n;
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

/// Where the rising function `f` is 0 between two bounds; the bound beyond which it would be, if it is nowhere 0. It looks from `start`,
/// between the bounds, on in steps that double from `step`, then between the last two.
fn root(f: impl Fn(f64) -> f64, (low, high): (f64, f64), (start, step): (f64, f64), precision: f64) -> f64 {
    let (mut a, mut fa) = (start, f(start));
    let (direction, bound) = if fa > 0.0 { (-1.0, low) } else { (1.0, high) };
    let mut width = step;
    loop {
        let b = (a + direction * width).clamp(low, high);
        let fb = f(b);
        // False also where it is no number: there, the likelihood is no better.
        let is_further = fb * direction < 0.0;
        if !is_further {
            return between(&f, (a, fa), (b, fb), precision);
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
        if f_best == 0.0 || least > 0.5 || least.is_nan() {
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
            let logs = Logs::new(values.iter(), pivot(&values));
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
            column(5000, |u| u * u * 5.0 - 1.0),
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
        let (far, from, near) = ((-1e3, 1e3), (1.0, 0.1), 1e-11);
        assert!((root(f, (-100.0, 100.0), from, near) - 3.7).abs() < 1e-10);
        assert!((root(|x| (x + 250.5).powi(3), far, from, near) + 250.5).abs() < 1e-3);
        assert_eq!(root(f, (-100.0, 2.5), from, near), 2.5);
        assert_eq!(root(|x| f(-x), (-2.5, 100.0), from, near), 100.0);
        assert_eq!(root(|x| x - 1.0, (-1.0, 3.0), from, near), 1.0);
        assert_eq!(root(f, (-100.0, 2.5), (2.5, 0.1), near), 2.5);
    }
}
