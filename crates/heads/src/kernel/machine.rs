//! A fitted kernel machine.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::problem::Problem;
use super::refine::Prepared;
use super::screen::Scored;
use super::trial::Setting;
use crate::calibration::Calibration;
use crate::kernel_function::Function;
use crate::kernel_function::support::{BLOCK, Support};
use crate::transform::Pipeline;

/// A kernel machine: the outputs of a row x are `sum_i alpha_i k(x, x_i) + b`, over the training rows.
#[derive(Debug)]
pub struct Machine {
    pub(super) pipeline: Pipeline,
    pub(super) function: Function,
    pub(super) support: Support,
    pub(super) intercept: Vec<f64>,
    pub(super) calibration: Calibration,
    /// The classes that have outputs.
    pub(super) classes: Vec<usize>,
    pub(super) n_classes: usize,
    pub(super) n_features: usize,
    pub(super) chosen: Chosen,
}

/// The values that a fit had or chose.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    /// The transform in the head.
    pub(super) transform: String,
    /// That of the rows before the head, and then the one in it.
    pub(super) whole_transform: String,
    pub(super) gamma: f64,
    pub(super) alpha: f64,
    /// The leave-one-out log loss by which they were chosen; `None` of a restored head.
    pub(super) log_loss: Option<f64>,
    pub(super) double: bool,
    /// All fits on all rows.
    pub(super) history: Vec<Scored>,
}

/// The parts of a machine that a fit finds.
pub(super) struct FittedKernel<'f> {
    pub(super) prepared: &'f Prepared,
    /// The rows that are basis functions, after the transform.
    pub(super) rows: MatRef<'f>,
    /// Of each of them, for each output.
    pub(super) coefficients: &'f [f64],
    pub(super) intercept: &'f [f64],
    pub(super) calibration: &'f Calibration,
    pub(super) setting: Setting,
    pub(super) scored: Scored,
    pub(super) double: bool,
}

impl Machine {
    /// The machine of a fit on the rows of `problem`.
    pub(super) fn new(
        problem: &Problem,
        fitted: FittedKernel<'_>,
        history: &[Scored],
        pool: &Pool,
    ) -> Machine {
        let FittedKernel { prepared, rows, coefficients, intercept, calibration, setting, scored, double } =
            fitted;
        let alpha: Vec<f32> = coefficients.iter().map(|v| *v as f32).collect();
        let alpha = Matrix::new(alpha, rows.n_rows(), problem.one_hot.width());
        Machine {
            pipeline: prepared.pipeline.clone(),
            function: setting.function,
            support: Support::new(rows, alpha.view(), pool),
            intercept: intercept.to_vec(),
            calibration: calibration.clone(),
            classes: problem.one_hot.classes.clone(),
            n_classes: problem.one_hot.n_classes,
            n_features: problem.x.n_cols(),
            chosen: Chosen {
                transform: prepared.features.spec(),
                whole_transform: problem.with_transform(&prepared.features.spec()),
                gamma: scored.gamma,
                alpha: scored.alpha,
                log_loss: Some(scored.log_loss),
                double,
                history: history.to_vec(),
            },
        }
    }

    /// The outputs of the rows of `x`, row after row.
    pub(super) fn outputs(&self, x: MatRef<'_>, pool: &Pool) -> Vec<f64> {
        let blocks = pool.map(x.n_rows().div_ceil(BLOCK), |block| {
            let (start, inline) = (block * BLOCK, Pool::inline());
            let rows = self.pipeline.apply(x.rows(start, x.n_rows().min(start + BLOCK)), &inline);
            let mut outputs: Vec<f64> = self.intercept.repeat(rows.n_rows());
            self.support.add(self.function, rows.view(), &mut outputs);
            outputs
        });
        blocks.concat()
    }

    /// The class probabilities of the rows of `x`, `n_rows x n_classes`.
    pub(super) fn probabilities(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let classes = (&self.classes[..], self.n_classes);
        self.calibration.predict_proba(&self.outputs(x, pool), classes, pool)
    }
}
