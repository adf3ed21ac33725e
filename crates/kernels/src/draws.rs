//! Random numbers for whole rows: Gaussian noise and dropout masks as functions of (seed, trial, stream, epoch,
//! step, row, column), the same however the rows are cut among threads.

#![allow(unsafe_code)]

use crate::math::{ln, sin_cos_turn};
use crate::multiversion::multiversion;
use crate::philox::{LANES, Philox};

/// Columns that one round of draws serves: four words for each of eight counters.
const GROUP: usize = 4 * LANES;

/// Which numbers are drawn: a stream at one training step. `first_row` is the place of the first row given among
/// the step's rows.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    /// The stream.
    pub philox: Philox,
    /// The epoch.
    pub epoch: u32,
    /// The step within the epoch.
    pub step: u32,
    /// The place of the first row.
    pub first_row: usize,
}

impl Draws {
    /// `GROUP` random words for group `group` of the columns of row `row`, of `n_groups`.
    #[inline(always)]
    fn words(self, row: usize, group: usize, n_groups: usize) -> [[u32; LANES]; 4] {
        let block = ((self.first_row + row) * n_groups + group) * LANES;
        self.philox.words_of_lanes(self.epoch, self.step, block as u64)
    }
}

multiversion! {
    /// `y = x + stddev * normal`, independent for each element, for rows of `width`: standard normals by the
    /// method of Box and Muller ("A note on the generation of random normal deviates", 1958).
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add_normals(y: &mut [f32], x: &[f32], width: usize, stddev: f32, draws: Draws) {
        assert_eq!(y.len(), x.len());
        let n_groups = width.div_ceil(GROUP);
        for (row, (y, x)) in y.chunks_mut(width).zip(x.chunks(width)).enumerate() {
            for (group, (y, x)) in y.chunks_mut(GROUP).zip(x.chunks(GROUP)).enumerate() {
                let normals = normals(draws.words(row, group, n_groups));
                for ((y, x), normal) in y.iter_mut().zip(x).zip(normals.as_flattened()) {
                    *y = x + stddev * normal;
                }
            }
        }
    }

    /// Zeroes each of `values`, rows of `width`, with probability `rate`, and divides the others by `1 - rate`.
    pub fn dropout(values: &mut [f32], width: usize, rate: f64, draws: Draws) {
        let n_groups = width.div_ceil(GROUP);
        let threshold = (rate * (1u64 << 32) as f64) as u32;
        let scale = (1.0 / (1.0 - rate)) as f32;
        for (row, values) in values.chunks_mut(width).enumerate() {
            for (group, values) in values.chunks_mut(GROUP).enumerate() {
                let words = draws.words(row, group, n_groups);
                for (value, word) in values.iter_mut().zip(words.as_flattened()) {
                    *value = if *word >= threshold { *value * scale } else { 0.0 };
                }
            }
        }
    }
}

/// Standard normals from uniform words: two by two, a radius from one and an angle from the other.
#[inline(always)]
fn normals(words: [[u32; LANES]; 4]) -> [[f32; LANES]; 4] {
    let mut normals = [[0.0; LANES]; 4];
    for pair in [0, 2] {
        for lane in 0..LANES {
            let uniform = ((words[pair][lane] >> 8) + 1) as i32 as f32 * (1.0 / (1 << 24) as f32);
            let radius = (-2.0 * ln(uniform)).sqrt();
            let (sin, cos) = sin_cos_turn(words[pair + 1][lane]);
            normals[pair][lane] = radius * cos;
            normals[pair + 1][lane] = radius * sin;
        }
    }
    normals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(first_row: usize) -> Draws {
        Draws { philox: Philox::new(3, 0, 9), epoch: 2, step: 5, first_row }
    }

    #[test]
    fn noise_is_standard_normal_times_its_deviation() {
        let (n_rows, width) = (2000, 321);
        let mut noise = vec![0.0; n_rows * width];
        add_normals(&mut noise, &vec![0.0; n_rows * width], width, 0.1, draws(0));
        let n = noise.len() as f64;
        let moment = |power| noise.iter().map(|v| (f64::from(*v) / 0.1).powi(power)).sum::<f64>() / n;
        // Five standard errors of the moments of a standard normal.
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0_f64)]
        {
            let error = (moment(power) - expected).abs();
            assert!(error < 5.0 * (variance / n).sqrt(), "moment {power}: {}", moment(power));
        }
        let beyond = |z: f64| noise.iter().filter(|v| f64::from(**v) > z * 0.1).count() as f64 / n;
        for (z, tail) in [(0.674_49, 0.25), (1.959_964, 0.025), (3.090_232, 0.001)] {
            assert!((beyond(z) - tail).abs() < 5.0 * (tail / n).sqrt(), "beyond {z}: {}", beyond(z));
        }
        let neighbours: f64 = noise.windows(2).map(|w| f64::from(w[0] * w[1]) * 100.0).sum::<f64>() / n;
        assert!(neighbours.abs() < 5.0 / n.sqrt(), "correlation of neighbours {neighbours}");
    }

    #[test]
    fn dropout_keeps_the_mean() {
        let (n_rows, width) = (1000, 333);
        for rate in [0.0, 0.3, 0.73423, 0.99] {
            let mut values = vec![1.0; n_rows * width];
            dropout(&mut values, width, rate, draws(0));
            let dropped = values.iter().filter(|v| **v == 0.0).count() as f64 / values.len() as f64;
            let error = (rate * (1.0 - rate) / values.len() as f64).sqrt();
            assert!((dropped - rate).abs() <= 5.0 * error, "rate {rate}: {dropped}");
            let kept = (1.0 / (1.0 - rate)) as f32;
            assert!(values.iter().all(|v| *v == 0.0 || *v == kept));
        }
    }

    #[test]
    fn draws_depend_on_the_row_not_on_the_cut() {
        for width in [1, 31, 32, 33, 100] {
            let x: Vec<f32> = (0..10 * width).map(|i| i as f32 * 0.01).collect();
            let mut whole = vec![0.0; x.len()];
            add_normals(&mut whole, &x, width, 1.0, draws(0));
            let mut dropped = x.clone();
            dropout(&mut dropped, width, 0.5, draws(0));
            for row in [0, 3, 9] {
                let range = row * width..(row + 1) * width;
                let mut noisy = vec![0.0; width];
                add_normals(&mut noisy, &x[range.clone()], width, 1.0, draws(row));
                assert_eq!(noisy, whole[range.clone()]);
                let mut alone = x[range.clone()].to_vec();
                dropout(&mut alone, width, 0.5, draws(row));
                assert_eq!(alone, dropped[range]);
            }
        }
    }
}
