//! The metadata that Hugging Face's `datasets` writes about a table.

use serde::Deserialize;
use std::collections::HashMap;

/// The part of the metadata with the names of classes, which the columns hold as numbers.
#[derive(Deserialize)]
struct HuggingFace {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    features: HashMap<String, serde_json::Value>,
}

/// The class names of each column of type `ClassLabel`; empty if the metadata is missing or cannot be parsed.
pub(crate) fn class_names(metadata: Option<&str>) -> HashMap<String, Vec<String>> {
    let parsed: Option<HuggingFace> = metadata.and_then(|text| serde_json::from_str(text).ok());
    let features = parsed.into_iter().flat_map(|parsed| parsed.info.features);
    let names = features.filter_map(|(column, feature)| {
        let names =
            feature.get("names").filter(|_| feature.get("_type").is_some_and(|kind| kind == "ClassLabel"))?;
        Some((column, serde_json::from_value(names.clone()).ok()?))
    });
    names.filter(|(_, names): &(String, Vec<String>)| !names.is_empty()).collect()
}
