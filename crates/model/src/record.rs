//! The provenance of a model. Nothing of it changes a prediction.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How a model came about: its configuration, data and scores.
///
/// It holds nothing of the time or the machine, so that the same fit gives the same file. Every part may be left
/// out; what is left out is not written. Keys that this version does not know are ignored when a file is read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The name of the head that was fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The head's parameters, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
    /// The seed of all random numbers of the fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The version of Headsmith that fitted the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headsmith_version: Option<String>,
    /// The column that the embeddings stood in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeddings_column: Option<String>,
    /// The names of the features in their order, where each stood in a column of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feature_names: Vec<String>,
    /// The training rows' statistics, feature by feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<FeatureStatistics>,
    /// The column that the labels stood in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// The column that the sample weights stood in, where rows had weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_column: Option<String>,
    /// Scores, by table and metric.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub metrics: Value,
    /// The tables that were used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataRecord>,
    /// The choices of the validation rows (`epoch`, `learning_rate`, `head` ..): a score on those rows is then flattering.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub selected_on: Vec<String>,
    /// Whatever else is worth keeping.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// Statistics of the training rows, each with a number for each feature, as the rows were before any transform.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FeatureStatistics {
    /// The least values.
    pub min: Vec<f32>,
    /// The greatest values.
    pub max: Vec<f32>,
    /// The means.
    pub mean: Vec<f32>,
    /// The standard deviations (of n, not n - 1); 0 for a constant feature.
    pub std: Vec<f32>,
}

/// One table that a model was fitted or judged on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DataRecord {
    /// The use of the table: `train`, `val`.
    pub role: String,
    /// The file's name without its folder, which is private.
    pub name: String,
    /// The number of rows.
    pub n_rows: u64,
    /// A digest of the rows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
}

impl DataRecord {
    /// A table in the file at `path`, of which only the last part is kept.
    pub fn new(
        role: impl Into<String>,
        path: &Path,
        n_rows: u64,
        fingerprint: impl Into<String>,
    ) -> DataRecord {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        DataRecord { role: role.into(), name, n_rows, fingerprint: fingerprint.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_record_is_an_empty_object() {
        assert_eq!(serde_json::to_string(&Record::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<Record>("{}").unwrap(), Record::default());
    }

    #[test]
    fn unknown_keys_are_ignored() {
        let record: Record = serde_json::from_str(r#"{"seed": 7, "later": [1]}"#).unwrap();
        assert_eq!(record, Record { seed: Some(7), ..Record::default() });
    }

    #[test]
    fn a_table_is_named_by_its_file_alone() {
        let table = DataRecord::new("train", Path::new("/home/someone/train.csv"), 3, "ab");
        assert_eq!(table.name, "train.csv");
    }
}
