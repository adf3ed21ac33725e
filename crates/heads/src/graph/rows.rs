//! Rows of features with transforms that are not yet computed, so that a head can take them into its own numbers: scalings into weights, and functions that rise
//! into the thresholds of trees.

use std::sync::Arc;

use headsmith_kernels::MatRef;

use super::{Binary, Constant, Graph, Trees, Typical, Var};
use crate::transform::{FittedTransform, Scaler};

/// Rows with the transforms that they are to go through.
#[derive(Debug, Clone)]
pub struct Rows {
    of: Var,
    /// In their order.
    pending: Vec<Arc<dyn FittedTransform>>,
}

/// `(x - centre) / scale`, feature by feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The centres.
    pub centre: Vec<f64>,
    /// Above zero.
    pub scale: Vec<f64>,
}

impl Scaling {
    /// As operations, rounded as the transform rounds.
    pub(crate) fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        let x = graph.double(x);
        let x = graph.with(Binary::Sub, x, &self.centre);
        let x = graph.with(Binary::Div, x, &self.scale);
        graph.float(x)
    }

    /// This scaling after another one.
    fn after(&self, first: &Scaling) -> Scaling {
        let centre = first.centre.iter().zip(&first.scale).zip(&self.centre).map(|((c, s), d)| c + s * d);
        let scale = first.scale.iter().zip(&self.scale).map(|(a, b)| a * b);
        Scaling { centre: centre.collect(), scale: scale.collect() }
    }
}

/// Centres further from zero, in units of the scale, are subtracted first: in a product, the digits of the rest would be lost.
const FAR: f64 = 4.0;
/// Thresholds of a feature that are searched together.
const AT_ONCE: usize = 256;

impl Rows {
    pub(crate) fn new(of: Var) -> Rows {
        Rows { of, pending: Vec::new() }
    }

    /// The rows after some transforms more.
    pub fn then(mut self, steps: &[Arc<dyn FittedTransform>]) -> Rows {
        self.pending.extend(steps.iter().cloned());
        self
    }

    /// The rows less `centre`.
    pub(crate) fn shifted(mut self, centre: &[f64]) -> Rows {
        let scale = vec![1.0; centre.len()];
        self.pending.push(Arc::new(Scaler { name: "mean", centre: centre.to_vec(), scale }));
        self
    }

    /// Notes what these rows are like, if they come from the input by transforms that can be followed back.
    pub(crate) fn near(&self, typical: impl FnOnce() -> Typical, graph: &mut Graph) {
        if self.of.0 == 0 && graph.typical().is_none() {
            let mut back = self.pending.iter().rev();
            if let Some(typical) = back.try_fold(typical(), |after, step| step.typical_before(after)) {
                graph.note_typical(typical);
            }
        }
    }

    /// The transformed rows.
    pub fn value(mut self, graph: &mut Graph) -> Var {
        let Some(last) = self.pending.pop() else { return self.of };
        if let Some(typical) = last.typical() {
            self.near(|| typical, graph);
        }
        if let Some((mean, axes)) = last.projection() {
            return projected(graph, self, &mean, &axes);
        }
        let x = self.value(graph);
        last.graph(graph, x)
    }

