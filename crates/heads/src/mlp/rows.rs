//! Where a training takes its rows from: the batches of an epoch, and the blocks of a validation set.

use headsmith_kernels::MatRef;

use crate::samples::Samples;

/// Copies the samples `order` names, one after another, into `x` of `order.len() x n_features`, and their classes
/// into `y`.
///
/// # Panics
/// When a length does not fit, or there is no such sample.
pub(super) fn gather(x: &mut [f32], y: &mut [u32], samples: Samples<'_>, order: &[u32]) {
    let rows = x.chunks_exact_mut(samples.n_features());
    for ((i, x), y) in order.iter().zip(rows).zip(y) {
        x.copy_from_slice(samples.x().row(*i as usize));
        *y = samples.y()[*i as usize];
    }
}

/// The rows `start .. end` of a validation set, with their classes.
///
/// # Panics
/// When there are not so many.
pub(super) fn block<'a>(samples: Samples<'a>, start: usize, end: usize) -> (MatRef<'a>, &'a [u32]) {
    (samples.x().rows(start, end), &samples.y()[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Matrix;

    #[test]
    fn rows_come_in_the_order_asked_for_with_their_classes() {
        let table = Matrix::new((0..12).map(|v| v as f32).collect(), 4, 3);
        let samples = Samples::new(table.view(), &[0, 1, 2, 1], 3).unwrap();
        let (mut x, mut y) = ([f32::NAN; 6], [9; 2]);
        gather(&mut x, &mut y, samples, &[3, 0]);
        assert_eq!((x, y), ([9.0, 10.0, 11.0, 0.0, 1.0, 2.0], [1, 0]));
        let (rows, classes) = block(samples, 1, 3);
        assert_eq!((rows.as_slice(), classes), (&table.as_slice()[3..9], &[1, 2][..]));
    }
}
