//! The passes of sequential minimal optimisation over the rows of a problem with box constraints and one linear constraint: the step along a
//! pair of rows, and the choice of the next pair.
//!
//! Each row t has a score f_t. A row that may rise has `up[t] = 0`, another one -infinity; one that may fall has `low[t] = 0`, another
//! one +infinity. Slices are of one length, a multiple of [`LANES`]; what is past the last row may neither rise nor fall.

#![allow(unsafe_code)]

use crate::multiversion::multiversion;

/// The lengths of all slices are multiples of this.
pub const LANES: usize = 16;

/// The least curvature along a pair of rows, which rows at no distance have (libsvm: `TAU`).
pub const LEAST_CURVATURE: f64 = 1e-12;

/// The row of the largest score of those that may rise, and the score: -infinity where none may.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Largest {
    /// The row; the first of equals.
    pub row: usize,
    /// Its score.
    pub score: f64,
}

/// The partner of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Partner {
    /// The row that may fall whose step with the given row lowers the objective most, the first of equals; `usize::MAX` where no step does.
    pub row: usize,
    /// By how much the score of the given row is above the smallest of those that may fall; -infinity where none may.
    pub gap: f64,
}

/// The largest of lanes, each with the chunk that it was found in: the first row of equals.
#[inline(always)]
fn first<T: Copy + PartialOrd + Into<f64>>(values: [T; LANES], chunks: [T; LANES]) -> (usize, T) {
    let row = |lane: usize| Into::<f64>::into(chunks[lane]) as usize * LANES + lane;
    let mut best = 0;
    for lane in 1..LANES {
        let is_first = values[lane] == values[best] && row(lane) < row(best);
        if values[lane] > values[best] || is_first {
            best = lane;
        }
    }
    (row(best), values[best])
}