    /// `coef x + intercept`, with `coef` of a row for each column of the result. Scalings before it become part of both.
    pub(crate) fn affine(mut self, graph: &mut Graph, coef: MatRef<'_>, intercept: &[f64]) -> Var {
        let n = coef.n_cols();
        let before = self.clone();
        let mut scaling = Scaling { centre: vec![0.0; n], scale: vec![1.0; n] };
        while let Some(first) = self.pending.last().and_then(|step| step.scaling(n)) {
            if let Some(typical) = self.pending.pop().and_then(|step| step.typical()) {
                self.near(|| typical, graph);
            }
            scaling = scaling.after(&first);
        }
        let is_sound = |v: &f64| *v == 0.0 || (*v as f32).is_normal();
        let weights: Vec<f64> = (0..n)
            .flat_map(|j| (0..coef.n_rows()).map(move |k| (j, k)))
            .map(|(j, k)| f64::from(coef.row(k)[j]) / scaling.scale[j])
            .collect();
        if !weights.iter().all(is_sound) {
            let x = before.value(graph);
            return product(graph, x, turned(coef), intercept);
        }
        let mut x = self.value(graph);
        let is_far = |(c, s): (&f64, &f64)| (c / s).abs() > FAR;
        if scaling.centre.iter().zip(&scaling.scale).any(is_far) {
            let nearest: Vec<f64> = scaling.centre.iter().map(|c| f64::from(*c as f32)).collect();
            x = graph.with(Binary::Sub, x, &nearest);
            scaling.centre.iter_mut().zip(&nearest).for_each(|(c, nearest)| *c -= nearest);
        }
        let mut rest = intercept.to_vec();
        for (c, weights) in scaling.centre.iter().zip(weights.chunks_exact(intercept.len().max(1))) {
            rest.iter_mut().zip(weights).for_each(|(to, w)| *to -= w * c);
        }
        product(graph, x, weights.into_iter().map(|w| w as f32).collect(), &rest)
    }

    /// The mean over trees of the shares of the classes for the rows. Functions that rise, feature by feature, become part of the thresholds, exactly.
    pub(crate) fn trees(mut self, graph: &mut Graph, mut trees: Trees, n_features: usize) -> Var {
        let n_before = self.pending.iter().rposition(|step| !step.rises()).map_or(0, |last| last + 1);
        let rising = self.pending.split_off(n_before);
        let thresholds = trees.thresholds(n_features);
        let before = self.of.0 == 0 && self.pending.is_empty();
        if rising.is_empty() {
            self.near(|| between(&thresholds), graph);
        } else {
            let folded: Vec<Vec<f32>> = folded(&rising, &thresholds);
            self.near(|| between(&folded), graph);
            trees.replace(&thresholds, &folded);
        }
        graph.compares_rounded |= !before;
        let x = self.value(graph);
        graph.trees(x, trees)
    }
}

/// The products of rows less `mean` with `axes`, `n_axes x n_features`.
pub(crate) fn projected(graph: &mut Graph, rows: Rows, mean: &[f64], axes: &[f32]) -> Var {
    let n_axes = axes.len() / mean.len();
    rows.shifted(mean).affine(graph, MatRef::new(axes, n_axes, mean.len()), &vec![0.0; n_axes])
}

/// `n_features x n_outputs` of `coef`.
fn turned(coef: MatRef<'_>) -> Vec<f32> {
    crate::affine::transposed(coef).into_vec()
}

fn product(graph: &mut Graph, x: Var, weights: Vec<f32>, intercept: &[f64]) -> Var {
    let x = graph.product(x, Constant::floats(weights, intercept.len()));
    match intercept.iter().all(|b| *b == 0.0) {
        true => x,
        false => graph.with(Binary::Add, x, intercept),
    }
}

/// Rows around the thresholds of trees.
fn between(thresholds: &[Vec<f32>]) -> Typical {
    let ends =
        |of: &Vec<f32>| (f64::from(*of.first().unwrap_or(&0.0)), f64::from(*of.last().unwrap_or(&0.0)));
    let centre = thresholds.iter().map(ends).map(|(low, high)| low / 2.0 + high / 2.0);
    let spread = thresholds.iter().map(ends).map(|(low, high)| (high / 4.0 - low / 4.0).max(1e-6));
    Typical { centre: centre.collect(), spread: spread.collect() }
}

