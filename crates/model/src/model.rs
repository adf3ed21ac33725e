//! A fitted model: a tree that predicts, the names of its classes, and how it came about.

use headsmith_heads::graph::{Binary, Graph, Prediction, Var};
use headsmith_kernels::{MatRef, Matrix, Pool};
use headsmith_metrics::{ConformalSets, decision, predicted_class};

use crate::error::{Error, Result};
use crate::node::{MAX_FEATURES, Node};
use crate::record::Record;

/// A fitted model. Its parts are known to fit together.
#[derive(Debug, Clone)]
pub struct Model {
    classes: Vec<String>,
    node: Node,
    /// An offset for each class, or none: see [`Model::decision`].
    decision: Vec<f64>,
    sets: Option<ConformalSets>,
    record: Record,
}

impl Model {
    /// Puts a model together: `classes[c]` names the class of column `c` of the probabilities of `node`.
    ///
    /// # Errors
    /// When the parts do not fit: another number of classes than the node's, a name that comes twice, and whatever
    /// [`Node`] asks of a tree.
    pub fn new(classes: Vec<String>, node: Node, record: Record) -> Result<Model> {
        node.check("0/", 0, &mut 0)?;
        let (n_features, n_classes) = node.shape();
        if n_classes != classes.len() {
            return Err(Error::invalid(format!(
                "the {} has {n_classes} classes, but {} are named",
                node.kind(),
                classes.len()
            )));
        }
        if !(1..=MAX_FEATURES).contains(&n_features) {
            return Err(Error::invalid(format!(
                "the model takes {n_features} features, expected 1 to {MAX_FEATURES}"
            )));
        }
        check_names(&classes)?;
        Ok(Model { classes, node, decision: Vec::new(), sets: None, record })
    }

    /// The model with a decision: of each row the class with the largest `ln p_c + offsets[c]` is predicted, as
    /// [`decision::decide`] does. Probabilities stay as they are. Offsets that are all equal are no decision.
    ///
    /// # Errors
    /// When there is not one offset for each class, or one is not finite.
    pub fn with_decision(self, offsets: Vec<f64>) -> Result<Model> {
        if offsets.len() != self.n_classes() {
            return Err(Error::invalid(format!(
                "the decision has {} offsets, expected one for each of the {} classes",
                offsets.len(),
                self.n_classes()
            )));
        }
        if let Some(class) = offsets.iter().position(|offset| !offset.is_finite()) {
            return Err(Error::invalid(format!(
                "offset {class} of the decision is {:?}, expected a finite number",
                offsets[class]
            )));
        }
        let differ = offsets.iter().any(|offset| *offset != offsets[0]);
        Ok(Model { decision: if differ { offsets } else { Vec::new() }, ..self })
    }

    /// The offsets of the decision, one for each class; empty if the most probable class is predicted.
    pub fn decision(&self) -> &[f64] {
        &self.decision
    }

    /// The model with conformal prediction sets, calibrated on its probabilities of rows that it did not learn from.
    ///
    /// # Errors
    /// When they are of another number of classes.
    pub fn with_sets(self, sets: ConformalSets) -> Result<Model> {
        if sets.n_classes() != self.n_classes() {
            return Err(Error::invalid(format!(
                "the prediction sets have {} thresholds, expected one for each of the {} classes",
                sets.n_classes(),
                self.n_classes()
            )));
        }
        Ok(Model { sets: Some(sets), ..self })
    }

    /// The conformal prediction sets; `None` if none were calibrated.
    pub fn sets(&self) -> Option<&ConformalSets> {
        self.sets.as_ref()
    }

    /// The names of the classes, in the order of the columns of the probabilities.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The tree.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// How the model came about.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// How the model came about, to be completed.
    pub fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    /// The number of features of a row.
    pub fn n_features(&self) -> usize {
        self.node.shape().0
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.classes.len()
    }

