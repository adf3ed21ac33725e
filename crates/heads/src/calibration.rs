//! Calibration: the probabilities of a head whose outputs are none, such as those of a least-squares fit to targets of 0 and 1.
//!
//! The logits of the classes are a function of the outputs f of a row, fitted on outputs for rows that their fit did not see
//! (leave-one-out), by multinomial logistic regression:
//!
//! ```text
//! quadratic:    logit_k = sum_j a_kj f_j + sum_j q_kj f_j^2 + b_k
//!               logit_k = a f_k + q f_k^2 + b_k                  with many classes or few rows
//! temperature:  logit_k = a f_k                                  (Guo et al., "On calibration of modern neural networks", 2017)
//! ```
//!
//! The first form has C (2 C + 1) numbers for C classes; it is used up to 10 classes, with at least 20 rows for each number. All
//! but the intercepts b have a small L2 penalty.
//!
//! [`ProbabilityCalibration`] does the same for probabilities, in these forms of their logarithms and in others; [`choose()`] chooses the form by the
//! log loss on rows that the fit did not see.

mod basis;
mod choose;
mod fit;
mod isotonic;
mod probability;
mod targets;
mod vector;

use headsmith_kernels::softmax::softmax_f64;
use headsmith_kernels::{Matrix, Pool};

use crate::error::{Error, Result};
use crate::graph::{Binary, Constant, Graph, Var};
use crate::params::{Default, Kind, Param};
use crate::tensors::{Tensors, Values};

pub use choose::{Chosen, choose};
pub(crate) use fit::{N_FOLDS, Outputs, cross_fitted, fit, groups};
pub use probability::{ProbabilityCalibration, ProbabilityForm};
pub use targets::{Gain, Targets};
pub(crate) use targets::{log, log_graph, sample};

/// The parameter of a head that calibrates its outputs.
pub(crate) const PARAM: Param = Param {
    name: "calibration",
    kind: Kind::Choice(&["quadratic", "temperature", "none"]),
    default: Default::Text("quadratic"),
    search: None,
    help: "From outputs to probabilities, fitted on leave-one-out outputs; none: outputs clipped to 0..1, divided by their sum",
};

/// The form of a calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Linear and quadratic terms.
    Quadratic,
    /// One factor.
    Temperature,
    /// No logits: outputs are clipped.
    None,
}

impl Form {
    /// The form that a parameter of [`PARAM`] asks for.
    pub(crate) fn of(word: Option<&str>) -> Form {
        match word {
            Some("none") => Form::None,
            Some("temperature") => Form::Temperature,
            _ => Form::Quadratic,
        }
    }
}

/// A fitted calibration of `n` outputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    n: usize,
    /// `n x n`, or one number for all; empty: outputs are clipped.
    linear: Vec<f64>,
    /// `n x n`, or one number for all.
    square: Vec<f64>,
    bias: Vec<f64>,
}

/// Rows that one thread calibrates at a time.
const PIECE: usize = 256;

impl Calibration {
    /// The calibration that clips `n` outputs.
    pub(crate) fn none(n: usize) -> Calibration {
        Calibration { n, linear: Vec::new(), square: Vec::new(), bias: Vec::new() }
    }

    /// The softmax of `n` outputs.
    pub(crate) fn softmax(n: usize) -> Calibration {
        Calibration { n, linear: vec![1.0], square: vec![0.0], bias: vec![0.0; n] }
    }

    /// The probabilities, `n_rows x n_classes`, of rows of `n` outputs. `classes` are the classes of the outputs; the others get a
    /// probability of 0.
    pub(crate) fn predict_proba(
        &self,
        outputs: &[f64],
        (classes, n_classes): (&[usize], usize),
        pool: &Pool,
    ) -> Matrix {
        let n_rows = outputs.len() / self.n.max(1);
        let mut proba = Matrix::zeros(n_rows, n_classes);
        pool.for_each_chunk(proba.as_mut_slice(), (PIECE * n_classes).max(1), |piece, proba| {
            let mut row = vec![0.0; self.n];
            for (i, proba) in proba.chunks_exact_mut(n_classes).enumerate() {
                self.row(&outputs[(piece * PIECE + i) * self.n..][..self.n], &mut row);
                classes.iter().zip(&row).for_each(|(&class, p)| proba[class] = *p as f32);
            }
        });
        proba
    }

    /// The probabilities of one row.
    pub(crate) fn row(&self, outputs: &[f64], proba: &mut [f64]) {
        if self.linear.is_empty() {
            clip(outputs, proba);
            return;
        }
        self.logits(outputs, proba);
        softmax_f64(proba);
    }

