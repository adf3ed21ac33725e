//! The cuts of a tree's node by eight features at once: one feature in each lane.
//!
//! Rows of keys `[[u32; LANES]]` hold one sequence per feature, lane by lane. A key is a number to sort by, with the
//! row's class and count in its lowest bits. Lanes are independent, so sorting is a network of lane-wise minima and
//! maxima without a branch, and the scan of all cuts is one pass.
//!
//! The network is the bitonic sorter whose comparators all put the lower key first (Batcher, "Sorting networks and their
//! applications", 1968). Missing keys count as infinite, and a comparator with one of them would change
//! nothing: it is omitted, so any number of keys can be sorted. Blocks of 16 are sorted by Green's network of 60
//! comparators (Knuth, "The art of computer programming 3", 5.3.4), blocks of 8 by one of 19.

#![allow(unsafe_code)]

/// Features that are processed together.
pub const LANES: usize = 8;

/// Keys that are sorted in registers.
const BLOCK: usize = 16;

/// The largest number of classes that [`greatest_gini`] supports.
pub const MOST_CLASSES: usize = 8;

/// The bits of a key that hold the class of its row and the row's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBits {
    /// The lowest bits: the class.
    pub class: u32,
    /// The bits above: how often the row counts.
    pub count: u32,
}

/// The number of keys that [`sort`] needs for `n` keys; fill the surplus with `u32::MAX`.
pub fn padded(n: usize) -> usize {
    if n <= BLOCK / 2 { BLOCK / 2 } else { n.next_multiple_of(BLOCK) }
}

/// Sorts each lane of `keys`, ascending.
///
/// # Panics
/// If the number of keys is not one of [`padded`].
pub fn sort(keys: &mut [[u32; LANES]]) {
    assert_eq!(keys.len(), padded(keys.len()), "keys are padded");
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::sort(keys) };
    }
    portable::sort(keys);
}

/// For each lane, the maximum of `sum_c L_c^2 / w_l + sum_c R_c^2 / w_r` over the cuts that leave at least `min_side`
/// of the first `n` keys on each side; `L_c` and `R_c` are the weights of class `c` left and right of a cut, `w_l` and
/// `w_r` their sums. `classes` gives each class's total weight in the lane and the weight of one count.
///
/// Cuts between equal keys are included, and the result has single precision: compare it with a tolerance. It is minus
/// infinity if there is no cut.
///
/// # Panics
/// If there are more than [`MOST_CLASSES`] classes, fewer keys than `n`, or `min_side` is zero.
pub fn greatest_gini(
    keys: &[[u32; LANES]],
    n: usize,
    min_side: usize,
    bits: KeyBits,
    classes: &[(f32, f32)],
) -> [f32; LANES] {
    assert!(classes.len() <= MOST_CLASSES && min_side > 0, "{} classes", classes.len());
    let keys = &keys[..n];
    if n < 2 * min_side {
        return [f32::NEG_INFINITY; LANES];
    }
    let keys = &keys[..n - min_side];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the machine has AVX2 and FMA.
        return unsafe { avx2::greatest_gini(keys, min_side, bits, classes) };
    }
    portable::greatest_gini(keys, min_side, bits, classes)
}

/// Calls `exchange(low, high)` for the comparators that merge sorted blocks of [`BLOCK`] into one sequence of `n`, and
/// `merge(start)` for each block to be merged within itself.
#[inline(always)]
fn merge_blocks<T: ?Sized>(
    keys: &mut T,
    n: usize,
    exchange: impl Fn(&mut T, usize, usize),
    merge: impl Fn(&mut T, usize),
) {
    let mut half = BLOCK;
    while half < n {
        for start in (0..n - half).step_by(2 * half) {
            let end = start + 2 * half;
            for high in start + half..end.min(n) {
                exchange(keys, start + end - 1 - high, high);
            }
            let mut apart = half / 2;
            while apart >= BLOCK {
                for pair in (start..end.min(n)).step_by(2 * apart) {
                    for low in pair..(pair + apart).min(n.saturating_sub(apart)) {
                        exchange(keys, low, low + apart);
                    }
                }
                apart /= 2;
            }
            for block in (start..end.min(n)).step_by(BLOCK) {
                merge(keys, block);
            }
        }
        half *= 2;
    }
}

