//! Fits a forest on raw binary tables and says how long it took, for `bench/referees/forest.py`.
//!
//! ```text
//! forest TRAIN VAL N_FEATURES N_CLASSES JOBS SEED.. [head=extra-trees] [name=value..]
//! ```
//!
//! `TRAIN` and `VAL` name pairs of files: `TRAIN.f32`, little-endian features row after row, and `TRAIN.u32`, a class
//! a row; `TRAIN.weights`, if it is there, holds a weight a row, as little-endian `f32`. For each seed, one line of JSON: seconds to fit, seconds to predict the training rows and the validation rows (the least of three),
//! accuracy and weighted F1 on the validation rows, nodes and depth.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use headsmith_heads::params::{Table, Value};
use headsmith_heads::{Control, Event, Samples, forest};
use headsmith_kernels::{MatRef, Pool};
use headsmith_metrics::Confusion;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [train, val, n_features, n_classes, jobs, rest @ ..] = args.as_slice() else {
        return Err("usage: forest TRAIN VAL N_FEATURES N_CLASSES JOBS SEED.. [name=value..]".into());
    };
    let (n_features, n_classes) = (n_features.parse()?, n_classes.parse()?);
    let (x, y) = read(train)?;
    let (val_x, val_y) = read(val)?;
    let weights = weights(train)?;
    let mut samples = Samples::new(MatRef::new(&x, y.len(), n_features), &y, n_classes)?;
    if let Some(weights) = &weights {
        samples = samples.weighted(weights)?;
    }
    let val_x = MatRef::new(&val_x, val_y.len(), n_features);
    let (heads, given): (Vec<_>, Vec<_>) =
        rest.iter().filter_map(|arg| arg.split_once('=')).partition(|(name, _)| *name == "head");
    let table = heads.last().map_or(Ok(&forest::TABLE), |(_, head)| table(head))?;
    let given: Vec<(&str, Value)> = given
        .into_iter()
        .map(|(name, text)| Ok((name, parse(table, name, text)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let params = table.resolve(given)?;
    let pool = Pool::new(jobs.parse()?)?;
    for seed in rest.iter().filter(|arg| !arg.contains('=')) {
        let started = Instant::now();
        let fitted = forest::fit(samples, &params, seed.parse()?, &pool, &mut |_: &Event| Control::Continue)?;
        let fit_seconds = started.elapsed().as_secs_f64();
        let predict_seconds = seconds(&fitted, samples.x(), &pool);
        let val_seconds = seconds(&fitted, val_x, &pool);
        let confusion = Confusion::of(&val_y, fitted.predict_proba(val_x, &pool).view());
        println!(
            r#"{{"fit": {fit_seconds}, "predict": {predict_seconds}, "predict_val": {val_seconds}, "accuracy": {}, "weighted_f1": {}, "nodes": {}, "depth": {}}}"#,
            confusion.accuracy(),
            confusion.weighted_f1(),
            fitted.n_nodes(),
            fitted.max_depth()
        );
    }
    Ok(())
}

/// The least seconds of three predictions.
fn seconds(forest: &forest::Forest, x: MatRef<'_>, pool: &Pool) -> f64 {
    let times = (0..3).map(|_| {
        let started = Instant::now();
        forest.predict_proba(x, pool);
        started.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

fn table(head: &str) -> Result<&'static Table, Box<dyn Error>> {
    let known = [&forest::TABLE, &forest::EXTRA_TABLE];
    Ok(known.into_iter().find(|table| table.head == head).ok_or_else(|| format!("{head} is no forest"))?)
}

fn parse(table: &Table, name: &str, text: &str) -> Result<Value, Box<dyn Error>> {
    let param = table.find(name).ok_or_else(|| format!("the forest has no parameter {name}"))?;
    Ok(param.parse(text)?)
}

fn read(stem: &str) -> Result<(Vec<f32>, Vec<u32>), Box<dyn Error>> {
    let x = words(stem, "f32")?.into_iter().map(f32::from_le_bytes).collect();
    let y = words(stem, "u32")?.into_iter().map(u32::from_le_bytes).collect();
    Ok((x, y))
}

fn weights(stem: &str) -> Result<Option<Vec<f32>>, Box<dyn Error>> {
    if !Path::new(stem).with_extension("weights").exists() {
        return Ok(None);
    }
    Ok(Some(words(stem, "weights")?.into_iter().map(f32::from_le_bytes).collect()))
}

fn words(stem: &str, extension: &str) -> Result<Vec<[u8; 4]>, Box<dyn Error>> {
    Ok(std::fs::read(Path::new(stem).with_extension(extension))?.as_chunks().0.to_vec())
}
