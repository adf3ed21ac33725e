//! Scores of normal distributions as operations of a graph.

use super::diagonal::Diagonal;
use super::full::Full;
use super::groups::NEVER;
use super::{Rule, Shared};
use crate::graph::{Binary, Constant, Graph, Prediction, Rows, Typical, Var};

/// The prediction of a rule for `rows`.
pub(super) fn prediction(rule: &Rule, graph: &mut Graph, rows: Rows) -> Prediction {
    let proba = match rule {
        Rule::Shared(Shared { centre, affine }) => {
            rows.near(|| Typical { centre: centre.clone(), spread: vec![1.0; centre.len()] }, graph);
            let scores = affine.graph(graph, rows.shifted(centre));
            graph.softmax(scores)
        }
        Rule::Diagonal(diagonal) => {
            rows.near(|| around(&diagonal.means, Some(&diagonal.variances), diagonal.n_features()), graph);
            let scores = diagonal_scores(diagonal, graph, rows);
            graph.softmax(scores)
        }
        Rule::Full(full) => {
            rows.near(|| around(&full.means, None, full.n_features()), graph);
            let scores = full_scores(full, graph, rows);
            graph.softmax(scores)
        }
    };
    graph.float(proba).into()
}

/// Rows around the means of the classes; with variances, the mean of these is their spread.
fn around(means: &[f64], variances: Option<&[f64]>, n_features: usize) -> Typical {
    let n = (means.len() / n_features.max(1)) as f64;
    let mean = |of: &[f64], j: usize| of.iter().skip(j).step_by(n_features).sum::<f64>() / n;
    let spread = |j| variances.map_or(1.0, |variances| mean(variances, j).sqrt());
    let centre = (0..n_features).map(|j| mean(means, j)).collect();
    Typical { centre, spread: (0..n_features).map(spread).collect() }
}

/// `constant - sum((x - mean)^2 / variance) / 2`, with the square written out around the mean of the means.
fn diagonal_scores(diagonal: &Diagonal, graph: &mut Graph, rows: Rows) -> Var {
    let (n_features, n_classes) = (diagonal.n_features(), diagonal.log_priors.len());
    let centre = around(&diagonal.means, None, n_features).centre;
    let x = rows.value(graph);
    let x = graph.double(x);
    let x = graph.with(Binary::Sub, x, &centre);
    let squares = graph.binary(Binary::Mul, x, x);
    let parts = |j: usize, k: usize| {
        let at = k * n_features + j;
        (diagonal.means[at] - centre[j], diagonal.variances[at])
    };
    let all = || (0..n_features).flat_map(|j| (0..n_classes).map(move |k| (j, k)));
    let of_squares = all().map(|(j, k)| -0.5 / parts(j, k).1).collect();
    let of_x = all().map(|(j, k)| parts(j, k).0 / parts(j, k).1).collect();
    let constants: Vec<f64> = (0..n_classes)
        .map(|k| match diagonal.log_priors[k] {
            NEVER => NEVER,
            _ => {
                let rest = (0..n_features).map(|j| parts(j, k).0.powi(2) / parts(j, k).1).sum::<f64>();
                diagonal.constants[k] - 0.5 * rest
            }
        })
        .collect();
    let squares = graph.product(squares, Constant::doubles(of_squares, n_classes));
    let x = graph.product(x, Constant::doubles(of_x, n_classes));
    let sum = graph.binary(Binary::Add, squares, x);
    graph.with(Binary::Add, sum, &constants)
}

/// `constant - |(x - mean) whitener|^2 / 2` of each class.
fn full_scores(full: &Full, graph: &mut Graph, rows: Rows) -> Var {
    let (d, whiteners) = (full.n_features(), full.whiteners());
    let x = rows.value(graph);
    let wide = graph.double(x);
    let of_class = whiteners.chunks_exact(d * d).zip(full.means.chunks_exact(d)).zip(&full.constants);
    let squares = of_class.map(|((whitener, mean), constant)| {
        if *constant == NEVER {
            return graph.product(wide, Constant::doubles(vec![0.0; d], 1));
        }
        let centred = graph.with(Binary::Sub, wide, mean);
        let centred = graph.float(centred);
        let white = graph.product(centred, Constant::floats(whitener.to_vec(), d));
        let white = graph.double(white);
        graph.sum_of_squares(white)
    });
    let squares = squares.collect();
    let squares = graph.concat(squares);
    let halves = graph.with(Binary::Mul, squares, &[-0.5]);
    graph.with(Binary::Add, halves, &full.constants)
}
