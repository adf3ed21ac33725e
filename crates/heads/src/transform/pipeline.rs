//! A sequence of fitted transforms.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::{FittedTransform, Spec};
use crate::error::{Error, Result};
use crate::samples::TransformRows;
use crate::tensors::Tensors;

/// A [`Spec`] with the values that it learnt from the training rows; see [`Spec::fit`].
#[derive(Debug, Clone)]
pub struct Pipeline {
    spec: Spec,
    steps: Vec<Arc<dyn FittedTransform>>,
}

/// Rows to a piece of work.
const BLOCK: usize = 512;

impl Pipeline {
    pub(super) fn new(spec: Spec, steps: Vec<Arc<dyn FittedTransform>>) -> Pipeline {
        Pipeline { spec, steps }
    }

    /// The text that was fitted.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The number of features it takes; `None`: any.
    pub fn n_inputs(&self) -> Option<usize> {
        // Before a step that changes their number, all steps have as many features as the first that knows.
        self.steps.iter().find_map(|step| step.n_inputs())
    }

    /// The number of features it gives where it takes `n_inputs`.
    pub fn n_outputs(&self, n_inputs: usize) -> usize {
        self.steps.iter().fold(n_inputs, |n, step| step.n_outputs().unwrap_or(n))
    }

    /// The number of features it takes to give `n_outputs`; `None` if it never gives so many.
    pub fn inputs_for(&self, n_outputs: usize) -> Option<usize> {
        let n_inputs = self.n_inputs().unwrap_or(n_outputs);
        (self.n_outputs(n_inputs) == n_outputs).then_some(n_inputs)
    }

    /// The transformed copy of `x`.
    ///
    /// # Panics
    /// When `x` has another number of columns than the rows it was fitted on.
    pub fn apply(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        if let Some(n_inputs) = self.n_inputs() {
            assert_eq!(x.n_cols(), n_inputs, "columns of rows to transform");
        }
        let (n_inputs, n_outputs) = (x.n_cols(), self.n_outputs(x.n_cols()));
        let mut to = Matrix::zeros(x.n_rows(), n_outputs);
        if n_outputs == 0 {
            return to;
        }
        pool.for_each_chunk(to.as_mut_slice(), BLOCK * n_outputs, |block, to| {
            let rows = x.rows(block * BLOCK, block * BLOCK + to.len() / n_outputs).as_slice();
            if !self.projects() {
                to.copy_from_slice(rows);
                self.scale(to, n_inputs);
            } else {
                let mut rows = rows.to_vec();
                apply(&self.steps, &mut rows, n_inputs);
                to.copy_from_slice(&rows);
            }
        });
        to
    }

    /// The learnt values, by name. The first step that has any has its tensors under their own names; the others have
    /// the step's number before theirs.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        for (i, step) in self.steps.iter().enumerate() {
            let own = step.tensors();
            let prefix = if tensors.names().next().is_some() { prefix(i) } else { String::new() };
            tensors.extend_with_prefix(&prefix, own);
        }
        tensors
    }

    /// Whether the widths of the steps go together.
    pub(super) fn check(&self) -> Result<()> {
        let mut width = None;
        for step in &self.steps {
            match (width, step.n_inputs()) {
                (Some(has), Some(takes)) if has != takes => {
                    return Err(Error::stored(format!("a transform takes {takes} features, but gets {has}")));
                }
                (_, takes) => width = step.n_outputs().or(takes).or(width),
            }
        }
        Ok(())
    }

    /// The transforms, in their order.
    pub fn steps(&self) -> &[Arc<dyn FittedTransform>] {
        &self.steps
    }

    fn projects(&self) -> bool {
        self.steps.iter().any(|step| step.n_outputs().is_some())
    }

    fn scale(&self, rows: &mut [f32], n_features: usize) {
        self.steps.iter().for_each(|step| step.scale(rows, n_features));
    }
}

/// The prefix of the tensors of step `i`, where an earlier one has tensors.
pub(super) fn prefix(i: usize) -> String {
    format!("{i}.")
}

/// Transforms rows of `n_features` values by `steps`.
pub(super) fn apply(steps: &[Arc<dyn FittedTransform>], rows: &mut Vec<f32>, mut n_features: usize) {
    for step in steps {
        match step.n_outputs() {
            None => step.scale(rows, n_features),
            Some(n_outputs) => {
                let mut to = vec![0.0; rows.len() / n_features.max(1) * n_outputs];
                step.project(rows, n_features, &mut to);
                (*rows, n_features) = (to, n_outputs);
            }
        }
    }
}

impl TransformRows for Pipeline {
    fn n_outputs(&self, n_inputs: usize) -> usize {
        Pipeline::n_outputs(self, n_inputs)
    }

    fn transform(&self, rows: &mut Vec<f32>, n_inputs: usize) {
        apply(&self.steps, rows, n_inputs);
    }

    fn scale(&self, rows: &mut [f32], n_features: usize) -> bool {
        if self.projects() {
            return false;
        }
        Pipeline::scale(self, rows, n_features);
        true
    }
}
