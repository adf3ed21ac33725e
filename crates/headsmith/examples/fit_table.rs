//! Fits a head on a table in any format that the command reads, and writes the model.

use std::path::Path;

use headsmith::data::ReadOptions;
use headsmith::{HeadConfig, Session, model_file};

fn main() -> headsmith::Result<()> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sentences/val.parquet");
    let mut session = Session::new().seed(42);
    let data = session.read(table, &ReadOptions::default(), 0.2)?;
    let fitted = session.fit(&HeadConfig::new("forest", [("n_estimators", 20.into())])?, &data)?;
    let scores = &fitted.report.val.as_ref().expect("a fifth of the rows validates").scores;
    println!("weighted F1 {:.4} on {} rows", scores.weighted_f1, scores.n_samples);
    model_file::save(&fitted.model, Path::new(&std::env::temp_dir().join("model.safetensors")))
}
