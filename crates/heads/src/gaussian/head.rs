//! Gaussian discriminant analysis as a head of the list.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value};

use super::groups::Priors;
use super::params::{Covariance, Options, TABLE};
use super::space::Space;
use super::{Gaussian, Rule, fit, full, out_of_fold};
use crate::description::{Description, counted};
use crate::error::Result;
use crate::graph::{Graph, Prediction, Rows};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits};
use crate::once::once_with_folds;
use crate::params::{Params, Table};
use crate::tensors::Tensors;

/// Bytes in which products of 16 threads pack their operands.
const PACKED: u64 = 16 << 22;

/// Gaussian discriminant analysis.
#[derive(Debug)]
pub struct GaussianHead;

impl Head for GaussianHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { weights: true, out_of_fold: true, closed_form: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        let options = Options::new(params.of(&TABLE)?)?;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        let square = |n: u64| n.saturating_mul(n);
        // Numbers of rows; a block of rows with its copies; the means, and what is computed of them.
        let rows = n
            .saturating_mul(24)
            .saturating_add(n.min(1 + (1 << 20) / f.max(1)).saturating_mul(f).saturating_mul(24));
        let means = k.saturating_add(32).saturating_mul(f.saturating_add(64)).saturating_mul(64);
        let (bytes, operations) = match options.covariance {
            Covariance::Diagonal => (0, n.saturating_mul(f)),
            Covariance::Full => {
                let covariances =
                    square(f.saturating_add(32)).saturating_mul(4).saturating_mul(k.saturating_add(12));
                (
                    covariances,
                    n.saturating_mul(square(f)).saturating_add(k.saturating_mul(square(f)).saturating_mul(f)),
                )
            }
            Covariance::Shared if Space::is_of_rows(shape.n_samples, shape.n_features) => {
                let of_rows = square(n.saturating_add(128)).saturating_mul(8 * 8);
                let columns = n.saturating_mul(1024 * 8 + f.saturating_mul(4));
                (of_rows.saturating_add(columns), square(n).saturating_mul(f.saturating_add(10 * n)))
            }
            Covariance::Shared => {
                let covariances = square(f.saturating_add(128)).saturating_mul(8 * 6);
                let of_few_rows = n.min(f);
                let few = square(of_few_rows)
                    .saturating_mul(16)
                    .saturating_add(of_few_rows.saturating_mul(1024 * 8 + f.saturating_mul(4)));
                (
                    covariances.saturating_add(few),
                    n.saturating_mul(square(f)).saturating_add(square(f).saturating_mul(f)),
                )
            }
        };
        Ok(Cost {
            bytes: [rows, means, PACKED].into_iter().fold(bytes, u64::saturating_add),
            operations: operations.max(1),
            hint: "fewer features (pca:K), or covariance diagonal",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        let options = Options::new(job.params.of(&TABLE)?)?;
        job.train.check_shape("a Gaussian discriminant analysis")?;
        if options.covariance == Covariance::Full {
            full::check_size(job.shape())?;
        }
        Priors::new(options, job.params, job.train)?;
        job.train.check_finite("", job.pool)?;
        once_with_folds(job, resume, fit, out_of_fold)
    }

    fn restore(&self, config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        Ok(Arc::new(Gaussian::from_parts(config, tensors)?))
    }
}

impl Fitted for Gaussian {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        match &self.rule {
            Rule::Shared(shared) => shared.centre.len(),
            Rule::Diagonal(diagonal) => diagonal.n_features(),
            Rule::Full(full) => full.n_features(),
        }
    }

    fn n_classes(&self) -> usize {
        match &self.rule {
            Rule::Shared(shared) => shared.affine.n_classes(),
            Rule::Diagonal(diagonal) => diagonal.log_priors.len(),
            Rule::Full(full) => full.constants.len(),
        }
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.n_features(), "columns of x");
        match &self.rule {
            Rule::Shared(shared) => shared.predict_proba(x, pool),
            Rule::Diagonal(diagonal) => diagonal.predict_proba(x, pool),
            Rule::Full(full) => full.predict_proba(x, pool),
        }
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        super::graph::prediction(&self.rule, graph, rows)
    }

    fn config(&self) -> Map<String, Value> {
        self.to_config()
    }

    fn tensors(&self) -> Tensors {
        self.to_tensors()
    }

    fn description(&self) -> Description {
        let (n_features, n_classes) = (self.n_features(), counted(self.n_classes(), "normal distribution"));
        let shrinkage = match self.amounts.as_deref() {
            Some([]) | None => String::new(),
            Some(amounts) => {
                let (low, high) =
                    amounts.iter().fold((1.0f64, 0.0f64), |(low, high), v| (low.min(*v), high.max(*v)));
                if low == high {
                    format!(", shrinkage {low:.4}")
                } else {
                    format!(", shrinkage {low:.4} to {high:.4}")
                }
            }
        };
        let covariance = match self.rule {
            Rule::Shared(_) => "with one covariance",
            Rule::Diagonal(_) => "without correlations",
            Rule::Full(_) => "with a covariance each",
        };
        let summary = format!("{n_classes} of {}, {covariance}{shrinkage}", counted(n_features, "feature"));
        Description::new(TABLE.head, summary)
            .fact("n_features", n_features)
            .fact("covariance", self.covariance())
            .fact("shrinkage", &self.amounts)
    }
}
