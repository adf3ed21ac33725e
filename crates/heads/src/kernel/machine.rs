//! A fitted kernel machine.

use headsmith_kernels::gemm::{Panels, matmul, packed, unpack};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::function::{Evaluate, Function, squared_norms};
use super::problem::Problem;
use super::refine::Prepared;
use super::screen::Scored;
use super::trial::Setting;
use crate::affine::transposed;
use crate::calibration::Calibration;
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
    pub(super) transform: String,
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

/// The training rows as predictions read them, with their coefficients.
#[derive(Debug)]
pub(super) struct Support {
    pub(super) n_rows: usize,
    pub(super) n_cols: usize,
    pub(super) n_outputs: usize,
    parts: Vec<Part>,
}

/// Some training rows, transposed and packed.
#[derive(Debug)]
struct Part {
    rows: Buffer,
    norms: Vec<f32>,
    alpha: Buffer,
}

/// Training rows of a part, and rows that are predicted together: their products stay in a second-level cache.
const PART: usize = 1024;
const BLOCK: usize = 128;

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

impl Support {
    /// The rows `x` with coefficients `alpha`.
    pub(super) fn new(x: MatRef<'_>, alpha: MatRef<'_>, pool: &Pool) -> Support {
        let (n_rows, n_cols, n_outputs) = (x.n_rows(), x.n_cols(), alpha.n_cols());
        let parts = pool.map(n_rows.div_ceil(PART), |part| {
            let (start, end) = (part * PART, n_rows.min((part + 1) * PART));
            let rows = x.rows(start, end);
            Part {
                rows: packed(transposed(rows).view()),
                norms: squared_norms(rows),
                alpha: packed(alpha.rows(start, end)),
            }
        });
        Support { n_rows, n_cols, n_outputs, parts }
    }

    /// Adds `sum_i alpha_i k(x, x_i)` to the outputs of each row of `x`.
    fn add(&self, function: Function, x: MatRef<'_>, outputs: &mut [f64]) {
        let (inline, norms) = (Pool::inline(), squared_norms(x));
        for part in &self.parts {
            let n = part.norms.len();
            let mut values = Matrix::zeros(x.n_rows(), n);
            let rows = Panels::new(&part.rows, self.n_cols, n);
            matmul(values.view_mut(), &mut [], x, rows, &inline, |_| ());
            for (i, norm) in norms.iter().enumerate() {
                f32::evaluate(function, values.row_mut(i), *norm, &part.norms);
            }
            let mut sums = Matrix::zeros(x.n_rows(), self.n_outputs);
            let alpha = Panels::new(&part.alpha, n, self.n_outputs);
            matmul(sums.view_mut(), &mut [], values.view(), alpha, &inline, |_| ());
            outputs.iter_mut().zip(sums.as_slice()).for_each(|(to, v)| *to += f64::from(*v));
        }
    }

    /// The rows, and their coefficients.
    pub(super) fn unpacked(&self) -> (Vec<f32>, Vec<f32>) {
        let (mut rows, mut alphas) = (Vec::new(), Vec::new());
        for part in &self.parts {
            let n = part.norms.len();
            let mut turned = Matrix::zeros(self.n_cols, n);
            unpack(turned.as_mut_slice(), Panels::new(&part.rows, self.n_cols, n));
            rows.extend(transposed(turned.view()).into_vec());
            let mut alpha = vec![0.0; n * self.n_outputs];
            unpack(&mut alpha, Panels::new(&part.alpha, n, self.n_outputs));
            alphas.extend(alpha);
        }
        (rows, alphas)
    }
}
