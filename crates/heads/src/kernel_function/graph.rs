//! Sums over rows of a fit as operations of a graph.

use std::f64::consts::PI;

use headsmith_kernels::{MatRef, Matrix};

use super::support::Support;
use super::{Function, squared_norms};
use crate::affine::transposed;
use crate::graph::{Binary, Constant, Graph, Typical, Unary, Var};

impl Support {
    /// `sum_i alpha_i k(x, x_i)`, `n_samples x n_outputs`.
    pub(crate) fn graph(&self, function: Function, graph: &mut Graph, x: Var) -> Var {
        if self.n_rows == 0 {
            return graph
                .product(x, Constant::floats(vec![0.0; self.n_cols * self.n_outputs], self.n_outputs));
        }
        let (rows, alpha) = self.unpacked();
        let values = function.graph(graph, x, MatRef::new(&rows, self.n_rows, self.n_cols));
        graph.product(values, Constant::floats(alpha, self.n_outputs))
    }

    /// Rows like these.
    pub(crate) fn typical(&self) -> Typical {
        Typical::of_rows(Matrix::new(self.unpacked().0, self.n_rows, self.n_cols).view())
    }
}

impl Function {
    /// The function of each row of `x` and each of `rows`, `n_samples x n_rows`.
    fn graph(self, graph: &mut Graph, x: Var, rows: MatRef<'_>) -> Var {
        let norms: Vec<f64> = squared_norms(rows).into_iter().map(f64::from).collect();
        let turned = Constant::floats(transposed(rows).into_vec(), rows.n_rows()).of_training();
        let products = graph.product(x, turned);
        match self {
            Function::Exponential { exponent, gamma } => {
                let squares = squared_distances(graph, x, products, &norms);
                let distances = match exponent {
                    2.0 => squares,
                    1.0 => graph.unary(Unary::Sqrt, squares),
                    _ => graph.with(Binary::Pow, squares, &[exponent / 2.0]),
                };
                let exponents = graph.with(Binary::Mul, distances, &[-gamma]);
                graph.unary(Unary::Exp, exponents)
            }
            Function::ArcCosine => {
                let own = norm_of(graph, x);
                let lengths = graph.with(Binary::Mul, own, &norms);
                let lengths = graph.unary(Unary::Sqrt, lengths);
                arc_cosine(graph, products, lengths)
            }
            Function::Polynomial { gamma, coef0, degree } => {
                let scaled = graph.with(Binary::Mul, products, &[gamma]);
                let base = graph.with(Binary::Add, scaled, &[coef0]);
                (1..degree).fold(base, |power, _| graph.binary(Binary::Mul, power, base))
            }
        }
    }
}

/// The squared norm of each row, added up in double precision.
fn norm_of(graph: &mut Graph, x: Var) -> Var {
    let wide = graph.double(x);
    let square = graph.sum_of_squares(wide);
    graph.float(square)
}

/// `|x|^2 + |z|^2 - 2 x z`, at least 0.
fn squared_distances(graph: &mut Graph, x: Var, products: Var, norms: &[f64]) -> Var {
    let own = norm_of(graph, x);
    let sum = graph.with(Binary::Add, own, norms);
    let twice = graph.with(Binary::Mul, products, &[2.0]);
    let squares = graph.binary(Binary::Sub, sum, twice);
    graph.with(Binary::Max, squares, &[0.0])
}

/// `lengths (sin t + (pi - t) cos t) / pi`, with t the angle whose cosine is `products / lengths`; 0 where there is no length.
fn arc_cosine(graph: &mut Graph, products: Var, lengths: Var) -> Var {
    let divisor = graph.divisor(lengths);
    let one = graph.row(lengths, &[1.0]);
    let cosine = graph.binary(Binary::Div, products, divisor);
    let cosine = graph.with(Binary::Max, cosine, &[-1.0]);
    let cosine = graph.with(Binary::Min, cosine, &[1.0]);
    // 1 - c^2 would lose the digits of small angles.
    let [less, more] = [Binary::Sub, Binary::Add].map(|function| graph.binary(function, one, cosine));
    let square = graph.binary(Binary::Mul, less, more);
    let sine = graph.unary(Unary::Sqrt, square);
    let angle = graph.unary(Unary::Acos, cosine);
    let pi = graph.row(lengths, &[PI]);
    let rest = graph.binary(Binary::Sub, pi, angle);
    let product = graph.binary(Binary::Mul, rest, cosine);
    let sum = graph.binary(Binary::Add, sine, product);
    let scaled = graph.binary(Binary::Mul, sum, lengths);
    graph.with(Binary::Div, scaled, &[PI])
}
