//! `pca:K`: the projection of every row to the K directions in which the training rows vary most, as scikit-learn's `PCA` with
//! `svd_solver="covariance_eigh"`: the [principal axes](super::axes) by falling variance, each with the sign that makes its
//! largest value positive. Where rows vary along fewer directions than K, the others are zeros.

use std::sync::Arc;

use headsmith_kernels::Pool;

use super::axes::{MAX_SIDE, principal};
use super::{FittedTransform, NONE, TrainingRows, TransformKind};
use crate::error::{Error, Result};
use crate::graph::{Graph, Typical, Var};
use crate::linalg::Projection;
use crate::params::{Default, Kind, Param};
use crate::tensors::{Tensors, Values};

/// Principal component analysis.
#[derive(Debug)]
pub(super) struct Pca;

/// No value of a direction of length 1 is above this, whatever was rounded.
const MAX_COMPONENT: f64 = 1.001;

/// Mean and directions.
#[derive(Debug)]
struct Components {
    projection: Projection,
    /// `n_components x n_features`.
    components: Vec<f64>,
}

fn n_components(argument: Option<&str>) -> Option<usize> {
    argument?.parse().ok().filter(|k| *k >= 1)
}

impl TransformKind for Pca {
    fn name(&self) -> &'static str {
        "pca"
    }

    fn help(&self) -> &'static str {
        "Projects every row to the directions in which the training rows vary most"
    }

    fn argument(&self) -> Option<Param> {
        Some(Param {
            name: "n_components",
            kind: Kind::Int { low: 1, high: i64::MAX, words: &[NONE] },
            default: Default::Text(NONE),
            search: None,
            help: "The number of directions; none: as many as there are rows or features, whichever are fewer",
        })
    }

    fn syntax(&self) -> &'static str {
        "pca:K"
    }

    fn canonical(&self, argument: Option<&str>) -> Option<Option<String>> {
        n_components(argument).map(|k| Some(k.to_string()))
    }

    fn fit(
        &self,
        argument: Option<&str>,
        rows: &TrainingRows<'_>,
        pool: &Pool,
    ) -> Result<Arc<dyn FittedTransform>> {
        let (n, n_features) = (rows.n_samples(), rows.n_features());
        let (k, smaller) = (n_components(argument).unwrap_or(0), n_features.min(n));
        if k == 0 || k > smaller {
            return Err(Error::parameter(format!(
                "pca:{k} of {n} rows of {n_features} features: expected a count of 1 to the smaller of both, which is at most \
                 {MAX_SIDE}"
            )));
        }
        let principal = principal(&format!("pca:{k}"), rows, pool)?;
        let mut components = principal.axes;
        components.resize(k * n_features, 0.0);
        Ok(Arc::new(Components::new(principal.mean, components)))
    }

    fn restore(&self, argument: Option<&str>, tensors: &mut Tensors) -> Result<Arc<dyn FittedTransform>> {
        let [k, n_features] = tensors.matrix_shape("components")?;
        let expected = n_components(argument).unwrap_or(0);
        if k != expected {
            return Err(Error::stored(format!("tensor `components` has {k} rows, expected {expected}")));
        }
        let mean = tensors.take_f64("mean", &[n_features])?;
        let components = tensors.take_f64("components", &[k, n_features])?;
        if let Some(v) = components.iter().find(|v| v.abs() > MAX_COMPONENT) {
            return Err(Error::stored(format!(
                "tensor `components` holds {v}, expected directions of length 1"
            )));
        }
        Ok(Arc::new(Components::new(mean, components)))
    }
}

impl Components {
    fn new(mean: Vec<f64>, components: Vec<f64>) -> Components {
        Components { projection: Projection::from_f64(mean, &components), components }
    }
}

impl FittedTransform for Components {
    fn n_inputs(&self) -> Option<usize> {
        self.projection.n_inputs()
    }

    fn n_outputs(&self) -> Option<usize> {
        self.projection.n_outputs()
    }

    fn project(&self, rows: &[f32], n_features: usize, to: &mut [f32]) {
        FittedTransform::project(&self.projection, rows, n_features, to);
    }

    fn graph(&self, graph: &mut Graph, x: Var) -> Var {
        self.projection.graph(graph, x)
    }

    fn projection(&self) -> Option<(Vec<f64>, Vec<f32>)> {
        self.projection.projection()
    }

    fn typical(&self) -> Option<Typical> {
        self.projection.typical()
    }

    fn tensors(&self) -> Tensors {
        let mean = self.projection.mean();
        let shape = [self.components.len() / mean.len(), mean.len()];
        let mut tensors = Tensors::new();
        tensors.insert("mean", &shape[1..], Values::F64(mean.to_vec()));
        tensors.insert("components", &shape, Values::F64(self.components.clone()));
        tensors
    }
}
