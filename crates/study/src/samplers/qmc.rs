//! Quasi-random search: points of a Sobol sequence, which fill the space more evenly than random ones.
//!
//! Point n is the exclusive or of the direction numbers at the set bits of the Gray code of n, so it is a function of
//! the trial's number: parallel workers never draw one point twice. Without scrambling the points are those of
//! `scipy.stats.qmc.Sobol`, of which the first is the corner with all parameters at their minimum. Scrambled points
//! (linear matrix scrambling and a digital shift) are as even, and different for each seed. J. Matousek, "On the
//! L2-discrepancy for anchored boxes", J. Complexity 14 (1998).
//!
//! Each parameter has its own coordinate, active or not; from the 129th on, the trial's random numbers are used
//! instead.

use headsmith_kernels::philox::{Philox, Sequence};

use super::qmc_directions::DIRECTIONS;
use super::{History, Sampler, random};
use crate::space::Space;
use crate::trial::Params;

/// Quasi-random search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Qmc {
    /// The seed of the scrambling; `None` for no scrambling.
    pub scramble: Option<u64>,
}

/// The number of binary digits of a coordinate.
const BITS: usize = 52;

impl Sampler for Qmc {
    fn suggest(
        &self,
        space: &Space,
        _history: History<'_>,
        number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        let dimension = |name: &str| {
            let varied = space.params.iter().filter(|param| !param.distribution.is_single());
            varied.take(DIRECTIONS.len() + 1).position(|param| param.name == name)
        };
        space.complete(fixed, |param| match dimension(&param.name) {
            Some(dimension) => random::at(&param.distribution, self.coordinate(number, dimension)),
            None => random::draw(&param.distribution, draws),
        })
    }
}

impl Qmc {
    /// Coordinate `dimension` (below 128) of point `number`, in `[0, 1)`.
    pub fn coordinate(&self, number: u64, dimension: usize) -> f64 {
        let digits = sobol(number, dimension);
        let digits = self.scramble.map_or(digits, |seed| scrambled(digits, seed, dimension));
        digits as f64 / (1u64 << BITS) as f64
    }
}

/// The binary digits of a coordinate, the most significant one at bit `BITS - 1`.
fn sobol(number: u64, dimension: usize) -> u64 {
    let directions = directions(dimension);
    let gray = number ^ (number >> 1);
    directions.iter().enumerate().filter(|(i, _)| gray >> i & 1 == 1).fold(0, |point, (_, v)| point ^ v)
}

/// The direction numbers of a dimension, for digits from the most significant on.
fn directions(dimension: usize) -> [u64; BITS] {
    let mut v = [1; BITS];
    if let Some((polynomial, first)) = dimension.checked_sub(1).and_then(|d| DIRECTIONS.get(d)) {
        let degree = first.len();
        v[..degree].copy_from_slice(first);
        for j in degree..BITS {
            v[j] = (0..degree)
                .filter(|k| polynomial >> (degree - 1 - k) & 1 == 1)
                .fold(v[j - degree], |sum, k| sum ^ (v[j - k - 1] << (k + 1)));
        }
    }
    for (j, v) in v.iter_mut().enumerate() {
        *v <<= BITS - 1 - j;
    }
    v
}

/// Adds to each digit a random sum of the digits before it, then a random digit.
fn scrambled(digits: u64, seed: u64, dimension: usize) -> u64 {
    const STREAM: u32 = 0x51;
    let mut draws = Philox::new(seed, dimension as u32, STREAM).sequence(0, 0);
    let shift = draws.next_u64() >> (64 - BITS);
    let mixed = (0..BITS).rev().fold(0, |mixed, bit| {
        let before = draws.next_u64() & !((2 << bit) - 1);
        let digit = (digits & (before | 1 << bit)).count_ones() & 1;
        mixed | u64::from(digit) << bit
    });
    mixed ^ shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Among the first 2^k points, scrambled or not, each interval of length 2^-k has exactly one.
    #[test]
    fn points_are_even_in_each_dimension() {
        for scramble in [None, Some(1), Some(2)] {
            for dimension in [0, 1, 40, 127] {
                let qmc = Qmc { scramble };
                let mut seen = [false; 256];
                for number in 0..256 {
                    seen[(qmc.coordinate(number, dimension) * 256.0) as usize] = true;
                }
                assert!(seen.iter().all(|&seen| seen), "{scramble:?}, dimension {dimension}");
            }
        }
    }

    /// Any two of the first dimensions fill the squares of a grid evenly, scrambled or not.
    #[test]
    fn points_are_even_in_the_plane() {
        for scramble in [None, Some(1), Some(7)] {
            let mut counts = [0; 64];
            for number in 0..256 {
                let [x, y] = [0, 1].map(|d| (Qmc { scramble }.coordinate(number, d) * 8.0) as usize);
                counts[x * 8 + y] += 1;
            }
            assert_eq!(counts, [4; 64]);
        }
    }

    #[test]
    fn seeds_give_other_points() {
        let at = |seed| Qmc { scramble: Some(seed) }.coordinate(5, 3);
        assert_eq!(at(1), at(1));
        assert_ne!(at(1), at(2));
    }
}
