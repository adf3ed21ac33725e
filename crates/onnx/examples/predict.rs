//! Labels and probabilities of rows by an exported model: `predict MODEL.onnx < ROWS.json`

use tract_onnx::prelude::*;

fn main() -> TractResult<()> {
    let rows: Vec<Vec<f32>> = serde_json::from_reader(std::io::stdin())?;
    let shape = [rows.len(), rows.first().map_or(0, Vec::len)];
    let model = tract_onnx::onnx().model_for_path(std::env::args().nth(1).unwrap_or_default())?;
    let plan = model.with_input_fact(0, f32::fact(shape).into())?.into_optimized()?.into_runnable()?;
    let outputs = plan.run(tvec!(Tensor::from_shape(&shape, &rows.concat())?.into()))?;
    let (labels, proba) =
        (outputs[0].to_plain_array_view::<String>()?, outputs[1].to_plain_array_view::<f32>()?);
    for (label, row) in labels.iter().zip(proba.rows()) {
        println!("{label} {}", row.iter().map(f32::to_string).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
