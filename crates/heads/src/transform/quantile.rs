//! `quantile`: every feature by its rank to a normal distribution, as scikit-learn's `QuantileTransformer` with
//! `output_distribution="normal"`: whatever its distribution was, over the training rows it becomes normal.
//!
//! It learns up to 1,000 quantiles of each feature, evenly spaced from the smallest to the largest value, from all training rows
//! (scikit-learn: `subsample=None`; no rows are drawn). A value lies at the share of the quantiles below it, interpolated
//! between them; one that equals several lies in their middle. The smallest value and all below it are at 1e-7, the largest and all above it at
//! 1 - 1e-7, and the result is the normal distribution's quantile of the share, so -5.2 to 5.2.
//!
//! In two points it differs from scikit-learn: there, all values closer than 1e-7 to the smallest or largest count as these, whatever
//! the unit of the feature, and a constant feature is -5.2; here it is 0.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::order::{quantile, sort};
use super::{FittedTransform, TrainingRows, TransformKind, normal};
use crate::error::{Error, Result};
use crate::graph::{Binary, Curve, Graph, Knot, Typical, Var};
use crate::tensors::{Tensors, Values};

/// The map to a normal distribution.
#[derive(Debug)]
pub(super) struct Quantile;

/// The most quantiles of a feature.
const MAX_QUANTILES: usize = 1000;
/// How near to 0 and 1 a share may be.
const NEAREST: f64 = 1e-7;

/// The quantiles of the features.
#[derive(Debug)]
struct Quantiles {
    n_features: usize,
    n_quantiles: usize,
    /// `n_features x n_quantiles`, rising.
    values: Vec<f64>,
}

impl TransformKind for Quantile {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn help(&self) -> &'static str {
        "Puts each feature by its rank where that lies in a normal distribution"
    }

    fn fit(&self, _: Option<&str>, rows: &TrainingRows<'_>, pool: &Pool) -> Result<Arc<dyn FittedTransform>> {
        let n_quantiles = rows.n_samples().min(MAX_QUANTILES);
        let of_columns = rows.columns("it has no quantiles", pool, |column| {
            sort(column);
            let values = (0..n_quantiles).map(|i| quantile(column, i, n_quantiles - 1));
            values.collect::<Vec<f64>>()
        })?;
        Ok(Arc::new(Quantiles { n_features: rows.n_features(), n_quantiles, values: of_columns.concat() }))
    }

    fn restore(&self, _: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        let [n_features, n_quantiles] = tensors.matrix_shape("quantiles")?;
        let values = tensors.take_f64("quantiles", &[n_features, n_quantiles])?;
        if let Some(i) = values.chunks_exact(n_quantiles).position(|of| !of.is_sorted()) {
            return Err(Error::stored(format!(
                "row {i} of tensor `quantiles` falls, expected rising numbers"
            )));
        }
        Ok(Arc::new(Quantiles { n_features, n_quantiles, values }))
    }
}

/// The share of the values that lie below quantile `i` of `n`.
fn share(i: usize, n: usize) -> f64 {
    if n < 2 { 0.0 } else { i as f64 / (n - 1) as f64 }
}

/// The place of `x` among rising `quantiles`, as a quantile of the normal distribution.
fn placed(quantiles: &[f64], x: f64) -> f64 {
    let n = quantiles.len();
    let (smallest, largest) = (quantiles[0], quantiles[n - 1]);
    if x.is_nan() {
        return x;
    }
    if smallest == largest {
        return 0.0;
    }
    let at = if x <= smallest {
        0.0
    } else if x >= largest {
        1.0
    } else {
        let above = quantiles.partition_point(|q| *q < x);
        let (a, b) = (quantiles[above - 1], quantiles[above]);
        if b == x {
            let n_same = quantiles[above..].partition_point(|q| *q <= x);
            0.5 * (share(above, n) + share(above + n_same - 1, n))
        } else {
            share(above - 1, n) + (x - a) / (b - a) * share(1, n)
        }
    };
    normal::quantile(at.clamp(NEAREST, 1.0 - NEAREST))
}

/// The shares of rising quantiles as a function.
fn curve(quantiles: &[f64]) -> Curve {
    let n = quantiles.len();
    let (smallest, largest) = (quantiles[0], quantiles[n - 1]);
    if smallest == largest {
        return Curve::new(0.5, []);
    }
    let mut first = 0;
    let knots = quantiles.chunk_by(|a, b| a == b).map(|same| {
        let last = first + same.len() - 1;
        let at = match same[0] {
            x if x == smallest => 0.0,
            x if x == largest => 1.0,
            _ => 0.5 * (share(first, n) + share(last, n)),
        };
        let slope = quantiles.get(last + 1).map_or(0.0, |next| share(1, n) / (next - same[0]));
        first = last + 1;
        Knot { x: same[0], at, after: share(last, n), slope }
    });
    Curve::new(0.0, knots)
}

impl FittedTransform for Quantiles {
    fn n_inputs(&self) -> Option<usize> {
        Some(self.n_features)
    }

    fn scale(&self, rows: &mut [f32], n_features: usize) {
        assert_eq!(n_features, self.n_features, "columns of rows to scale");
        // Feature by feature: the quantiles of one stay in the cache.
        for (j, quantiles) in self.values.chunks_exact(self.n_quantiles).enumerate() {
            for v in rows.iter_mut().skip(j).step_by(n_features) {
                *v = placed(quantiles, f64::from(*v)) as f32;
            }
        }
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        let curves = self.values.chunks_exact(self.n_quantiles).map(curve).collect();
        let share = graph.curves(x, curves);
        let share = graph.with(Binary::Max, share, &[NEAREST]);
        let share = graph.with(Binary::Min, share, &[1.0 - NEAREST]);
        let x = normal::graph(graph, share);
        graph.float(x)
    }

    fn rises(&self) -> bool {
        true
    }

    fn typical(&self) -> Option<Typical> {
        let of_features = || self.values.chunks_exact(self.n_quantiles);
        let quantile = |of: &[f64], share: f64| of[(share * (of.len() - 1) as f64) as usize];
        let spread = |of: &[f64]| (quantile(of, 0.84) - quantile(of, 0.16)) / 2.0;
        let centre = of_features().map(|of| quantile(of, 0.5)).collect();
        Some(Typical { centre, spread: of_features().map(spread).collect() })
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        let shape = [self.n_features, self.n_quantiles];
        tensors.insert("quantiles", &shape, Values::F64(self.values.clone()));
        tensors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_at_the_share_of_the_quantiles_below_it() {
        let quantiles = [0.0, 1.0, 1.0, 1.0, 3.0];
        for (x, expected) in [(0.5, 0.125), (1.0, 0.5), (2.0, 0.875), (2.5, 0.9375)] {
            assert_eq!(placed(&quantiles, x), normal::quantile(expected), "{x}");
        }
        for x in [0.0, -1.0, f64::NEG_INFINITY] {
            assert!((placed(&quantiles, x) + 5.199_337_582).abs() < 1e-8, "{x}");
        }
        for x in [3.0, 4.0, f64::INFINITY] {
            assert!((placed(&quantiles, x) - 5.199_337_582).abs() < 1e-8, "{x}");
        }
        for x in [6.0, 7.0, 8.0] {
            assert_eq!(placed(&[7.0, 7.0], x), 0.0);
        }
        assert_eq!(placed(&[7.0], 8.0), 0.0);
        assert!(placed(&quantiles, f64::NAN).is_nan());
    }
}
