//! Isotonic calibration: for each class, the share of its rows as a function of its probability that never falls (Zadrozny and Elkan, "Transforming
//! classifier scores into accurate multiclass probability estimates", KDD 2002), then divided by the sum over the classes.
//!
//! The function is that of scikit-learn's `IsotonicRegression` with `out_of_bounds="clip"`: the least-squares fit by pool-adjacent-violators (Best and
//! Chakravarti, "Active set algorithms for isotonic regression", 1990), rows of equal probabilities first replaced by their mean, linear between its
//! knots and constant beyond them. A share of 0 is raised to that of half a row: the log loss must stay finite.

use headsmith_kernels::{MatRef, Pool};

use super::targets::Targets;
use crate::error::{Error, Result};
use crate::graph::{self, Binary, Graph, Knot, Var};
use crate::tensors::{Tensors, Values};

/// A rising function: x rises from knot to knot, y does not fall. Without knots it is 0.
#[derive(Debug, Clone, PartialEq, Default)]
struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// The curve of each class.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Isotonic {
    curves: Vec<Curve>,
    /// The least probability of a class, before the division by the sum.
    floor: f64,
}

/// Neighbouring rows that share their mean.
struct Block {
    sum: f64,
    weight: f64,
    first: f64,
    last: f64,
}

/// A row: the probability of the class, whether it is the row's class (0 or 1), and the row's weight.
type Point = (f64, f64, f64);

impl Curve {
    fn fit(mut points: Vec<Point>) -> Curve {
        points.retain(|(.., weight)| *weight > 0.0);
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for ties in points.chunk_by(|a, b| a.0 == b.0) {
            let (sum, weight) = ties
                .iter()
                .fold((0.0, 0.0), |(sum, total), (_, y, weight)| (sum + weight * y, total + weight));
            let mut block = Block { sum, weight, first: ties[0].0, last: ties[0].0 };
            while let Some(before) =
                blocks.pop_if(|before| before.sum * block.weight >= block.sum * before.weight)
            {
                block.sum += before.sum;
                block.weight += before.weight;
                block.first = before.first;
            }
            blocks.push(block);
        }
        Curve::through(&blocks)
    }

    fn through(blocks: &[Block]) -> Curve {
        let mut curve = Curve::default();
        for block in blocks {
            let n_ends = if block.first < block.last { 2 } else { 1 };
            for x in [block.first, block.last].into_iter().take(n_ends) {
                curve.x.push(x);
                curve.y.push((block.sum / block.weight).clamp(0.0, 1.0));
            }
        }
        curve
    }

    fn at(&self, x: f64) -> f64 {
        let after = self.x.partition_point(|knot| *knot <= x);
        match (after.checked_sub(1), self.x.get(after)) {
            (None, None) => 0.0,
            (None, Some(_)) => self.y[0],
            (Some(before), None) => self.y[before],
            (Some(before), Some(next)) => {
                let share = (x - self.x[before]) / (next - self.x[before]);
                self.y[before] + share * (self.y[after] - self.y[before])
            }
        }
    }

    fn for_graph(&self) -> graph::Curve {
        let knots = (0..self.x.len()).map(|i| {
            let slope = match (self.x.get(i + 1), self.y.get(i + 1)) {
                (Some(x), Some(y)) => (y - self.y[i]) / (x - self.x[i]),
                _ => 0.0,
            };
            Knot { x: self.x[i], at: self.y[i], after: self.y[i], slope }
        });
        graph::Curve::new(self.y.first().copied().unwrap_or(0.0), knots)
    }

    fn is_sound(&self) -> bool {
        self.x.iter().all(|x| x.is_finite())
            && self.x.windows(2).all(|pair| pair[0] < pair[1])
            && self.y.iter().all(|y| (0.0..=1.0).contains(y))
            && self.y.windows(2).all(|pair| pair[0] <= pair[1])
    }
}

impl Isotonic {
    /// The curves of some rows.
    pub(super) fn fit(proba: MatRef<'_>, targets: Targets<'_>, rows: &[usize], pool: &Pool) -> Isotonic {
        let curves = pool.map(proba.n_cols(), |class| {
            let point = |&i: &usize| {
                let is_class = f64::from(u8::from(targets.class(i) == class));
                (f64::from(proba.row(i)[class].max(0.0)), is_class, targets.weight(i))
            };
            Curve::fit(rows.iter().map(point).collect())
        });
        Isotonic { curves, floor: (0.5 / targets.total(rows)).clamp(1e-9, 0.1) }
    }

    pub(super) fn row(&self, proba: &[f32], out: &mut [f64]) {
        for ((out, p), curve) in out.iter_mut().zip(proba).zip(&self.curves) {
            *out = curve.at(f64::from(p.max(0.0))).max(self.floor);
        }
        let sum: f64 = out.iter().sum();
        out.iter_mut().for_each(|p| *p /= sum);
    }

    /// The calibrated probabilities as operations of a graph, in double precision.
    pub(super) fn graph(&self, graph: &mut Graph, proba: Var) -> Var {
        let proba = graph.with(Binary::Max, proba, &[0.0]);
        let shares = graph.curves(proba, self.curves.iter().map(Curve::for_graph).collect());
        let shares = graph.with(Binary::Max, shares, &[self.floor]);
        let sum = graph.sum(shares);
        graph.binary(Binary::Div, shares, sum)
    }