/// For each threshold t of each feature the largest number x with f(x) <= t, where f is the steps, which rise: so `f(x) > t` where x is above it, and
/// nowhere else. Found by bisection over all numbers of single precision.
fn folded(steps: &[Arc<dyn FittedTransform>], thresholds: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let n_features = thresholds.len();
    let mut all: Vec<Vec<f32>> = vec![Vec::new(); n_features];
    let most = thresholds.iter().map(Vec::len).max().unwrap_or(0);
    for start in (0..most).step_by(AT_ONCE) {
        let n_rows = AT_ONCE.min(most - start);
        let wanted = |at: usize| thresholds[at % n_features].get(start + at / n_features).copied();
        let n = n_rows * n_features;
        let (mut low, mut high) = (vec![rank(f32::MIN); n], vec![rank(f32::MAX); n]);
        let mut rows = vec![0.0; n];
        while low.iter().zip(&high).any(|(low, high)| low < high) {
            let middle = |low: i64, high: i64| low + (high - low + 1) / 2;
            rows.iter_mut().zip(low.iter().zip(&high)).for_each(|(to, (l, h))| *to = ranked(middle(*l, *h)));
            steps.iter().for_each(|step| step.scale(&mut rows, n_features));
            for (at, value) in rows.iter().enumerate() {
                let (low, high) = (&mut low[at], &mut high[at]);
                let middle = middle(*low, *high);
                match wanted(at) {
                    Some(t) if *value > t => *high = (middle - 1).max(*low),
                    Some(_) => *low = middle,
                    None => *low = *high,
                }
            }
        }
        for (at, low) in low.iter().enumerate().filter(|(at, _)| wanted(*at).is_some()) {
            all[at % n_features].push(ranked(*low));
        }
    }
    all
}

/// The place of a number among all of single precision, in their order.
fn rank(v: f32) -> i64 {
    let bits = v.to_bits() as i32;
    i64::from(if bits < 0 { i32::MIN - bits } else { bits })
}

/// The number at a place.
fn ranked(rank: i64) -> f32 {
    let rank = rank as i32;
    f32::from_bits(if rank < 0 { (i32::MIN - rank) as u32 } else { rank as u32 })
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{Philox, Pool};

    use super::*;
    use crate::transform::Spec;

    #[test]
    fn numbers_are_ranked_in_their_order() {
        let numbers =
            [f32::MIN, -1.5, -f32::MIN_POSITIVE, -1e-45, 0.0, 1e-45, f32::MIN_POSITIVE, 1.5, f32::MAX];
        assert!(numbers.map(rank).is_sorted_by(|a, b| a < b));
        assert!(numbers.iter().all(|v| ranked(rank(*v)) == *v));
        assert_eq!((rank(-0.0), rank(1.5f32.next_up())), (0, rank(1.5) + 1));
    }

    #[test]
    fn folded_thresholds_move_no_row() {
        let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
        let x: Vec<f32> = (0..600).map(|i| (draws.uniform() * [1.0, 900.0, 0.01][i % 3]) as f32).collect();
        let x = MatRef::new(&x, 200, 3);
        for text in [
            "standardise",
            "divide:255",
            "quantile",
            "yeo-johnson",
            "sqrt+robust",
            "power:1/3+quantile+divide:7",
        ] {
            let pipeline = text.parse::<Spec>().unwrap().fit(x, &Pool::inline()).unwrap();
            let transformed = pipeline.apply(x, &Pool::inline());
            // Cuts at values of rows, where rounding would show first.
            let thresholds: Vec<Vec<f32>> = (0..3)
                .map(|j| {
                    let mut of: Vec<f32> = (0..200).step_by(7).map(|i| transformed.row(i)[j]).collect();
                    of.sort_unstable_by(f32::total_cmp);
                    of.dedup();
                    of
                })
                .collect();
            let folded = folded(pipeline.steps(), &thresholds);
            for i in 0..200 {
                for j in 0..3 {
                    for (t, by) in thresholds[j].iter().zip(&folded[j]) {
                        assert_eq!(
                            transformed.row(i)[j] > *t,
                            x.row(i)[j] > *by,
                            "{text}, row {i}, feature {j}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_scaling_after_another_is_one() {
        let first = Scaling { centre: vec![3.0], scale: vec![2.0] };
        let second = Scaling { centre: vec![1.0], scale: vec![4.0] };
        let both = second.after(&first);
        assert_eq!((both.centre, both.scale), (vec![5.0], vec![8.0]));
    }
}
