//! Logistic regression as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value};

use super::choosing::{self, Choosing};
use super::params::{Settings, TABLE};
use super::solving::Solving;
use super::{Linear, sweep};
use crate::description::{Description, counted, thousands};
use crate::error::{Error, Result};
use crate::graph::{Graph, Prediction, Rows};
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
        Traits { weights: true, leaves_out: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let settings = Settings::new(params)?;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        let n_scores = if k > 2 { k } else { 1 };
        let n_weights = n_scores.saturating_mul(f.saturating_add(33));
        // The fitted head has some copies of its coefficients until it is ready.
        let fitted = 4u64.saturating_mul(f.saturating_add(1)).saturating_mul(4 * k + 64);
        let solver = lbfgs::n_bytes(n_weights).saturating_add(sweep::n_bytes(n, f, n_scores));
        let (bytes, n_folds) = match settings.is_plain() {
            true => (solver, 0),
            false => (choosing::n_bytes(shape, n_scores, &settings), settings.n_folds as u64),
        };
        // Scores, and their gradients; about one evaluation for each iteration, and some for each strength of each fold.
        let evaluations = settings.max_iter as u64 + if settings.c.is_none() { 300 * n_folds } else { 0 };
        Ok(Cost {
            bytes: bytes.saturating_add(fitted),
            operations: n.saturating_mul(4).saturating_mul(n_weights).saturating_mul(evaluations),
            hint: "fewer features (pca:K) or classes",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        match resume {
            None => {
                let settings = Settings::new(job.params)?;
                match settings.is_plain() {
                    true => Ok(Box::new(Solving::begin(job)?)),
                    false => Ok(Box::new(Choosing::begin(job, settings)?)),
                }
            }
            Some(_) => Err(Error::stored("a logistic regression is not resumed: it is fitted again")),
        }
    }

    fn restore(&self, mut config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        let chosen = match (config.remove("c"), config.remove("choose_by")) {
            (None, None) => None,
            (Some(Value::Number(c)), Some(Value::String(by))) => c.as_f64().map(|c| (c, by)),
            _ => return Err(Error::stored("`c` and `choose_by` go together: a number and a text")),
        };
        no_keys(&config)?;
        Ok(Arc::new(Linear { chosen, ..Linear::from_tensors(tensors)? }))
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

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        let scores = self.affine.graph(graph, rows);
        graph.softmax(scores).into()
    }

    fn tensors(&self) -> Tensors {
        Linear::tensors(self)
    }

    fn config(&self) -> Map<String, Value> {
        let Some((c, by)) = &self.chosen else { return Map::new() };
        Map::from_iter([
            ("c".to_owned(), Value::from(*c)),
            ("choose_by".to_owned(), Value::from(by.as_str())),
        ])
    }

    fn description(&self) -> Description {
        let n_params = self.n_classes() * (self.n_features() + 1);
        let mut summary = counted(n_params, "coefficient");
        if let Some(n) = self.n_nonzero {
            summary += &format!(", {} of them not 0", thousands(n));
        }
        if let Some((c, by)) = &self.chosen {
            let by = by.replace('_', "-");
            match &self.choice {
                Some(choice) if choice.n_folds > 1 => {
                    summary += &format!(", c {c:.4} chosen by {} folds", choice.n_folds);
                }
                _ => summary += &format!(", c {c:.4} chosen by {by}"),
            }
        }
        if let Some(solution) = self.solution {
            let end = if solution.converged { "the minimum found" } else { "stopped above the minimum" };
            summary += &format!(", {end} after {}", counted(solution.n_iter, "iteration"));
        }
        let mut description = Description::new(TABLE.head, summary)
            .fact("n_features", self.n_features())
            .fact("n_params", n_params)
            .fact("n_iter", self.solution.map(|solution| solution.n_iter))
            .fact("converged", self.solution.map(|solution| solution.converged))
            .fact("objective", self.solution.map(|solution| solution.objective));
        if let Some((c, by)) = &self.chosen {
            description = description.fact("c", c).fact("choose_by", by);
        }
        if let Some(choice) = &self.choice {
            description = description
                .fact("n_folds", (choice.n_folds > 1).then_some(choice.n_folds))
                .fact("n_choosing", choice.n_rows)
                .fact("path", &choice.losses);
        }
        if let Some(n) = self.n_nonzero {
            description = description.fact("n_nonzero", n);
        }
        description.sizes = vec![("n_params", n_params as u64)];
        description
    }
}
