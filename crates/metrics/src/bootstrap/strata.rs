//! Samples sorted by class, and the number of times a resample draws each.

use std::ops::Range;

use headsmith_kernels::Philox;

/// The Philox stream of the resamples, different from those of fits.
const STREAM: u32 = 0x626f_6f74;

/// Samples sorted by class and, within a class, by a key of the caller.
///
/// Resamples are counted in that order: samples with the same class and key are adjacent, and sums over them read
/// memory sequentially.
#[derive(Debug)]
pub(super) struct Strata<K> {
    /// The samples in the new order.
    pub(super) order: Vec<usize>,
    /// Runs of samples of the same class and key.
    pub(super) cells: Vec<Cell<K>>,
}

/// Samples with the same class and key.
#[derive(Debug)]
pub(super) struct Cell<K> {
    pub(super) class: usize,
    pub(super) key: K,
    /// Their positions in the new order.
    pub(super) places: Range<usize>,
}

impl<K: Copy + Ord> Strata<K> {
    /// Sorts samples of classes `y_true` by class and by `key(sample)`.
    pub(super) fn new(y_true: &[u32], key: impl Fn(usize) -> K) -> Strata<K> {
        let mut keyed: Vec<(u32, K, usize)> =
            y_true.iter().enumerate().map(|(i, &class)| (class, key(i), i)).collect();
        keyed.sort_unstable();
        let places = |runs: Vec<usize>| {
            let mut start = 0;
            let range = move |len| {
                start += len;
                start - len..start
            };
            runs.into_iter().map(range).collect::<Vec<Range<usize>>>()
        };
        let cells = places(keyed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(<[_]>::len).collect());
        let cell = |places: Range<usize>| {
            let (class, key, _) = keyed[places.start];
            Cell { class: class as usize, key, places }
        };
        Strata { cells: cells.into_iter().map(cell).collect(), order: keyed.iter().map(|k| k.2).collect() }
    }

    /// Class, key and number of draws of each cell in a resample.
    pub(super) fn drawn<'s>(&'s self, counts: &'s [u32]) -> impl Iterator<Item = (usize, K, u64)> + 's
    where
        K: Copy,
    {
        let n = |cell: &Cell<K>| counts[cell.places.clone()].iter().map(|&count| u64::from(count)).sum();
        self.cells.iter().map(move |cell| (cell.class, cell.key, n(cell)))
    }

    /// Sets `counts` to the number of times that resample `r` draws each sample, in the new order: as many uniform
    /// draws as there are samples.
    pub(super) fn resample(&self, seed: u64, r: u32, counts: &mut [u32]) {
        let philox = Philox::new(seed, 0, STREAM);
        let mut block = 0;
        counts.fill(0);
        draw(counts, || {
            let [a, b, c, d] = philox.words(0, r, block);
            block += 1;
            [u64::from(a) << 32 | u64::from(b), u64::from(c) << 32 | u64::from(d)]
        });
    }
}

/// Counts `n = counts.len()` draws, each uniform in `0 .. n`, from random 64-bit words.
///
/// A number uniform in `0 .. n^k` gives `k` draws: its digits in base `n`. It comes from one word by Lemire's method
/// without bias ("Fast random integer generation in an interval", 2019), and repeated multiplication yields its digits
/// (Brackett-Rozinsky and Lemire, "Batched ranged random integer generation", 2024). Most of a resample's time goes
/// into random numbers, and with this method one word is enough for 5 draws among 1,000 samples.
fn draw(counts: &mut [u32], mut words: impl FnMut() -> [u64; 2]) {
    let n = counts.len() as u64;
    // With n^k below 2^56, fewer than one word in 256 is rejected.
    let n_digits = (56 / (64 - n.leading_zeros())).clamp(1, MAX_DIGITS as u32);
    let range = n.pow(n_digits);
    let threshold = range.wrapping_neg() % range;
    let mut left = counts.len();
    while left > 0 {
        for word in words() {
            let mut digits = [0; MAX_DIGITS];
            let mut rest = word;
            for digit in &mut digits[..n_digits as usize] {
                let product = u128::from(rest) * u128::from(n);
                (*digit, rest) = ((product >> 64) as usize, product as u64);
            }
            if rest >= threshold {
                let n_used = left.min(n_digits as usize);
                digits[..n_used].iter().for_each(|&digit| counts[digit] += 1);
                left -= n_used;
            }
        }
    }
}

