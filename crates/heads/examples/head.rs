//! Fits any head on raw binary tables, for referees and benchmarks.
//!
//! ```text
//! head NAME TRAIN N_FEATURES N_CLASSES JOBS REPEATS [name=value..]
//! ```
//!
//! `TRAIN` names files: `TRAIN.f32`, little-endian features row after row; `TRAIN.u32`, a class a row; where rows have weights,
//! `TRAIN.weights`, a 32-bit float a row; where folds are asked for, `TRAIN.folds`, a 32-bit number a row; rows to predict, `TRAIN.query`. Writes
//! the probabilities of the queries to `TRAIN.proba`, the classes that a head decides for by itself to `TRAIN.decided` (32-bit numbers), and out-of-fold ones, where the head has a closed form of them, to `TRAIN.loo` and
//! `TRAIN.oof`: 32-bit floats; and the tensors of the fitted head to `TRAIN.fitted.NAME`. One line of JSON has the seconds of the fit, of steps that calibrate, of predictions, and
//! of one matrix product of the queries with all rows (each the least of REPEATS), those of the transform, and the head's facts.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headsmith_heads::head::Folds;
use headsmith_heads::params::{Params, Value};
use headsmith_heads::tensors::Values;
use headsmith_heads::transform::Spec;
use headsmith_heads::{Control, Event, Fitted, Head, Job, Observer, Samples, head, training};
use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, train, n_features, n_classes, jobs, repeats, given @ ..] = args.as_slice() else {
        return Err("usage: head NAME TRAIN N_FEATURES N_CLASSES JOBS REPEATS [name=value..]".into());
    };
    let head = head::find(name)?;
    let path = |extension| Path::new(train).with_extension(extension);
    let n_features: usize = n_features.parse()?;
    let (x, y) = (read(&path("f32"), f32::from_le_bytes)?, read(&path("u32"), u32::from_le_bytes)?);
    let params = params(head, given)?;
    let pool = Pool::new(jobs.parse()?)?;
    let started = Instant::now();
    let x = MatRef::new(&x, y.len(), n_features);
    let transform = params.transform().parse::<Spec>()?.fit(x, &pool)?;
    let scaled = transform.apply(x, &pool);
    let transform_seconds = started.elapsed().as_secs_f64();
    let names: Vec<String> = (0..n_classes.parse()?).map(|class| class.to_string()).collect();
    let mut samples = Samples::new(scaled.view(), &y, names.len())?.named(&names);
    let weights = optional(&path("weights"), f32::from_le_bytes)?;
    if let Some(weights) = &weights {
        samples = samples.weighted(weights)?;
    }
    let job = Job::new(samples, &params, 1, &pool);
    let (mut fit_seconds, mut calibration_seconds) = (f64::INFINITY, f64::INFINITY);
    let mut last: Option<Arc<dyn Fitted>> = None;
    for repeat in 0..repeats.parse()? {
        let started = Instant::now();
        let mut fitting = head.begin(job, None)?;
        let mut watch = Watch { calibrating: None };
        training::run(fitting.as_mut(), &mut watch, None)?;
        let calibration = watch.calibrating.map_or(Duration::ZERO, |since| since.elapsed());
        fit_seconds = fit_seconds.min((started.elapsed() - calibration).as_secs_f64());
        calibration_seconds = calibration_seconds.min(calibration.as_secs_f64());
        if repeat == 0 {
            let folds = optional(&path("folds"), u32::from_le_bytes)?;
            write(&path("loo"), fitting.out_of_fold(Folds::LeaveOneOut))?;
            write(&path("oof"), folds.and_then(|folds| fitting.out_of_fold(Folds::Of(&folds))))?;
        }
        last = Some(fitting.finish()?);
    }
    let fitted = last.ok_or("no repeats")?;
    for (name, tensor) in fitted.tensors().iter() {
        std::fs::write(Path::new(train).with_extension(format!("fitted.{name}")), raw(&tensor.values))?;
    }
    let (mut predict_seconds, mut product_seconds) = (0.0, 0.0);
    if let Some(query) = optional(&path("query"), f32::from_le_bytes)? {
        let query = transform.apply(MatRef::new(&query, query.len() / n_features, n_features), &pool);
        let repeats: usize = repeats.parse()?;
        let ((proba, decided), seconds) = least(repeats, || fitted.predict(query.view(), &pool));
        (predict_seconds, product_seconds) = (seconds, product(scaled.view(), query.view(), repeats, &pool));
        write(&path("proba"), Some(proba))?;
        if let Some(decided) = decided {
            std::fs::write(path("decided"), raw(&Values::U32(decided)))?;
        }
    }
    let description = fitted.description();
    println!(
        "{}",
        json!({ "fit": fit_seconds, "calibration": calibration_seconds, "transform": transform_seconds, "predict": predict_seconds,
            "product": product_seconds, "summary": description.summary, "facts": description.facts })
    );
    Ok(())
}

/// Knows when a calibration began.
struct Watch {
    calibrating: Option<Instant>,
}

impl Observer for Watch {
    fn on_event(&mut self, _: &Event) -> Control {
        Control::Continue
    }

    fn on_calibration(&mut self) {
        self.calibrating.get_or_insert_with(Instant::now);
    }
}

/// The last result of `work`, and the least of its seconds.
fn least<T>(repeats: usize, mut work: impl FnMut() -> T) -> (T, f64) {
    let mut timed = || {
        let started = Instant::now();
        let result = work();
        (result, started.elapsed().as_secs_f64())
    };
    let first = timed();
    (1..repeats).fold(first, |(_, least), _| {
        let (result, seconds) = timed();
        (result, least.min(seconds))
    })
}

/// The seconds of the product of the queries with all rows.
fn product(rows: MatRef<'_>, queries: MatRef<'_>, repeats: usize, pool: &Pool) -> f64 {
    let (k, n) = (queries.n_cols(), queries.n_rows());
    let values = (0..k).flat_map(|j| (0..n).map(move |i| queries.row(i)[j])).collect();
    let panels = packed(Matrix::new(values, k, n).view());
    let (panels, mut scores) = (Panels::new(&panels, k, n), Matrix::zeros(rows.n_rows(), n));
    least(repeats, || matmul(scores.view_mut(), &mut [], rows, panels, pool, |_| ())).1
}

/// Values as they are in memory.
fn raw(values: &Values) -> Vec<u8> {
    match values {
        Values::F32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Values::F64(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Values::U32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        _ => Vec::new(),
    }
}

fn params(head: &dyn Head, given: &[String]) -> Result<Params, Box<dyn Error>> {
    let mut values: Vec<(&str, Value)> = Vec::new();
    for (name, text) in given.iter().filter_map(|arg| arg.split_once('=')) {
        values.push((name, head.table().param(name)?.parse(text)?));
    }
    Ok(head.table().resolve(values)?)
}

fn write(path: &Path, proba: Option<Matrix>) -> Result<(), Box<dyn Error>> {
    if let Some(proba) = proba {
        std::fs::write(path, proba.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    Ok(())
}

fn optional<T>(path: &Path, word: fn([u8; 4]) -> T) -> Result<Option<Vec<T>>, Box<dyn Error>> {
    path.exists().then(|| read(path, word)).transpose()
}

fn read<T>(path: &Path, word: fn([u8; 4]) -> T) -> Result<Vec<T>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.as_chunks().0.iter().copied().map(word).collect())
}
