//! The classes of rows, and how well probabilities predict them.

use headsmith_kernels::MatRef;

use super::fit;
use crate::graph::{Binary, Graph, Unary, Var};
use crate::head::Folds;

/// Probabilities below count as this where their logarithm is taken: one certain and wrong prediction must not outweigh a million others.
pub(crate) const FLOOR: f32 = 1e-6;

/// The logarithm of a probability, of at least [`FLOOR`]; that of a NaN is that of the floor.
pub(crate) fn log(p: f32) -> f64 {
    f64::from(p.max(FLOOR)).ln()
}

/// [`log`] as operations of a graph, in double precision.
pub(crate) fn log_graph(graph: &mut Graph, proba: Var) -> Var {
    let proba = graph.double(proba);
    let proba = graph.with(Binary::Max, proba, &[f64::from(FLOOR)]);
    graph.unary(Unary::Log, proba)
}

/// The class of each row, and its weight.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    y: &'a [u32],
    weights: Option<&'a [f32]>,
}

/// The difference of two predictions of the same rows: the mean of the rows' differences, and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// By how much the mean loss is lower, in nats.
    pub mean: f64,
    /// The standard error of this mean over the rows.
    pub error: f64,
}

impl Gain {
    /// Whether the gain is more than one standard error above zero.
    pub fn is_clear(self) -> bool {
        self.mean > self.error && self.mean > 0.0
    }
}

impl<'a> Targets<'a> {
    /// Rows of the classes `y` that all weigh the same.
    pub fn new(y: &'a [u32]) -> Targets<'a> {
        Targets { y, weights: None }
    }

    /// The same rows, each with its weight: finite numbers of at least 0.
    ///
    /// # Panics
    /// When the numbers of rows and weights differ.
    pub fn weighted(self, weights: &'a [f32]) -> Targets<'a> {
        assert_eq!(weights.len(), self.y.len(), "weights for other rows");
        Targets { weights: Some(weights), ..self }
    }

    /// The number of rows.
    pub fn len(self) -> usize {
        self.y.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(self) -> bool {
        self.y.is_empty()
    }

    /// The class of row `i`.
    pub fn class(self, i: usize) -> usize {
        self.y[i] as usize
    }

    /// The weight of row `i`: 1 where rows have no weights.
    pub fn weight(self, i: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[i]))
    }

    /// The sum of the weights of some rows; not 0, so that it can be divided by.
    pub(crate) fn total(self, rows: &[usize]) -> f64 {
        rows.iter().map(|&i| self.weight(i)).sum::<f64>().max(f64::MIN_POSITIVE)
    }

    /// The loss of each row of `proba` (`n_samples x n_classes`): minus the logarithm of its class's probability, which counts as 1e-6 where it
    /// is less.
    ///
    /// # Panics
    /// When there are other rows, or a row's class has no column.
    pub fn losses(self, proba: MatRef<'_>) -> Vec<f64> {
        assert_eq!(proba.n_rows(), self.len(), "probabilities of other rows");
        (0..self.len()).map(|i| -log(proba.row(i)[self.class(i)])).collect()
    }

    /// The weighted mean of a value of each row.
    pub fn mean(self, values: &[f64]) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (i, value) in values.iter().enumerate() {
            sum += self.weight(i) * value;
            total += self.weight(i);
        }
        if total > 0.0 { sum / total } else { 0.0 }
    }

    /// By how much the losses `after` are below those `before`, row by row.
    pub fn gain(self, before: &[f64], after: &[f64]) -> Gain {
        let gains: Vec<f64> = before.iter().zip(after).map(|(before, after)| before - after).collect();
        let mean = self.mean(&gains);
        let weights = || (0..gains.len()).map(|i| self.weight(i));
        let squares: f64 = weights().zip(&gains).map(|(w, gain)| (w * (gain - mean)).powi(2)).sum();
        Gain { mean, error: squares.sqrt() / weights().sum::<f64>().max(f64::MIN_POSITIVE) }
    }

    /// The group, 0 to 4, of each row of a prediction that is fitted on the other groups: folds stay together.
    pub(crate) fn groups(self, n_classes: usize, folds: Folds<'_>) -> Vec<usize> {
        fit::groups(self.y.iter().map(|&class| class as usize), n_classes, folds)
    }
}

/// About `most` of `n` rows, evenly and without a period: those where i times the golden ratio has a small fraction.
pub(crate) fn sample(n: usize, most: usize) -> Vec<usize> {
    const RATIO: u64 = 0x9E37_79B9_7F4A_7C15;
    let below = (u128::from(u64::MAX) * most as u128 / n.max(1) as u128).min(u128::from(u64::MAX)) as u64;
    (0..n).filter(|&i| (i as u64).wrapping_mul(RATIO) <= below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_two_is_two_rows_in_the_mean() {
        let (before, after) = ([1.0, 2.0, 2.0], [0.5, 2.5, 2.5]);
        let gain = Targets::new(&[0, 1, 1]).gain(&before, &after);
        let weighted = Targets::new(&[0, 1]).weighted(&[1.0, 2.0]).gain(&before[..2], &after[..2]);
        assert!((gain.mean + 1.0 / 6.0).abs() < 1e-15 && (gain.mean - weighted.mean).abs() < 1e-15);
        // sqrt((2/3)^2 + 2 (1/3)^2) / 3
        assert!((gain.error - (2.0f64 / 3.0).sqrt() / 3.0).abs() < 1e-15);
        assert!(!gain.is_clear() && Gain { mean: 0.2, error: 0.1 }.is_clear());
        assert!(!Gain { mean: 0.0, error: 0.0 }.is_clear());
    }

    #[test]
    fn losses_are_finite() {
        let proba = [1.0, 0.0, f32::NAN, 0.5];
        let losses = Targets::new(&[1, 0]).losses(MatRef::new(&proba, 2, 2));
        assert!(losses.iter().all(|loss| (loss - 1e6f64.ln()).abs() < 1e-6), "{losses:?}");
        assert_eq!(Targets::new(&[]).mean(&[]), 0.0);
    }

    #[test]
    fn a_sample_is_even_and_has_no_period() {
        assert_eq!(sample(500, 1000), (0..500).collect::<Vec<_>>());
        assert!(sample(0, 10).is_empty());
        let few = sample(100_000, 10_000);
        assert!(few.len().abs_diff(10_000) < 10);
        for class in 0..3 {
            assert!(few.iter().filter(|i| **i % 3 == class).count().abs_diff(3333) < 50);
        }
        assert!(few.iter().filter(|i| **i < 50_000).count().abs_diff(5000) < 10);
    }
}
