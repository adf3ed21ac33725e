//! Ridge regression as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value, json};

use super::fitting::Solving;
use super::params::TABLE;
use crate::affine::Affine;
use crate::calibration::Calibration;
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::graph::{Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits, no_keys};
use crate::one_hot::{classes_of, present};
use crate::params::{Params, Table};
use crate::tensors::{Tensors, Values};

/// Ridge regression.
#[derive(Debug)]
pub struct RidgeHead;

impl Head for RidgeHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { out_of_fold: true, leaves_out: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        params.of(&TABLE)?;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        let side = n.min(f);
        let squares = side.saturating_mul(side).saturating_mul(8 * 6);
        // Axes in both precisions, and where rows are fewer than features a block of columns and a copy of the rows.
        let axes = side.saturating_mul(f).saturating_mul(8 + 8 + 4);
        let copy = if n < f { n.saturating_mul(f.saturating_mul(4) + (1 << 13)) } else { 1 << 25 };
        let rows = n.saturating_mul(k + 8).saturating_mul(8 * 6);
        Ok(Cost {
            bytes: [squares, axes, copy, rows, 1 << 26].into_iter().fold(0, u64::saturating_add),
            operations: n.saturating_mul(f).saturating_mul(4 * side + 40 * k),
            hint: "fewer features (pca:K)",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        match resume {
            None => Ok(Box::new(Solving::begin(job)?)),
            Some(_) => Err(Error::stored("a ridge regression is not resumed: it is fitted again")),
        }
    }

    fn restore(&self, mut config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        let chosen = config.remove("chosen").unwrap_or_default();
        let alpha = chosen.get("alpha").and_then(Value::as_f64);
        let alpha = alpha.ok_or_else(|| Error::stored("`chosen` has no number `alpha`"))?;
        let log_loss = chosen.get("log_loss").and_then(Value::as_f64);
        no_keys(&config)?;
        Ok(Arc::new(Ridge::from_tensors(Chosen { alpha, log_loss, tried: Vec::new() }, tensors)?))
    }
}

/// A fitted ridge regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    pub(super) affine: Affine,
    pub(super) calibration: Calibration,
    /// The classes that have outputs.
    pub(super) classes: Vec<usize>,
    pub(super) n_classes: usize,
    pub(super) chosen: Chosen,
}

/// The strength, and how it was chosen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) alpha: f64,
    /// The log loss of calibrated leave-one-out outputs.
    pub(super) log_loss: Option<f64>,
    /// Strengths with their mean squared leave-one-out errors.
    pub(super) tried: Vec<(f64, f64)>,
}

impl Ridge {
    /// The coefficients, one row for each class that had rows with weight.
    pub fn coef(&self) -> Matrix {
        self.affine.coef()
    }

    /// The intercepts.
    pub fn intercept(&self) -> &[f32] {
        self.affine.intercept()
    }

    fn from_tensors(chosen: Chosen, mut tensors: Tensors) -> Result<Ridge> {
        let [n_outputs, n_features] = tensors.matrix_shape("coef")?;
        let coef = tensors.take_finite("coef", &[n_outputs, n_features])?;
        let intercept = tensors.take_finite("intercept", &[n_outputs])?;
        let n_classes = tensors.shape("present")?.iter().product();
        let present = tensors.take_u32("present", &[n_classes])?;
        let calibration = Calibration::restore(&mut tensors, n_outputs)?;
        tensors.check_empty("a ridge regression")?;
        let classes = classes_of(&present, n_outputs)
            .ok_or_else(|| Error::stored("tensor `present` does not name a class for each output"))?;
        let affine = Affine::new(Matrix::new(coef, n_outputs, n_features).view(), intercept);
        Ok(Ridge { affine, calibration, classes, n_classes, chosen })
    }
}

impl Fitted for Ridge {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        self.affine.n_features()
    }

    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.affine.n_features(), "columns of x");
        let scores = self.affine.scores(x, pool);
        let outputs: Vec<f64> = scores.as_slice().iter().map(|v| f64::from(*v)).collect();
        self.calibration.predict_proba(&outputs, (&self.classes, self.n_classes), pool)
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        let outputs = self.affine.graph(graph, rows);
        self.calibration.graph(graph, outputs, &self.classes, self.n_classes).into()
    }

    fn config(&self) -> Map<String, Value> {
        let Chosen { alpha, log_loss, .. } = &self.chosen;
        let chosen = json!({ "alpha": alpha, "log_loss": log_loss });
        std::iter::once(("chosen".to_owned(), chosen)).collect()
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        let shape = [self.classes.len(), self.affine.n_features()];
        tensors.insert("coef", &shape, Values::F32(self.coef().into_vec()));
        tensors.insert("intercept", &shape[..1], Values::F32(self.intercept().to_vec()));
        tensors.insert("present", &[self.n_classes], Values::U32(present(&self.classes, self.n_classes)));
        self.calibration.store(&mut tensors);
        tensors
    }

    fn description(&self) -> Description {
        let n_params = self.classes.len() * (self.affine.n_features() + 1);
        let Chosen { alpha, log_loss, tried } = &self.chosen;
        let summary = format!("{}, alpha {alpha:.4e}", counted(n_params, "coefficient"));
        let tried: Vec<Value> =
            tried.iter().map(|(alpha, error)| json!({ "alpha": alpha, "squared_error": error })).collect();
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_features", self.affine.n_features())
            .fact("n_params", n_params)
            .fact("alpha", alpha)
            .fact("leave_one_out_log_loss", log_loss)
            .fact("tried", tried);
        description.sizes = vec![("n_params", n_params as u64)];
        description
    }
}
