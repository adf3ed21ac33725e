//! The computation of a fitted model as a list of operations that other runtimes have, too: matrix products, element-wise functions, sums along rows, trees.
//!
//! Heads, transforms and calibrations describe themselves ([`Fitted::graph`](crate::Fitted::graph) and the methods called `graph` beside each `predict`); a writer of a
//! format translates the operations and knows none of them. A [`Var`] is a matrix of a row for each sample. Each operation appends one to the [`Graph`], so
//! its operands are always before it.
//!
//! Operations are in single precision where the model computes in it, and in double precision ([`Kind::Double`]) where rounding would show: after
//! [`Graph::double`], and until [`Graph::float`].

mod curves;
mod rows;
mod trees;

use std::borrow::Cow;
use std::sync::Arc;

use headsmith_kernels::MatRef;

pub use curves::{Curve, Knot};
pub(crate) use rows::projected;
pub use rows::{Rows, Scaling};
pub use trees::{Branch, Tree, Trees};

/// A value of a graph: `n_samples x width`, or one row that counts for all samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Var(usize);

impl Var {
    /// Its place in [`Graph::values`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// The type of the elements of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Single precision.
    Float,
    /// Double precision.
    Double,
    /// True or false.
    Truth,
    /// Positions, from 0.
    Index,
}

/// A function of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// Absolute value.
    Abs,
    /// Inverse of the cosine.
    Acos,
    /// Exponential.
    Exp,
    /// The largest integer that is not above it.
    Floor,
    /// Natural logarithm.
    Log,
    /// -1, 0 or 1.
    Sign,
    /// Square root.
    Sqrt,
}

/// A function of two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// The larger.
    Max,
    /// The smaller.
    Min,
    /// Power.
    Pow,
    /// Whether the first is at most the second; a [`Kind::Truth`].
    AtMost,
    /// Whether both are equal; a [`Kind::Truth`].
    Equal,
}

/// A constant matrix, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// Its rows.
    pub n_rows: usize,
    /// Its columns.
    pub n_cols: usize,
    /// Its elements.
    pub numbers: Numbers,
    /// Whether these are rows that the model was trained on.
    pub is_training_rows: bool,
}

/// Elements of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// In single precision.
    Float(Vec<f32>),
    /// In double precision.
    Double(Vec<f64>),
}

impl Constant {
    /// A matrix in single precision.
    pub fn floats(numbers: Vec<f32>, n_cols: usize) -> Constant {
        let n_rows = numbers.len() / n_cols.max(1);
        Constant { n_rows, n_cols, numbers: Numbers::Float(numbers), is_training_rows: false }
    }

    /// A matrix in double precision.
    pub fn doubles(numbers: Vec<f64>, n_cols: usize) -> Constant {
        let n_rows = numbers.len() / n_cols.max(1);
        Constant { n_rows, n_cols, numbers: Numbers::Double(numbers), is_training_rows: false }
    }

    /// The same, as rows that the model was trained on.
    pub fn of_training(self) -> Constant {
        Constant { is_training_rows: true, ..self }
    }

    /// Its elements' kind.
    pub fn kind(&self) -> Kind {
        match self.numbers {
            Numbers::Float(_) => Kind::Float,
            Numbers::Double(_) => Kind::Double,
        }
    }

    /// Its elements in single precision, where that loses nothing.
    pub fn singles(&self) -> Option<Cow<'_, [f32]>> {
        match &self.numbers {
            Numbers::Float(numbers) => Some(Cow::Borrowed(numbers)),
            Numbers::Double(numbers) => {
                let is_exact = |v: &f64| f64::from(*v as f32) == *v;
                numbers.iter().all(is_exact).then(|| numbers.iter().map(|v| *v as f32).collect())
            }
        }
    }

    /// The bytes of its elements, in single precision where that loses nothing.
    pub fn n_bytes(&self) -> usize {
        let n = self.n_rows * self.n_cols;
        if self.singles().is_some() { 4 * n } else { 8 * n }
    }
}

