//! Loads a model and predicts a table, which may be larger than memory.

use std::path::Path;

use headsmith::data::ReadOptions;
use headsmith::{PredictOptions, Session, model_file};

fn main() -> headsmith::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let model = model_file::load(&Path::new(&folder).join("model.safetensors"))?;
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sentences/val.parquet");
    let options = PredictOptions::new(Path::new(&folder).join("predictions.parquet"));
    let predicted = Session::new().predict(&model, table, &ReadOptions::default(), &options)?;
    println!("{} rows, {} of the first class", predicted.n_rows, predicted.counts[0].count);
    Ok(())
}
