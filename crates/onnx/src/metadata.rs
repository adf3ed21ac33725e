//! The metadata of a file.

use headsmith_model::Model;
use sha2::{Digest, Sha256};
use tract_onnx::pb::StringStringEntryProto;

use crate::error::{Error, Result};
use crate::proto::entry;

/// The version of the names of input, outputs and metadata.
const FORMAT: &str = "1";

/// The SHA-256 of the model's own file.
pub(crate) fn hash(model: &Model) -> Result<String> {
    let bytes = model.to_bytes().map_err(|error| Error::new(error.to_string()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Names, values and versions that describe the model.
pub(crate) fn entries(model: &Model, hash: String) -> Vec<StringStringEntryProto> {
    let record = model.record();
    let mut entries = vec![
        entry("headsmith.format", FORMAT),
        entry("headsmith.version", env!("CARGO_PKG_VERSION")),
        entry("headsmith.model_sha256", hash),
        entry("headsmith.head", model.head_name()),
        entry("headsmith.classes", serde_json::json!(model.classes()).to_string()),
        entry("headsmith.n_features", model.n_features().to_string()),
    ];
    if !record.params.is_empty() {
        entries.push(entry("headsmith.params", serde_json::json!(record.params).to_string()));
    }
    let fitted_by = record.headsmith_version.iter().map(|version| entry("headsmith.fitted_by", version));
    entries.extend(fitted_by);
    if !record.feature_names.is_empty() {
        entries.push(entry("headsmith.feature_names", serde_json::json!(record.feature_names).to_string()));
    }
    if !model.decision().is_empty() {
        entries.push(entry("headsmith.decision", serde_json::json!(model.decision()).to_string()));
    }
    if let Some(sets) = model.sets() {
        entries.push(entry("headsmith.set_thresholds", serde_json::json!(sets.thresholds()).to_string()));
    }
    entries
}