/// An operation.
#[derive(Debug, Clone)]
pub enum Op {
    /// The rows of features.
    Input,
    /// One row, the same for all samples.
    Row(Constant),
    /// A function of each element.
    Unary(Unary, Var),
    /// A function of the elements of two values at the same place; one column or one row counts for all.
    Binary(Binary, Var, Var),
    /// Elements of the second value where the first is true, or else of the third.
    Select(Var, Var, Var),
    /// The elements in another kind.
    Cast(Var),
    /// The product with a matrix.
    Product(Var, Arc<Constant>),
    /// The sum of each row.
    Sum(Var),
    /// The sums of the elements before each one of its row.
    SumBefore(Var),
    /// The softmax of each row.
    Softmax(Var),
    /// Some columns, in this order.
    Columns(Var, Vec<usize>),
    /// The columns of several values, one after another.
    Concat(Vec<Var>),
    /// A function of each column.
    Curves(Var, Arc<Vec<Curve>>),
    /// The mean over trees of the shares of the classes.
    Trees(Var, Arc<Trees>),
    /// The smallest elements of each row, the smallest first and the first of equals first.
    Smallest(Var),
    /// The columns of [`Smallest`](Op::Smallest).
    SmallestIndex(Var),
    /// For each element of an index, this element of a column of numbers.
    Pick(Arc<Constant>, Var),
    /// The sum over the columns of an index of the matrix's row there, times the weight in the same column.
    WeightedRows {
        /// The matrix.
        of: Arc<Constant>,
        /// The index.
        index: Var,
        /// The weights.
        weights: Var,
    },
}

/// An operation and the form of its result.
#[derive(Debug, Clone)]
pub struct Value {
    /// The operation.
    pub op: Op,
    /// The columns.
    pub width: usize,
    /// The elements' kind.
    pub kind: Kind,
}

/// The prediction of a head or a model.
#[derive(Debug, Clone, Copy)]
pub struct Prediction {
    /// The class probabilities, `n_samples x n_classes`.
    pub proba: Var,
    /// Scores of which the first of the largest is the class decided for, where these are not the probabilities.
    pub decided: Option<Var>,
}

impl From<Var> for Prediction {
    fn from(proba: Var) -> Prediction {
        Prediction { proba, decided: None }
    }
}

/// Rows like those of the training, roughly.
#[derive(Debug, Clone, PartialEq)]
pub struct Typical {
    /// The middle of each feature.
    pub centre: Vec<f64>,
    /// About a standard deviation of each feature.
    pub spread: Vec<f64>,
}

impl Typical {
    /// Those between these rows, `n_rows x n_features`.
    pub(crate) fn of_rows(rows: MatRef<'_>) -> Typical {
        let n = rows.n_rows().max(1) as f64;
        let (mut centre, mut spread) = (vec![0.0; rows.n_cols()], vec![0.0; rows.n_cols()]);
        for i in 0..rows.n_rows() {
            centre.iter_mut().zip(rows.row(i)).for_each(|(sum, v)| *sum += f64::from(*v) / n);
        }
        for i in 0..rows.n_rows() {
            let row = rows.row(i).iter().zip(&centre);
            spread.iter_mut().zip(row).for_each(|(sum, (v, c))| *sum += (f64::from(*v) - c).powi(2) / n);
        }
        spread.iter_mut().for_each(|v| *v = v.sqrt());
        Typical { centre, spread }
    }

    /// The rows of which `scaling` makes these.
    pub(crate) fn unscaled(self, scaling: &Scaling) -> Typical {
        let numbers = || scaling.centre.iter().zip(&scaling.scale);
        let centre = self.centre.iter().zip(numbers()).map(|(v, (centre, scale))| centre + v * scale);
        let spread = self.spread.iter().zip(&scaling.scale).map(|(v, scale)| v * scale);
        Typical { centre: centre.collect(), spread: spread.collect() }
    }

    /// A rising function of each feature.
    pub(crate) fn mapped(self, function: impl Fn(f64) -> f64) -> Typical {
        let around = |(c, s): (&f64, &f64)| 0.5 * (function(c + s) - function(c - s));
        let spread = self.centre.iter().zip(&self.spread).map(around).collect();
        Typical { centre: self.centre.into_iter().map(&function).collect(), spread }
    }
}

