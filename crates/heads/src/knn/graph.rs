//! Neighbours and their votes as operations of a graph. Distances are in double precision: single precision would take other neighbours.

use super::Knn;
use super::index::Distance;
use super::votes::Weighting;
use crate::affine::transposed;
use crate::graph::{Binary, Constant, Graph, Prediction, Rows, Typical, Unary, Var};

/// Squares of distances are multiples of this share of the squared norms: what rounding leaves of equal distances is equal then, and of none, none.
const STEP: f64 = 1e-12;

/// The prediction for `rows`.
pub(super) fn prediction(knn: &Knn, graph: &mut Graph, rows: Rows) -> Prediction {
    rows.near(|| Typical::of_rows(knn.rows.view()), graph);
    let x = rows.value(graph);
    let x = graph.double(x);
    let (steps, unit) = match knn.index.distance {
        Distance::Euclidean => euclidean(knn, graph, x),
        Distance::Cosine => cosine(knn, graph, x),
    };
    let (nearest, index) = graph.smallest(steps, most(knn));
    let squares = match unit {
        Some(unit) => graph.binary(Binary::Mul, nearest, unit),
        None => graph.with(Binary::Mul, nearest, &[STEP]),
    };
    let distances = match knn.index.distance {
        Distance::Euclidean => graph.unary(Unary::Sqrt, squares),
        Distance::Cosine => squares,
    };
    let weights = weights(knn, graph, distances);
    let parts = parts(knn, graph, index);
    let weights = match parts {
        Some(parts) => graph.binary(Binary::Mul, parts, weights),
        None => weights,
    };
    let votes = graph.weighted_rows(ballots(knn), index, weights);
    let proba = shares(knn, graph, votes);
    graph.float(proba).into()
}

/// Products of `x` with all rows.
fn products(knn: &Knn, graph: &mut Graph, x: Var) -> Var {
    let turned = transposed(knn.rows.view()).into_vec().into_iter().map(f64::from).collect();
    graph.product(x, Constant::doubles(turned, knn.rows.n_rows()).of_training())
}

/// The squared norm of each row.
fn norms(knn: &Knn) -> Vec<f64> {
    let square = |i| knn.rows.row(i).iter().map(|v| f64::from(*v).powi(2)).sum();
    (0..knn.rows.n_rows()).map(square).collect()
}

/// The squared distances in steps, and the size of a step in each row.
fn euclidean(knn: &Knn, graph: &mut Graph, x: Var) -> (Var, Option<Var>) {
    let norms = norms(knn);
    let largest = norms.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let products = products(knn, graph, x);
    let own = graph.sum_of_squares(x);
    let sum = graph.with(Binary::Add, own, &norms);
    let twice = graph.with(Binary::Mul, products, &[2.0]);
    let squares = graph.binary(Binary::Sub, sum, twice);
    let squares = graph.with(Binary::Max, squares, &[0.0]);
    let size = graph.with(Binary::Add, own, &[largest]);
    let unit = graph.with(Binary::Mul, size, &[STEP]);
    let steps = graph.binary(Binary::Div, squares, unit);
    (rounded(graph, steps), Some(unit))
}

/// One minus the cosines, in steps. Rows and queries of zeros are at the distance 1 from all.
fn cosine(knn: &Knn, graph: &mut Graph, x: Var) -> (Var, Option<Var>) {
    let square = graph.sum_of_squares(x);
    let norm = graph.unary(Unary::Sqrt, square);
    let divisor = graph.divisor(norm);
    let x = graph.binary(Binary::Div, x, divisor);
    let factors: Vec<f64> =
        norms(knn).into_iter().map(|square| if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 }).collect();
    let products = products(knn, graph, x);
    let cosines = graph.with(Binary::Mul, products, &factors);
    let one = graph.row(cosines, &[1.0]);
    let distances = graph.binary(Binary::Sub, one, cosines);
    let distances = graph.with(Binary::Max, distances, &[0.0]);
    let steps = graph.with(Binary::Div, distances, &[STEP]);
    (rounded(graph, steps), None)
}

