//! The machine as operations of a graph.

use std::sync::Arc;

use super::machine::{Svm, pairs};
use super::source::RBF;
use crate::graph::{Binary, Constant, Graph, Kind, Prediction, Rows, Typical, Var};
use crate::transform::Scaler;

/// The prediction for `rows`, with the votes of the pairs.
pub(super) fn prediction(svm: &Svm, graph: &mut Graph, rows: Rows) -> Prediction {
    let (n, n_features) = (svm.classes.len(), svm.mean.len());
    let centre: Vec<f64> = svm.mean.iter().map(|v| f64::from(*v)).collect();
    let scale = vec![1.0 / svm.gamma.sqrt(); n_features];
    rows.near(|| around(svm, &centre), graph);
    let x = rows.then(&[Arc::new(Scaler { name: "mean", centre, scale })]).value(graph);
    let Some(decisions) = decisions(svm, graph, x) else {
        // One class: nothing is decided.
        let scores = graph.product(x, Constant::floats(vec![0.0; n_features * n], n));
        return svm.calibration.graph(graph, scores, &svm.classes, svm.n_classes).into();
    };
    let (mut means, mut votes, mut first) =
        (vec![0.0; n * (n - 1) / 2 * n], vec![0.0; n * (n - 1) / 2 * n], vec![0.0; n]);
    for (pair, (i, j)) in pairs(n).enumerate() {
        let at = pair * n;
        (means[at + i], means[at + j]) = (1.0 / (n - 1) as f64, -1.0 / (n - 1) as f64);
        (votes[at + i], votes[at + j]) = (-1.0, 1.0);
        first[i] += 1.0;
    }
    let scores = graph.product(decisions, Constant::doubles(means, n));
    let zero = graph.row(decisions, &[0.0]);
    let is_second = graph.binary(Binary::AtMost, decisions, zero);
    let is_second = graph.double(is_second);
    let moved = graph.product(is_second, Constant::doubles(votes, n));
    let votes = graph.with(Binary::Add, moved, &first);
    let decided = graph.spread(votes, &svm.classes, svm.n_classes);
    debug_assert_eq!(graph.value(decided).kind, Kind::Double, "votes");
    let proba = svm.calibration.graph(graph, scores, &svm.classes, svm.n_classes);
    Prediction { proba, decided: Some(decided) }
}

/// The decision values of the pairs; `None` where there are none.
fn decisions(svm: &Svm, graph: &mut Graph, x: Var) -> Option<Var> {
    let n = svm.classes.len();
    if n < 2 {
        return None;
    }
    let sums = svm.support.iter().map(|support| support.graph(RBF, graph, x)).collect();
    let sums = graph.concat(sums);
    let first = graph.columns(sums, pairs(n).map(|(i, j)| i * (n - 1) + j - 1).collect());
    let second = graph.columns(sums, pairs(n).map(|(i, j)| j * (n - 1) + i).collect());
    let (first, second) = (graph.double(first), graph.double(second));
    let sum = graph.binary(Binary::Add, first, second);
    Some(graph.with(Binary::Add, sum, &svm.intercept))
}

/// Rows like the support vectors.
fn around(svm: &Svm, centre: &[f64]) -> Typical {
    let scale = svm.gamma.sqrt();
    let of_all = svm.support.iter().map(|support| (support.n_rows, support.typical()));
    let (_, most) =
        of_all.max_by_key(|(n, _)| *n).unwrap_or((0, Typical { centre: Vec::new(), spread: Vec::new() }));
    Typical { centre: centre.to_vec(), spread: most.spread.iter().map(|v| v / scale).collect() }
}
