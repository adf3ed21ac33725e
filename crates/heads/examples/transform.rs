//! Fits transforms on a raw binary table and transforms another with them, for `bench/referees/transforms.py`.
//!
//! ```text
//! transform TEXT TRAIN ROWS N_FEATURES JOBS
//! ```
//!
//! `TEXT` is what `--transform` takes. `TRAIN` and `ROWS` are files of little-endian 32-bit floats, row after row, of `N_FEATURES` each.
//! Writes the transformed rows to `ROWS` with the extension `out`, and one line of JSON: seconds to fit, seconds to transform, and the
//! features of a transformed row.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use headsmith_heads::transform::Spec;
use headsmith_kernels::{MatRef, Pool};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [text, train, rows, n_features, jobs] = args.as_slice() else {
        return Err("usage: transform TEXT TRAIN ROWS N_FEATURES JOBS".into());
    };
    let (n_features, pool) = (n_features.parse::<usize>()?, Pool::new(jobs.parse()?)?);
    let (train, table) = (read(Path::new(train))?, read(Path::new(rows))?);
    let table_of = |values| MatRef::new(values, <[f32]>::len(values) / n_features, n_features);
    let started = Instant::now();
    let pipeline = text.parse::<Spec>()?.fit(table_of(&train), &pool)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let transformed = pipeline.apply(table_of(&table), &pool);
    let seconds = started.elapsed().as_secs_f64();
    let bytes: Vec<u8> = transformed.as_slice().iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(Path::new(rows).with_extension("out"), bytes)?;
    println!("{}", json!({ "fit": fit_seconds, "apply": seconds, "n_features": transformed.n_cols() }));
    Ok(())
}

fn read(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect())
}
