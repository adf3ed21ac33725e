//! Logistic regression as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value};

use super::params::TABLE;
use super::solving::Solving;
use super::{Linear, objective};
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits, no_keys};
use crate::optim::lbfgs;
use crate::params::{Params, Table};
use crate::tensors::Tensors;

/// Logistic regression.
#[derive(Debug)]
pub struct LinearHead;

impl Head for LinearHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { weights: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let max_iter = params.of(&TABLE)?.count("max_iter")? as u64;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        let n_scores = if k > 2 { k } else { 1 };
        let n_weights = n_scores.saturating_mul(f.saturating_add(33));
        // The fitted head has some copies of its coefficients until it is ready.
        let fitted = 4u64.saturating_mul(f.saturating_add(1)).saturating_mul(4 * k + 64);
        let solver = lbfgs::n_bytes(n_weights).saturating_add(objective::n_bytes(n, f, n_scores));
        Ok(Cost {
            bytes: solver.saturating_add(fitted),
            // Scores, and their gradients; about one evaluation for each iteration.
            operations: n.saturating_mul(4).saturating_mul(n_weights).saturating_mul(max_iter),
            hint: "fewer features (pca:K) or classes",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        match resume {
            None => Ok(Box::new(Solving::begin(job)?)),
            Some(_) => Err(Error::stored("a logistic regression is not resumed: it is fitted again")),
        }
    }

    fn restore(&self, config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        no_keys(&config)?;
        Ok(Arc::new(Linear::from_tensors(tensors)?))
    }
}

impl Fitted for Linear {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        Linear::n_features(self)
    }

    fn n_classes(&self) -> usize {
        Linear::n_classes(self)
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        Linear::predict_proba(self, x, pool)
    }

    fn tensors(&self) -> Tensors {
        Linear::tensors(self)
    }

    fn description(&self) -> Description {
        let n_params = self.n_classes() * (self.n_features() + 1);
        let summary = match self.solution {
            None => counted(n_params, "coefficient"),
            Some(solution) => {
                let (coefficients, n_iter) =
                    (counted(n_params, "coefficient"), counted(solution.n_iter, "iteration"));
                let end = if solution.converged { "the minimum found" } else { "stopped above the minimum" };
                format!("{coefficients}, {end} after {n_iter}")
            }
        };
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_features", self.n_features())
            .fact("n_params", n_params)
            .fact("n_iter", self.solution.map(|solution| solution.n_iter))
            .fact("converged", self.solution.map(|solution| solution.converged))
            .fact("objective", self.solution.map(|solution| solution.objective));
        description.sizes = vec![("n_params", n_params as u64)];
        description
    }
}
