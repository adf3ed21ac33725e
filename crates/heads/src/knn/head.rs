//! k nearest neighbours as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value};

use super::choice::{MOST_ROWS, most_neighbours};
use super::fit::{ClassWeights, fit, given};
use super::folds::out_of_fold;
use super::params::TABLE;
use super::{Knn, search};
use crate::description::{Description, counted};
use crate::error::Result;
use crate::graph::{Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits};
use crate::once::once_with_folds;
use crate::params::{Params, Table};
use crate::tensors::Tensors;

/// k nearest neighbours.
#[derive(Debug)]
pub struct KnnHead;

impl Head for KnnHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { weights: true, out_of_fold: true, leaves_out: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let given = given(params.of(&TABLE)?)?;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        // Rows with their numbers; classes and their shares.
        let stored = n.saturating_mul(f.saturating_mul(4).saturating_add(80)).saturating_add(64 * k);
        let operations = n.saturating_mul(f);
        if given.n_neighbors.is_some() && given.weighting.is_some() {
            return Ok(Cost { bytes: stored, operations, hint: HINT });
        }
        let (choosers, most) = (n.min(MOST_ROWS as u64), most_neighbours(given.n_neighbors) as u64);
        let queries = if n > choosers { choosers.saturating_mul(f).saturating_mul(4) } else { 0 };
        let neighbours = choosers.saturating_mul(most.min(n).saturating_mul(16).saturating_add(64));
        let search = search::n_bytes(choosers, n, f, most);
        let losses = choosers.saturating_mul(24);
        let parts = [queries, neighbours, search, losses, n.saturating_mul(24)];
        Ok(Cost {
            bytes: parts.into_iter().fold(stored, u64::saturating_add),
            operations: operations.saturating_mul(choosers.saturating_mul(2)),
            hint: HINT,
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        job.params.of(&TABLE)?;
        job.train.check_shape("a search for neighbours")?;
        ClassWeights::new(job.params, job.train)?;
        job.train.check_finite("", job.pool)?;
        once_with_folds(job, resume, fit, out_of_fold)
    }

    fn restore(&self, config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        Ok(Arc::new(Knn::from_parts(config, tensors)?))
    }
}

const HINT: &str = "fewer features (pca:K) or rows";

impl Fitted for Knn {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        self.rows.n_cols()
    }

    fn n_classes(&self) -> usize {
        self.class_weights.len()
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        Knn::predict_proba(self, x, pool)
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        super::graph::prediction(self, graph, rows)
    }

    fn config(&self) -> Map<String, Value> {
        self.to_config()
    }

    fn tensors(&self) -> Tensors {
        self.to_tensors()
    }

    fn description(&self) -> Description {
        let (n_rows, n_features) = (self.rows.n_rows(), self.rows.n_cols());
        let n_bytes = 4 * self.rows.as_slice().len();
        let config = self.to_config();
        let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default();
        let weights = match self.temperature() {
            Some(temperature) => format!("temperature {}", rounded(temperature)),
            None => format!("weights {}", text("weights")),
        };
        let summary = format!(
            "{} of {}, {}, {weights}; {:.1} MB of {}",
            counted(self.n_neighbors(), "neighbour"),
            counted(n_rows, "row"),
            text("distance"),
            n_bytes as f64 / 1e6,
            counted(n_features, "feature"),
        );
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_features", n_features)
            .fact("n_rows", n_rows)
            .fact("n_bytes", n_bytes)
            .fact("n_neighbors", self.n_neighbors())
            .fact("temperature", self.temperature());
        description.sizes = vec![("n_rows", n_rows as u64)];
        description
    }
}

/// A number above zero to four significant digits.
fn rounded(v: f64) -> f64 {
    let unit = 10.0f64.powf(v.log10().floor() - 3.0);
    // Dividing by a power of ten leaves shorter decimals than multiplying by its inverse.
    if unit < 1.0 { (v / unit).round() / (1.0 / unit).round() } else { (v / unit).round() * unit }
}
