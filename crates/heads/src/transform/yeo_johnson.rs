//! `yeo-johnson`: every feature bent so that it is as close to a normal distribution as it gets, then standardised, as
//! scikit-learn's `PowerTransformer(method="yeo-johnson", standardize=True)` (Yeo and Johnson, "A new family of power transformations
//! to improve normality or symmetry", Biometrika 87, 2000).
//!
//! With `lambda` of the feature, a value x >= 0 becomes ((1 + x)^lambda - 1) / lambda, and x < 0 becomes
//! -((1 - x)^(2 - lambda) - 1) / (2 - lambda); an exponent of 0 means the logarithm. `lambda` is that of the largest likelihood of a
//! normal distribution: see [`likelihood`]. 1 leaves a feature as it is, which a constant one does.
//!
//! Features that are far from zero lose their digits in these formulas: with values around 1,000 and `lambda` -8, all
//! powers are 0 beside the 1. What follows standardises the values, so they may be measured from any point, in any unit. If all
//! training values are of one sign, both are taken at the training value nearest to zero, the `pivot`: x >= 0
//! becomes (((1 + x) / (1 + pivot))^lambda - 1) / lambda. Otherwise the pivot is 0, and the formulas are those above.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::scaler::Scaler;
use super::standardise::is_constant;
use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::Result;
use crate::graph::{Binary, Graph, Typical, Unary, Var};
use crate::tensors::{Tensors, Values};

mod likelihood;

use likelihood::best_lambda;

/// The bend to a normal distribution.
#[derive(Debug)]
pub(super) struct YeoJohnson;

/// Bends of the features, and their scales after it.
#[derive(Debug)]
struct Bends {
    bends: Vec<Bend>,
    scaler: Scaler,
}

/// The bend of one feature.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bend {
    lambda: f64,
    pivot: f64,
}

impl TransformKind for YeoJohnson {
    fn name(&self) -> &'static str {
        "yeo-johnson"
    }

    fn help(&self) -> &'static str {
        "Bends each feature to be as close to a normal distribution as it gets, then standardises it"
    }

    fn fit(&self, _: Option<&str>, rows: &TrainingRows<'_>, pool: &Pool) -> Result<Arc<dyn FittedTransform>> {
        let of_columns = rows.columns("it has no likelihood", pool, |column| fit(column))?;
        let bends = of_columns.iter().map(|(bend, _)| *bend).collect();
        let (centre, scale) = of_columns.into_iter().map(|(_, moments)| moments).unzip();
        Ok(Arc::new(Bends { bends, scaler: Scaler { name: "mean", centre, scale } }))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        let scaler = Scaler::restore("mean", tensors)?;
        let n_features = scaler.centre.len();
        let lambdas = tensors.take_f64("lambda", &[n_features])?;
        let pivots = tensors.take_f64("pivot", &[n_features])?;
        let bends = lambdas.into_iter().zip(pivots).map(|(lambda, pivot)| Bend { lambda, pivot });
        Ok(Arc::new(Bends { bends: bends.collect(), scaler }))
    }
}

/// The bend of a column, and the mean and scale of the bent values.
fn fit(column: &[f32]) -> (Bend, (f64, f64)) {
    let pivot = pivot(column);
    let n = column.len() as f64;
    let (mean, variance) = moments(column.iter().map(|v| f64::from(*v)), n);
    let lambda = if is_constant(variance, mean, n) { 1.0 } else { best_lambda(column, pivot) };
    let bend = Bend { lambda, pivot };
    let (mean, variance) = moments(column.iter().map(|v| bend.at(f64::from(*v))), n);
    (bend, (mean, if is_constant(variance, mean, n) { 1.0 } else { variance.sqrt() }))
}

/// The value nearest to zero of a column whose values all have one sign; otherwise 0.
fn pivot(column: &[f32]) -> f64 {
    let bounds = column.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    f64::from(bounds.0.max(0.0) + bounds.1.min(0.0))
}

/// Mean and variance (divided by n) of n values, in two passes.
fn moments(values: impl Iterator<Item = f64> + Clone, n: f64) -> (f64, f64) {
    let mean = values.clone().sum::<f64>() / n;
    let (squares, rest) = values.fold((0.0, 0.0), |(squares, rest), v| {
        let difference = v - mean;
        (squares + difference * difference, rest + difference)
    });
    (mean, (squares - rest * rest / n) / n)
}

/// `(exp(a d) - 1) / a`: d for a = 0.
fn stretched(a: f64, d: f64) -> f64 {
    let t = a * d;
    // At 0, and where the product of small numbers is too small for its digits.
    if t.abs() < f64::EPSILON { d } else { t.exp_m1() / a }
}

/// The logarithm that the exponents multiply.
fn log(x: f64) -> f64 {
    x.abs().ln_1p()
}