/// The nearest integers.
fn rounded(graph: &mut Graph, x: Var) -> Var {
    let x = graph.with(Binary::Add, x, &[0.5]);
    graph.unary(Unary::Floor, x)
}

/// How many of the nearest rows may vote.
fn most(knn: &Knn) -> usize {
    let mut weights: Vec<f64> = knn.weights.iter().map(|w| f64::from(*w)).collect();
    weights.sort_by(f64::total_cmp);
    let mut sum = 0.0;
    let reached = weights.iter().position(|weight| {
        sum += weight;
        sum >= knn.n_neighbors as f64
    });
    reached.map_or(weights.len(), |last| last + 1)
}

/// The weights of votes by their distances.
fn weights(knn: &Knn, graph: &mut Graph, distances: Var) -> Var {
    match knn.weighting {
        Weighting::Uniform => {
            let zero = graph.with(Binary::Mul, distances, &[0.0]);
            graph.with(Binary::Add, zero, &[1.0])
        }
        Weighting::Distance => {
            let nearest = graph.columns(distances, vec![0]);
            let [zero, one] = [0.0, 1.0].map(|v| graph.row(distances, &[v]));
            let is_none = graph.binary(Binary::AtMost, distances, zero);
            let divisor = graph.select(is_none, one, distances);
            let inverse = graph.binary(Binary::Div, one, divisor);
            // Where a neighbour has no distance, those without weigh 1 and the others nothing.
            let alone = graph.select(is_none, one, zero);
            let is_some_none = graph.binary(Binary::AtMost, nearest, zero);
            graph.select(is_some_none, alone, inverse)
        }
        Weighting::Temperature(temperature) => {
            let nearest = graph.columns(distances, vec![0]);
            let difference = graph.binary(Binary::Sub, nearest, distances);
            let exponents = graph.with(Binary::Div, difference, &[temperature]);
            graph.unary(Unary::Exp, exponents)
        }
    }
}

/// The part of each neighbour's weight that votes; `None` where all weigh 1.
fn parts(knn: &Knn, graph: &mut Graph, index: Var) -> Option<Var> {
    if knn.weights.iter().all(|w| *w == 1.0) {
        return None;
    }
    let own = graph.pick(knn.weights.iter().map(|w| f64::from(*w)).collect(), index);
    let before = graph.sum_before(own);
    let wanted = graph.row(own, &[knn.n_neighbors as f64]);
    let left = graph.binary(Binary::Sub, wanted, before);
    let left = graph.with(Binary::Max, left, &[0.0]);
    Some(graph.binary(Binary::Min, own, left))
}

/// For each row the weight of its class in the column of the class.
fn ballots(knn: &Knn) -> Constant {
    let n_classes = knn.class_weights.len();
    let mut ballots = vec![0.0; knn.classes.len() * n_classes];
    for (i, class) in knn.classes.iter().enumerate() {
        ballots[i * n_classes + *class as usize] = f64::from(knn.class_weights[*class as usize]);
    }
    Constant::doubles(ballots, n_classes)
}

/// The probabilities of votes.
fn shares(knn: &Knn, graph: &mut Graph, votes: Var) -> Var {
    let class_shares = knn.class_shares();
    let sum = graph.sum(votes);
    let [zero, one] = [0.0, 1.0].map(|v| graph.row(sum, &[v]));
    let is_zero = graph.binary(Binary::AtMost, sum, zero);
    let divisor = graph.select(is_zero, one, sum);
    let share = graph.binary(Binary::Div, votes, divisor);
    let of_all = graph.row(sum, &class_shares.shares);
    let share = graph.select(is_zero, of_all, share);
    match knn.weighting {
        Weighting::Temperature(_) => {
            let counts = graph.with(Binary::Mul, share, &[class_shares.total]);
            let counts = graph.with(Binary::Add, counts, &class_shares.shares);
            graph.with(Binary::Div, counts, &[class_shares.total + 1.0])
        }
        _ => share,
    }
}