    pub(super) fn store(&self, tensors: &mut Tensors) {
        let sizes = self.curves.iter().map(|curve| curve.x.len() as u32).collect();
        let all =
            |values: fn(&Curve) -> &[f64]| self.curves.iter().flat_map(values).copied().collect::<Vec<f64>>();
        let (x, y) = (all(|curve| &curve.x), all(|curve| &curve.y));
        tensors.insert("knots.size", &[self.curves.len()], Values::U32(sizes));
        tensors.insert("knots.x", &[x.len()], Values::F64(x));
        tensors.insert("knots.y", &[y.len()], Values::F64(y));
        tensors.insert("floor", &[1], Values::F64(vec![self.floor]));
    }

    /// Restores the curves of `n_classes` classes.
    pub(super) fn restore(tensors: &mut Tensors, n_classes: usize) -> Result<Isotonic> {
        let sizes = tensors.take_u32("knots.size", &[n_classes])?;
        let n_knots = tensors.shape("knots.x")?.iter().product();
        let (x, y) = (tensors.take_f64("knots.x", &[n_knots])?, tensors.take_f64("knots.y", &[n_knots])?);
        let floor = tensors.take_f64("floor", &[1])?[0];
        if sizes.iter().map(|&size| u64::from(size)).sum::<u64>() != n_knots as u64 {
            return Err(Error::stored(format!("`knots.size` does not sum to the {n_knots} knots there are")));
        }
        let mut start = 0;
        let curves: Vec<Curve> = sizes
            .iter()
            .map(|&size| {
                let range = start..start + size as usize;
                start = range.end;
                Curve { x: x[range.clone()].to_vec(), y: y[range].to_vec() }
            })
            .collect();
        match curves.iter().position(|curve| !curve.is_sound()) {
            Some(class) => {
                Err(Error::stored(format!("the knots of class {class} do not rise within 0 to 1")))
            }
            None if !(floor > 0.0 && floor < 1.0) => {
                Err(Error::stored(format!("`floor` is {floor:?}, expected a number between 0 and 1")))
            }
            None => Ok(Isotonic { curves, floor }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from scikit-learn 1.9.1:
    ///
    /// ```python
    /// x = [.1, .2, .2, .3, .35, .5, .5, .6, .7, .9]
    /// y = [0, 0, 1, 1, 0, 0, 1, 1, 0, 1]
    /// w = [1, 2, 1, 1, 3, 1, 2, 1, .5, 1]
    /// f = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=w)
    /// f.X_thresholds_, f.y_thresholds_, f.predict([0, .1, .15, .2, .25, .33, .4, .5, .55, .65, .8, .9, 1])
    /// ```
    #[test]
    fn the_curve_is_that_of_scikit_learn() {
        let x = [0.1, 0.2, 0.2, 0.3, 0.35, 0.5, 0.5, 0.6, 0.7, 0.9];
        let y = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0];
        let w = [1.0, 2.0, 1.0, 1.0, 3.0, 1.0, 2.0, 1.0, 0.5, 1.0];
        let curve = Curve::fit((0..10).rev().map(|i| (x[i], y[i], w[i])).collect());
        assert_eq!(curve.x, [0.1, 0.2, 0.35, 0.5, 0.7, 0.9]);
        let (low, high) = (0.2857142857142857, 0.6666666666666666);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a}, expected {b}");
        curve.y.iter().zip([0.0, low, low, high, high, 1.0]).for_each(|(a, b)| close(*a, b));
        let queries = [0.0, 0.1, 0.15, 0.2, 0.25, 0.33, 0.4, 0.5, 0.55, 0.65, 0.8, 0.9, 1.0];
        let expected = [
            0.0,
            0.0,
            0.1428571428571428,
            low,
            low,
            low,
            0.4126984126984128,
            high,
            high,
            high,
            0.8333333333333334,
            1.0,
            1.0,
        ];
        queries.iter().zip(expected).for_each(|(x, y)| close(curve.at(*x), y));
    }

    /// The least-squares fit by its formula: the largest of the least means of ranges around a point.
    #[test]
    fn the_curve_agrees_with_the_formula_of_minima_and_maxima() {
        for n in 1..40 {
            let points: Vec<Point> = (0..n)
                .map(|i| {
                    (i as f64 / 40.0, f64::from(u8::from((i * i * 7 + n) % 5 < 2)), 1.0 + (i % 3) as f64)
                })
                .collect();
            let mean = |range: &[Point]| {
                range.iter().map(|(_, y, w)| w * y).sum::<f64>() / range.iter().map(|(.., w)| w).sum::<f64>()
            };
            let curve = Curve::fit(points.clone());
            for (i, point) in points.iter().enumerate() {
                let least =
                    |from: usize| (i..n).map(|to| mean(&points[from..=to])).fold(f64::INFINITY, f64::min);
                let expected = (0..=i).map(least).fold(0.0, f64::max);
                assert!((curve.at(point.0) - expected).abs() < 1e-12, "{n} points, {i}");
            }
        }
    }

    #[test]
    fn a_class_without_rows_is_possible() {
        let proba = [0.5, 0.5, 0.0, 0.9, 0.1, 0.0];
        let targets = Targets::new(&[1, 0]);
        let isotonic = Isotonic::fit(MatRef::new(&proba, 2, 3), targets, &[0, 1], &Pool::inline());
        let mut out = [0.0; 3];
        isotonic.row(&[0.2, f32::NAN, 0.8], &mut out);
        assert!(out.iter().all(|p| *p > 0.0) && (out.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{out:?}");
        assert_eq!(Curve::default().at(0.5), 0.0);
    }
}
