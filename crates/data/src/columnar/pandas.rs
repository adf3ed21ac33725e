//! The metadata that pandas writes about a table.

use serde::Deserialize;

/// The part of the metadata that lists the index columns.
#[derive(Deserialize)]
struct Pandas {
    index_columns: Vec<Index>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Index {
    Column(String),
    /// A range, which is not stored as a column.
    Range(serde::de::IgnoredAny),
}

/// The names of the index columns; empty if the metadata is missing or cannot be parsed.
pub(crate) fn index_columns(metadata: Option<&str>) -> Vec<String> {
    let pandas: Option<Pandas> = metadata.and_then(|text| serde_json::from_str(text).ok());
    let names = pandas.into_iter().flat_map(|pandas| pandas.index_columns);
    names.filter_map(|index| if let Index::Column(name) = index { Some(name) } else { None }).collect()
}
