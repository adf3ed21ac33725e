//! Log-linear pools: the probabilities of several heads as one prediction (Genest and Zidek, "Combining probability distributions: a critique and
//! an annotated bibliography", Statistical Science 1, 1986).
//!
//! ```text
//! P(c | x) ~ exp(sum_k w_k log p_k(c | x) + b_c),   w_k >= 0
//! ```
//!
//! The weights w are fitted to probabilities of rows that the members did not see, by the mean log loss. A penalty `s .03 / 2 sum (w_k - 1 / K)^2`
//! draws them towards equal weights, and the same penalty draws the intercepts b towards 0; s is 1 up to 1,000 rows and 1,000 / n beyond, so that the
//! penalty weighs as much as the evidence of at most 30 rows. Probabilities below 1e-6 count as 1e-6. Intercepts are fitted up to 50 classes.
//!
//! The weights need not sum to 1: a sum above 1 makes members more certain that are each too careful. [`select()`] chooses the members.

mod fit;
mod select;

use headsmith_kernels::softmax::softmax_f64;
use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::calibration::{Targets, log, log_graph};
use crate::error::{Error, Result};
use crate::graph::{Binary, Graph, Var};
use crate::tensors::{Tensors, Values};

pub use select::{Selected, n_logits, select};

/// The weights of the members, and the intercepts of the classes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogLinear {
    /// The weight of each member, at least 0.
    pub weights: Vec<f64>,
    /// The intercept of each class.
    pub bias: Vec<f64>,
}

/// Rows that one thread computes at a time.
const PIECE: usize = 256;
/// The largest weight or intercept of a pool: its logits are finite.
const LARGEST: f64 = 1e30;

impl LogLinear {
    /// The pool of `n_members` equal weights that sum to 1.
    pub fn equal(n_members: usize, n_classes: usize) -> LogLinear {
        LogLinear { weights: vec![1.0 / n_members.max(1) as f64; n_members], bias: vec![0.0; n_classes] }
    }

    /// Fits the pool of members, each with its probabilities (`n_samples x n_classes`) of the same rows, which it did not learn from. The same bytes for any
    /// number of threads.
    ///
    /// # Panics
    /// When there are no members, they differ in shape, there are other rows than targets, or a row's class has no column.
    pub fn fit(members: &[MatRef<'_>], targets: Targets<'_>, pool: &Pool) -> LogLinear {
        check(members, targets.len());
        let rows: Vec<usize> = (0..targets.len()).collect();
        let logs: Vec<Matrix> = members.iter().map(|member| fit::logs(*member, &rows, pool)).collect();
        let logs: Vec<MatRef<'_>> = logs.iter().map(Matrix::view).collect();
        fit::Rows { logs: &logs, targets, rows: &rows }.fit(true, pool)
    }

    /// The probabilities of the pool, `n_samples x n_classes`, from those of its members, in their order. A row's bytes do not depend on the rows around it.
    ///
    /// # Panics
    /// When the members are not as many as the weights, or differ in shape.
    pub fn apply(&self, members: &[MatRef<'_>], pool: &Pool) -> Matrix {
        assert_eq!(members.len(), self.weights.len(), "members without weights");
        let n_rows = members.first().map_or(0, |member| member.n_rows());
        check(members, n_rows);
        let n_classes = members[0].n_cols();
        assert_eq!(n_classes, self.bias.len(), "probabilities of other classes");
        let mut proba = Matrix::zeros(n_rows, n_classes);
        pool.for_each_chunk(proba.as_mut_slice(), (PIECE * n_classes).max(1), |piece, proba| {
            let mut logits = vec![0.0; n_classes];
            for (i, proba) in proba.chunks_exact_mut(n_classes).enumerate() {
                logits.copy_from_slice(&self.bias);
                for (weight, member) in self.weights.iter().zip(members) {
                    let row = member.row(piece * PIECE + i);
                    logits.iter_mut().zip(row).for_each(|(z, p)| *z += weight * log(*p));
                }
                softmax_f64(&mut logits);
                proba.iter_mut().zip(&logits).for_each(|(to, p)| *to = *p as f32);
            }
        });
        proba
    }

    /// The probabilities of the pool as operations of a graph.
    ///
    /// # Panics
    /// When there are no members.
    pub fn graph(&self, graph: &mut Graph, members: &[Var]) -> Var {
        let terms = self.weights.iter().zip(members).map(|(weight, member)| {
            let logs = log_graph(graph, *member);
            graph.with(Binary::Mul, logs, &[*weight])
        });
        let terms: Vec<Var> = terms.collect();
        let mut logits = graph.with(Binary::Add, terms[0], &self.bias);
        for term in &terms[1..] {
            logits = graph.binary(Binary::Add, logits, *term);
        }
        let proba = graph.softmax(logits);
        graph.float(proba)
    }

    /// Whether its numbers can be computed with.
    ///
    /// # Errors
    /// When a weight is below 0, or a number not finite or above 1e30.
    pub fn check(&self) -> Result<()> {
        if let Some(i) = self.weights.iter().position(|w| !(0.0..=LARGEST).contains(w)) {
            return Err(Error::stored(format!(
                "the weight of member {i} is {:?}, expected 0 to {LARGEST:e}",
                self.weights[i]
            )));
        }
        match self.bias.iter().position(|b| !(-LARGEST..=LARGEST).contains(b)) {
            Some(i) => Err(Error::stored(format!(
                "the intercept of class {i} is {:?}, expected {LARGEST:e} at most",
                self.bias[i]
            ))),
            None => Ok(()),
        }
    }

    /// Its arrays, `weights` and `bias`.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        tensors.insert("weights", &[self.weights.len()], Values::F64(self.weights.clone()));
        tensors.insert("bias", &[self.bias.len()], Values::F64(self.bias.clone()));
        tensors
    }

    /// Restores a pool from its arrays, which may be damaged or hostile.
    ///
    /// # Errors
    /// When an array is missing, unknown or of the wrong shape, or holds what [`check`](LogLinear::check) refuses.
    pub fn restore(mut tensors: Tensors) -> Result<LogLinear> {
        let mut take = |name: &str| {
            let n = tensors.shape(name)?.iter().product();
            tensors.take_f64(name, &[n])
        };
        let pool = LogLinear { weights: take("weights")?, bias: take("bias")? };
        tensors.check_empty("a pool")?;
        pool.check()?;
        Ok(pool)
    }
}

fn check(members: &[MatRef<'_>], n_rows: usize) {
    assert!(!members.is_empty(), "a pool without members");
    let n_classes = members[0].n_cols();
    let fits = |member: &MatRef<'_>| member.n_rows() == n_rows && member.n_cols() == n_classes;
    assert!(members.iter().all(fits), "members of other rows or classes");
}

#[cfg(test)]
mod tests;
