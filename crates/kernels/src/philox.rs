//! Philox4x32-10: random numbers as a function of a counter (Salmon, Moraes, Dror and Shaw, "Parallel random
//! numbers: as easy as 1, 2, 3", SC 2011).
//!
//! There is no state from one draw to the next, so an element's numbers do not depend on which thread draws them, or
//! in what order.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

/// A key into the family of Philox4x32-10 streams: `(seed, trial, stream)`, with `(epoch, step)` in the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Philox {
    key: [u32; 2],
}

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// Blocks that [`Philox::words_of_lanes`] computes at once.
pub const LANES: usize = 8;

/// Rounds of [`Philox::words_of_lanes`].
const ROUNDS_OF_LANES: usize = 7;

/// The ten rounds: four random words from a 128-bit counter and a 64-bit key.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    philox4x32::<10>(counter, key)
}

fn philox4x32<const ROUNDS: usize>(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let p0 = u64::from(M0) * u64::from(counter[0]);
        let p1 = u64::from(M1) * u64::from(counter[2]);
        counter = [
            (p1 >> 32) as u32 ^ counter[1] ^ key[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ counter[3] ^ key[1],
            p0 as u32,
        ];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
    }
    counter
}

impl Philox {
    /// The streams of one `(seed, trial, stream)`: `trial` distinguishes the fits of one study, `stream` the purposes
    /// within a fit (initial weights, shuffling, dropout ..).
    pub fn new(seed: u64, trial: u32, stream: u32) -> Philox {
        let words = philox4x32_10([trial, stream, 0, 0], [seed as u32, (seed >> 32) as u32]);
        Philox { key: [words[0], words[1]] }
    }

    /// Four random words for element block `block` of `step` in `epoch`.
    #[inline]
    pub fn words(self, epoch: u32, step: u32, block: u64) -> [u32; 4] {
        philox4x32_10([block as u32, (block >> 32) as u32, step, epoch], self.key)
    }

    /// The words of the blocks `first_block ..`, one in each lane: `[i][lane]` is word `i` of its block, after seven
    /// rounds. Seven is the minimum that passes the tests of Crush (ibid., table 2), and enough for noise.
    #[inline(always)]
    pub(crate) fn words_of_lanes(self, epoch: u32, step: u32, first_block: u64) -> [[u32; LANES]; 4] {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the machine has the instructions.
            return unsafe { avx512::words_of_lanes(self.key, epoch, step, first_block) };
        } else if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { avx2::words_of_lanes(self.key, epoch, step, first_block) };
        }
        self.portable_words_of_lanes(epoch, step, first_block)
    }

    #[inline(always)]
    fn portable_words_of_lanes(self, epoch: u32, step: u32, first_block: u64) -> [[u32; LANES]; 4] {
        let mut counter = [[0; LANES], [0; LANES], [u64::from(step); LANES], [u64::from(epoch); LANES]];
        let [low, high, ..] = &mut counter;
        for ((low, high), block) in low.iter_mut().zip(high).zip(first_block..) {
            (*low, *high) = (block, block >> 32);
        }
        let mut key = self.key;
        for _ in 0..ROUNDS_OF_LANES {
            let [c0, c1, c2, c3] = counter;
            for lane in 0..LANES {
                let p0 = u64::from(M0) * u64::from(c0[lane] as u32);
                let p1 = u64::from(M1) * u64::from(c2[lane] as u32);
                counter[0][lane] = (p1 >> 32) ^ c1[lane] ^ u64::from(key[0]);
                counter[1][lane] = p1;
                counter[2][lane] = (p0 >> 32) ^ c3[lane] ^ u64::from(key[1]);
                counter[3][lane] = p0;
            }
            key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
        }
        counter.map(|word| word.map(|value| value as u32))
    }

    /// The generator that yields the words of `(epoch, step)` a vector at a time, after seven rounds.
    pub fn lane_sequence(self, epoch: u32, step: u32) -> LaneSequence {
        LaneSequence { philox: self, epoch, step, block: 0, words: [[0; LANES]; 4], used: 4 }
    }

    /// The generator that yields the blocks of `(epoch, step)` in order, for sequential draws.
    pub fn sequence(self, epoch: u32, step: u32) -> Sequence {
        Sequence { philox: self, epoch, step, block: 0, words: [0; 4], used: 4 }
    }
}

