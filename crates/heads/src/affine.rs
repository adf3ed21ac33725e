//! The softmax of affine scores: the probabilities of class k are proportional to `exp(coef[k] . x + intercept[k])`. It is
//! what several heads predict with, however they come by their coefficients.

use headsmith_kernels::dense::add_bias;
use headsmith_kernels::gemm::{Panels, matmul, packed, unpack};
use headsmith_kernels::softmax::softmax;
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use crate::graph::{Graph, Rows, Var};

/// The intercept of a class that gets a probability of 0: so far below all others that its exponential is 0.
pub(crate) const NEVER: f32 = -1e30;
/// Values of probabilities that one thread computes at a time.
const PIECE: usize = 1 << 12;

/// Coefficients and intercepts of `n_classes` scores of `n_features`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Affine {
    n_features: usize,
    /// The coefficients, `n_features x n_classes`, as products take them.
    panels: Buffer,
    intercept: Vec<f32>,
}

impl Affine {
    /// Scores by `coef` (`n_classes x n_features`) and one intercept for each class.
    ///
    /// # Panics
    /// When there are not as many intercepts as rows of `coef`.
    pub(crate) fn new(coef: MatRef<'_>, intercept: Vec<f32>) -> Affine {
        assert_eq!(coef.n_rows(), intercept.len(), "intercepts");
        Affine { n_features: coef.n_cols(), panels: packed(transposed(coef).view()), intercept }
    }

    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    pub(crate) fn n_classes(&self) -> usize {
        self.intercept.len()
    }

    pub(crate) fn intercept(&self) -> &[f32] {
        &self.intercept
    }

    /// Whether no coefficient and no intercept is infinite or NaN.
    pub(crate) fn is_finite(&self) -> bool {
        self.panels.iter().chain(&self.intercept).all(|v| v.is_finite())
    }

    /// The coefficients, `n_classes x n_features`.
    pub(crate) fn coef(&self) -> Matrix {
        let mut turned = Matrix::zeros(self.n_features, self.n_classes());
        unpack(turned.as_mut_slice(), self.panels());
        transposed(turned.view())
    }

    /// The scores of the rows of `x`, `n_rows x n_classes`. A row's bytes do not depend on the other rows.
    ///
    /// # Panics
    /// When `x` has another width.
    pub(crate) fn scores(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let mut scores = Matrix::zeros(x.n_rows(), self.n_classes());
        matmul(scores.view_mut(), &mut [], x, self.panels(), pool, |block| add_bias(block, &self.intercept));
        scores
    }

    /// The probabilities of the classes, `n_rows x n_classes`: the softmax of the scores.
    ///
    /// # Panics
    /// When `x` has another width.
    pub(crate) fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let (mut scores, n_classes) = (self.scores(x, pool), self.n_classes());
        let rows = (PIECE / n_classes).max(1);
        pool.for_each_chunk(scores.as_mut_slice(), rows * n_classes, |_, scores| {
            softmax(scores, &mut vec![0.0; rows], n_classes);
        });
        scores
    }

    /// The scores as operations of a graph.
    pub(crate) fn graph(&self, graph: &mut Graph, rows: Rows) -> Var {
        let intercept: Vec<f64> = self.intercept.iter().map(|v| f64::from(*v)).collect();
        rows.affine(graph, self.coef().view(), &intercept)
    }

    fn panels(&self) -> Panels<'_> {
        Panels::new(&self.panels, self.n_features, self.n_classes())
    }
}

/// The transpose of `a`.
pub(crate) fn transposed(a: MatRef<'_>) -> Matrix {
    let mut turned = Matrix::zeros(a.n_cols(), a.n_rows());
    let n_columns = a.n_rows().max(1);
    for (j, row) in turned.as_mut_slice().chunks_exact_mut(n_columns).enumerate() {
        for (i, value) in row.iter_mut().enumerate() {
            *value = a.as_slice()[i * a.n_cols() + j];
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_the_softmax_of_the_scores() {
        let coef = Matrix::new((0..35).map(|v| (v % 11) as f32 * 0.25 - 1.0).collect(), 5, 7);
        let affine = Affine::new(coef.view(), vec![0.5, -1.0, NEVER, 0.0, 2.0]);
        assert_eq!(affine.coef(), coef);
        let x = Matrix::new((0..70).map(|v| (v % 13) as f32 * 0.5 - 3.0).collect(), 10, 7);
        let proba = affine.predict_proba(x.view(), &Pool::inline());
        for i in 0..10 {
            let dot =
                |k: usize| -> f64 { coef.row(k).iter().zip(x.row(i)).map(|(a, b)| f64::from(a * b)).sum() };
            let scores: Vec<f64> = (0..5).map(|k| dot(k) + f64::from(affine.intercept()[k])).collect();
            let sum: f64 = scores.iter().map(|s| s.exp()).sum();
            for (p, score) in proba.row(i).iter().zip(scores) {
                assert!((f64::from(*p) - score.exp() / sum).abs() < 1e-6);
            }
            assert_eq!(proba.row(i)[2], 0.0);
        }
        assert_eq!(affine.predict_proba(x.view(), &Pool::new(3).unwrap()), proba);
        assert_eq!(affine.predict_proba(x.view().rows(4, 5), &Pool::inline()).row(0), proba.row(4));
    }
}
