//! The normal distribution far in its tails: masses of intervals, and draws from a truncated one.
//!
//! Everything is in logarithms, as in scipy's `truncnorm`, so that a mass of 1e-1000 is representable. The mass of a
//! narrow interval is a series around its middle, because the difference of two distribution functions would lose
//! digits.

use std::f64::consts::{LN_2, PI, SQRT_2};

/// ln(sqrt(2 pi)).
pub(super) const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// Beyond this point, a tail is less than half of the last digit of 1.
const FAR: f64 = 8.3;

/// The cumulative distribution function.
fn ndtr(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// The logarithm of the cumulative distribution function, to a relative error of 1e-14.
pub fn log_ndtr(x: f64) -> f64 {
    if x > 0.0 {
        (-ndtr(-x)).ln_1p()
    } else if x > -20.0 {
        ndtr(x).ln()
    } else {
        // Abramowitz and Stegun 26.2.12; below -20 the terms become negligible before they grow.
        let inverse_square = 1.0 / (x * x);
        let (mut sum, mut term, mut odd) = (1.0, 1.0, 1.0);
        while f64::abs(term) > f64::EPSILON * 0.1 {
            term *= -odd * inverse_square;
            sum += term;
            odd += 2.0;
        }
        -0.5 * x * x - (-x).ln() - LN_SQRT_2PI + f64::ln(sum)
    }
}

/// The logarithm of the mass between `a` and `b`, `a < b`.
pub fn log_mass(a: f64, b: f64) -> f64 {
    if a < -FAR && b > FAR {
        return 0.0;
    }
    let (width, middle) = (b - a, 0.5 * (a + b));
    if NarrowMass::covers(width, middle) {
        return NarrowMass::new(width, middle).log_mass(middle);
    }
    // In the right tail the distribution function is too close to 1, so the interval is mirrored.
    let (a, b) = if a > 0.0 { (-b, -a) } else { (a, b) };
    if b > 0.0 {
        let left = if a < -FAR { 0.0 } else { ndtr(a) };
        let right = if b > FAR { 0.0 } else { ndtr(-b) };
        (-left - right).ln_1p()
    } else if a > -37.0 {
        (ndtr(b) - ndtr(a)).ln()
    } else {
        log_difference(log_ndtr(b), log_ndtr(a))
    }
}

/// Masses of intervals of one small width, h to each side.
///
/// Around the middle m the density is pdf(m) exp(-m t) exp(-t^2/2), and the mean of cosh(m t) exp(-t^2/2) over -h .. h
/// is a sum over j of m^2j times a factor of h alone. All terms are positive, so no digit is lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct NarrowMass {
    log_width: f64,
    /// The mean of t^2j exp(-t^2/2) over -h .. h, divided by (2j)!, for the first `n_terms` j.
    means: [f64; MOST_TERMS],
    n_terms: usize,
}

const MOST_TERMS: usize = 18;

impl NarrowMass {
    /// Whether the series is accurate to 1e-15 for an interval.
    pub(super) fn covers(width: f64, middle: f64) -> bool {
        width <= 0.5 && width * middle.abs() <= 8.0
    }

    /// For middles up to `reach` from 0.
    pub(super) fn new(width: f64, reach: f64) -> NarrowMass {
        let (h2, reach2) = (0.25 * width * width, reach * reach);
        // The number of terms of exp(-t^2/2) that are not negligible.
        let n_inner = if h2 < 1e-6 {
            3
        } else if h2 < 1e-3 {
            5
        } else {
            8
        };
        let mut narrow = NarrowMass { log_width: width.ln(), means: [0.0; MOST_TERMS], n_terms: MOST_TERMS };
        let (mut scale, mut largest) = (1.0, 1.0);
        for (n_terms, mean) in narrow.means.iter_mut().enumerate() {
            if largest < 1e-18 {
                narrow.n_terms = n_terms;
                break;
            }
            let j = n_terms as f64;
            let inner = (1..=n_inner).rev().map(f64::from);
            let inner = inner.fold(0.0, |sum, i| -(sum + 1.0 / (2.0 * (j + i) + 1.0)) * h2 / (2.0 * i));
            *mean = scale * (inner + 1.0 / (2.0 * j + 1.0));
            let next = 1.0 / ((2.0 * j + 1.0) * (2.0 * j + 2.0));
            scale *= h2 * next;
            largest *= h2 * reach2 * next;
        }
        narrow
    }

    /// The logarithm of the mass of the interval around `middle`, which must be within reach.
    #[inline]
    pub(super) fn log_mass(&self, middle: f64) -> f64 {
        let m2 = middle * middle;
        let mean = self.means[..self.n_terms].iter().rev().fold(0.0, |sum, mean| sum * m2 + mean);
        self.log_width - 0.5 * m2 - LN_SQRT_2PI + mean.ln()
    }
}

/// ln(exp(p) - exp(q)), `p > q`.
fn log_difference(p: f64, q: f64) -> f64 {
    p + (-(q - p).exp()).ln_1p()
}