impl Bend {
    /// The exponent of the values with the sign of `x`.
    fn exponent(&self, x: f64) -> f64 {
        if x >= 0.0 { self.lambda } else { 2.0 - self.lambda }
    }

    /// The bent value: from the pivot on, in units of the pivot's power.
    fn at(&self, x: f64) -> f64 {
        let (of_x, of_pivot) = (self.exponent(x), self.exponent(self.pivot));
        let (log_x, log_pivot) = (log(x), log(self.pivot));
        let size = if (x >= 0.0) == (self.pivot >= 0.0) {
            stretched(of_x, log_x - log_pivot)
        } else {
            // By zero: the way from the pivot to it, and on.
            (stretched(of_x, log_x) + stretched(of_pivot, log_pivot)) * (-of_pivot * log_pivot).exp()
        };
        if x >= 0.0 { size } else { -size }
    }

    /// About where the bent value is `y`.
    fn inverse(&self, y: f64) -> f64 {
        let (mut low, mut high) = (-1e15, 1e15);
        for _ in 0..80 {
            // Small numbers count as much as large ones.
            let middle = f64::sinh(0.5 * (f64::asinh(low * 1e6) + f64::asinh(high * 1e6))) / 1e6;
            if self.at(middle) > y { high = middle } else { low = middle }
        }
        low
    }

    /// The terms of [`at`](Bend::at) on the side of positive or negative numbers: `(stretched(exponent, log - shift) + offset) factor`.
    fn side(&self, is_positive: bool) -> Side {
        let exponent = self.exponent(if is_positive { 1.0 } else { -1.0 });
        let (of_pivot, log_pivot) = (self.exponent(self.pivot), log(self.pivot));
        if is_positive == (self.pivot >= 0.0) {
            return Side { exponent, shift: log_pivot, offset: 0.0, factor: 1.0 };
        }
        let offset = stretched(of_pivot, log_pivot);
        Side { exponent, shift: 0.0, offset, factor: (-of_pivot * log_pivot).exp() }
    }
}

/// The bound of the result: far outside the training rows a steep bend overflows, and heads could say nothing of infinite numbers or of their squares.
const MOST: f64 = 1e15;

/// One side of a bend.
struct Side {
    exponent: f64,
    shift: f64,
    offset: f64,
    factor: f64,
}

/// Smaller exponents have a series instead of the difference of an exponential from 1, which would lose digits.
const SMALL: f64 = 1e-5;

/// The bent values of `x` as operations of a graph.
fn bent(graph: &mut Graph, x: Var, bends: &[Bend]) -> Var {
    let size = graph.unary(Unary::Abs, x);
    let size = graph.with(Binary::Add, size, &[1.0]);
    let log = graph.unary(Unary::Log, size);
    let [above, below] = [true, false].map(|is_positive| {
        let sides: Vec<Side> = bends.iter().map(|bend| bend.side(is_positive)).collect();
        bent_side(graph, log, &sides)
    });
    let zero = graph.row(x, &[0.0]);
    let below = graph.binary(Binary::Sub, zero, below);
    let is_positive = graph.binary(Binary::AtMost, zero, x);
    graph.select(is_positive, above, below)
}

fn bent_side(graph: &mut Graph, log: Var, sides: &[Side]) -> Var {
    let all = |of: fn(&Side) -> f64| sides.iter().map(of).collect::<Vec<f64>>();
    let d = graph.with(Binary::Sub, log, &all(|side| side.shift));
    let safe = all(|side| if side.exponent.abs() < SMALL { 1.0 } else { side.exponent });
    let t = graph.with(Binary::Mul, d, &safe);
    let power = graph.unary(Unary::Exp, t);
    let power = graph.with(Binary::Sub, power, &[1.0]);
    let mut stretched = graph.with(Binary::Div, power, &safe);
    let is_small = all(|side| f64::from(side.exponent.abs() < SMALL));
    if is_small.contains(&1.0) {
        // d + a d^2 / 2
        let half = graph.with(Binary::Mul, d, &all(|side| 0.5 * side.exponent));
        let factor = graph.with(Binary::Add, half, &[1.0]);
        let series = graph.binary(Binary::Mul, d, factor);
        let series = graph.with(Binary::Mul, series, &is_small);
        let is_large: Vec<f64> = is_small.iter().map(|small| 1.0 - small).collect();
        stretched = graph.with(Binary::Mul, stretched, &is_large);
        stretched = graph.binary(Binary::Add, stretched, series);
    }
    let sum = graph.with(Binary::Add, stretched, &all(|side| side.offset));
    graph.with(Binary::Mul, sum, &all(|side| side.factor))
}

