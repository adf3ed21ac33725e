//! Support vector machines as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value, json};

use super::fitting::Solving;
use super::machine::Svm;
use super::params::{C, CALIBRATION, GAMMA, TABLE};
use super::search::MOST_ROWS;
use super::solve;
use super::source::{self, MOST_BYTES};
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::graph::{Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits};
use crate::params::{self, AUTO, Params, Table};
use crate::tensors::Tensors;

/// Support vector machines.
#[derive(Debug)]
pub struct SvmHead;

/// Fits of a search for both values, about.
const MOST_TRIED: u64 = 20;

impl Head for SvmHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { leaves_out: true, decides: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let params = params.of(&TABLE)?;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes.max(1)].map(|n| n as u64);
        let folds = if params.text(CALIBRATION) == Some("none") { 0 } else { 5 };
        let is_whole = source::n_bytes(n) <= MOST_BYTES;
        let n_pairs = k.saturating_mul(k - 1) / 2;
        // Values, and the tiles that they are put together from.
        let values = if is_whole {
            source::n_bytes(n).saturating_mul(2)
        } else {
            n.saturating_mul(f).saturating_mul(16)
        };
        // The rows, scaled, packed, and as support vectors of two machines.
        let rows = n.saturating_mul(f.saturating_add(32)).saturating_mul(4 * 10);
        let solutions = (1 + folds)
            * (n_pairs.saturating_mul(200).saturating_add(n.saturating_mul(k).saturating_mul(24)));
        let coefficients = n.saturating_mul(k.next_multiple_of(32)).saturating_mul(4 * 6);
        let panels = k.saturating_mul(k.saturating_add(f).saturating_add(64)).saturating_mul(4 * 64);
        let solving = solve::n_bytes(n, n_pairs.saturating_mul(folds + 1), is_whole);
        let parts = [values, rows, solutions, coefficients, panels, solving, 1 << 25];
        // Steps grow with the rows, about, and so does the time of each.
        let solve = n.saturating_mul(n).saturating_mul(f.saturating_add(20));
        let tried =
            if [C, GAMMA].iter().any(|name| params.text(name) == Some(AUTO)) { MOST_TRIED } else { 0 };
        let of_search =
            n.min(MOST_ROWS as u64).pow(2).saturating_mul(f.saturating_add(100)).saturating_mul(tried);
        Ok(Cost {
            bytes: parts.into_iter().fold(0, u64::saturating_add),
            operations: solve.saturating_mul(1 + folds).saturating_add(of_search),
            hint: "fewer rows or features (pca:K)",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        match resume {
            None => Ok(Box::new(Solving::begin(job)?)),
            Some(_) => Err(Error::stored("a support vector machine is not resumed: it is fitted again")),
        }
    }

    fn restore(&self, config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        Ok(Arc::new(Svm::from_parts(config, tensors)?))
    }
}

impl Fitted for Svm {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        self.mean.len()
    }

    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        self.predict(x, pool).0
    }

    fn predict(&self, x: MatRef<'_>, pool: &Pool) -> (Matrix, Option<Vec<u32>>) {
        let decided = self.decide(x, false, pool);
        let classes = decided.votes.iter().map(|&place| self.classes[place as usize] as u32);
        (self.probabilities(&decided, pool), Some(classes.collect()))
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

    fn chosen(&self) -> Vec<(&'static str, params::Value)> {
        if self.summary.tried.is_empty() {
            return Vec::new();
        }
        vec![(C, params::Value::Float(self.c)), (GAMMA, params::Value::Float(self.gamma))]
    }

    fn description(&self) -> Description {
        let n_support = self.n_support();
        let n_bytes = 4 * n_support * (self.mean.len() + self.classes.len() - 1);
        let summary = format!(
            "{} ({:.1} MB), C {}, gamma {:.4e}",
            counted(n_support, "support vector"),
            n_bytes as f64 / 1e6,
            self.c,
            self.gamma
        );
        let tried = self.summary.tried.iter();
        let tried: Vec<Value> =
            tried.map(|(c, gamma, loss)| json!({ "c": c, "gamma": gamma, "log_loss": loss })).collect();
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_support", n_support)
            .fact("n_bytes", n_bytes)
            .fact("c", self.c)
            .fact("gamma", self.gamma)
            .fact("out_of_fold_log_loss", self.summary.log_loss)
            .fact("n_iter", &self.summary.n_iter)
            .fact("dual_objectives", &self.summary.objectives)
            .fact("tried", tried);
        description.sizes = vec![("n_support", n_support as u64), ("n_bytes", n_bytes as u64)];
        description
    }
}