    /// The name of the head under any transforms and calibrations, or `ensemble` or `pool`.
    pub fn head_name(&self) -> &'static str {
        let mut node = &self.node;
        while let Node::Transform { then, .. } | Node::Calibrated { then, .. } = node {
            node = then;
        }
        node.kind()
    }

    /// The class probabilities (`n_samples x n_classes`) of the rows of `x` (`n_samples x n_features`).
    ///
    /// # Errors
    /// When the rows have another number of features than the model.
    pub fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Result<Matrix> {
        self.check_width(x)?;
        Ok(self.node.predict_proba(x, pool))
    }

    fn check_width(&self, x: MatRef<'_>) -> Result<()> {
        let n_features = self.n_features();
        if x.n_cols() != n_features {
            return Err(Error::input(format!(
                "the rows have {} features, expected {n_features} as the rows that the model was fitted on",
                x.n_cols()
            )));
        }
        Ok(())
    }

    /// The class of each row of `x` (`n_samples x n_features`), as indices into [`classes`](Model::classes): see
    /// [`predict_decided`](Model::predict_decided).
    ///
    /// # Errors
    /// When the rows have another number of features than the model.
    pub fn predict(&self, x: MatRef<'_>, pool: &Pool) -> Result<Vec<u32>> {
        Ok(self.predict_decided(x, pool)?.1)
    }

    /// The class probabilities (`n_samples x n_classes`) of the rows of `x` (`n_samples x n_features`), and the class of each: by the model's
    /// [`decision`](Model::decision); without one, that which a head alone decides for, or the most probable.
    ///
    /// # Errors
    /// When the rows have another number of features than the model.
    pub fn predict_decided(&self, x: MatRef<'_>, pool: &Pool) -> Result<(Matrix, Vec<u32>)> {
        let (proba, by_head) = self.predict_by_head(x, pool)?;
        let decided = match by_head.filter(|_| self.decision.is_empty()) {
            Some(decided) => decided,
            None => self.decide(proba.view()),
        };
        Ok((proba, decided))
    }

    /// The class probabilities (`n_samples x n_classes`) of the rows of `x` (`n_samples x n_features`), and the class that the head alone decides for,
    /// where it does, whatever the model's [`decision`](Model::decision).
    ///
    /// # Errors
    /// When the rows have another number of features than the model.
    pub fn predict_by_head(&self, x: MatRef<'_>, pool: &Pool) -> Result<(Matrix, Option<Vec<u32>>)> {
        self.check_width(x)?;
        Ok(self.node.predict(x, pool))
    }

    /// The model as operations of a graph: the class probabilities, and the scores of which the first of the largest is the class decided for, as
    /// [`predict_decided`](Model::predict_decided) decides.
    pub fn graph(&self) -> (Graph, Var, Var) {
        let mut graph = Graph::new(self.n_features());
        let rows = graph.input();
        let Prediction { proba, decided } = self.node.graph(&mut graph, rows);
        let decided = match decision::factors(&self.decision) {
            Some(factors) => {
                let wide = graph.double(proba);
                graph.with(Binary::Mul, wide, &factors)
            }
            None => decided.unwrap_or(proba),
        };
        (graph, proba, decided)
    }

    /// The class of each row of probabilities (`n_samples x n_classes`): by the model's
    /// [`decision`](Model::decision), or the most probable.
    ///
    /// # Panics
    /// If the model has a decision, and `proba` another number of classes.
    pub fn decide(&self, proba: MatRef<'_>) -> Vec<u32> {
        match self.decision.as_slice() {
            [] => most_probable(proba),
            offsets => decision::decide(proba, offsets),
        }
    }
}

/// The most probable class of each row of `proba` (`n_samples x n_classes`): the first of the largest values.
pub fn most_probable(proba: MatRef<'_>) -> Vec<u32> {
    (0..proba.n_rows()).map(|i| predicted_class(proba.row(i)) as u32).collect()
}

/// The first row of `proba` (`n_samples x n_classes`) with a probability that is not finite: its values are so large that the model's sums overflow.
pub fn first_overflow(proba: MatRef<'_>) -> Option<usize> {
    let at = proba.as_slice().iter().position(|p| !p.is_finite())?;
    Some(at / proba.n_cols())
}

fn check_names(classes: &[String]) -> Result<()> {
    let mut sorted: Vec<&String> = classes.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Error::invalid(format!("the class `{}` is named twice", pair[0]))),
        None => Ok(()),
    }
}
