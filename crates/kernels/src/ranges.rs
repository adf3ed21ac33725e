//! The range of some numbers of a column, and which of them are up to a bound: what a random cut of a tree's node needs.
//!
//! Which rows of the column count says a mask, one bit a row: the column is read from its beginning to its end, sixteen numbers at a time,
//! which is faster than looking up many of its rows one by one.

#![allow(unsafe_code)]

/// Rows of a word of a mask.
pub const ROWS: usize = u64::BITS as usize;

/// The least and the greatest number of `column` at rows in `mask`; the ends of an empty range where there are none.
///
/// # Panics
/// When the mask has rows that the column has not.
pub fn ends(column: &[u32], mask: &[u64]) -> [u32; 2] {
    check(column, mask);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the machine has AVX-512F, and all rows of the mask are in the column.
        return unsafe { x86::ends(column, mask) };
    }
    ends_portable(column, mask)
}

/// Writes to `left` which rows in `mask` have a number of at most `last` in `column`, and returns how many.
///
/// # Panics
/// When the mask has rows that the column has not, or `left` is of another length.
pub fn up_to(column: &[u32], mask: &[u64], last: u32, left: &mut [u64]) -> u32 {
    check(column, mask);
    assert_eq!(mask.len(), left.len(), "words of the masks");
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("popcnt") {
        // SAFETY: the machine has the instructions, and all rows of the mask are in the column.
        return unsafe { x86::up_to(column, mask, last, left) };
    }
    up_to_portable(column, mask, last, left)
}

/// How many rows are in both masks.
pub fn in_both(mask: &[u64], other: &[u64]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("popcnt") {
        // SAFETY: the machine has the instruction.
        return unsafe { x86::in_both(mask, other) };
    }
    in_both_portable(mask, other)
}

fn check(column: &[u32], mask: &[u64]) {
    let last = mask.iter().rposition(|word| *word != 0);
    let n_rows = last.map_or(0, |word| (word + 1) * ROWS - mask[word].leading_zeros() as usize);
    assert!(n_rows <= column.len(), "a mask of {n_rows} rows, and {} numbers", column.len());
}

fn ends_portable(column: &[u32], mask: &[u64]) -> [u32; 2] {
    let numbers = column.iter().zip(rows(mask)).filter(|(_, is_in)| *is_in);
    numbers.fold([u32::MAX, 0], |[least, most], (&number, _)| [least.min(number), most.max(number)])
}

fn up_to_portable(column: &[u32], mask: &[u64], last: u32, left: &mut [u64]) -> u32 {
    left.fill(0);
    for ((numbers, &mask), left) in column.chunks(ROWS).zip(mask).zip(&mut *left) {
        let bits = numbers.iter().enumerate().map(|(bit, number)| u64::from(*number <= last) << bit);
        *left = mask & bits.fold(0, |bits, bit| bits | bit);
    }
    left.iter().map(|word| word.count_ones()).sum()
}

#[inline(always)]
fn in_both_portable(mask: &[u64], other: &[u64]) -> u32 {
    mask.iter().zip(other).map(|(word, other)| (word & other).count_ones()).sum()
}

fn rows(mask: &[u64]) -> impl Iterator<Item = bool> {
    mask.iter().flat_map(|word| (0..ROWS).map(move |bit| word >> bit & 1 == 1))
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::ROWS;

    /// Numbers of a vector.
    const LANES: usize = 16;

    /// Calls `visit` with the rows of each vector that are in the mask, and the numbers there; the others are zero.
    ///
    /// # Safety
    /// All rows of the mask are in the column.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn visit(column: &[u32], first: usize, mask: u64, mut visit: impl FnMut(__mmask16, __m512i)) {
        for part in 0..ROWS / LANES {
            let rows = (mask >> (part * LANES)) as __mmask16;
            // SAFETY: no lane is read that is not in the mask.
            let numbers = unsafe {
                let place = column.as_ptr().wrapping_add(first + part * LANES);
                _mm512_maskz_loadu_epi32(rows, place.cast())
            };
            visit(rows, numbers);
        }
    }

    /// # Safety
    /// All rows of the mask are in the column.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn ends(column: &[u32], mask: &[u64]) -> [u32; 2] {
        let (mut least, mut most) = (_mm512_set1_epi32(-1), _mm512_setzero_si512());
        for (word, &mask) in mask.iter().enumerate() {
            // SAFETY: the caller guarantees the rows.
            unsafe {
                visit(column, word * ROWS, mask, |rows, numbers| {
                    least = _mm512_mask_min_epu32(least, rows, least, numbers);
                    most = _mm512_max_epu32(most, numbers);
                });
            }
        }
        [_mm512_reduce_min_epu32(least), _mm512_reduce_max_epu32(most)]
    }

    /// # Safety
    /// All rows of the mask are in the column, and `left` is as long as the mask.
    #[target_feature(enable = "avx512f,popcnt")]
    pub(super) unsafe fn up_to(column: &[u32], mask: &[u64], last: u32, left: &mut [u64]) -> u32 {
        let (last, mut n_left) = (_mm512_set1_epi32(last as i32), 0);
        for (word, (&mask, left)) in mask.iter().zip(left).enumerate() {
            let (mut bits, mut part) = (0, 0);
            // SAFETY: the caller guarantees the rows.
            unsafe {
                visit(column, word * ROWS, mask, |rows, numbers| {
                    bits |= u64::from(_mm512_mask_cmple_epu32_mask(rows, numbers, last)) << part;
                    part += LANES;
                });
            }
            *left = bits;
            n_left += bits.count_ones();
        }
        n_left
    }

    #[target_feature(enable = "popcnt")]
    pub(super) fn in_both(mask: &[u64], other: &[u64]) -> u32 {
        super::in_both_portable(mask, other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_masks_agree_with_their_naive_twins() {
        let column: Vec<u32> = (0..1000u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
        for n in [0, 1, 5, 15, 16, 17, 64, 65, 100, 777] {
            let column = &column[..n];
            for modulus in [1, 3, 50] {
                let is_in = |row: usize| row.is_multiple_of(modulus);
                let mut mask = vec![0; n.div_ceil(ROWS)];
                (0..n).filter(|&row| is_in(row)).for_each(|row| mask[row / ROWS] |= 1 << (row % ROWS));
                let numbers = || (0..n).filter(|&row| is_in(row)).map(|row| column[row]);
                let expected = [numbers().min().unwrap_or(u32::MAX), numbers().max().unwrap_or(0)];
                assert_eq!(ends(column, &mask), expected);
                assert_eq!(ends_portable(column, &mask), expected);
                for last in [0, 5, 1 << 30, 1 << 31, u32::MAX] {
                    let (mut left, mut portable) = (vec![7; mask.len()], vec![7; mask.len()]);
                    let n_left = up_to(column, &mask, last, &mut left);
                    assert_eq!(n_left as usize, numbers().filter(|&number| number <= last).count());
                    assert_eq!(
                        (up_to_portable(column, &mask, last, &mut portable), &portable),
                        (n_left, &left)
                    );
                    let is_left: Vec<bool> = rows(&left).take(n).collect();
                    let expected: Vec<bool> = (0..n).map(|row| is_in(row) && column[row] <= last).collect();
                    assert_eq!(is_left, expected);
                    assert_eq!(in_both(&left, &mask), n_left);
                    assert_eq!(in_both_portable(&left, &mask), n_left);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a mask of 3 rows")]
    fn a_missing_row_is_refused() {
        ends(&[1, 2], &[4]);
    }
}
