//! The tree that a model is.

use std::sync::Arc;

use headsmith_heads::Fitted;
use headsmith_heads::calibration::ProbabilityCalibration;
use headsmith_heads::graph::{Binary, Graph, Prediction, Rows, Var};
use headsmith_heads::head::find;
use headsmith_heads::pool::LogLinear;
use headsmith_heads::transform::Pipeline;
use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::error::{Error, Result};

/// A part of a model: takes rows of features (`n_samples x n_features`), gives class probabilities
/// (`n_samples x n_classes`).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Node {
    /// Transforms the features for the node after it.
    Transform {
        /// The fitted transforms.
        transform: Pipeline,
        /// The node that gets the transformed features.
        then: Box<Node>,
    },
    /// A fitted head.
    Head(Arc<dyn Fitted>),
    /// The weighted mean of its members' probabilities. Weights are finite and above zero; they need not sum to one.
    Ensemble(Vec<(f64, Node)>),
    /// The log-linear pool of its members' probabilities. All members take the same features.
    Pool {
        /// At least one.
        members: Vec<Node>,
        /// A weight for each member, an intercept for each class.
        pool: LogLinear,
    },
    /// The calibrated probabilities of the node after it.
    Calibrated {
        /// The calibration, of as many classes as the node has.
        calibration: ProbabilityCalibration,
        /// The node whose probabilities are calibrated.
        then: Box<Node>,
    },
}

/// How deep a tree may be; a file's reader recurses no deeper.
pub(crate) const MAX_DEPTH: usize = 16;
/// How many nodes a tree may have.
pub(crate) const MAX_NODES: usize = 4096;
/// How many features a model may take: far above any embedding, and a bound on what one row costs.
pub(crate) const MAX_FEATURES: usize = 1 << 24;

impl Node {
    /// The node of a fitted head.
    pub fn head(head: impl Fitted + 'static) -> Node {
        Node::Head(Arc::new(head))
    }