/// Operations, each after its operands. The first is the input.
#[derive(Debug, Clone)]
pub struct Graph {
    values: Vec<Value>,
    typical: Option<Typical>,
    compares_rounded: bool,
}

impl Graph {
    /// A graph of rows of `n_features`.
    pub fn new(n_features: usize) -> Graph {
        let input = Value { op: Op::Input, width: n_features, kind: Kind::Float };
        Graph { values: vec![input], typical: None, compares_rounded: false }
    }

    /// The operations.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The form of a value.
    pub fn value(&self, of: Var) -> &Value {
        &self.values[of.0]
    }

    /// The rows of features.
    pub fn input(&self) -> Rows {
        Rows::new(Var(0))
    }

    /// The input's rows, as far as the model knows them.
    pub fn typical(&self) -> Option<&Typical> {
        self.typical.as_ref()
    }

    /// Whether trees compare values that another runtime may round otherwise: it may then take a row to another leaf.
    pub fn compares_rounded(&self) -> bool {
        self.compares_rounded
    }

    /// The bytes of training rows in it.
    pub fn n_training_bytes(&self) -> usize {
        let of_op = |op: &Op| match op {
            Op::Product(_, constant) if constant.is_training_rows => constant.n_bytes(),
            _ => 0,
        };
        self.values.iter().map(|value| of_op(&value.op)).sum()
    }

    /// The nodes of its trees.
    pub fn n_tree_nodes(&self) -> usize {
        let of_op = |op: &Op| match op {
            Op::Trees(_, trees) => trees.n_nodes(),
            _ => 0,
        };
        self.values.iter().map(|value| of_op(&value.op)).sum()
    }

    fn push(&mut self, op: Op, width: usize, kind: Kind) -> Var {
        self.values.push(Value { op, width, kind });
        Var(self.values.len() - 1)
    }

    pub(crate) fn width(&self, of: Var) -> usize {
        self.values[of.0].width
    }

    fn kind(&self, of: Var) -> Kind {
        self.values[of.0].kind
    }

    /// A row of the kind of `like`.
    pub fn row(&mut self, like: Var, numbers: &[f64]) -> Var {
        let constant = match self.kind(like) {
            Kind::Double => Constant::doubles(numbers.to_vec(), numbers.len()),
            _ => Constant::floats(numbers.iter().map(|v| *v as f32).collect(), numbers.len()),
        };
        let kind = constant.kind();
        self.push(Op::Row(constant), numbers.len(), kind)
    }

    /// A function of each element.
    pub fn unary(&mut self, function: Unary, x: Var) -> Var {
        self.push(Op::Unary(function, x), self.width(x), self.kind(x))
    }

    /// A function of the elements of two values of one kind.
    pub fn binary(&mut self, function: Binary, a: Var, b: Var) -> Var {
        debug_assert_eq!(self.kind(a), self.kind(b), "{function:?} of two kinds");
        let kind = match function {
            Binary::AtMost | Binary::Equal => Kind::Truth,
            _ => self.kind(a),
        };
        self.push(Op::Binary(function, a, b), self.width(a).max(self.width(b)), kind)
    }

    /// A function of each row and a row of numbers, or one number for all columns.
    pub fn with(&mut self, function: Binary, x: Var, numbers: &[f64]) -> Var {
        let row = self.row(x, numbers);
        self.binary(function, x, row)
    }

    /// `yes` where `condition` is true, or else `no`.
    pub fn select(&mut self, condition: Var, yes: Var, no: Var) -> Var {
        let width = self.width(condition).max(self.width(yes)).max(self.width(no));
        self.push(Op::Select(condition, yes, no), width, self.kind(yes))
    }

    /// `x`, or 1 where it is at most 0: to divide by.
    pub(crate) fn divisor(&mut self, x: Var) -> Var {
        let [zero, one] = [0.0, 1.0].map(|v| self.row(x, &[v]));
        let is_zero = self.binary(Binary::AtMost, x, zero);
        self.select(is_zero, one, x)
    }

