//! The check of an export: `tract` runs the file on rows like those of the training, and its predictions are compared with the model's.

mod parts;

use headsmith_heads::graph::{Graph, Typical};
use headsmith_kernels::{MatRef, Matrix, Philox, Pool};
use headsmith_metrics::decision;
use headsmith_model::Model;
use prost::Message;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use crate::error::{Error, Result};

/// The result of a check that passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// The rows that were compared.
    pub n_rows: usize,
    /// The largest difference of a probability.
    pub largest_difference: f64,
    /// Rows with a larger difference than rounding explains: where trees compare rounded values.
    pub n_beyond: usize,
    /// Rows with another label: at ties, or where trees compare rounded values.
    pub n_other_labels: usize,
}

/// The rows that are compared, where trees are not so large that fewer must do.
const MOST_ROWS: usize = 200;
const FEWEST_ROWS: usize = 20;
/// The steps in trees that the rows may take: a second or two.
const MOST_STEPS: u64 = 16_000_000;
/// The begin of a message about a file that does not run.
const BROKEN: &str = "the ONNX file cannot be run";
/// The purpose of their random numbers.
const STREAM: u32 = 0x6f6e_6e78;
/// By how much probabilities may differ.
const TOLERANCE: f64 = 1e-4;
/// One row in so many may differ where trees compare rounded values, or the head decides by votes that are ties.
const ONE_IN: usize = 100;

/// Compares the predictions of the file `bytes` with those of `model`, whose operations are `graph`.
///
/// # Errors
/// When the file cannot be run, or predicts something else.
pub(crate) fn verify(bytes: &[u8], model: &Model, graph: &Graph, pool: &Pool) -> Result<Verified> {
    let (file, n_steps) = read(bytes)?;
    let n_rows = (MOST_STEPS / n_steps.max(1)).clamp(FEWEST_ROWS as u64, MOST_ROWS as u64) as usize;
    let rows = rows(typical(model, graph).as_ref(), (n_rows, model.n_features()));
    let (proba, decided) =
        model.predict_decided(rows.view(), pool).map_err(|error| Error::new(error.to_string()))?;
    let (labels, found) = run_file(&file, rows.view())?;
    let shapes = (labels.len(), found.n_cols());
    if shapes != (n_rows, model.n_classes()) {
        return Err(Error::new(format!(
            "the ONNX file that was made gives {} labels and {} probabilities a row, expected {n_rows} and {}: nothing is written",
            shapes.0,
            shapes.1,
            model.n_classes()
        )));
    }
    let mut verified = Verified { n_rows, largest_difference: 0.0, n_beyond: 0, n_other_labels: 0 };
    let mut n_unclear = 0;
    for (i, label) in labels.iter().enumerate() {
        let found = found.row(i);
        let own = proba.row(i);
        let difference = own.iter().zip(found).map(|(a, b)| difference(*a, *b)).fold(0.0, f64::max);
        verified.n_beyond += usize::from(difference > TOLERANCE);
        verified.largest_difference = verified.largest_difference.max(difference);
        if *label != model.classes()[decided[i] as usize] {
            verified.n_other_labels += 1;
            n_unclear += usize::from(!is_tie(own, model.decision()));
        }
    }
    let n_may = n_rows.div_ceil(ONE_IN);
    let (may_be_off, may_be_unclear) = (
        if graph.compares_rounded() { n_may } else { 0 },
        if graph.compares_rounded() || model.node().decides() { n_may } else { 0 },
    );
    if verified.n_beyond > may_be_off || n_unclear > may_be_unclear {
        return Err(Error::new(format!(
            "the ONNX file that was made predicts something else than the model, so nothing is written: of {n_rows} rows, {} have \
             probabilities that differ by more than {TOLERANCE:e}, and {} another label; please report it with the model's head ({})",
            verified.n_beyond,
            verified.n_other_labels,
            model.head_name()
        )));
    }
    Ok(verified)
}

/// The difference of two probabilities; none of two that are not numbers.
fn difference(a: f32, b: f32) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) => (f64::from(a) - f64::from(b)).abs(),
        _ => 1.0,
    }
}

/// Whether two classes are about as good as the decided one.
fn is_tie(proba: &[f32], offsets: &[f64]) -> bool {
    let factors = decision::factors(offsets).unwrap_or_else(|| vec![1.0; proba.len()]);
    let mut scores: Vec<f64> = proba.iter().zip(&factors).map(|(p, factor)| f64::from(*p) * factor).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.len() < 2 || scores[0] - scores[1] <= 2.0 * TOLERANCE
}

/// The training rows by the statistics in the model's file; of an older file, by what its heads know.
fn typical(model: &Model, graph: &Graph) -> Option<Typical> {
    let n = model.n_features();
    let of_record = model.record().features.as_ref();
    let of_record = of_record.filter(|features| features.mean.len() == n && features.std.len() == n);
    let double = |values: &[f32]| values.iter().copied().map(f64::from).collect();
    let of_record =
        of_record.map(|features| Typical { centre: double(&features.mean), spread: double(&features.std) });
    of_record.or_else(|| graph.typical().cloned())
}

/// Rows around the middle of what is known of the training rows, every fourth of them further out, and one of zeros.
fn rows(typical: Option<&Typical>, (n_rows, n_features): (usize, usize)) -> Matrix {
    let mut draws = Philox::new(0, 0, STREAM).sequence(0, 0);
    let mut rows = Matrix::zeros(n_rows, n_features);
    for i in 1..n_rows {
        let width = if i % 4 == 0 { 3.0 } else { 1.0 };
        for (j, to) in rows.row_mut(i).iter_mut().enumerate() {
            let normal = width * draws.normal();
            *to = match typical {
                Some(typical) => (typical.centre[j] + typical.spread[j] * normal) as f32,
                None => normal as f32,
            };
        }
    }
    rows
}

/// The labels and the probabilities (`n_samples x n_classes`) of the rows of `x`, as `tract` computes them from the file `bytes`.
///
/// # Errors
/// When it cannot: the file is damaged, or has operators that `tract` has not.
pub fn run(bytes: &[u8], x: MatRef<'_>) -> Result<(Vec<String>, Matrix)> {
    run_file(&read(bytes)?.0, x)
}

/// The file with its trees in parts, and the steps that a row takes in them.
fn read(bytes: &[u8]) -> Result<(ModelProto, u64)> {
    let mut file = ModelProto::decode(bytes).map_err(|error| Error::new(format!("{BROKEN}: {error}")))?;
    let n_steps = parts::divide(&mut file);
    Ok((file, n_steps))
}

fn run_file(file: &ModelProto, x: MatRef<'_>) -> Result<(Vec<String>, Matrix)> {
    try_run(file, x).map_err(|error| Error::new(format!("{BROKEN}: {error:#}")))
}

fn try_run(file: &ModelProto, x: MatRef<'_>) -> TractResult<(Vec<String>, Matrix)> {
    let shape = [x.n_rows(), x.n_cols()];
    let model = tract_onnx::onnx().model_for_proto_model(file)?;
    let plan = model.with_input_fact(0, f32::fact(shape).into())?.into_optimized()?.into_runnable()?;
    let outputs = plan.run(tvec!(Tensor::from_shape(&shape, x.as_slice())?.into()))?;
    let labels = outputs[0].to_plain_array_view::<String>()?.iter().cloned().collect();
    let proba: Vec<f32> = outputs[1].to_plain_array_view::<f32>()?.iter().copied().collect();
    let n_classes = proba.len() / x.n_rows().max(1);
    Ok((labels, Matrix::new(proba, x.n_rows(), n_classes)))
}
