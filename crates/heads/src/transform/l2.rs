//! `l2`: every row divided by its Euclidean norm, as scikit-learn's `Normalizer`: x' = x / |x|; a norm below 10 eps counts as 1,
//! so that a row of zeros stays as it is (with the eps of f64).

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::{FittedTransform, TrainingRows, TransformKind};
use crate::error::Result;
use crate::graph::{Binary, Graph, Typical, Unary, Var};
use crate::tensors::Tensors;

/// Division by the norm.
#[derive(Debug)]
pub(super) struct L2;

/// Rows whose norms are summed side by side: alone, a row's sum would wait for every one of its additions.
const AT_ONCE: usize = 4;

impl TransformKind for L2 {
    fn name(&self) -> &'static str {
        "l2"
    }

    fn help(&self) -> &'static str {
        "Divides every row by its Euclidean norm"
    }

    fn fit(&self, _: Option<&str>, _: &TrainingRows<'_>, _: &Pool) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(L2))
    }

    fn restore(&self, _: Option<&str>, _: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        Ok(Arc::new(L2))
    }
}

impl FittedTransform for L2 {
    fn scale(&self, rows: &mut [f32], n_features: usize) {
        for rows in rows.chunks_mut((AT_ONCE * n_features).max(1)) {
            let norms = square_sums(rows, n_features).map(f64::sqrt);
            for (row, norm) in rows.chunks_exact_mut(n_features).zip(norms) {
                if norm >= 10.0 * f64::EPSILON {
                    row.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
                }
            }
        }
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        let wide = graph.double(x);
        let square = graph.sum_of_squares(wide);
        let norm = graph.unary(Unary::Sqrt, square);
        let [least, one] = [10.0 * f64::EPSILON, 1.0].map(|v| graph.row(norm, &[v]));
        let is_long = graph.binary(Binary::AtMost, least, norm);
        let divisor = graph.select(is_long, norm, one);
        let x = graph.binary(Binary::Div, wide, divisor);
        graph.float(x)
    }

    /// A row of length 1 stays as it is.
    fn typical_before(&self, after: Typical) -> Option<Typical> {
        Some(after)
    }
}

/// The sums of squares of up to four rows, each in the order of its values.
fn square_sums(rows: &[f32], n_features: usize) -> [f64; AT_ONCE] {
    let square = |v: &f32| f64::from(*v) * f64::from(*v);
    let mut sums = [0.0; AT_ONCE];
    if rows.len() == AT_ONCE * n_features {
        let (ab, cd) = rows.split_at(2 * n_features);
        let ((a, b), (c, d)) = (ab.split_at(n_features), cd.split_at(n_features));
        for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
            let squares = [a, b, c, d].map(square);
            sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
        }
    } else {
        let rows = rows.chunks_exact(n_features);
        sums.iter_mut().zip(rows).for_each(|(sum, row)| *sum = row.iter().map(square).sum());
    }
    sums
}
