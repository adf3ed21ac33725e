//! The calibration of probabilities: of those of any head, or of several together.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::isotonic::Isotonic;
use super::targets::{Targets, log, log_graph, sample};
use super::vector::{Rows, Scaling};
use super::{Calibration, Form, Outputs, fit};
use crate::error::{Error, Result};
use crate::graph::{Graph, Var};
use crate::tensors::{Tensors, Values};

/// The form of a calibration of probabilities p, from the simplest to the one with most numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbabilityForm {
    /// The probabilities as they are.
    Identity,
    /// `logit_k = s log p_k`.
    Temperature,
    /// `logit_k = s_k log p_k + b_k`.
    Vector,
    /// `logit_k = sum_j a_kj log p_j + sum_j q_kj (log p_j)^2 + b_k`.
    Quadratic,
    /// A rising function of each class's probability, divided by the sum over the classes.
    Isotonic,
}

/// The forms in the order in which a choice prefers them.
pub(super) const FORMS: [ProbabilityForm; 5] = [
    ProbabilityForm::Identity,
    ProbabilityForm::Temperature,
    ProbabilityForm::Vector,
    ProbabilityForm::Quadratic,
    ProbabilityForm::Isotonic,
];

impl ProbabilityForm {
    /// Its name in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            ProbabilityForm::Identity => "identity",
            ProbabilityForm::Temperature => "temperature",
            ProbabilityForm::Vector => "vector",
            ProbabilityForm::Quadratic => "quadratic",
            ProbabilityForm::Isotonic => "isotonic",
        }
    }

    /// The numbers of its fit, for `n` classes; those of the isotonic form are as many as the rows ask for.
    pub(super) fn n_numbers(self, n: usize) -> usize {
        match self {
            ProbabilityForm::Identity => 0,
            ProbabilityForm::Temperature => 1,
            ProbabilityForm::Vector => 2 * n,
            ProbabilityForm::Quadratic => n * (2 * n + 1),
            ProbabilityForm::Isotonic => usize::MAX,
        }
    }

    /// The form of this name.
    pub fn find(name: &str) -> Option<ProbabilityForm> {
        FORMS.into_iter().find(|form| form.name() == name)
    }
}

/// A fitted calibration of probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbabilityCalibration {
    n_classes: usize,
    function: Function,
}

/// The function of a row's probabilities, or of their logarithms.
#[derive(Debug, Clone, PartialEq)]
enum Function {
    Identity,
    Temperature(Scaling),
    Vector(Scaling),
    Quadratic(Calibration),
    Isotonic(Isotonic),
}

/// Rows for each number of a calibration: with more, its loss could be less by 1 / 1000 nats. So many logits are quick to fit, and all are used.
const ENOUGH_ROWS: usize = 500;
const ENOUGH_LOGITS: usize = 300_000;
/// Rows that one thread calibrates at a time.
const PIECE: usize = 256;
/// The largest slope or intercept of a stored calibration: logits stay finite.
const LARGEST: f64 = 1e30;