/// Passes the comparators of a network to a macro, pair by pair.
macro_rules! network {
    (8, $exchange:ident) => {
        network!(@ $exchange
            0 2, 1 3, 4 6, 5 7, 0 4, 1 5, 2 6, 3 7, 0 1, 2 3, 4 5, 6 7, 2 4, 3 5, 1 4, 3 6, 1 2, 3 4, 5 6)
    };
    (16, $exchange:ident) => {
        network!(@ $exchange
            0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15, 0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15,
            0 4, 1 5, 2 6, 3 7, 8 12, 9 13, 10 14, 11 15, 0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15,
            5 10, 6 9, 3 12, 13 14, 4 8, 7 11, 1 2, 1 4, 7 13, 2 8, 11 14, 2 4, 5 6, 9 10, 11 13, 3 8, 7 12,
            6 8, 10 12, 3 5, 7 9, 3 4, 5 6, 7 8, 9 10, 11 12, 6 7, 8 9)
    };
    (merge 16, $exchange:ident) => {
        network!(@ $exchange
            0 8, 1 9, 2 10, 3 11, 4 12, 5 13, 6 14, 7 15, 0 4, 1 5, 2 6, 3 7, 8 12, 9 13, 10 14, 11 15,
            0 2, 1 3, 4 6, 5 7, 8 10, 9 11, 12 14, 13 15, 0 1, 2 3, 4 5, 6 7, 8 9, 10 11, 12 13, 14 15)
    };
    (@ $exchange:ident $($low:literal $high:literal),*) => { $($exchange!($low, $high);)* };
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{BLOCK, KeyBits, LANES, merge_blocks};

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(keys: &[u32; LANES]) -> __m256i {
        // SAFETY: an array of 32 bytes is read, at any alignment.
        unsafe { _mm256_loadu_si256(keys.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(keys: &mut [u32; LANES], value: __m256i) {
        // SAFETY: an array of 32 bytes is written, at any alignment.
        unsafe { _mm256_storeu_si256(keys.as_mut_ptr().cast(), value) }
    }

    /// Declares a function that sorts some rows with a network in registers.
    macro_rules! in_registers {
        ($name:ident, $n:literal, $($network:tt)*) => {
            #[inline]
            #[target_feature(enable = "avx2")]
            fn $name(keys: &mut [[u32; LANES]; $n]) {
                let mut rows = [_mm256_setzero_si256(); $n];
                for i in 0..$n {
                    rows[i] = load(&keys[i]);
                }
                macro_rules! exchange {
                    ($low:literal, $high:literal) => {
                        let (low, high) = (rows[$low], rows[$high]);
                        rows[$low] = _mm256_min_epu32(low, high);
                        rows[$high] = _mm256_max_epu32(low, high);
                    };
                }
                network!($($network)*, exchange);
                for i in 0..$n {
                    store(&mut keys[i], rows[i]);
                }
            }
        };
    }

    in_registers!(sort_8, 8, 8);
    in_registers!(sort_16, 16, 16);
    in_registers!(merge_16, 16, merge 16);

    #[inline]
    #[target_feature(enable = "avx2")]
    fn exchange(keys: &mut [[u32; LANES]], low: usize, high: usize) {
        let (a, b) = (load(&keys[low]), load(&keys[high]));
        store(&mut keys[low], _mm256_min_epu32(a, b));
        store(&mut keys[high], _mm256_max_epu32(a, b));
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn sort(keys: &mut [[u32; LANES]]) {
        if let Ok(few) = <&mut [_; BLOCK / 2]>::try_from(&mut *keys) {
            return sort_8(few);
        }
        keys.as_chunks_mut().0.iter_mut().for_each(|block| sort_16(block));
        let n = keys.len();
        merge_blocks(
            keys,
            n,
            |keys, low, high| exchange(keys, low, high),
            |keys, start| {
                if let Some(block) = keys[start..].first_chunk_mut() {
                    merge_16(block);
                }
            },
        );
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn greatest_gini(
        keys: &[[u32; LANES]],
        min_side: usize,
        bits: KeyBits,
        classes: &[(f32, f32)],
    ) -> [f32; LANES] {
        match classes.len() {
            0..=2 => gini::<2>(keys, min_side, bits, classes),
            3 => gini::<3>(keys, min_side, bits, classes),
            4 => gini::<4>(keys, min_side, bits, classes),
            _ => gini::<{ super::MOST_CLASSES }>(keys, min_side, bits, classes),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn gini<const N: usize>(
        keys: &[[u32; LANES]],
        min_side: usize,
        bits: KeyBits,
        classes: &[(f32, f32)],
    ) -> [f32; LANES] {
        let mut totals = [_mm256_setzero_ps(); N];
        let mut weights = totals;
        for ((total, weight), class) in totals.iter_mut().zip(&mut weights).zip(classes) {
            (*total, *weight) = (_mm256_set1_ps(class.0), _mm256_set1_ps(class.1));
        }
        let all = _mm256_set1_ps(classes.iter().map(|class| class.0).sum());
        let (class_mask, count_mask) =
            (_mm256_set1_epi32((1 << bits.class) - 1), _mm256_set1_epi32((1 << bits.count) - 1));
        let class_bits = _mm_cvtsi32_si128(bits.class as i32);
        let mut left = [_mm256_setzero_ps(); N];
        let mut greatest = _mm256_set1_ps(f32::NEG_INFINITY);
        for (k, keys) in keys.iter().enumerate() {
            let key = load(keys);
            let class = _mm256_and_si256(key, class_mask);
            let count = _mm256_and_si256(_mm256_srl_epi32(key, class_bits), count_mask);
            let count = _mm256_cvtepi32_ps(count);
            let (mut weight, mut squares, mut right_squares) =
                (_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps());
            for c in 0..N {
                let here = _mm256_castsi256_ps(_mm256_cmpeq_epi32(class, _mm256_set1_epi32(c as i32)));
                left[c] = _mm256_fmadd_ps(_mm256_and_ps(here, count), weights[c], left[c]);
                let right = _mm256_sub_ps(totals[c], left[c]);
                weight = _mm256_add_ps(weight, left[c]);
                squares = _mm256_fmadd_ps(left[c], left[c], squares);
                right_squares = _mm256_fmadd_ps(right, right, right_squares);
            }
            if k + 1 < min_side {
                continue;
            }
            let right = _mm256_sub_ps(all, weight);
            let numerator = _mm256_fmadd_ps(squares, right, _mm256_mul_ps(right_squares, weight));
            let gain = _mm256_div_ps(numerator, _mm256_mul_ps(weight, right));
            greatest = _mm256_max_ps(gain, greatest);
        }
        let mut result = [0.0; LANES];
        // SAFETY: an array of 32 bytes is written, at any alignment.
        unsafe { _mm256_storeu_ps(result.as_mut_ptr(), greatest) };
        result
    }
}

/// The version for machines without AVX2.
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
mod portable {
    use super::{BLOCK, KeyBits, LANES, MOST_CLASSES, merge_blocks};

    #[inline(always)]
    fn exchange(keys: &mut [[u32; LANES]], low: usize, high: usize) {
        let (a, b) = (keys[low], keys[high]);
        for lane in 0..LANES {
            keys[low][lane] = a[lane].min(b[lane]);
            keys[high][lane] = a[lane].max(b[lane]);
        }
    }

    pub(super) fn sort(keys: &mut [[u32; LANES]]) {
        macro_rules! exchange_here {
            ($low:literal, $high:literal) => {
                exchange(keys, $low, $high)
            };
        }
        if keys.len() < BLOCK {
            network!(8, exchange_here);
            return;
        }
        for keys in keys.chunks_exact_mut(BLOCK) {
            macro_rules! exchange_here {
                ($low:literal, $high:literal) => {
                    exchange(keys, $low, $high)
                };
            }
            network!(16, exchange_here);
        }
        let n = keys.len();
        merge_blocks(keys, n, exchange, |keys, start| {
            let keys = &mut keys[start..];
            macro_rules! exchange_here {
                ($low:literal, $high:literal) => {
                    exchange(keys, $low, $high)
                };
            }
            network!(merge 16, exchange_here);
        });
    }

    pub(super) fn greatest_gini(
        keys: &[[u32; LANES]],
        min_side: usize,
        bits: KeyBits,
        classes: &[(f32, f32)],
    ) -> [f32; LANES] {
        let all: f32 = classes.iter().map(|class| class.0).sum();
        let mut left = [[0.0f32; LANES]; MOST_CLASSES];
        let mut greatest = [f32::NEG_INFINITY; LANES];
        for (k, keys) in keys.iter().enumerate() {
            for lane in 0..LANES {
                let class = (keys[lane] & ((1 << bits.class) - 1)) as usize % MOST_CLASSES;
                let count = (keys[lane] >> bits.class & ((1 << bits.count) - 1)) as f32;
                left[class][lane] += count * classes.get(class).map_or(0.0, |class| class.1);
                let (mut weight, mut squares, mut right_squares) = (0.0, 0.0, 0.0);
                for (left, class) in left.iter().zip(classes) {
                    let right = class.0 - left[lane];
                    weight += left[lane];
                    squares += left[lane] * left[lane];
                    right_squares += right * right;
                }
                let right = all - weight;
                if k + 1 >= min_side {
                    let gain = (squares * right + right_squares * weight) / (weight * right);
                    greatest[lane] = greatest[lane].max(gain);
                }
            }
        }
        greatest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_keys(n: usize, seed: u64) -> Vec<[u32; LANES]> {
        let mut random = crate::Philox::new(seed, 0, 0).sequence(0, 0);
        (0..n).map(|_| std::array::from_fn(|_| random.next_u32())).collect()
    }

    /// Evaluates every cut from scratch, in double precision.
    fn naive_gini(keys: &[u32], min_side: usize, bits: KeyBits, classes: &[(f32, f32)]) -> f64 {
        let side = |keys: &[u32]| {
            let mut sums = vec![0.0; classes.len()];
            for key in keys {
                let class = (key & ((1 << bits.class) - 1)) as usize;
                sums[class] +=
                    f64::from(key >> bits.class & ((1 << bits.count) - 1)) * f64::from(classes[class].1);
            }
            sums.iter().map(|s| s * s).sum::<f64>() / sums.iter().sum::<f64>()
        };
        (min_side..=keys.len() - min_side)
            .map(|k| side(&keys[..k]) + side(&keys[k..]))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn lanes_are_sorted_as_by_the_standard_library() {
        for n in 0..300 {
            let mut keys = random_keys(n, n as u64);
            keys.resize(padded(n), [u32::MAX; LANES]);
            let mut portable = keys.clone();
            let lane_of = |lane: usize| keys.iter().map(|keys| keys[lane]).collect::<Vec<u32>>();
            let mut expected: Vec<Vec<u32>> = (0..LANES).map(lane_of).collect();
            expected.iter_mut().for_each(|lane| lane.sort_unstable());
            sort(&mut keys);
            portable::sort(&mut portable);
            assert_eq!(keys, portable);
            for (k, row) in keys.iter().enumerate() {
                for (lane, key) in row.iter().enumerate() {
                    assert_eq!(*key, expected[lane][k], "{n} keys");
                }
            }
        }
    }

    #[test]
    fn greatest_gini_matches_an_exhaustive_search() {
        let bits = KeyBits { class: 3, count: 4 };
        let mut random = crate::Philox::new(5, 0, 0).sequence(0, 0);
        for case in 0..200 {
            let n_classes = 1 + random.below(MOST_CLASSES as u32);
            let min_side = 1 + random.below(20) as usize;
            let n = 2 * min_side + random.below(150) as usize;
            let code = |key: u32| ((key >> 20) % n_classes) | (((key >> 8) % 15 + 1) << 3);
            let mut keys = random_keys(n, case);
            keys.as_flattened_mut().iter_mut().for_each(|key| *key = *key & !127 | code(*key));
            for lane in 0..LANES {
                let column: Vec<u32> = keys.iter().map(|row| row[lane]).collect();
                let row_weight = |c: u32| if case % 2 == 0 { 1.0 } else { 0.3 + 0.7 * c as f32 };
                let mut classes: Vec<(f32, f32)> = (0..n_classes).map(|c| (0.0, row_weight(c))).collect();
                for key in &column {
                    let class = &mut classes[(key & 7) as usize];
                    class.0 += (key >> 3 & 15) as f32 * class.1;
                }
                let naive = naive_gini(&column, min_side, bits, &classes);
                let cuts = &keys[..n - min_side];
                for found in [
                    greatest_gini(&keys, n, min_side, bits, &classes),
                    portable::greatest_gini(cuts, min_side, bits, &classes),
                ] {
                    assert!((f64::from(found[lane]) - naive).abs() <= 1e-5 * naive, "{found:?} {naive}");
                }
            }
        }
    }

    #[test]
    fn too_few_keys_have_no_cut() {
        let bits = KeyBits { class: 1, count: 1 };
        let keys = [[2; LANES]; 3];
        assert_eq!(greatest_gini(&keys, 3, 2, bits, &[(3.0, 1.0)]), [f32::NEG_INFINITY; LANES]);
    }
}
