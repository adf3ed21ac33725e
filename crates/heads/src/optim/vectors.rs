//! Arithmetic of long vectors. Pieces depend on the length alone, and sums are added in their order: threads change no byte.

use headsmith_kernels::Pool;

/// Values of a piece.
const PIECE: usize = 1 << 14;
const LANES: usize = 8;

/// The scalar product of two vectors of one length.
pub(super) fn dot<A, B>(a: &[A], b: &[B], pool: &Pool) -> f64
where
    A: Copy + Into<f64> + Sync,
    B: Copy + Into<f64> + Sync,
{
    let sums = pool.map(a.len().div_ceil(PIECE), |piece| {
        let range = piece * PIECE..a.len().min((piece + 1) * PIECE);
        let (a, b) = (a[range.clone()].chunks(LANES), b[range].chunks(LANES));
        let mut lanes = [0.0; LANES];
        for (a, b) in a.zip(b) {
            for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
                *lane += a.into() * b.into();
            }
        }
        lanes.iter().sum::<f64>()
    });
    sums.iter().sum()
}

/// `to += factor * a`.
pub(super) fn add<A: Copy + Into<f64> + Sync>(to: &mut [f64], factor: f64, a: &[A], pool: &Pool) {
    pool.for_each_chunk(to, PIECE, |piece, to| {
        to.iter_mut().zip(&a[piece * PIECE..]).for_each(|(to, &a)| *to += factor * a.into());
    });
}

/// The largest absolute value; NaN if a value is NaN.
pub(super) fn max_abs(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |max: f64, v| if max.is_nan() || v.abs() <= max { max } else { v.abs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_threads_change_no_sum() {
        for n in [0, 1, 7, 8, 100, 3 * PIECE + 11] {
            let a: Vec<f32> = (0..n).map(|i| (i % 5) as f32).collect();
            let b: Vec<f64> = (0..n).map(|i| (i % 3) as f64 - 1.0).collect();
            let expected: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * b).sum();
            for pool in [Pool::inline(), Pool::new(3).unwrap()] {
                assert_eq!(dot(&a, &b, &pool), expected);
                let mut to = b.clone();
                add(&mut to, 2.0, &a, &pool);
                assert!(to.iter().zip(&a).zip(&b).all(|((to, a), b)| *to == b + 2.0 * f64::from(*a)));
            }
        }
        assert_eq!(max_abs(&[1.0, -3.0, 2.0]), 3.0);
        assert!(max_abs(&[1.0, f64::NAN, 2.0]).is_nan());
    }
}