/// Probabilities of rows that their heads did not see, and the rows' classes.
pub(super) struct Inputs<'a> {
    pub(super) proba: MatRef<'a>,
    pub(super) targets: Targets<'a>,
    logs: Matrix,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(proba: MatRef<'a>, targets: Targets<'a>, pool: &Pool) -> Inputs<'a> {
        assert_eq!(proba.n_rows(), targets.len(), "probabilities of other rows");
        let (mut logs, n_classes) = (Matrix::zeros(proba.n_rows(), proba.n_cols()), proba.n_cols());
        pool.for_each_chunk(logs.as_mut_slice(), (PIECE * n_classes).max(1), |piece, logs| {
            let proba = &proba.as_slice()[piece * PIECE * n_classes..];
            logs.iter_mut().zip(proba).for_each(|(to, p)| *to = log(*p) as f32);
        });
        Inputs { proba, targets, logs }
    }

    /// The calibration of some of the rows, or of an even part of them where that is enough for its numbers; the identity where there are none.
    pub(super) fn fit(&self, rows: &[usize], form: ProbabilityForm, pool: &Pool) -> ProbabilityCalibration {
        let n_classes = self.proba.n_cols();
        let enough = ENOUGH_ROWS.saturating_mul(form.n_numbers(n_classes));
        let enough = enough.max(ENOUGH_LOGITS / n_classes.max(1));
        let rows: &[usize] = &sample(rows.len(), enough).into_iter().map(|at| rows[at]).collect::<Vec<_>>();
        let scaling = |is_shared| {
            Scaling::fit(Rows { logs: self.logs.view(), targets: self.targets, rows }, is_shared, pool)
        };
        let function = match form {
            _ if rows.is_empty() => Function::Identity,
            ProbabilityForm::Identity => Function::Identity,
            ProbabilityForm::Temperature => Function::Temperature(scaling(true)),
            ProbabilityForm::Vector => Function::Vector(scaling(false)),
            ProbabilityForm::Quadratic => Function::Quadratic(self.quadratic(rows, pool)),
            ProbabilityForm::Isotonic => {
                Function::Isotonic(Isotonic::fit(self.proba, self.targets, rows, pool))
            }
        };
        ProbabilityCalibration { n_classes: self.proba.n_cols(), function }
    }

    fn quadratic(&self, rows: &[usize], pool: &Pool) -> Calibration {
        let values: Vec<f64> =
            rows.iter().flat_map(|&i| self.logs.row(i)).map(|value| f64::from(*value)).collect();
        let target: Vec<usize> = rows.iter().map(|&i| self.targets.class(i)).collect();
        let weights: Vec<f64> = rows.iter().map(|&i| self.targets.weight(i)).collect();
        let outputs = Outputs { values: &values, n: self.proba.n_cols(), target: &target, weights: &weights };
        fit(outputs, Form::Quadratic, pool).0
    }
}

impl ProbabilityCalibration {
    /// The calibration of `n_classes` probabilities that leaves them as they are.
    pub fn identity(n_classes: usize) -> ProbabilityCalibration {
        ProbabilityCalibration { n_classes, function: Function::Identity }
    }

    /// Fits a calibration of this form to probabilities (`n_samples x n_classes`) of rows that were not learnt from. Probabilities below 1e-6 count as
    /// 1e-6 in all forms but `Identity` and `Isotonic`. A class without rows becomes improbable. The same bytes for any number of threads.
    ///
    /// # Panics
    /// When there are other rows than targets, or a row's class has no column.
    pub fn fit(
        proba: MatRef<'_>,
        targets: Targets<'_>,
        form: ProbabilityForm,
        pool: &Pool,
    ) -> ProbabilityCalibration {
        let rows: Vec<usize> = (0..targets.len()).collect();
        Inputs::new(proba, targets, pool).fit(&rows, form, pool)
    }

    /// Its form.
    pub fn form(&self) -> ProbabilityForm {
        match self.function {
            Function::Identity => ProbabilityForm::Identity,
            Function::Temperature(_) => ProbabilityForm::Temperature,
            Function::Vector(_) => ProbabilityForm::Vector,
            Function::Quadratic(_) => ProbabilityForm::Quadratic,
            Function::Isotonic(_) => ProbabilityForm::Isotonic,
        }
    }

    /// The classes whose probabilities it takes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The slope of the logarithms, where one slope is all there is: above 1, probabilities become more certain.
    pub fn slope(&self) -> Option<f64> {
        match &self.function {
            Function::Temperature(scaling) => scaling.slope.first().copied(),
            _ => None,
        }
    }

    /// The calibrated probabilities of the rows of `proba`, `n_samples x n_classes`. A row's bytes do not depend on the rows around it.
    ///
    /// # Panics
    /// When `proba` has other classes.
    pub fn apply(&self, proba: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(proba.n_cols(), self.n_classes, "probabilities of other classes");
        let n_classes = self.n_classes.max(1);
        let mut calibrated = proba.to_matrix();
        if self.function == Function::Identity {
            return calibrated;
        }
        pool.for_each_chunk(calibrated.as_mut_slice(), PIECE * n_classes, |_, rows| {
            let [mut z, mut out] = [vec![0.0; n_classes], vec![0.0; n_classes]];
            for row in rows.chunks_exact_mut(n_classes) {
                self.row(row, &mut z, &mut out);
                row.iter_mut().zip(&out).for_each(|(p, out)| *p = *out as f32);
            }
        });
        calibrated
    }