/// ln(exp(p) + exp(q)).
fn log_sum(p: f64, q: f64) -> f64 {
    let (large, small) = if p > q { (p, q) } else { (q, p) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

/// The `x` with `log_ndtr(x) = y`: Newton's method, as in Optuna's `_ndtri_exp`.
fn ndtri_exp(y: f64) -> f64 {
    let flipped = y > -1e-2;
    let z = if flipped { (-y.exp_m1()).ln() } else { y };
    let mut x =
        if z < -5.0 { -(-2.0 * (z + LN_SQRT_2PI)).sqrt() } else { -(3f64.sqrt() / PI) * (-z).exp_m1().ln() };
    for _ in 0..100 {
        let log_cdf = log_ndtr(x);
        let log_pdf = -0.5 * x * x - LN_SQRT_2PI;
        let change = (log_cdf - z) * (log_cdf - log_pdf).exp();
        x -= change;
        if change.is_nan() || change.abs() < 1e-10 * x.abs() {
            break;
        }
    }
    if flipped { -x } else { x }
}

/// The point below which the share `q` of the mass between `a` and `b` lies, `0 <= q < 1`.
pub fn truncated_quantile(q: f64, a: f64, b: f64) -> f64 {
    let log_mass = log_mass(a, b);
    let x = if q == 0.0 {
        a
    } else if a < 0.0 {
        ndtri_exp(log_sum(log_ndtr(a), q.ln() + log_mass).min(-f64::MIN_POSITIVE))
    } else {
        -ndtri_exp(log_sum(log_ndtr(-b), (-q).ln_1p() + log_mass).min(-LN_2 * f64::EPSILON))
    };
    if x.is_nan() { 0.5 * (a + b) } else { x.clamp(a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, scale: f64) {
        assert!((found - expected).abs() <= 1e-12 * scale, "{found:e}, expected {expected:e}");
    }

    /// 60-digit arithmetic (mpmath 1.3.0): `log(erfc(-x / sqrt(2)) / 2)`.
    const LOG_NDTR: [(f64, f64); 17] = [
        (-10000.0, -50000010.12927891),
        (-300.0, -45006.62273211866),
        (-40.5, -824.745849244038),
        (-37.0, -689.0305855768906),
        (-20.001, -203.93720562293421),
        (-19.999, -203.89710611679703),
        (-8.0, -35.01343715991455),
        (-3.3, -7.634616148071127),
        (-1.0, -1.8410216450092636),
        (-0.25, -0.9130617648111351),
        (0.0, -LN_2),
        (1e-09, -0.6931471797620608),
        (0.5, -0.3689464152886564),
        (2.0, -0.02301290932896349),
        (5.5, -1.8989562646189464e-08),
        (8.0, -6.220960574271786e-16),
        (12.0, -1.776482112077679e-33),
    ];

    /// The same for intervals.
    const LOG_MASS: [(f64, f64, f64); 17] = [
        (-1.0, 1.0, -0.38171514630212605),
        (0.0, 1.0, -1.0748623268620714),
        (-100.0, 0.0, -LN_2),
        (0.0, 0.0199, -4.836040080380563),
        (-0.01, 0.0099, -4.835990582014083),
        (3.0, 3.015, -9.641096315721112),
        (3.0, 3.02, -9.360877210094918),
        (-60.0, -59.9, -1799.0193836755307),
        (49.0, 50.0, -1205.3111748916654),
        (2.4, 2.419, -7.785027674914959),
        (-1e-07, 1e-07, -16.343887003603047),
        (1.0, 1.0000001, -17.537034233579128),
        (7.0, 9.0, -27.384307586994964),
        (-8.4, 8.4, -4.4647863945760873e-17),
        (-8.2, 30.0, -1.2019351542735859e-16),
        (-3.0, 50.0, -0.0013508099647481938),
        (1000.0, 1001.0, -500007.82669481216),
    ];

    #[test]
    fn tails() {
        for (x, expected) in LOG_NDTR {
            close(log_ndtr(x), expected, expected.abs());
        }
    }

    #[test]
    fn intervals() {
        for (a, b, expected) in LOG_MASS {
            close(log_mass(a, b), expected, expected.abs().max(1.0));
        }
    }

    /// The series agrees with the difference of two distribution functions where both are accurate.
    #[test]
    fn narrow_intervals_join_wide_ones() {
        for middle in [0.0, 0.3, 1.0, 2.4, 7.0, 15.9] {
            for width in [0.5, 0.49, 0.3] {
                let (a, b) = (-middle - 0.5 * width, -middle + 0.5 * width);
                assert!(NarrowMass::covers(width, middle));
                close(NarrowMass::new(width, middle).log_mass(middle), (ndtr(b) - ndtr(a)).ln(), 1.0);
            }
        }
    }

    #[test]
    fn quantiles_turn_the_distribution_function_round() {
        for (a, b) in [(-1.0, 2.0), (-100.0, 0.5), (0.0, 50.0), (5.0, 5.5), (-40.0, -39.0), (30.0, 100.0)] {
            for q in [0.0, 1e-12, 0.01, 0.3, 0.5, 0.9, 1.0 - 1e-12] {
                let x = truncated_quantile(q, a, b);
                assert!(a <= x && x <= b);
                let found = if x == a { 0.0 } else { (log_mass(a, x) - log_mass(a, b)).exp() };
                assert!((found - q).abs() < 1e-10, "{q} of [{a}, {b}]: {x} has {found}");
            }
        }
    }
}
