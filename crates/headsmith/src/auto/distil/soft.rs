//! Rows with the probabilities of a teacher in place of labels: a row for each class that it deems likely, weighted by its probability.
//!
//! That is Hinton, Vinyals and Dean's distillation ("Distilling the knowledge in a neural network", 2015) at temperature 1 for any head that takes sample weights:
//! the weighted losses of a row's classes add up to its cross-entropy with the teacher.

use headsmith_data::Dataset;
use headsmith_kernels::{MatRef, Matrix, Philox, Sequence};

use crate::split::units;

/// A class of a smaller probability is left out of a row's.
const LEAST: f32 = 0.01;
/// The stream of random numbers of noise.
const NOISE: u32 = 0x6e6f_6973;

/// Rows and the probabilities of their classes, `n_samples x n_classes`.
pub(super) struct SoftRows<'r> {
    pub(super) x: MatRef<'r>,
    pub(super) proba: MatRef<'r>,
}

/// The rows of `data` once for each likely class, by the probabilities `proba` and, with the same rows under noise, by those of `copies`. All that are made of a row weigh as much
/// as it does, and are of its unit of `units`.
pub(super) fn soften(data: &Dataset, units: &[u32], proba: MatRef<'_>, copies: &[SoftRows<'_>]) -> Dataset {
    let own = SoftRows { x: data.x.view(), proba };
    let sources: Vec<&SoftRows<'_>> = std::iter::once(&own).chain(copies).collect();
    let (mut x, mut y, mut weights, mut of_units) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..data.y.len() {
        let weight = data.weights.as_ref().map_or(1.0, |weights| weights[i]) / sources.len() as f32;
        for source in &sources {
            let likely = || source.proba.row(i).iter().zip(0..).filter(|(p, _)| **p >= LEAST);
            let total: f32 = likely().map(|(p, _)| p).sum();
            for (p, class) in likely() {
                x.extend_from_slice(source.x.row(i));
                y.push(class);
                weights.push(weight * p / total);
                of_units.push(units[i]);
            }
        }
    }
    Dataset {
        x: Matrix::new(x, y.len(), data.x.n_cols()),
        y,
        classes: data.classes.clone(),
        weights: Some(weights),
        units: Some(units::numbered(of_units)),
    }
}

/// Copies of the rows of `x` with normal noise of `share` of each feature's standard deviation: copy `number` of those with this seed.
pub(super) fn noisy(x: MatRef<'_>, share: f64, seed: u64, number: u32) -> Matrix {
    let (n, n_cols) = (x.n_rows(), x.n_cols());
    let (mut sums, mut squares) = (vec![0.0f64; n_cols], vec![0.0f64; n_cols]);
    for i in 0..n {
        for ((sum, square), v) in sums.iter_mut().zip(&mut squares).zip(x.row(i)) {
            *sum += f64::from(*v);
            *square += f64::from(*v).powi(2);
        }
    }
    let deviation = |j: usize| (squares[j] / n as f64 - (sums[j] / n as f64).powi(2)).max(0.0).sqrt();
    let scales: Vec<f64> = (0..n_cols).map(|j| share * deviation(j)).collect();
    let mut values = Vec::with_capacity(n * n_cols);
    for i in 0..n {
        let mut random = Philox::new(seed, number, NOISE).sequence(i as u32, 0);
        values.extend(
            x.row(i)
                .iter()
                .zip(&scales)
                .map(|(v, scale)| (f64::from(*v) + scale * normal(&mut random)) as f32),
        );
    }
    Matrix::new(values, n, n_cols)
}

/// A normal number (Box and Muller).
fn normal(random: &mut Sequence) -> f64 {
    let (radius, angle) = (1.0 - random.uniform(), random.uniform());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_its_likely_classes_with_its_weight() {
        let x = Matrix::new(vec![1.0, 2.0], 2, 1);
        let data = Dataset::from_arrays(x, &["no", "yes"]).unwrap().with_weights(vec![2.0, 4.0]).unwrap();
        let proba = [0.25, 0.75, 0.999, 0.001];
        let copy = Matrix::new(vec![1.5, 2.5], 2, 1);
        let copies = [SoftRows { x: copy.view(), proba: MatRef::new(&[1.0, 0.0, 0.5, 0.5], 2, 2) }];
        let soft = soften(&data, &[7, 3], MatRef::new(&proba, 2, 2), &copies);
        assert_eq!(soft.x.as_slice(), [1.0, 1.0, 1.5, 2.0, 2.5, 2.5]);
        assert_eq!(soft.y, [0, 1, 0, 0, 0, 1]);
        assert_eq!(soft.weights.unwrap(), [0.25, 0.75, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(soft.units.unwrap(), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn noise_is_of_each_features_scale_and_of_the_seed() {
        let x = Matrix::new((0..2000).map(|i| [1.0, 100.0][i % 2] * (i / 2 % 10) as f32).collect(), 1000, 2);
        let noisy = |seed, number| super::noisy(x.view(), 0.5, seed, number);
        let first = noisy(1, 0);
        assert_eq!(first, noisy(1, 0));
        assert!(first != noisy(1, 1) && first != noisy(2, 0));
        for (j, expected) in [1.436, 143.6].into_iter().enumerate() {
            let squares = (0..1000).map(|i| f64::from(first.row(i)[j] - x.row(i)[j]).powi(2));
            let deviation = (squares.sum::<f64>() / 1000.0).sqrt();
            assert!((deviation / expected - 1.0).abs() < 0.1, "{deviation}, expected {expected}");
        }
    }
}
