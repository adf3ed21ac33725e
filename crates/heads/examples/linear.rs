//! Fits a logistic regression on raw binary tables and writes its coefficients, for `bench/referees/linear.py`.
//!
//! ```text
//! linear TRAIN N_FEATURES N_CLASSES JOBS REPEATS [name=value..]
//! ```
//!
//! `TRAIN` names files: `TRAIN.f32`, little-endian features row after row; `TRAIN.u32`, a class a row; and, where rows have
//! weights, `TRAIN.weights`, a 32-bit float a row. Writes `TRAIN.coef` (`n_classes x n_features`) and `TRAIN.intercept`, 32-bit
//! floats, and one line of JSON: seconds to fit (the least of REPEATS), seconds to predict the training rows, iterations,
//! objective, whether the minimum was found, and the chosen strength with the losses of the path.
//!
//! With `path=C,C,..` all these strengths are fitted one after another, and the files have the coefficients of all.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use headsmith_heads::params::Value;
use headsmith_heads::{Control, Event, Samples, linear};
use headsmith_kernels::{MatRef, Pool};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [train, n_features, n_classes, jobs, repeats, given @ ..] = args.as_slice() else {
        return Err("usage: linear TRAIN N_FEATURES N_CLASSES JOBS REPEATS [name=value..]".into());
    };
    let path = |extension| Path::new(train).with_extension(extension);
    let (x, y) = (read(&path("f32"), f32::from_le_bytes)?, read(&path("u32"), u32::from_le_bytes)?);
    let mut samples = Samples::new(MatRef::new(&x, y.len(), n_features.parse()?), &y, n_classes.parse()?)?;
    let weights = path("weights").exists().then(|| read(&path("weights"), f32::from_le_bytes)).transpose()?;
    if let Some(weights) = &weights {
        samples = samples.weighted(weights)?;
    }
    let names: Vec<String> = (0..samples.n_classes()).map(|class| class.to_string()).collect();
    let samples = samples.named(&names);
    let given: Vec<(&str, &str)> = given.iter().filter_map(|arg| arg.split_once('=')).collect();
    let path_of = given.iter().find(|(name, _)| *name == "path").map(|(_, cs)| *cs);
    let given = given.iter().copied().filter(|(name, _)| *name != "path");
    let given: Vec<(&str, Value)> =
        given.map(|(name, text)| Ok((name, parse(name, text)?))).collect::<Result<_, Box<dyn Error>>>()?;
    let (params, pool) = (linear::TABLE.resolve(given)?, Pool::new(jobs.parse()?)?);
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    if let Some(cs) = path_of {
        let cs: Vec<f64> = cs.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let (mut best, mut heads) = (f64::INFINITY, Vec::new());
        for _ in 0..repeats.parse()? {
            let started = Instant::now();
            heads = linear::path(samples, &params, &cs, &pool)?;
            best = best.min(started.elapsed().as_secs_f64());
        }
        let coefs: Vec<u8> = heads.iter().flat_map(|head| bytes(head.coef().as_slice())).collect();
        let intercepts: Vec<u8> = heads.iter().flat_map(|head| bytes(head.intercept())).collect();
        std::fs::write(path("coef"), coefs)?;
        std::fs::write(path("intercept"), intercepts)?;
        let solutions = heads.iter().filter_map(|head| head.solution());
        let solutions: Vec<_> = solutions.map(|s| json!([s.n_iter, s.objective, s.converged])).collect();
        println!("{}", json!({ "fit": best, "solutions": solutions }));
        return Ok(());
    }
    let fit = || {
        let started = Instant::now();
        let head = linear::fit(samples, &params, &pool, &mut |_: &Event| Control::Continue)?;
        Ok::<_, Box<dyn Error>>((head, started.elapsed().as_secs_f64()))
    };
    let (head, mut fit_seconds) = fit()?;
    for _ in 1..repeats.parse()? {
        fit_seconds = fit_seconds.min(fit()?.1);
    }
    let started = Instant::now();
    head.predict_proba(samples.x(), &pool);
    let predict_seconds = started.elapsed().as_secs_f64();
    std::fs::write(path("coef"), bytes(head.coef().as_slice()))?;
    std::fs::write(path("intercept"), bytes(head.intercept()))?;
    let solution = head.solution().ok_or("no solution")?;
    println!(
        "{}",
        json!({
            "fit": fit_seconds, "predict": predict_seconds, "n_iter": solution.n_iter,
            "objective": solution.objective, "converged": solution.converged,
            "c": head.choice().map(|choice| choice.c), "path": head.choice().map(|choice| &choice.losses),
        })
    );
    Ok(())
}

fn parse(name: &str, text: &str) -> Result<Value, Box<dyn Error>> {
    let param = linear::TABLE.find(name).ok_or_else(|| format!("the head has no parameter {name}"))?;
    Ok(param.parse(text)?)
}

fn read<T>(path: &Path, word: fn([u8; 4]) -> T) -> Result<Vec<T>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.as_chunks().0.iter().copied().map(word).collect())
}
