//! The network as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value};

use super::architecture::Architecture;
use super::monitor;
use super::params::TABLE;
use super::recipe::Recipe;
use super::training::Training;
use super::{BLOCK_ROWS, Mlp};
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::graph::{Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits, no_keys};
use crate::params::{Params, Table};
use crate::tensors::Tensors;

/// The multilayer perceptron.
#[derive(Debug)]
pub struct MlpHead;

/// Floats of memory for each weight: weights, two moments, gradient, best, and packed copies. An average is one more.
const FLOATS_A_WEIGHT: u64 = 7;

impl Head for MlpHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits::default()
    }

    fn chosen_on_val(&self, params: &Params) -> Vec<&'static str> {
        monitor::choices(params)
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let params = params.of(&TABLE)?;
        let architecture = Architecture::new(shape.n_features, shape.n_classes, params)?;
        let recipe = Recipe::new(params, shape.n_samples, shape.n_features)?;
        let batch = recipe.batch_size.min(shape.n_samples) as u64;
        // Beside a batch a block of validation rows.
        let rows = batch + BLOCK_ROWS as u64;
        let widths: u64 = architecture.widths().map(|width| width as u64).sum();
        let n_params = architecture.n_params() as u64;
        let floats_a_weight = FLOATS_A_WEIGHT + u64::from(recipe.ema_momentum > 0.0);
        let floats = floats_a_weight.saturating_mul(n_params).saturating_add(widths.saturating_mul(2 * rows));
        // Their order and their weights; a batch, and a block of validation rows.
        let inputs =
            rows.saturating_mul(shape.n_features as u64 + 2).saturating_add(2 * shape.n_samples as u64);
        let floats = floats.saturating_add(inputs);
        // Forward, and the gradients of weights and inputs; validation rows go forward only.
        let rows = 6 * shape.n_samples as u64 + 2 * shape.n_val as u64;
        let epochs = params.count("epochs")? as u64;
        Ok(Cost {
            bytes: floats.saturating_mul(4),
            operations: rows.saturating_mul(n_params).saturating_mul(epochs),
            hint: "fewer neurons or layers",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        Ok(Box::new(Training::begin(job, resume)?))
    }

    fn restore(&self, mut config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        let architecture = config
            .remove(ARCHITECTURE)
            .ok_or_else(|| Error::stored(format!("it has no `{ARCHITECTURE}`, which it must have")))?;
        no_keys(&config)?;
        let architecture: Architecture = serde_json::from_value(architecture)
            .map_err(|error| Error::stored(format!("`{ARCHITECTURE}`: {error}")))?;
        Ok(Arc::new(Mlp::from_tensors(&architecture, tensors)?))
    }
}

/// The key of the layers in the configuration.
const ARCHITECTURE: &str = "architecture";

impl Fitted for Mlp {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        Mlp::n_features(self)
    }

    fn n_classes(&self) -> usize {
        Mlp::n_classes(self)
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        Mlp::predict_proba(self, x, pool)
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        super::graph::prediction(self, graph, rows)
    }

    fn config(&self) -> Map<String, Value> {
        // Numbers and names of layers: nothing that JSON cannot hold.
        let architecture = serde_json::to_value(self.architecture()).unwrap_or(Value::Null);
        [(ARCHITECTURE.to_owned(), architecture)].into_iter().collect()
    }

    fn tensors(&self) -> Tensors {
        Mlp::tensors(self)
    }

    fn description(&self) -> Description {
        let (n_features, n_params, layers) = (Mlp::n_features(self), self.n_params(), self.layers());
        let path: Vec<String> =
            layers.iter().map(|layer| format!("{} {}", layer.kind, layer.output_width)).collect();
        let summary = format!(
            "{} \u{2192} {}: {}",
            counted(n_features, "feature"),
            path.join(" \u{2192} "),
            counted(n_params, "weight")
        );
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_features", n_features)
            .fact("layers", &layers)
            .fact("n_params", n_params);
        description.sizes = vec![("n_params", n_params as u64)];
        description.layers = layers;
        description
    }
}