    fn row(&self, proba: &[f32], z: &mut [f64], out: &mut [f64]) {
        let logs = |to: &mut [f64]| to.iter_mut().zip(proba).for_each(|(to, p)| *to = log(*p));
        match &self.function {
            Function::Identity => out.iter_mut().zip(proba).for_each(|(to, p)| *to = f64::from(*p)),
            Function::Temperature(scaling) | Function::Vector(scaling) => {
                logs(out);
                scaling.row(out);
            }
            Function::Quadratic(calibration) => {
                logs(z);
                calibration.row(z, out);
            }
            Function::Isotonic(isotonic) => isotonic.row(proba, out),
        }
    }

    /// The calibrated probabilities as operations of a graph.
    pub fn graph(&self, graph: &mut Graph, proba: Var) -> Var {
        let all: Vec<usize> = (0..self.n_classes).collect();
        let calibrated = match &self.function {
            Function::Identity => proba,
            Function::Temperature(scaling) | Function::Vector(scaling) => {
                let logs = log_graph(graph, proba);
                scaling.graph(graph, logs)
            }
            Function::Quadratic(calibration) => {
                let logs = log_graph(graph, proba);
                calibration.graph(graph, logs, &all, self.n_classes)
            }
            Function::Isotonic(isotonic) => isotonic.graph(graph, proba),
        };
        graph.float(calibrated)
    }

    /// Its arrays, for a file that also has the name of its [`form`](ProbabilityCalibration::form).
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        tensors.insert("n_classes", &[1], Values::U32(vec![self.n_classes as u32]));
        match &self.function {
            Function::Identity => {}
            Function::Temperature(scaling) => {
                tensors.insert("slope", &[1], Values::F64(scaling.slope.clone()));
            }
            Function::Vector(scaling) => {
                tensors.insert("slope", &[self.n_classes], Values::F64(scaling.slope.clone()));
                tensors.insert("bias", &[self.n_classes], Values::F64(scaling.bias.clone()));
            }
            Function::Quadratic(calibration) => calibration.store(&mut tensors),
            Function::Isotonic(isotonic) => isotonic.store(&mut tensors),
        }
        tensors
    }

    /// Restores a calibration from the name of its form and its arrays. Both may be damaged or hostile.
    ///
    /// # Errors
    /// When there is no such form, or an array is missing, unknown, of the wrong shape, or holds what no fit gives.
    pub fn restore(form: &str, mut tensors: Tensors) -> Result<ProbabilityCalibration> {
        let form = ProbabilityForm::find(form)
            .ok_or_else(|| Error::stored(format!("there is no calibration of the form `{form}`")))?;
        let n_classes = tensors.take_u32("n_classes", &[1])?[0] as usize;
        let function = match form {
            ProbabilityForm::Identity => Function::Identity,
            ProbabilityForm::Temperature => {
                Function::Temperature(Scaling { slope: bounded(&mut tensors, "slope", 1)?, bias: Vec::new() })
            }
            ProbabilityForm::Vector => Function::Vector(Scaling {
                slope: bounded(&mut tensors, "slope", n_classes)?,
                bias: bounded(&mut tensors, "bias", n_classes)?,
            }),
            ProbabilityForm::Quadratic => Function::Quadratic(Calibration::restore(&mut tensors, n_classes)?),
            ProbabilityForm::Isotonic => Function::Isotonic(Isotonic::restore(&mut tensors, n_classes)?),
        };
        tensors.check_empty("a calibration")?;
        Ok(ProbabilityCalibration { n_classes, function })
    }
}

/// Takes out `n` numbers that are finite and not too large to compute with.
fn bounded(tensors: &mut Tensors, name: &str, n: usize) -> Result<Vec<f64>> {
    let values = tensors.take_f64(name, &[n])?;
    match values.iter().find(|v| v.is_nan() || v.abs() > LARGEST) {
        Some(v) => Err(Error::stored(format!("tensor `{name}` holds {v:?}, expected {LARGEST:e} at most"))),
        None => Ok(values),
    }
}

#[cfg(test)]
mod tests;