    /// The node's name in a model file: `transform`, `ensemble`, `pool`, `calibrated`, or that of its head.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Transform { .. } => "transform",
            Node::Head(head) => head.head(),
            Node::Ensemble(_) => "ensemble",
            Node::Pool { .. } => "pool",
            Node::Calibrated { .. } => "calibrated",
        }
    }

    /// The nodes directly below this one.
    pub(crate) fn children(&self) -> Vec<&Node> {
        match self {
            Node::Transform { then, .. } | Node::Calibrated { then, .. } => vec![then],
            Node::Ensemble(members) => members.iter().map(|(_, node)| node).collect(),
            Node::Pool { members, .. } => members.iter().collect(),
            Node::Head(_) => Vec::new(),
        }
    }

    /// The number of features and of classes of a sound tree.
    pub(crate) fn shape(&self) -> (usize, usize) {
        match self {
            Node::Transform { transform, then } => {
                let (n_features, n_classes) = then.shape();
                (transform.inputs_for(n_features).unwrap_or(n_features), n_classes)
            }
            Node::Head(head) => (head.n_features(), head.n_classes()),
            Node::Ensemble(members) => members.first().map_or((0, 0), |(_, node)| node.shape()),
            Node::Pool { members, .. } => members.first().map_or((0, 0), Node::shape),
            Node::Calibrated { then, .. } => then.shape(),
        }
    }

    /// The class probabilities of the rows of `x`, for a sound tree and rows of its width.
    pub(crate) fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        match self {
            Node::Transform { transform, then } => in_blocks(then.shape().1, x, |rows| {
                then.predict_proba(transform.apply(rows, pool).view(), pool)
            }),
            Node::Head(head) => head.predict_proba(x, pool),
            Node::Ensemble(members) => weighted_mean(members, x, pool),
            Node::Pool { members, pool: of } => in_blocks(of.bias.len(), x, |rows| {
                let proba: Vec<Matrix> =
                    members.iter().map(|member| member.predict_proba(rows, pool)).collect();
                of.apply(&proba.iter().map(Matrix::view).collect::<Vec<_>>(), pool)
            }),
            Node::Calibrated { calibration, then } => in_blocks(calibration.n_classes(), x, |rows| {
                calibration.apply(then.predict_proba(rows, pool).view(), pool)
            }),
        }
    }

    /// The prediction for `rows` as operations of a graph, for a sound tree.
    pub(crate) fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        match self {
            Node::Transform { transform, then } => then.graph(graph, rows.then(transform.steps())),
            Node::Head(head) => head.graph(graph, rows),
            Node::Ensemble(members) => weighted_mean_graph(members, graph, &rows).into(),
            Node::Pool { members, pool } => {
                let members: Vec<Var> =
                    members.iter().map(|member| member.graph(graph, rows.clone()).proba).collect();
                pool.graph(graph, &members).into()
            }
            Node::Calibrated { calibration, then } => {
                let proba = then.graph(graph, rows).proba;
                calibration.graph(graph, proba).into()
            }
        }
    }

    /// Whether it is a head that decides classes by itself, alone or after transforms.
    pub fn decides(&self) -> bool {
        match self {
            Node::Head(head) => find(head.head()).is_ok_and(|head| head.traits().decides),
            Node::Transform { then, .. } => then.decides(),
            _ => false,
        }
    }

    /// The class probabilities, and the classes that a head decides for by itself: one alone or after transforms. What is combined or calibrated decides
    /// by its probabilities.
    pub(crate) fn predict(&self, x: MatRef<'_>, pool: &Pool) -> (Matrix, Option<Vec<u32>>) {
        match self {
            Node::Head(head) => head.predict(x, pool),
            Node::Transform { transform, then } => {
                let mut decided = Some(Vec::new());
                let proba = in_blocks(then.shape().1, x, |rows| {
                    let (proba, of_block) = then.predict(transform.apply(rows, pool).view(), pool);
                    decided = decided.take().zip(of_block).map(|(all, more)| [all, more].concat());
                    proba
                });
                // Of no rows nothing was decided.
                (proba, decided.filter(|decided| decided.len() == x.n_rows()))
            }
            _ => (self.predict_proba(x, pool), None),
        }
    }

    /// Whether the parts of the tree fit together; `path` names this node in messages, as in a model file.
    ///
    /// # Errors
    /// When the tree is too deep or too large, an ensemble or a pool is empty, a weight is not finite and above zero (in a pool: below zero), or widths
    /// or class counts differ.
    pub(crate) fn check(&self, path: &str, depth: usize, n_nodes: &mut usize) -> Result<()> {
        check_size(path, depth, n_nodes)?;
        for (i, child) in self.children().into_iter().enumerate() {
            child.check(&format!("{path}{i}/"), depth + 1, n_nodes)?;
        }
        match self {
            Node::Transform { transform, then } => check_widths(path, transform, then),
            Node::Ensemble(members) => check_ensemble(path, members),
            Node::Pool { members, pool } => check_pool(path, members, pool),
            Node::Calibrated { calibration, then } => check_calibration(path, calibration, then),
            Node::Head(_) => Ok(()),
        }
    }
}

/// Rows that are transformed, pooled or calibrated together: no copy is ever larger.
const BLOCK: usize = 4_096;

/// The probabilities of blocks of rows of `x`, one after another.
fn in_blocks(n_classes: usize, x: MatRef<'_>, mut predict: impl FnMut(MatRef<'_>) -> Matrix) -> Matrix {
    let mut proba = Vec::with_capacity(x.n_rows() * n_classes);
    for start in (0..x.n_rows()).step_by(BLOCK) {
        proba.extend(predict(x.rows(start, x.n_rows().min(start + BLOCK))).into_vec());
    }
    Matrix::new(proba, x.n_rows(), n_classes)
}

/// Counts one node more at `path`.
pub(crate) fn check_size(path: &str, depth: usize, n_nodes: &mut usize) -> Result<()> {
    *n_nodes += 1;
    if depth >= MAX_DEPTH {
        return Err(Error::invalid(format!("node {path} lies deeper than {MAX_DEPTH} nodes")));
    }
    if *n_nodes > MAX_NODES {
        return Err(Error::invalid(format!("the model has more than {MAX_NODES} nodes")));
    }
    Ok(())
}

fn check_widths(path: &str, transform: &Pipeline, then: &Node) -> Result<()> {
    let (below, _) = then.shape();
    match transform.inputs_for(below) {
        Some(_) => Ok(()),
        None => Err(Error::invalid(format!(
            "node {path} gives {} features, but the {} below it takes {below}",
            transform.n_outputs(transform.n_inputs().unwrap_or(below)),
            then.kind()
        ))),
    }
}