    /// The value in double precision.
    pub fn double(&mut self, x: Var) -> Var {
        self.cast(x, Kind::Double)
    }

    /// The value in single precision.
    pub fn float(&mut self, x: Var) -> Var {
        self.cast(x, Kind::Float)
    }

    fn cast(&mut self, x: Var, kind: Kind) -> Var {
        if self.kind(x) == kind { x } else { self.push(Op::Cast(x), self.width(x), kind) }
    }

    /// The product with a constant of the kind of `x`, which has as many rows as `x` has columns.
    pub fn product(&mut self, x: Var, by: Constant) -> Var {
        debug_assert_eq!((self.width(x), self.kind(x)), (by.n_rows, by.kind()), "factors of a product");
        let (width, kind) = (by.n_cols, by.kind());
        self.push(Op::Product(x, Arc::new(by)), width, kind)
    }

    /// The sum of each row.
    pub fn sum(&mut self, x: Var) -> Var {
        self.push(Op::Sum(x), 1, self.kind(x))
    }

    /// The sum of the squares of each row.
    pub fn sum_of_squares(&mut self, x: Var) -> Var {
        let squares = self.binary(Binary::Mul, x, x);
        self.sum(squares)
    }

    /// The sums of the elements before each one of its row.
    pub fn sum_before(&mut self, x: Var) -> Var {
        self.push(Op::SumBefore(x), self.width(x), self.kind(x))
    }

    /// The softmax of each row.
    pub fn softmax(&mut self, x: Var) -> Var {
        self.push(Op::Softmax(x), self.width(x), self.kind(x))
    }

    /// Some columns.
    pub fn columns(&mut self, x: Var, columns: Vec<usize>) -> Var {
        let width = columns.len();
        self.push(Op::Columns(x, columns), width, self.kind(x))
    }

    /// The columns of several values of one kind.
    pub fn concat(&mut self, parts: Vec<Var>) -> Var {
        if let [one] = parts[..] {
            return one;
        }
        let width = parts.iter().map(|part| self.width(*part)).sum();
        let kind = self.kind(parts[0]);
        self.push(Op::Concat(parts), width, kind)
    }

    /// A function of each column, in double precision.
    pub fn curves(&mut self, x: Var, curves: Vec<Curve>) -> Var {
        let x = self.double(x);
        self.push(Op::Curves(x, Arc::new(curves)), self.width(x), Kind::Double)
    }

    /// The `n` smallest elements of each row, and their columns.
    pub fn smallest(&mut self, x: Var, n: usize) -> (Var, Var) {
        let values = self.push(Op::Smallest(x), n, self.kind(x));
        (values, self.push(Op::SmallestIndex(values), n, Kind::Index))
    }

    /// The numbers at the places of an index.
    pub fn pick(&mut self, numbers: Vec<f64>, index: Var) -> Var {
        let of = Constant::doubles(numbers, 1);
        self.push(Op::Pick(Arc::new(of), index), self.width(index), Kind::Double)
    }

    /// The sums of rows of a matrix at the places of an index, times weights.
    pub fn weighted_rows(&mut self, of: Constant, index: Var, weights: Var) -> Var {
        let (width, kind) = (of.n_cols, of.kind());
        self.push(Op::WeightedRows { of: Arc::new(of), index, weights }, width, kind)
    }

    /// Columns at the places `classes` of `n_classes`, and zeros at the others.
    pub(crate) fn spread(&mut self, x: Var, classes: &[usize], n_classes: usize) -> Var {
        if classes.len() == n_classes {
            return x;
        }
        let mut places = vec![0.0; classes.len() * n_classes];
        classes.iter().enumerate().for_each(|(i, class)| places[i * n_classes + class] = 1.0);
        let x = self.double(x);
        self.product(x, Constant::doubles(places, n_classes))
    }

    fn trees(&mut self, x: Var, trees: Trees) -> Var {
        let n_classes = trees.n_classes;
        self.push(Op::Trees(x, Arc::new(trees)), n_classes, Kind::Float)
    }

    fn note_typical(&mut self, typical: Typical) {
        self.typical.get_or_insert(typical);
    }
}
