//! Samples sorted by class, and the number of times a resample draws each.

use std::collections::HashMap;
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
    /// `None` where each sample is a unit of its own.
    units: Option<Units>,
}

/// Samples that are drawn together.
#[derive(Debug)]
struct Units {
    n_units: usize,
    /// The unit of each sample, in the new order, from 0.
    of_place: Vec<u32>,
}

/// The number of times that a resample draws each sample.
#[derive(Debug)]
pub(super) struct Draws {
    /// In the order of the strata.
    pub(super) counts: Vec<u32>,
    of_units: Vec<u32>,
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
    /// Sorts samples of classes `y_true` by class and by `key(sample)`; those of one of `units` are drawn together.
    pub(super) fn new(y_true: &[u32], units: Option<&[u32]>, key: impl Fn(usize) -> K) -> Strata<K> {
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
        let order: Vec<usize> = keyed.iter().map(|k| k.2).collect();
        let units = units.and_then(|units| Units::new(units, &order));
        Strata { cells: cells.into_iter().map(cell).collect(), order, units }
    }

    /// Class, key and number of draws of each cell in a resample.
    pub(super) fn drawn<'s>(&'s self, counts: &'s [u32]) -> impl Iterator<Item = (usize, K, u64)> + 's
    where
        K: Copy,
    {
        let n = |cell: &Cell<K>| counts[cell.places.clone()].iter().map(|&count| u64::from(count)).sum();
        self.cells.iter().map(move |cell| (cell.class, cell.key, n(cell)))
    }

    /// Nothing drawn yet.
    pub(super) fn draws(&self) -> Draws {
        let n_units = self.units.as_ref().map_or(0, |units| units.n_units);
        Draws { counts: vec![0; self.order.len()], of_units: vec![0; n_units] }
    }

    /// Sets `draws` to those of resample `r`: as many uniform draws of units as there are, which without units are samples.
    pub(super) fn resample(&self, seed: u64, r: u32, draws: &mut Draws) {
        let philox = Philox::new(seed, 0, STREAM);
        let mut block = 0;
        let words = || {
            let [a, b, c, d] = philox.words(0, r, block);
            block += 1;
            [u64::from(a) << 32 | u64::from(b), u64::from(c) << 32 | u64::from(d)]
        };
        let Draws { counts, of_units } = draws;
        match &self.units {
            None => draw(counts, words),
            Some(units) => {
                draw(of_units, words);
                let of_samples = units.of_place.iter().map(|&unit| of_units[unit as usize]);
                counts.iter_mut().zip(of_samples).for_each(|(count, of_unit)| *count = of_unit);
            }
        }
    }

    /// The number of units, which without any are the samples.
    pub(super) fn n_units(&self) -> usize {
        self.units.as_ref().map_or(self.order.len(), |units| units.n_units)
    }

    /// Units a sample: 1 where each sample is one.
    pub(super) fn units_per_sample(&self) -> f64 {
        self.n_units() as f64 / self.order.len().max(1) as f64
    }
}

impl Units {
    /// The units of the samples in that `order`; `None` if all differ.
    fn new(units: &[u32], order: &[usize]) -> Option<Units> {
        // Numbered in the order of the samples: the draws do not depend on their scores.
        let mut number_of = HashMap::new();
        let numbers: Vec<u32> = units
            .iter()
            .map(|unit| {
                let next = number_of.len() as u32;
                *number_of.entry(unit).or_insert(next)
            })
            .collect();
        let n_units = number_of.len();
        (n_units < units.len())
            .then(|| Units { n_units, of_place: order.iter().map(|&sample| numbers[sample]).collect() })
    }
}

impl Draws {
    /// The samples that were drawn, each as often as it was.
    pub(super) fn n_samples(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).sum()
    }
}

/// Sets `counts` to `n = counts.len()` draws, each uniform in `0 .. n`, from random 64-bit words.
///
/// A number uniform in `0 .. n^k` gives `k` draws: its digits in base `n`. It comes from one word by Lemire's method
/// without bias ("Fast random integer generation in an interval", 2019), and repeated multiplication yields its digits
/// (Brackett-Rozinsky and Lemire, "Batched ranged random integer generation", 2024). Most of a resample's time goes
/// into random numbers, and with this method one word is enough for 5 draws among 1,000 samples.
fn draw(counts: &mut [u32], mut words: impl FnMut() -> [u64; 2]) {
    counts.fill(0);
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
        let strata = Strata::new(&y_true, None, |i| key[i]);
        assert_eq!(strata.order, [1, 4, 2, 0, 3]);
        let cells: Vec<_> = strata.cells.iter().map(|c| (c.class, c.key, c.places.clone())).collect();
        assert_eq!(cells, [(0, 5, 0..2), (2, 0, 2..3), (2, 1, 3..5)]);
    }

    #[test]
    fn rows_are_drawn_without_stratification() {
        let y_true: Vec<u32> = (0..300).map(|i| [0, 0, 0, 2, 3][i % 5]).collect();
        let strata = Strata::new(&y_true, None, |_| ());
        let mut draws = strata.draws();
        let (mut sum, mut square) = (0.0, 0.0);
        for r in 0..2000 {
            strata.resample(1, r, &mut draws);
            assert_eq!(draws.n_samples(), 300);
            let of_class: u32 = draws.counts[180..240].iter().sum();
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
        let strata = Strata::new(&[0; 50], None, |_| ());
        let mut draws = strata.draws();
        let (mut sums, mut square) = (vec![0.0; 50], 0.0);
        for r in 0..2000 {
            strata.resample(3, r, &mut draws);
            for (sum, &count) in sums.iter_mut().zip(&draws.counts) {
                *sum += f64::from(count);
                square += (f64::from(count) - 1.0).powi(2);
            }
        }
        let chi2: f64 = sums.iter().map(|s| (s - 2000.0).powi(2) / 2000.0).sum();
        assert!((23.98..85.35).contains(&chi2), "chi-square {chi2} with 49 degrees of freedom (99.8%)");
        let variance = square / 1e5;
        assert!((variance - 0.98).abs() < 0.02, "variance {variance} of a binomial of 50 and 1/50: 0.98");
    }

    #[test]
    fn rows_of_a_unit_are_drawn_together() {
        let (y_true, units) = ([1, 0, 0, 1, 0, 1], [7, 7, 3, 9, 9, 9]);
        let strata = Strata::new(&y_true, Some(&units), |_| ());
        let mut draws = strata.draws();
        for r in 0..20 {
            strata.resample(5, r, &mut draws);
            let of = |sample: usize| draws.counts[strata.order.iter().position(|&s| s == sample).unwrap()];
            assert_eq!([of(0), of(3), of(3)], [of(1), of(4), of(5)]);
            assert_eq!(of(0) + of(2) + of(3), 3);
            assert_eq!(draws.n_samples(), u64::from(2 * of(0) + of(2) + 3 * of(3)));
        }
        assert_eq!(strata.units_per_sample(), 0.5);
        // Units of one row each are no units.
        let (mut own, single) = (strata.draws(), Strata::new(&y_true, Some(&[4, 8, 1, 0, 2, 5]), |_| ()));
        let (mut same, plain) = (single.draws(), Strata::new(&y_true, None, |_| ()));
        single.resample(5, 1, &mut same);
        own.of_units.clear();
        plain.resample(5, 1, &mut own);
        assert_eq!(same.counts, own.counts);
    }
}