fn check_ensemble(path: &str, members: &[(f64, Node)]) -> Result<()> {
    let nodes: Vec<&Node> = members.iter().map(|(_, node)| node).collect();
    check_members(path, "ensemble", &nodes)?;
    members.iter().enumerate().try_for_each(|(i, (weight, _))| check_weight(path, i, *weight))
}

fn check_pool(path: &str, members: &[Node], pool: &LogLinear) -> Result<()> {
    let (_, n_classes) = check_members(path, "pool", &members.iter().collect::<Vec<_>>())?;
    let (n_weights, n_biases) = (pool.weights.len(), pool.bias.len());
    if (n_weights, n_biases) != (members.len(), n_classes) {
        return Err(Error::invalid(format!(
            "the pool at node {path} has {n_weights} weights and {n_biases} intercepts, expected {} and {n_classes} as \
             members and classes",
            members.len()
        )));
    }
    pool.check().map_err(|error| Error::invalid(format!("the pool at node {path}: {error}")))
}

fn check_calibration(path: &str, calibration: &ProbabilityCalibration, then: &Node) -> Result<()> {
    let (n_classes, (_, below)) = (calibration.n_classes(), then.shape());
    if n_classes == below {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the calibration at node {path} is of {n_classes} classes, but the {} below it has {below}",
        then.kind()
    )))
}

/// The shape that all members have.
fn check_members(path: &str, kind: &str, members: &[&Node]) -> Result<(usize, usize)> {
    let Some(first) = members.first() else {
        return Err(Error::invalid(format!("the {kind} at node {path} has no members")));
    };
    let (n_features, n_classes) = first.shape();
    match members.iter().enumerate().find(|(_, member)| member.shape() != (n_features, n_classes)) {
        None => Ok((n_features, n_classes)),
        Some((i, member)) => {
            let (features, classes) = member.shape();
            Err(Error::invalid(format!(
                "member {i} of the {kind} at node {path} has {features} features and {classes} classes, expected \
                 {n_features} and {n_classes} as its first member"
            )))
        }
    }
}

fn check_weight(path: &str, member: usize, weight: f64) -> Result<()> {
    if weight.is_finite() && weight > 0.0 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "member {member} of the ensemble at node {path} has weight {weight:?}, expected a finite number above zero"
    )))
}

/// The members' shares of the mean: their weights, divided by their sum.
fn shares(members: &[(f64, Node)]) -> impl Iterator<Item = f64> + '_ {
    // Divided by the largest first: the sum of finite weights may not be finite.
    let largest = members.iter().map(|(weight, _)| *weight).fold(0.0, f64::max);
    let total: f64 = members.iter().map(|(weight, _)| weight / largest).sum();
    members.iter().map(move |(weight, _)| weight / largest / total)
}

/// [`weighted_mean`] as operations of a graph.
fn weighted_mean_graph(members: &[(f64, Node)], graph: &mut Graph, rows: &Rows) -> Var {
    let mut sum = None;
    for (share, (_, member)) in shares(members).zip(members) {
        let proba = member.graph(graph, rows.clone()).proba;
        let proba = graph.double(proba);
        let part = graph.with(Binary::Mul, proba, &[share]);
        sum = Some(sum.map_or(part, |sum| graph.binary(Binary::Add, sum, part)));
    }
    // A sound ensemble has members.
    let sum = sum.unwrap_or_else(|| rows.clone().value(graph));
    graph.float(sum)
}

/// The members' probabilities, summed in f64 in the members' order.
fn weighted_mean(members: &[(f64, Node)], x: MatRef<'_>, pool: &Pool) -> Matrix {
    let mut mean: Vec<f64> = Vec::new();
    let mut n_classes = 0;
    for (share, (_, member)) in shares(members).zip(members) {
        let proba = member.predict_proba(x, pool);
        n_classes = proba.n_cols();
        mean.resize(proba.as_slice().len(), 0.0);
        mean.iter_mut().zip(proba.as_slice()).for_each(|(m, &p)| *m += share * f64::from(p));
    }
    Matrix::new(mean.into_iter().map(|m| m as f32).collect(), x.n_rows(), n_classes)
}