impl FittedTransform for Bends {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.bends.len())
    }

    fn scale(&self, rows: &mut [f32], n_features: usize) {
        assert_eq!(n_features, self.bends.len(), "columns of rows to scale");
        let scales = || self.scaler.centre.iter().zip(&self.scaler.scale);
        for row in rows.chunks_exact_mut(n_features) {
            for ((v, bend), (mean, scale)) in row.iter_mut().zip(&self.bends).zip(scales()) {
                *v = ((bend.at(f64::from(*v)) - mean) / scale).clamp(-MOST, MOST) as f32;
            }
        }
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        let x = graph.double(x);
        let bent = bent(graph, x, &self.bends);
        let centred = graph.with(Binary::Sub, bent, &self.scaler.centre);
        let scaled = graph.with(Binary::Div, centred, &self.scaler.scale);
        let bounded = graph.with(Binary::Max, scaled, &[-MOST]);
        let bounded = graph.with(Binary::Min, bounded, &[MOST]);
        graph.float(bounded)
    }

    fn rises(&self) -> bool {
        true
    }

    fn typical(&self) -> Option<Typical> {
        let all = || self.bends.iter().zip(self.scaler.centre.iter().zip(&self.scaler.scale));
        let spread = |(bend, (mean, scale)): (&Bend, (&f64, &f64))| {
            0.5 * (bend.inverse(mean + scale) - bend.inverse(mean - scale))
        };
        let centre = all().map(|(bend, (mean, _))| bend.inverse(*mean)).collect();
        Some(Typical { centre, spread: all().map(spread).collect() })
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = self.scaler.tensors();
        let shape = [self.bends.len()];
        tensors.insert("lambda", &shape, Values::F64(self.bends.iter().map(|bend| bend.lambda).collect()));
        tensors.insert("pivot", &shape, Values::F64(self.bends.iter().map(|bend| bend.pivot).collect()));
        tensors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lambda: f64, x: f64) -> f64 {
        if x >= 0.0 {
            if lambda == 0.0 { (1.0 + x).ln() } else { ((1.0 + x).powf(lambda) - 1.0) / lambda }
        } else {
            -plain(2.0 - lambda, -x)
        }
    }

    #[test]
    fn rows_far_outside_the_training_rows_stay_finite() {
        // Skewed to the left: a steep bend.
        let x: Vec<f32> = (1..=200).map(|i| -0.01 * (201.0 / i as f32).ln()).collect();
        let (bend, (mean, scale)) = fit(&x);
        assert!(bend.at(1e6).is_infinite() || (bend.at(1e6) / scale) as f32 > 1e30, "{bend:?} is not steep");
        let bends = Bends {
            bends: vec![bend],
            scaler: Scaler { name: "mean", centre: vec![mean], scale: vec![scale] },
        };
        let mut rows = [1e6, -1e6, 0.0, f32::MAX];
        bends.scale(&mut rows, 1);
        assert!(rows.iter().all(|v| v.abs() <= MOST as f32) && rows[0] == MOST as f32, "{rows:?}");
    }

    #[test]
    fn a_bend_is_the_formula_measured_from_the_pivot() {
        for lambda in [-1.5, 0.0, 0.4, 1.0, 2.0, 3.3] {
            for pivot in [0.0, 0.7, -0.7, 3.0] {
                let unit = (Bend { lambda, pivot: 0.0 }.exponent(pivot) * log(pivot)).exp();
                for x in [-4.0, -0.1, 0.0, 0.2, 1.0, 6.0] {
                    let expected = (plain(lambda, x) - plain(lambda, pivot)) / unit;
                    let found = Bend { lambda, pivot }.at(x);
                    assert!(
                        (found - expected).abs() <= 1e-13 * (1.0 + expected.abs()),
                        "{lambda} {pivot} {x}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_pivot_is_the_value_nearest_to_zero_where_signs_agree() {
        assert_eq!(pivot(&[3.0, 2.0, 9.0]), 2.0);
        assert_eq!(pivot(&[-3.0, -2.0, -9.0]), -2.0);
        assert_eq!(pivot(&[-3.0, 2.0]), 0.0);
        assert_eq!(pivot(&[0.0, 2.0]), 0.0);
    }

    #[test]
    fn values_far_from_zero_keep_their_differences() {
        let column: Vec<f32> = (0..1000).map(|i| 1000.0 + ((i * 7919) % 1009) as f32 / 500.0).collect();
        let (bend, (mean, scale)) = fit(&column);
        let bent = |x: f32| (bend.at(f64::from(x)) - mean) / scale;
        let (low, high) = (bent(1000.0), bent(1002.0));
        assert!((high - low - 3.46).abs() < 0.1, "{bend:?}: {low} to {high}, expected twice the root of 3");
        assert!(low < -1.5 && high > 1.5 && bent(1001.0).abs() < 0.3, "{low} to {high}");
    }
}