multiversion! {
    /// Subtracts `size * (row_i - row_j)` from the scores `f`, and finds the largest of those that may rise.
    pub fn step(f: &mut [f64], up: &[f64], row_i: &[f32], row_j: &[f32], size: f64, largest: &mut Largest) {
        let (f, up) = (f.as_chunks_mut::<LANES>().0, up.as_chunks::<LANES>().0);
        let rows = row_i.as_chunks::<LANES>().0.iter().zip(row_j.as_chunks::<LANES>().0);
        let (mut scores, mut chunks) = ([f64::NEG_INFINITY; LANES], [0.0f64; LANES]);
        let mut chunk = 0.0;
        for ((f, up), (i, j)) in f.iter_mut().zip(up).zip(rows) {
            for lane in 0..LANES {
                f[lane] -= size * (f64::from(i[lane]) - f64::from(j[lane]));
                let score = f[lane] + up[lane];
                let is_larger = score > scores[lane];
                scores[lane] = if is_larger { score } else { scores[lane] };
                chunks[lane] = if is_larger { chunk } else { chunks[lane] };
            }
            chunk += 1.0;
        }
        let (row, score) = first(scores, chunks);
        *largest = Largest { row, score };
    }

    /// The largest of the scores that may rise.
    pub fn largest(f: &[f64], up: &[f64], largest: &mut Largest) {
        let (mut scores, mut chunks) = ([f64::NEG_INFINITY; LANES], [0.0f64; LANES]);
        let mut chunk = 0.0;
        for (f, up) in f.as_chunks::<LANES>().0.iter().zip(up.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                let score = f[lane] + up[lane];
                let is_larger = score > scores[lane];
                scores[lane] = if is_larger { score } else { scores[lane] };
                chunks[lane] = if is_larger { chunk } else { chunks[lane] };
            }
            chunk += 1.0;
        }
        let (row, score) = first(scores, chunks);
        *largest = Largest { row, score };
    }

    /// Subtracts `size * row` from the scores `f`, of any length.
    pub fn subtract(f: &mut [f64], row: &[f32], size: f64) {
        for (f, value) in f.iter_mut().zip(row) {
            *f -= size * f64::from(*value);
        }
    }

    /// The partner of the row of score `score`, whose kernel values with all rows are `row`; those of rows with themselves are 1. The gain of a step is
    /// `(f_i - f_t)^2 / (2 - 2 k_it)` (Fan, Chen and Lin, "Working set selection using second order information for training support
    /// vector machines", Journal of Machine Learning Research 6, 2005).
    pub fn partner(f: &[f64], low: &[f64], row: &[f32], score: f64, partner: &mut Partner) {
        let (f, low) = (f.as_chunks::<LANES>().0, low.as_chunks::<LANES>().0);
        let (mut gains, mut chunks, mut chunk) = ([0.0f32; LANES], [0.0f32; LANES], 0.0f32);
        let mut gaps = [f64::NEG_INFINITY; LANES];
        for ((f, low), row) in f.iter().zip(low).zip(row.as_chunks::<LANES>().0) {
            let mut single = [0.0f32; LANES];
            for lane in 0..LANES {
                let gap = score - (f[lane] + low[lane]);
                gaps[lane] = if gap > gaps[lane] { gap } else { gaps[lane] };
                single[lane] = gap as f32;
            }
            for lane in 0..LANES {
                let curvature = 2.0 - 2.0 * row[lane];
                let curvature = if curvature > LEAST_CURVATURE as f32 { curvature } else { LEAST_CURVATURE as f32 };
                let gap = if single[lane] > 0.0 { single[lane] } else { 0.0 };
                let gain = gap * gap / curvature;
                let is_larger = gain > gains[lane];
                gains[lane] = if is_larger { gain } else { gains[lane] };
                chunks[lane] = if is_larger { chunk } else { chunks[lane] };
            }
            chunk += 1.0;
        }
        let (row, gain) = first(gains, chunks);
        let gap = gaps.iter().fold(f64::NEG_INFINITY, |most, gap| most.max(*gap));
        *partner = Partner { row: if gain > 0.0 { row } else { usize::MAX }, gap };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Philox;

    /// Scores with ties, who may rise or fall, and kernel values of two rows.
    fn problem(n: usize, seed: u64) -> (Vec<f64>, [Vec<f64>; 2], [Vec<f32>; 2]) {
        let mut draws = Philox::new(seed, 0, 0).sequence(n as u32, 0);
        let f = (0..n).map(|_| f64::from(draws.below(20)) / 4.0 - 2.0).collect();
        let mut mask = |v: f64| (0..n).map(|_| if draws.below(3) > 0 { 0.0 } else { v }).collect();
        let masks = [mask(f64::NEG_INFINITY), mask(f64::INFINITY)];
        let mut row = || (0..n).map(|_| draws.below(9) as f32 / 8.0).collect();
        (f, masks, [row(), row()])
    }

    #[test]
    fn passes_agree_with_their_naive_twins() {
        for (n, seed) in [(16, 1), (32, 2), (160, 3), (4096, 4), (48, 5), (0, 6)] {
            let (f, [up, low], [row_i, row_j]) = problem(n, seed);
            let mut stepped = f.clone();
            let mut largest = Largest { row: 7, score: 0.0 };
            step(&mut stepped, &up, &row_i, &row_j, 0.5, &mut largest);
            let naive: Vec<f64> =
                (0..n).map(|t| f[t] - 0.5 * (f64::from(row_i[t]) - f64::from(row_j[t]))).collect();
            assert_eq!(stepped, naive);
            let best = (0..n).fold(None, |best: Option<usize>, t| match best {
                _ if up[t] != 0.0 => best,
                Some(b) if naive[b] >= naive[t] => best,
                _ => Some(t),
            });
            let expected = best.map_or((0, f64::NEG_INFINITY), |t| (t, naive[t]));
            assert_eq!((largest.row, largest.score), expected);
            let (mut again, mut subtracted) = (Largest { row: 7, score: 0.0 }, f.clone());
            super::largest(&stepped, &up, &mut again);
            assert_eq!(again, largest);
            subtract(&mut subtracted, &row_i, 0.5);
            assert_eq!(subtracted, (0..n).map(|t| f[t] - 0.5 * f64::from(row_i[t])).collect::<Vec<_>>());

            let mut found = Partner { row: 0, gap: 0.0 };
            partner(&f, &low, &row_i, 1.25, &mut found);
            let falling = || (0..n).filter(|&t| low[t] == 0.0);
            assert_eq!(found.gap, falling().map(|t| 1.25 - f[t]).fold(f64::NEG_INFINITY, f64::max));
            let gain = |t: usize| (1.25 - f[t]).powi(2) as f32 / (2.0 - 2.0 * row_i[t]).max(1e-12);
            let best = falling().filter(|&t| f[t] < 1.25).fold(None, |best: Option<usize>, t| match best {
                Some(b) if gain(b) >= gain(t) => best,
                _ => Some(t),
            });
            assert_eq!(found.row, best.unwrap_or(usize::MAX));
        }
    }

    #[test]
    fn where_nothing_may_move_nothing_is_found() {
        let (f, [mut up, mut low], [row, _]) = problem(32, 9);
        up.fill(f64::NEG_INFINITY);
        low.fill(f64::INFINITY);
        let (mut largest, mut found) = (Largest { row: 1, score: 1.0 }, Partner { row: 1, gap: 1.0 });
        step(&mut f.clone(), &up, &row, &row, 1.0, &mut largest);
        partner(&f, &low, &row, 1.0, &mut found);
        assert_eq!((largest.score, found.row, found.gap), (f64::NEG_INFINITY, usize::MAX, f64::NEG_INFINITY));
    }
}
