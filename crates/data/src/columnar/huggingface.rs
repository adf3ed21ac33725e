//! The metadata that Hugging Face's `datasets` writes about a table.

use serde::Deserialize;
use std::collections::HashMap;

/// The part of the metadata that tells the names of classes, which the columns hold as numbers.
#[derive(Deserialize)]
struct HuggingFace {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    features: HashMap<String, serde_json::Value>,
}

/// The names of the classes of each column of type `ClassLabel`; none where the metadata says nothing that can be understood.
pub(crate) fn class_names(said: Option<&str>) -> HashMap<String, Vec<String>> {
    let said: Option<HuggingFace> = said.and_then(|text| serde_json::from_str(text).ok());
    let features = said.into_iter().flat_map(|said| said.info.features);
    let names = features.filter_map(|(column, feature)| {
        let names =
            feature.get("names").filter(|_| feature.get("_type").is_some_and(|kind| kind == "ClassLabel"))?;
        Some((column, serde_json::from_value(names.clone()).ok()?))
    });
    names.filter(|(_, names): &(String, Vec<String>)| !names.is_empty()).collect()
}
