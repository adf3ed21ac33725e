//! The forest as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value, json};

use super::Forest;
use super::cuts::Cuts;
use super::growing::{self, MAX_SHORT_ROWS};
use super::params::Settings;
use super::stored;
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::graph::{Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits, no_keys};
use crate::params::{Params, Table};
use crate::tensors::Tensors;

/// Bytes of a node: in its tree, and packed for predictions.
const NODE_BYTES: u64 = 32;

/// A kind of forest.
#[derive(Debug)]
pub struct ForestHead {
    pub(super) cuts: Cuts,
}

impl Head for ForestHead {
    fn table(&self) -> &'static Table {
        self.cuts.table()
    }

    fn traits(&self) -> Traits {
        Traits { rescans: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let Shape { n_samples, n_features, n_classes, .. } = shape;
        let settings = Settings::new(params.of(self.cuts.table())?, n_samples, n_features)?;
        let (n, f, k) = (n_samples as u64, n_features as u64, n_classes as u64);
        let trees = settings.n_trees as u64;
        let place = if n_samples <= MAX_SHORT_ROWS && self.cuts == Cuts::All { 2 } else { 4 };
        // The places by column and by row; the sorting of a piece of columns; bits of jumps.
        let columns =
            n.saturating_mul(f).saturating_mul(2 * place + 1).saturating_add(n.saturating_mul(16 * 16));
        let grown = trees.saturating_mul(tree_bytes(&settings, n, f, k));
        let depth = n.max(2).ilog2() as u64 + 1;
        let work = trees.saturating_mul(n).saturating_mul(depth).saturating_mul(settings.max_features as u64);
        Ok(Cost {
            bytes: columns.saturating_add(grown),
            operations: work.saturating_mul(4),
            hint: "fewer trees, or a larger min_samples_leaf",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        if resume.is_some() {
            return Err(Error::stored("a forest is not resumed: its trees are grown again"));
        }
        job.params.of(self.cuts.table())?;
        Ok(growing::begin(job)?)
    }

    fn restore(&self, config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        no_keys(&config)?;
        Ok(Arc::new(stored::from_tensors(self.cuts, tensors)?))
    }
}

/// The most bytes of a tree of `n` rows, `f` features and `k` classes.
fn tree_bytes(settings: &Settings, n: u64, f: u64, k: u64) -> u64 {
    // As many draws as rows leave out more than a third of them.
    let rows = match settings.n_drawn {
        Some(drawn) if u64::from(drawn) == n => n * 2 / 3 + 64,
        Some(drawn) => n.min(u64::from(drawn)),
        None => n,
    };
    let most = 1u64.checked_shl(settings.max_depth.min(63) as u32).unwrap_or(u64::MAX);
    let leaves = (rows / (settings.min_samples_leaf.max(1) as u64) + 1).min(most);
    // Leaves of several rows have a share for each of their classes.
    let is_mixed = settings.min_samples_leaf > 1 || most < rows || settings.min_impurity_decrease > 0.0;
    let shares = if is_mixed { rows.min(leaves.saturating_mul(k)).saturating_mul(16) } else { 0 };
    let in_bag = if settings.oob_score { n / 8 } else { 0 };
    leaves.saturating_mul(2 * NODE_BYTES).saturating_add(shares + in_bag + 8 * f)
}

impl Fitted for Forest {
    fn head(&self) -> &'static str {
        self.cuts.table().head
    }

    fn n_features(&self) -> usize {
        Forest::n_features(self)
    }

    fn n_classes(&self) -> usize {
        Forest::n_classes(self)
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        Forest::predict_proba(self, x, pool)
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        super::graph::prediction(self, graph, rows)
    }

    fn tensors(&self) -> Tensors {
        Forest::tensors(self)
    }

    fn description(&self) -> Description {
        let (n_trees, n_nodes, max_depth) = (self.n_trees(), self.n_nodes(), self.max_depth());
        let summary =
            format!("{}, {}, depth at most {max_depth}", counted(n_trees, "tree"), counted(n_nodes, "node"));
        let oob = self.oob();
        let mut description = Description::new(self.cuts.table().head, summary)
            .fact("n_trees", n_trees)
            .fact("n_nodes", n_nodes)
            .fact("max_depth", max_depth)
            .fact("feature_importances", self.feature_importances())
            .fact(
                "oob",
                oob.as_ref().map(|oob| json!({ "accuracy": oob.accuracy, "weighted_f1": oob.weighted_f1 })),
            );
        description.sizes = vec![("n_nodes", n_nodes as u64)];
        description.details.extend(oob.map(|oob| {
            ("out-of-bag", format!("accuracy {:.4}, weighted F1 {:.4}", oob.accuracy, oob.weighted_f1))
        }));
        description
    }
}
