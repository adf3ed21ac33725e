//! The answer to an infer request: JSON, after which the bytes of tensors may follow.

use serde::Serialize;
use serde_json::{Value, json};

use super::request::InferRequest;
use super::{IN_SET, LABEL, outputs};
use crate::failure::{Failure, Result, shown};
use crate::models::ServedModel;
use crate::queue::Prediction;
use crate::route::MODEL_VERSION;

/// The bytes of an answer.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    /// The length of the JSON, where binary data follows.
    pub(crate) json_length: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    model_name: &'a str,
    model_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<Tensor<'a>>,
}

#[derive(Debug, Serialize)]
struct Tensor<'a> {
    name: &'static str,
    datatype: &'static str,
    shape: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

/// The numbers of a tensor, flat.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Text(Vec<&'a str>),
    Numbers(&'a [f32]),
    Flags(Vec<bool>),
}

impl Data<'_> {
    /// The data as the binary extension has it.
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Data::Text(texts) => {
                let one = |text: &&str| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
                texts.iter().flat_map(one).collect()
            }
            Data::Numbers(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Data::Flags(flags) => flags.iter().map(|flag| u8::from(*flag)).collect(),
        }
    }
}

/// The outputs that a request asks for, and whether each is to be binary.
///
/// # Errors
/// When the model has not one of them.
fn asked(request: &InferRequest, model: &ServedModel) -> Result<Vec<(&'static str, bool)>> {
    let known = outputs(model);
    let Some(asked) = &request.outputs else {
        return Ok(known.into_iter().map(|name| (name, request.is_binary)).collect());
    };
    let find = |(name, is_binary): &(String, bool)| match known.iter().find(|known| **known == name.as_str())
    {
        Some(name) => Ok((*name, *is_binary)),
        None => {
            Err(Failure::bad(format!("there is no output `{}`, expected {}", shown(name), known.join(", "))))
        }
    };
    asked.iter().map(find).collect()
}

/// Refuses a request for outputs that the model has not.
pub(crate) fn check_outputs(request: &InferRequest, model: &ServedModel) -> Result<()> {
    asked(request, model).map(drop)
}

/// The bytes of the answer to a request.
///
/// # Errors
/// When it asks for an output that the model has not.
pub(crate) fn encode(
    request: &InferRequest,
    model: &ServedModel,
    prediction: &Prediction,
) -> Result<Encoded> {
    let mut binary = Vec::new();
    let tensors = asked(request, model)?.into_iter().map(|(name, is_binary)| {
        let mut tensor = tensor(name, model, prediction);
        if let Some(data) = tensor.data.take_if(|_| is_binary) {
            let bytes = data.to_bytes();
            tensor.parameters = Some(json!({ "binary_data_size": bytes.len() }));
            binary.extend(bytes);
        }
        tensor
    });
    let outputs: Vec<Tensor<'_>> = tensors.collect();
    let is_binary = outputs.iter().any(|output| output.parameters.is_some());
    let answer =
        Answer { model_name: &model.name, model_version: MODEL_VERSION, id: request.id.as_deref(), outputs };
    let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
    let json_length = is_binary.then_some(bytes.len());
    bytes.extend(binary);
    Ok(Encoded { bytes, json_length })
}

fn tensor<'p>(name: &'static str, model: &'p ServedModel, prediction: &'p Prediction) -> Tensor<'p> {
    let (proba, classes) = (&prediction.proba, model.model.classes());
    let (n_rows, n_classes) = (proba.n_rows(), proba.n_cols());
    let (datatype, shape, data) = match (name, model.model.sets()) {
        (LABEL, _) => {
            let labels = prediction.decided.iter().map(|class| classes[*class as usize].as_str());
            ("BYTES", vec![n_rows], Data::Text(labels.collect()))
        }
        (IN_SET, Some(sets)) => {
            let mut flags = vec![false; n_rows * n_classes];
            for (row, flags) in flags.chunks_exact_mut(n_classes).enumerate() {
                sets.set(proba.row(row)).for_each(|class| flags[class] = true);
            }
            ("BOOL", vec![n_rows, n_classes], Data::Flags(flags))
        }
        _ => ("FP32", vec![n_rows, n_classes], Data::Numbers(proba.as_slice())),
    };
    Tensor { name, datatype, shape, parameters: None, data: Some(data) }
}
