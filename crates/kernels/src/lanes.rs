//! Sums in fixed lanes: the order of the additions is part of the algorithm, not the compiler's choice, so a sum
//! has the same bytes on every machine and can still be vectorised.

use std::ops::AddAssign;

const LANES: usize = 16;
/// Doubles of a fixed sum.
pub(crate) const DOUBLES: usize = 8;

/// The sum of the lanes, a power of two of them: the upper half is added to the lower, again and again.
#[inline(always)]
pub(crate) fn fold<T: Copy + AddAssign, const N: usize>(mut lanes: [T; N]) -> T {
    let mut width = N / 2;
    while width > 0 {
        for i in 0..width {
            let upper = lanes[i + width];
            lanes[i] += upper;
        }
        width /= 2;
    }
    lanes[0]
}

/// The sum of `term(0) .. term(n - 1)`: lane `i` sums the terms `i`, `i + 16` .., then the lanes are folded.
#[inline(always)]
pub(crate) fn sum(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane += term(start + i);
        }
    }
    for (i, lane) in (whole..n).zip(&mut lanes) {
        *lane += term(i);
    }
    fold(lanes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_term_counts_once() {
        for n in [0, 1, 15, 16, 17, 100] {
            assert_eq!(super::sum(n, |i| i as f32 + 1.0), (n * (n + 1) / 2) as f32);
        }
    }
}
