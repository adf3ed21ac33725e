//! Elementary functions as branch-free polynomials: they vectorise, and give the same bytes whatever the C library. Coefficients in
//! single precision are those of the Cephes library (Moshier, `expf.c`, `logf.c`, `sinf.c`).

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_PI_4, LOG2_E};

/// Adding and subtracting this rounds a small float to the nearest integer.
const ROUND: f32 = 12_582_912.0;

/// `exp(x)`, to 2 units in the last place; 0 below -87, infinite above 88.7.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.0, 88.8);
    let shifted = clamped * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = p * r + coefficient;
    }
    // Two factors, because the power of two alone may not be a float even if the result is.
    let exponent = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let half = exponent >> 1;
    let power = |e: i32| f32::from_bits((e.wrapping_add(127) as u32) << 23);
    let value = (p * (r * r) + r + 1.0) * power(half) * power(exponent.wrapping_sub(half));
    if x < -87.0 { 0.0 } else { value }
}

/// `ln(x)` for positive, normal, finite `x`, to 2 units in the last place.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 23) as i32 - 126;
    let mut mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f00_0000);
    let small = mantissa < FRAC_1_SQRT_2;
    exponent -= i32::from(small);
    mantissa = if small { mantissa + mantissa } else { mantissa } - 1.0;
    let mut p = 7.037_683_6e-2;
    for coefficient in [
        -0.115_146_1,
        0.116_769_99,
        -0.124_201_41,
        0.142_493_23,
        -0.166_680_58,
        0.200_007_14,
        -0.249_999_94,
        0.333_333_3,
    ] {
        p = p * mantissa + coefficient;
    }
    let square = mantissa * mantissa;
    let e = exponent as f32;
    mantissa + (mantissa * square * p - e * 2.121_944_4e-4 - 0.5 * square) + e * 0.693_359_4
}

/// The sine and cosine of an angle that goes once around the circle as `turn` goes from 0 to `2^32`. Within each
/// quarter it goes from the middle to the end and then from the start to the middle: only uniform angles for uniform
/// words matter.
#[inline(always)]
pub(crate) fn sin_cos_turn(turn: u32) -> (f32, f32) {
    // The two upper bits are the quarter; the rest, as a signed number, an angle in -pi/4 .. pi/4.
    let x = ((turn << 2) as i32 >> 8) as f32 * (FRAC_PI_4 / (1 << 23) as f32);
    let z = x * x;
    let sin = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 0.166_666_55) * z * x + x;
    let cos = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * (z * z) - 0.5 * z + 1.0;
    let (sin, cos) = if turn & 1 << 30 == 0 { (sin, cos) } else { (cos, -sin) };
    let sign = if turn & 1 << 31 == 0 { 1.0 } else { -1.0 };
    (sin * sign, cos * sign)
}

/// The same for doubles: see [`ROUND`].
const ROUND_F64: f64 = 6_755_399_441_055_744.0;
/// The logarithm of 2, cut after 33 bits, and the rest (Cephes, `exp.c`).
const LN_2_HIGH: f64 = 6.931_457_519_531_25e-1;
const LN_2_LOW: f64 = 1.428_606_820_309_417_2e-6;
/// `1 / k!` for k from 13 down to 0: for |r| up to ln(2) / 2 the first term left out is below a tenth of a unit in the last place.
const TAYLOR: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];
/// Below, a power counts as 0, and above as that of 700: no result is subnormal or infinite.
const MOST: f64 = 700.0;

/// `exp(x)`, to 2 units in the last place; 0 below -700, and `exp(700)` above 700.
#[inline(always)]
pub(crate) fn exp_f64(x: f64) -> f64 {
    let clamped = x.clamp(-MOST, MOST);
    let shifted = clamped * std::f64::consts::LOG2_E + ROUND_F64;
    let n = shifted - ROUND_F64;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        p = p * r + coefficient;
    }
    let exponent = shifted.to_bits().wrapping_sub(ROUND_F64.to_bits());
    let value = p * f64::from_bits(exponent.wrapping_add(1023) << 52);
    if x < -MOST { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_of_doubles_is_exact_to_two_units() {
        for i in -699_999..700_000 {
            let (got, want) = (exp_f64(f64::from(i) * 1e-3), (f64::from(i) * 1e-3).exp());
            assert!((got - want).abs() <= 4.5e-16 * want, "exp({i}e-3) = {got}, expected {want}");
        }
        assert_eq!((exp_f64(0.0), exp_f64(-1e300), exp_f64(f64::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert!(exp_f64(f64::INFINITY).is_finite() && exp_f64(f64::NAN).is_nan());
    }

    fn relative(got: f32, want: f64) -> f64 {
        (f64::from(got) - want).abs() / want.abs().max(1e-30)
    }

    #[test]
    fn exp_is_exact_to_two_units() {
        for i in -86_999..88_700 {
            let x = i as f32 * 1e-3;
            assert!(relative(exp(x), f64::from(x).exp()) < 2.4e-7, "exp({x}) = {}", exp(x));
        }
        assert_eq!((exp(0.0), exp(-1e30), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn ln_is_exact_to_two_units() {
        for i in 1..=1 << 16 {
            for x in [i as f32 / 65_536.0, i as f32 * 1e-30, i as f32 * 1e20] {
                let error = (f64::from(ln(x)) - f64::from(x).ln()).abs();
                assert!(error <= 2.4e-7 * f64::from(x).ln().abs().max(0.1), "ln({x}) = {}", ln(x));
            }
        }
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn sines_and_cosines_run_once_around_the_circle() {
        for turn in (0..=u32::MAX).step_by(65_537) {
            let quarter = f64::from(turn >> 30);
            let within = f64::from((turn << 2) as i32) / f64::from(1u32 << 31);
            let angle = (quarter + within / 2.0) * std::f64::consts::FRAC_PI_2;
            let (sin, cos) = sin_cos_turn(turn);
            assert!((f64::from(sin) - angle.sin()).abs() < 3e-7, "turn {turn}");
            assert!((f64::from(cos) - angle.cos()).abs() < 3e-7, "turn {turn}");
        }
    }
}
