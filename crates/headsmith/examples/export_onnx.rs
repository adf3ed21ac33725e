//! Loads a model and exports it to ONNX, for other runtimes.

use std::path::Path;

use headsmith::export::{self, Options};
use headsmith::{Pool, model_file};

fn main() -> headsmith::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let model = model_file::load(&Path::new(&folder).join("model.safetensors"))?;
    let exported = export::onnx(&model, Options::default())?;
    let out = Path::new(&folder).join("model.onnx");
    let written = export::write(&exported, &model, &out, &Pool::inline())?;
    println!("{} bytes, compared on {} rows", written.n_bytes, written.n_compared);
    Ok(())
}