/// A Philox stream of seven rounds, read a vector at a time; see [`Philox::lane_sequence`].
#[derive(Debug, Clone)]
pub struct LaneSequence {
    philox: Philox,
    epoch: u32,
    step: u32,
    block: u64,
    words: [[u32; LANES]; 4],
    used: usize,
}

impl LaneSequence {
    /// The next 32 random bits of each lane.
    #[inline]
    pub fn next_words(&mut self) -> [u32; LANES] {
        if self.used == 4 {
            self.words = self.philox.words_of_lanes(self.epoch, self.step, self.block);
            self.block += LANES as u64;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }
}

/// A Philox stream read in order; see [`Philox::sequence`].
#[derive(Debug, Clone)]
pub struct Sequence {
    philox: Philox,
    epoch: u32,
    step: u32,
    block: u64,
    words: [u32; 4],
    used: usize,
}

impl Sequence {
    /// The next 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.words = self.philox.words(self.epoch, self.step, self.block);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) << 32 | u64::from(self.next_u32())
    }

    /// An integer uniform in `0 .. n`, without bias (Lemire, "Fast random integer generation in an interval",
    /// 2019).
    ///
    /// # Panics
    /// In debug builds, when `n` is zero.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        debug_assert!(n > 0);
        let mut product = u64::from(self.next_u32()) * u64::from(n);
        if (product as u32) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u32) < threshold {
                product = u64::from(self.next_u32()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }

    /// A number uniform in `[0, 1)` with 53 random bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A standard normal number (Box and Muller, "A note on the generation of random normal deviates", 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Puts `values` into a uniformly random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer vectors of Random123's `kat_vectors`.
    #[test]
    fn known_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox4x32_10([!0; 4], [!0; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        assert_eq!(
            philox4x32_10([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
        assert_eq!(philox4x32::<7>([0; 4], [0; 2]), [0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48]);
    }

    #[test]
    fn lanes_are_consecutive_blocks() {
        let philox = Philox::new(11, 2, 3);
        for first_block in [0, 77, u64::from(u32::MAX) - 3] {
            let lanes = philox.words_of_lanes(4, 5, first_block);
            for (lane, block) in (first_block..).take(LANES).enumerate() {
                let counter = [block as u32, (block >> 32) as u32, 5, 4];
                assert_eq!(lanes.map(|word| word[lane]), philox4x32::<7>(counter, philox.key));
            }
            assert_eq!(lanes, philox.portable_words_of_lanes(4, 5, first_block));
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the machine has the instructions.
                assert_eq!(lanes, unsafe { avx2::words_of_lanes(philox.key, 4, 5, first_block) });
            }
        }
    }

    #[test]
    fn a_lane_sequence_goes_through_all_blocks() {
        let philox = Philox::new(11, 2, 3);
        let mut sequence = philox.lane_sequence(4, 5);
        for first_block in [0, LANES as u64] {
            for words in philox.words_of_lanes(4, 5, first_block) {
                assert_eq!(sequence.next_words(), words);
            }
        }
    }

    #[test]
    fn below_is_uniform() {
        let mut sequence = Philox::new(1, 0, 0).sequence(0, 0);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[sequence.below(7) as usize] += 1;
        }
        let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - 1e4).powi(2) / 1e4).sum();
        assert!(chi2 < 22.5, "chi-square {chi2} with 6 degrees of freedom (99.9%: 22.5)");
    }

    #[test]
    fn shuffle_is_a_permutation_and_streams_differ() {
        let shuffled = |seed, stream| {
            let mut order: Vec<u32> = (0..100).collect();
            Philox::new(seed, 0, stream).sequence(3, 0).shuffle(&mut order);
            order
        };
        let mut sorted = shuffled(5, 0);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(shuffled(5, 0), shuffled(5, 0));
        assert_ne!(shuffled(5, 0), shuffled(5, 1));
        assert_ne!(shuffled(5, 0), shuffled(6, 0));
    }
}
