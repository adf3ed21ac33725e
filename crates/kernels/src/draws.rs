//! Random numbers for whole rows: Gaussian noise and dropout masks as functions of (seed, trial, stream, epoch,
//! step, row, column), independent of how rows are split among threads.

#![allow(unsafe_code)]

use crate::gemm::{BLOCK_COLUMNS, Block};
use crate::math::{ln, sin_cos_turn};
use crate::multiversion::multiversion;
use crate::philox::{LANES, Philox};

/// The number of columns that one round of draws covers: both halves of four words for each of eight counters.
const GROUP: usize = BLOCK_COLUMNS;
const _: () = assert!(GROUP == 8 * LANES);

/// The stream and the training step of the draws.
#[derive(Debug, Clone, Copy)]
pub struct Draws {
    /// The stream.
    pub philox: Philox,
    /// The epoch.
    pub epoch: u32,
    /// The step within the epoch.
    pub step: u32,
}

impl Draws {
    /// `GROUP` random words for group `group` of the columns of row `row`, of `n_groups`.
    #[inline(always)]
    fn words(self, row: usize, group: usize, n_groups: usize) -> [[u32; LANES]; 4] {
        let block = (row * n_groups + group) * LANES;
        self.philox.words_of_lanes(self.epoch, self.step, block as u64)
    }
}

multiversion! {
    /// `values += stddev * normal`, independent for each value: standard normals by the method of Box and Muller
    /// ("A note on the generation of random normal deviates", 1958), from 16 bits for the radius, which therefore
    /// is 4.85 at most, and 16 for the angle.
    pub fn add_normals(block: &mut Block<'_>, stddev: f32, draws: Draws) {
        let (row, group, n_groups) = place(block);
        for i in 0..block.n_rows() {
            for (j, values) in block.row(i).0.chunks_mut(GROUP).enumerate() {
                let words = draws.words(row + i, group + j, n_groups);
                for (values, words) in values.chunks_mut(2 * LANES).zip(words) {
                    add_scaled(values, normals(words), stddev);
                }
            }
        }
    }

    /// Zeroes each of the values with probability `rate`, and divides the others by `1 - rate`. The mask, if there is
    /// one, becomes zero at the same positions. The rate is rounded to a multiple of 1/65,536.
    pub fn dropout(block: &mut Block<'_>, rate: f64, draws: Draws) {
        let (row, group, n_groups) = place(block);
        let threshold = (rate * f64::from(1 << 16)).round().min(f64::from(u16::MAX)) as u16;
        let scale = (1.0 / (1.0 - rate)) as f32;
        for i in 0..block.n_rows() {
            let (values, mask) = block.row(i);
            let mut masks = mask.chunks_mut(GROUP);
            for (j, values) in values.chunks_mut(GROUP).enumerate() {
                let words = draws.words(row + i, group + j, n_groups);
                drop_some(values, masks.next(), halves(words), threshold, scale);
            }
        }
    }
}

/// The block's first row, its first group of columns, and the groups of a whole row.
#[inline(always)]
fn place(block: &Block<'_>) -> (usize, usize, usize) {
    (block.first_row(), block.first_column() / GROUP, block.width().div_ceil(GROUP))
}

/// The lower halves of the words, then the upper ones.
#[inline(always)]
fn halves(words: [[u32; LANES]; 4]) -> [u16; GROUP] {
    let mut halves = [0; GROUP];
    let (low, high) = halves.split_at_mut(GROUP / 2);
    for ((low, high), word) in low.iter_mut().zip(high).zip(words.as_flattened()) {
        (*low, *high) = (*word as u16, (*word >> 16) as u16);
    }
    halves
}

#[inline(always)]
fn drop_some(values: &mut [f32], mask: Option<&mut [u8]>, draws: [u16; GROUP], threshold: u16, scale: f32) {
    let kept = draws.map(|draw| u8::from(draw >= threshold));
    if let Some(mask) = mask {
        for (mask, kept) in mask.iter_mut().zip(kept) {
            *mask &= kept;
        }
    }
    for (value, kept) in values.iter_mut().zip(kept) {
        // No branch: it would be mispredicted as often as not.
        *value = f32::from_bits(value.to_bits() & u32::from(kept).wrapping_neg()) * scale;
    }
}

#[inline(always)]
fn add_scaled(values: &mut [f32], normals: [[f32; LANES]; 2], stddev: f32) {
    let normals = normals.as_flattened();
    if values.len() == normals.len() {
        // A length known to the compiler.
        for (value, normal) in values.iter_mut().zip(normals) {
            *value += stddev * normal;
        }
    } else {
        for (value, normal) in values.iter_mut().zip(normals) {
            *value += stddev * normal;
        }
    }
}

/// Two standard normals from each word: one radius, and the cosine and sine of one angle.
#[inline(always)]
fn normals(words: [u32; LANES]) -> [[f32; LANES]; 2] {
    let mut normals = [[0.0; LANES]; 2];
    for lane in 0..LANES {
        // The midpoints of 65,536 intervals of 0 .. 1 and of the circle.
        let uniform = ((words[lane] >> 16) as i32 as f32 + 0.5) * (1.0 / (1 << 16) as f32);
        let radius = (-2.0 * ln(uniform)).sqrt();
        let (sin, cos) = sin_cos_turn(words[lane] << 16 | 0x8000);
        normals[0][lane] = radius * cos;
        normals[1][lane] = radius * sin;
    }
    normals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws() -> Draws {
        Draws { philox: Philox::new(3, 0, 9), epoch: 2, step: 5 }
    }

    #[test]
    fn noise_is_standard_normal_times_its_deviation() {
        let (n_rows, width) = (2000, 321);
        let mut noise = vec![0.0; n_rows * width];
        add_normals(&mut Block::of_rows(&mut noise, &mut [], width, 0), 0.1, draws());
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
            let (mut values, mut mask) = (vec![1.0; n_rows * width], vec![1; n_rows * width]);
            dropout(&mut Block::of_rows(&mut values, &mut mask, width, 0), rate, draws());
            assert!(values.iter().zip(&mask).all(|(v, mask)| (*v == 0.0) == (*mask == 0)));
            let dropped = values.iter().filter(|v| **v == 0.0).count() as f64 / values.len() as f64;
            let error = (rate * (1.0 - rate) / values.len() as f64).sqrt();
            assert!((dropped - rate).abs() <= 5.0 * error, "rate {rate}: {dropped}");
            let kept = (1.0 / (1.0 - rate)) as f32;
            assert!(values.iter().all(|v| *v == 0.0 || *v == kept));
        }
    }

    #[test]
    fn draws_depend_on_the_row_not_on_the_cut() {
        for width in [1, 31, 32, 33, 64, 100, 200] {
            let x: Vec<f32> = (0..10 * width).map(|i| i as f32 * 0.01).collect();
            let mut whole = x.clone();
            add_normals(&mut Block::of_rows(&mut whole, &mut [], width, 0), 1.0, draws());
            let mut dropped = x.clone();
            dropout(&mut Block::of_rows(&mut dropped, &mut [], width, 0), 0.5, draws());
            for row in [0, 3, 9] {
                let range = row * width..(row + 1) * width;
                let mut noisy = x[range.clone()].to_vec();
                add_normals(&mut Block::of_rows(&mut noisy, &mut [], width, row), 1.0, draws());
                assert_eq!(noisy, whole[range.clone()]);
                let mut alone = x[range.clone()].to_vec();
                dropout(&mut Block::of_rows(&mut alone, &mut [], width, row), 0.5, draws());
                assert_eq!(alone, dropped[range]);
            }
        }
    }
}
