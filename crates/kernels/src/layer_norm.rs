//! Layer normalisation (Ba, Kiros and Hinton, "Layer normalization", 2016): each row is centred and scaled to unit
//! variance, then each column gets a gain and an offset.
//!
//! With `m` and `v` the mean and the (biased) variance of a row `x` and `r = 1 / sqrt(v + epsilon)`:
//! `y = gain * (x - m) r + offset`. With `h = (x - m) r` and `e = gain * dy`, the gradients are
//! `dx = r (e - mean(e) - h mean(e h))`, `d gain = sum(dy h)` and `d offset = sum(dy)` over the rows.

#![allow(unsafe_code)]

use crate::lanes;
use crate::multiversion::multiversion;

/// The statistics of a row that the gradient needs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// The row's mean.
    pub mean: f32,
    /// One over its standard deviation: `1 / sqrt(variance + epsilon)`.
    pub inverse_deviation: f32,
}

#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> Moments {
    let n = x.len() as f32;
    let mean = lanes::sum(x.len(), |i| x[i]) / n;
    let variance = lanes::sum(x.len(), |i| (x[i] - mean) * (x[i] - mean)) / n;
    Moments { mean, inverse_deviation: 1.0 / (variance + epsilon).sqrt() }
}

multiversion! {
    /// Normalises the rows of `x` into `y` and stores their statistics; `gain` and `offset` are as long as a row.
    pub fn layer_norm(
        y: &mut [f32],
        moments_of_rows: &mut [Moments],
        x: &[f32],
        gain: &[f32],
        offset: &[f32],
        epsilon: f32,
    ) {
        let width = gain.len();
        let offset = &offset[..width];
        for ((y, x), noted) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(moments_of_rows) {
            let of_row = moments(x, epsilon);
            for j in 0..width {
                y[j] = (x[j] - of_row.mean) * of_row.inverse_deviation * gain[j] + offset[j];
            }
            *noted = of_row;
        }
    }

    /// Turns the input of [`layer_norm`] into its gradient, row by row, from the gradient of the output.
    pub fn layer_norm_backward(x: &mut [f32], gradient: &[f32], moments_of_rows: &[Moments], gain: &[f32]) {
        let width = gain.len();
        let n = width as f32;
        let rows = gradient.chunks_exact(width).zip(x.chunks_exact_mut(width));
        for ((d, x), of_row) in rows.zip(moments_of_rows) {
            let Moments { mean, inverse_deviation } = *of_row;
            let mean_e = lanes::sum(width, |j| d[j] * gain[j]) / n;
            let mean_eh = lanes::sum(width, |j| d[j] * gain[j] * ((x[j] - mean) * inverse_deviation)) / n;
            for j in 0..width {
                let h = (x[j] - mean) * inverse_deviation;
                x[j] = inverse_deviation * (d[j] * gain[j] - mean_e - h * mean_eh);
            }
        }
    }

    /// The gradients of gain and offset of the columns `first ..`, from that of [`layer_norm`]'s output, whose rows
    /// have `width` values.
    pub fn layer_norm_weights_backward(
        d_gain: &mut [f32],
        d_offset: &mut [f32],
        gradient: &[f32],
        x: &[f32],
        moments_of_rows: &[Moments],
        first: usize,
        width: usize,
    ) {
        d_gain.fill(0.0);
        d_offset.fill(0.0);
        let n = d_gain.len();
        let d_offset = &mut d_offset[..n];
        for ((d, x), of_row) in gradient.chunks_exact(width).zip(x.chunks_exact(width)).zip(moments_of_rows) {
            let (d, x) = (&d[first..][..n], &x[first..][..n]);
            for j in 0..n {
                d_gain[j] += d[j] * ((x[j] - of_row.mean) * of_row.inverse_deviation);
                d_offset[j] += d[j];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Philox;

    fn random(n: usize, stream: u32) -> Vec<f32> {
        let mut sequence = Philox::new(5, 0, stream).sequence(0, 0);
        (0..n).map(|_| sequence.uniform() as f32 * 4.0 - 1.0).collect()
    }

    /// The naive twin, in double precision.
    fn naive(x: &[f64], gain: &[f64], offset: &[f64], epsilon: f64) -> Vec<f64> {
        let width = gain.len();
        let n = width as f64;
        let rows = x.chunks(width).flat_map(|x| {
            let mean = x.iter().sum::<f64>() / n;
            let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            let deviation = (variance + epsilon).sqrt();
            (0..width).map(move |j| (x[j] - mean) / deviation * gain[j] + offset[j])
        });
        rows.collect()
    }

    fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|v| f64::from(*v)).collect()
    }

    #[test]
    fn rows_and_gradients_agree_with_the_naive_twin() {
        for (n_rows, width) in [(1, 1), (2, 2), (5, 16), (3, 33), (4, 130)] {
            let (x, gain, offset) = (random(n_rows * width, 1), random(width, 2), random(width, 3));
            let d = random(n_rows * width, 4);
            let (mut y, mut of_rows) = (vec![0.0; x.len()], vec![Moments::default(); n_rows]);
            layer_norm(&mut y, &mut of_rows, &x, &gain, &offset, 1e-3);
            let twin = |x: &[f64], gain: &[f64], offset: &[f64]| naive(x, gain, offset, 1e-3);
            for (got, want) in y.iter().zip(twin(&wide(&x), &wide(&gain), &wide(&offset))) {
                assert!((f64::from(*got) - want).abs() < 1e-5);
            }
            let (mut dx, mut d_gain, mut d_offset) = (x.clone(), vec![0.0; width], vec![0.0; width]);
            layer_norm_weights_backward(&mut d_gain, &mut d_offset, &d, &x, &of_rows, 0, width);
            let (mut some_gain, mut some_offset) = (vec![9.0; width / 2], vec![9.0; width / 2]);
            let first = width / 3;
            layer_norm_weights_backward(&mut some_gain, &mut some_offset, &d, &x, &of_rows, first, width);
            assert_eq!(
                (&some_gain[..], &some_offset[..]),
                (&d_gain[first..][..width / 2], &d_offset[first..][..width / 2])
            );
            layer_norm_backward(&mut dx, &d, &of_rows, &gain);
            let inner = |y: Vec<f64>| y.iter().zip(&d).map(|(y, d)| y * f64::from(*d)).sum::<f64>();
            let at = [wide(&x), wide(&gain), wide(&offset)];
            for (which, gradient) in [&dx, &d_gain, &d_offset].into_iter().enumerate() {
                for (i, got) in gradient.iter().enumerate() {
                    let shifted = |step: f64| {
                        let mut at = at.clone();
                        at[which][i] += step;
                        inner(twin(&at[0], &at[1], &at[2]))
                    };
                    let want = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                    let error = (f64::from(*got) - want).abs();
                    assert!(error < 1e-4 * (1.0 + want.abs()), "{which} {i}: {got}, expected {want}");
                }
            }
        }
    }
}
