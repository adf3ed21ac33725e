//! The metadata that pandas writes about a table.

use serde::Deserialize;

/// The part of the metadata that tells which columns are the index.
#[derive(Deserialize)]
struct Pandas {
    index_columns: Vec<Index>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Index {
    Column(String),
    /// A range, which is no column of the file.
    Range(serde::de::IgnoredAny),
}

/// The names of the columns that are the index; none when pandas says nothing, or nothing that can be understood.
pub(crate) fn index_columns(said: Option<&str>) -> Vec<String> {
    let pandas: Option<Pandas> = said.and_then(|text| serde_json::from_str(text).ok());
    let names = pandas.into_iter().flat_map(|pandas| pandas.index_columns);
    names.filter_map(|index| if let Index::Column(name) = index { Some(name) } else { None }).collect()
}