    fn logits(&self, outputs: &[f64], logits: &mut [f64]) {
        if let ([a], [q]) = (&self.linear[..], &self.square[..]) {
            for ((logit, f), b) in logits.iter_mut().zip(outputs).zip(&self.bias) {
                *logit = a * f + q * f * f + b;
            }
            return;
        }
        for (k, logit) in logits.iter_mut().enumerate() {
            let rows = self.linear[k * self.n..].iter().zip(&self.square[k * self.n..]);
            *logit = self.bias[k] + rows.zip(outputs).map(|((a, q), f)| a * f + q * f * f).sum::<f64>();
        }
    }

    /// The probabilities of `n_classes` as operations of a graph, from outputs of the classes `classes`.
    pub(crate) fn graph(&self, graph: &mut Graph, outputs: Var, classes: &[usize], n_classes: usize) -> Var {
        let outputs = graph.double(outputs);
        let proba = match self.linear.is_empty() {
            true => clip_graph(graph, outputs),
            false => {
                let logits = self.logits_graph(graph, outputs);
                graph.softmax(logits)
            }
        };
        let proba = graph.spread(proba, classes, n_classes);
        graph.float(proba)
    }

    fn logits_graph(&self, graph: &mut Graph, outputs: Var) -> Var {
        let term = |graph: &mut Graph, x: Var, factors: &[f64]| {
            if let [factor] = factors {
                return graph.with(Binary::Mul, x, &[*factor]);
            }
            let turned = (0..self.n * self.n).map(|at| factors[at % self.n * self.n + at / self.n]);
            graph.product(x, Constant::doubles(turned.collect(), self.n))
        };
        let mut logits = term(graph, outputs, &self.linear);
        if self.square.iter().any(|q| *q != 0.0) {
            let squares = graph.binary(Binary::Mul, outputs, outputs);
            let part = term(graph, squares, &self.square);
            logits = graph.binary(Binary::Add, logits, part);
        }
        graph.with(Binary::Add, logits, &self.bias)
    }

    /// Puts its arrays into `tensors`.
    pub(crate) fn store(&self, tensors: &mut Tensors) {
        let values = |values: &[f64]| Values::F64(values.to_vec());
        tensors.insert("calibration.linear", &[self.linear.len()], values(&self.linear));
        tensors.insert("calibration.square", &[self.square.len()], values(&self.square));
        tensors.insert("calibration.bias", &[self.bias.len()], values(&self.bias));
    }

    /// Restores the calibration of `n` outputs from what [`store`](Calibration::store) put in.
    ///
    /// # Errors
    /// When an array is missing, of the wrong length, or not finite.
    pub(crate) fn restore(tensors: &mut Tensors, n: usize) -> Result<Calibration> {
        let mut take = |name: &str| {
            let len = tensors.shape(name)?.iter().product();
            let values = tensors.take_f64(name, &[len])?;
            match values.iter().all(|v| v.is_finite()) {
                true => Ok(values),
                false => Err(Error::stored(format!("tensor `{name}` is not finite"))),
            }
        };
        let [linear, square, bias] =
            [take("calibration.linear")?, take("calibration.square")?, take("calibration.bias")?];
        let fits = match linear.len() {
            0 => bias.is_empty(),
            len => (len == 1 || Some(len) == n.checked_mul(n)) && bias.len() == n,
        };
        if !fits || square.len() != linear.len() {
            return Err(Error::stored(format!("the calibration's tensors are not those of {n} outputs")));
        }
        Ok(Calibration { n, linear, square, bias })
    }
}

/// [`clip`] as operations of a graph.
fn clip_graph(graph: &mut Graph, outputs: Var) -> Var {
    let clipped = graph.with(Binary::Max, outputs, &[0.0]);
    let clipped = graph.with(Binary::Min, clipped, &[1.0]);
    let sum = graph.sum(clipped);
    let equal = 1.0 / graph.width(outputs) as f64;
    // The sum of equal parts where there is nothing to divide.
    let [zero, one, equal] = [0.0, 1.0, equal].map(|v| graph.row(sum, &[v]));
    let is_zero = graph.binary(Binary::AtMost, sum, zero);
    let divisor = graph.select(is_zero, one, sum);
    let share = graph.binary(Binary::Div, clipped, divisor);
    graph.select(is_zero, equal, share)
}

/// Outputs clipped to 0..1 and divided by their sum; equal probabilities where all are 0.
fn clip(outputs: &[f64], proba: &mut [f64]) {
    proba.iter_mut().zip(outputs).for_each(|(p, f)| *p = f.clamp(0.0, 1.0));
    let sum: f64 = proba.iter().sum();
    let equal = 1.0 / proba.len() as f64;
    proba.iter_mut().for_each(|p| *p = if sum > 0.0 { *p / sum } else { equal });
}
