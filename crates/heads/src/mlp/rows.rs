//! Where a training takes its rows from: the batches of an epoch.

use headsmith_kernels::Pool;

use crate::samples::{PIECE, Samples};

/// Copies the samples that `order` names, one after another and scaled where something scales them, into `x` of
/// `order.len() x n_features`, and their classes into `y`.
///
/// # Panics
/// When a length does not fit, or there is no such sample.
pub(super) fn gather(x: &mut [f32], y: &mut [u32], samples: Samples<'_>, order: &[u32], pool: &Pool) {
    let n_features = samples.n_features();
    pool.for_each_chunk2((x, PIECE * n_features), (y, PIECE), |piece, x, y| {
        let order = order[piece * PIECE..].iter().map(|&i| i as usize);
        samples.copy_rows(order.clone(), x);
        y.iter_mut().zip(order).for_each(|(y, i)| *y = samples.y()[i]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Matrix;

    #[test]
    fn rows_come_in_the_order_asked_for_with_their_classes() {
        let table = Matrix::new((0..600).map(|v| v as f32).collect(), 200, 3);
        let classes: Vec<u32> = (0..200).map(|i| i % 7).collect();
        let samples = Samples::new(table.view(), &classes, 7).unwrap();
        let order: Vec<u32> = (0..150).map(|i| i * 77 % 200).collect();
        for pool in [Pool::inline(), Pool::new(2).unwrap()] {
            let (mut x, mut y) = (vec![f32::NAN; 450], vec![9; 150]);
            gather(&mut x, &mut y, samples, &order, &pool);
            for (i, at) in order.iter().map(|&i| i as usize).enumerate() {
                assert_eq!((&x[3 * i..3 * i + 3], y[i]), (table.row(at), classes[at]));
            }
        }
    }
}
