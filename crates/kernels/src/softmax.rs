//! Softmax along rows.

#![allow(unsafe_code)]

use crate::lanes::DOUBLES;
use crate::multiversion::multiversion;
use crate::{lanes, math};

/// Logits further below the largest get probability zero: it would be at most 1e-35, and subnormal in a row of many
/// classes, which is a hundred times slower.
const LOWEST: f32 = -80.0;

multiversion! {
    /// Replaces each row of `width` logits by its probabilities `exp(z - c) / s`, with `c` the row's maximum and
    /// `s` the sum of the exponentials, and stores `c + ln(s)`, the logarithm of the sum of the exponentials of the
    /// logits themselves, one for each row.
    pub fn softmax(rows: &mut [f32], log_sums: &mut [f32], width: usize) {
        for (row, log_sum) in rows.chunks_exact_mut(width).zip(log_sums) {
            // f32::max drops NaN; the exponentials restore it, and `0 * sum` carries it past the logarithm.
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for value in row.iter_mut() {
                let below = *value - max;
                *value = if below < LOWEST { 0.0 } else { math::exp(below) };
            }
            let sum = lanes::sum(width, |i| row[i]);
            *log_sum = max + math::ln(sum) + 0.0 * sum;
            let scale = 1.0 / sum;
            for value in row {
                *value *= scale;
            }
        }
    }
}

multiversion! {
    /// Replaces a row of finite logits by its probabilities, in double precision; those of logits further than 700 below the largest are 0.
    pub fn softmax_f64(row: &mut [f64]) {
        let max = largest(row);
        let (whole, rest) = row.as_chunks_mut::<DOUBLES>();
        let mut sums = [0.0; DOUBLES];
        let add = |values: &mut [f64; DOUBLES], sums: &mut [f64; DOUBLES]| {
            for (value, sum) in values.iter_mut().zip(sums) {
                *value = math::exp_f64(*value - max);
                *sum += *value;
            }
        };
        for values in &mut *whole {
            add(values, &mut sums);
        }
        // Whole lanes, of which the last count for nothing: one by one they would take longer.
        let mut last = [f64::NEG_INFINITY; DOUBLES];
        last[..rest.len()].copy_from_slice(rest);
        add(&mut last, &mut sums);
        rest.copy_from_slice(&last[..rest.len()]);
        let sum = lanes::fold(sums);
        for value in row {
            *value /= sum;
        }
    }
}

/// The largest of some numbers; minus infinity if there are none.
#[inline(always)]
fn largest(row: &[f64]) -> f64 {
    let (whole, rest) = row.as_chunks::<DOUBLES>();
    let mut lanes = [f64::NEG_INFINITY; DOUBLES];
    for values in whole {
        for (lane, value) in lanes.iter_mut().zip(values) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    rest.iter().chain(&lanes).copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_agree_with_the_naive_twin_and_do_not_overflow() {
        for width in [1, 2, 7, 8, 9, 31, 1000] {
            let logits: Vec<f64> = (0..width).map(|i| f64::from(i * 37 % 101) * 1.3 - 60.0).collect();
            let mut row = logits.clone();
            softmax_f64(&mut row);
            let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logits.iter().map(|z| (z - max).exp()).sum();
            for (p, z) in row.iter().zip(&logits) {
                let naive = (z - max).exp() / sum;
                assert!((p - naive).abs() <= 2e-15 * naive, "{width}: {p} {naive}");
            }
        }
        let mut row = [1e30, -1e30, 1e30];
        softmax_f64(&mut row);
        assert_eq!(row, [0.5, 0.0, 0.5]);
    }

    #[test]
    fn agrees_with_the_naive_twin_and_does_not_overflow() {
        for width in [1, 2, 3, 17, 100] {
            let logits: Vec<f32> = (0..4 * width).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.3).collect();
            let (mut rows, mut log_sums) = (logits.clone(), vec![0.0; 4]);
            softmax(&mut rows, &mut log_sums, width);
            for (row, logits) in rows.chunks(width).zip(logits.chunks(width)) {
                let sum: f64 = logits.iter().map(|z| f64::from(*z).exp()).sum();
                for (p, z) in row.iter().zip(logits) {
                    assert!((f64::from(*p) - f64::from(*z).exp() / sum).abs() < 1e-6);
                }
            }
            for (log_sum, logits) in log_sums.iter().zip(logits.chunks(width)) {
                let sum: f64 = logits.iter().map(|z| f64::from(*z).exp()).sum();
                assert!((f64::from(*log_sum) - sum.ln()).abs() < 1e-5);
            }
        }
        let (mut rows, mut log_sums) = ([1e30, -1e30, f32::NAN, 0.0, f32::INFINITY, 0.0], [0.0; 3]);
        softmax(&mut rows, &mut log_sums, 2);
        assert_eq!(rows[..2], [1.0, 0.0]);
        assert!(rows[2].is_nan() && rows[4].is_nan() && !log_sums[1].is_finite() && !log_sums[2].is_finite());
    }

    #[test]
    fn no_probability_is_subnormal() {
        for width in [2, 100, 3000] {
            let mut row: Vec<f32> = (0..width).map(|i| -((i % 110) as f32)).collect();
            softmax(&mut row, &mut [0.0], width);
            assert!(row.iter().all(|p| !p.is_subnormal()));
            assert!(row[0] > 0.0 && (width < 100 || row[79] > 0.0 && row[81] == 0.0));
        }
    }
}
