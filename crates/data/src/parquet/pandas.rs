//! What pandas says of its table in the metadata of a Parquet file.

use parquet::file::metadata::FileMetaData;
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
pub(super) fn index_columns(metadata: &FileMetaData) -> Vec<String> {
    let pairs = metadata.key_value_metadata().map_or(&[][..], |pairs| &pairs[..]);
    let text = pairs.iter().find(|pair| pair.key == "pandas").and_then(|pair| pair.value.as_deref());
    let pandas: Option<Pandas> = text.and_then(|text| serde_json::from_str(text).ok());
    let names = pandas.into_iter().flat_map(|pandas| pandas.index_columns);
    names.filter_map(|index| if let Index::Column(name) = index { Some(name) } else { None }).collect()
}
