//! The range of some numbers of a column, and counts of those in a part of it: what a random cut of a tree's node needs.
//!
//! Loops are written so that they vectorise: indices are clamped rather than checked, and what is not counted is masked.

#![allow(unsafe_code)]

use crate::multiversion::multiversion;

/// The sign bit: flipped, unsigned numbers compare as signed ones do.
const SIGN: u32 = 1 << 31;

/// Fewer numbers are not worth the choice of an instruction set.
const FEW: usize = 16;

multiversion! {
    fn wide_gather(keys: &mut [i32], ends: &mut [i32; 2], column: &[u32], rows: &[u32]) {
        narrow_gather(keys, ends, column, rows);
    }

    fn wide_sum(sums: &mut [u64; 2], keys: &[i32], codes: &[u64], end: i32) {
        narrow_sum(sums, keys, codes, end);
    }
}

#[inline(always)]
fn narrow_gather(keys: &mut [i32], ends: &mut [i32; 2], column: &[u32], rows: &[u32]) {
    let Some(last) = column.len().checked_sub(1) else { return };
    let [mut least, mut most] = *ends;
    for (key, row) in keys.iter_mut().zip(rows) {
        *key = (column[(*row as usize).min(last)] ^ SIGN) as i32;
        (least, most) = (least.min(*key), most.max(*key));
    }
    *ends = [least, most];
}

#[inline(always)]
fn narrow_sum(sums: &mut [u64; 2], keys: &[i32], codes: &[u64], end: i32) {
    let [mut n, mut sum] = [0, 0];
    for (key, code) in keys.iter().zip(codes) {
        let mask = u64::from(*key <= end).wrapping_neg();
        (n, sum) = (n + (mask & 1), sum + (mask & code));
    }
    *sums = [n, sum];
}

/// Copies the numbers at `rows` of `column`, with the sign bit flipped so that they keep their order, to `keys`, and returns the least and the
/// greatest; the ends of an empty range where there are none. A row beyond the column counts as its last.
///
/// # Panics
/// When there are other keys than rows.
#[inline(always)]
pub fn gather(keys: &mut [i32], column: &[u32], rows: &[u32]) -> [i32; 2] {
    assert_eq!(keys.len(), rows.len(), "a key a row");
    let mut ends = [i32::MAX, i32::MIN];
    match rows.len() < FEW {
        true => narrow_gather(keys, &mut ends, column, rows),
        false => wide_gather(keys, &mut ends, column, rows),
    }
    ends
}

/// How many `keys` are at most `end`, and the sum of their `codes`.
///
/// # Panics
/// When there are other codes than keys.
#[inline(always)]
pub fn sum_up_to(keys: &[i32], codes: &[u64], end: i32) -> [u64; 2] {
    assert_eq!(keys.len(), codes.len(), "a code a key");
    let mut sums = [0; 2];
    match keys.len() < FEW {
        true => narrow_sum(&mut sums, keys, codes, end),
        false => wide_sum(&mut sums, keys, codes, end),
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_sums_agree_with_their_naive_twins() {
        let column: Vec<u32> = (0..1000u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
        for n in [0, 1, 5, 15, 16, 17, 100, 777] {
            let rows: Vec<u32> = (0..n as u32).map(|i| i * i % 1000).collect();
            let codes: Vec<u64> = (0..n as u64).map(|i| 1 << (16 * (i % 4))).collect();
            let mut keys = vec![0; n];
            let ends = gather(&mut keys, &column, &rows);
            let naive: Vec<i32> = rows.iter().map(|&row| (column[row as usize] ^ SIGN) as i32).collect();
            assert_eq!(keys, naive);
            let expected = [
                naive.iter().min().copied().unwrap_or(i32::MAX),
                naive.iter().max().copied().unwrap_or(i32::MIN),
            ];
            assert_eq!(ends, expected);
            for end in [i32::MIN, -5, 0, 1 << 30, i32::MAX] {
                let below = || naive.iter().zip(&codes).filter(|(key, _)| **key <= end);
                assert_eq!(
                    sum_up_to(&keys, &codes, end),
                    [below().count() as u64, below().map(|(_, code)| code).sum()]
                );
            }
        }
        assert_eq!(gather(&mut [0], &[], &[3]), [i32::MAX, i32::MIN]);
    }
}