/// The maximum number of draws from one word.
const MAX_DIGITS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lie_in_order_and_cover_every_sample_once() {
        let y_true = [2, 0, 2, 2, 0];
        let key = [1, 5, 0, 1, 5];
        let strata = Strata::new(&y_true, |i| key[i]);
        assert_eq!(strata.order, [1, 4, 2, 0, 3]);
        let cells: Vec<_> = strata.cells.iter().map(|c| (c.class, c.key, c.places.clone())).collect();
        assert_eq!(cells, [(0, 5, 0..2), (2, 0, 2..3), (2, 1, 3..5)]);
    }

    #[test]
    fn rows_are_drawn_without_stratification() {
        let y_true: Vec<u32> = (0..300).map(|i| [0, 0, 0, 2, 3][i % 5]).collect();
        let strata = Strata::new(&y_true, |_| ());
        let mut counts = vec![7; 300];
        let (mut sum, mut square) = (0.0, 0.0);
        for r in 0..2000 {
            strata.resample(1, r, &mut counts);
            assert_eq!(counts.iter().sum::<u32>(), 300);
            let of_class: u32 = counts[180..240].iter().sum();
            (sum, square) = (sum + f64::from(of_class), square + (f64::from(of_class) - 60.0).powi(2));
        }
        // Binomial of 300 and 1/5: mean 60, variance 48.
        assert!((sum / 2000.0 - 60.0).abs() < 0.6, "{}", sum / 2000.0);
        assert!((square / 2000.0 - 48.0).abs() < 6.0, "{}", square / 2000.0);
    }

    /// Random words by SplitMix64.
    fn splitmix(mut state: u64) -> impl FnMut() -> u64 {
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }
    }

    /// One number below `n^k` by Lemire's method, then its digits by division.
    fn naive_draw(counts: &mut [u32], mut word: impl FnMut() -> u64) {
        let n = counts.len() as u128;
        let n_digits = (56 / n.ilog2().saturating_add(1)).clamp(1, 8);
        let range = n.pow(n_digits);
        let mut left = counts.len();
        while left > 0 {
            let product = u128::from(word()) * range;
            if product % (1 << 64) < (1 << 64) % range {
                continue;
            }
            let number = product >> 64;
            for place in (0..n_digits).rev().take(left) {
                counts[(number / n.pow(place) % n) as usize] += 1;
                left -= 1;
            }
        }
    }

    #[test]
    fn draws_match_the_naive_twin() {
        for n in [1, 2, 3, 7, 127, 128, 500, 5003, 200_000] {
            let (mut fast, mut naive) = (vec![0; n], vec![0; n]);
            let mut word = splitmix(n as u64);
            draw(&mut fast, || [word(), word()]);
            naive_draw(&mut naive, splitmix(n as u64));
            assert_eq!(fast, naive, "{n} samples");
        }
    }

    #[test]
    fn biased_words_are_rejected() {
        // Eight digits in base 3: the word 0 leaves a remainder of 0, below 2^64 mod 3^8 = 2,806.
        let mut counts = [0; 3];
        let mut words = [[0, u64::MAX]].into_iter();
        draw(&mut counts, || words.next().unwrap());
        assert_eq!(counts, [0, 0, 3]);
    }

    #[test]
    fn draws_are_uniform_and_counts_vary_as_they_should() {
        let strata = Strata::new(&[0; 50], |_| ());
        let mut counts = vec![0; 50];
        let (mut sums, mut square) = (vec![0.0; 50], 0.0);
        for r in 0..2000 {
            strata.resample(3, r, &mut counts);
            for (sum, &count) in sums.iter_mut().zip(&counts) {
                *sum += f64::from(count);
                square += (f64::from(count) - 1.0).powi(2);
            }
        }
        let chi2: f64 = sums.iter().map(|s| (s - 2000.0).powi(2) / 2000.0).sum();
        assert!((23.98..85.35).contains(&chi2), "chi-square {chi2} with 49 degrees of freedom (99.8%)");
        let variance = square / 1e5;
        assert!((variance - 0.98).abs() < 0.02, "variance {variance} of a binomial of 50 and 1/50: 0.98");
    }
}
