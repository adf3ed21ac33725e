//! The Open Inference Protocol, version 2, as KServe and Triton have it, with the extension for binary tensors.

mod answer;
mod datatype;
mod request;

use serde_json::{Value, json};

use crate::models::ServedModel;
use crate::route::MODEL_VERSION;

pub(crate) use answer::{check_outputs, encode};
pub(crate) use request::{InferRequest, JSON_LENGTH, json_length};

/// The name of the input.
const EMBEDDINGS: &str = "embeddings";
/// The names of the outputs: the class of each row, the probabilities, and whether each class is in the row's prediction set.
const LABEL: &str = "label";
const PROBABILITIES: &str = "probabilities";
const IN_SET: &str = "in_set";

/// The outputs that a model has.
fn outputs(model: &ServedModel) -> Vec<&'static str> {
    let sets = model.model.sets().map(|_| IN_SET);
    [LABEL, PROBABILITIES].into_iter().chain(sets).collect()
}

/// The metadata of the server.
pub(crate) fn server() -> Value {
    json!({ "name": "headsmith", "version": env!("CARGO_PKG_VERSION"), "extensions": ["binary_tensor_data"] })
}

/// The metadata of a model.
pub(crate) fn model(model: &ServedModel) -> Value {
    let (n_features, n_classes) = (model.model.n_features(), model.model.n_classes());
    let output = |name: &&str| match *name {
        LABEL => json!({ "name": name, "datatype": "BYTES", "shape": [-1] }),
        IN_SET => json!({ "name": name, "datatype": "BOOL", "shape": [-1, n_classes] }),
        _ => json!({ "name": name, "datatype": "FP32", "shape": [-1, n_classes] }),
    };
    json!({
        "name": model.name,
        "versions": [MODEL_VERSION],
        "platform": "headsmith",
        "inputs": [{ "name": EMBEDDINGS, "datatype": "FP32", "shape": [-1, n_features] }],
        "outputs": outputs(model).iter().map(output).collect::<Vec<_>>(),
    })
}
