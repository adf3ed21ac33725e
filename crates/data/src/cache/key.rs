//! The key of a cache file: everything that must be unchanged for it to be used.

use crate::beside::{LabelFiles, label_paths};
use crate::checks::hashes::fold_text;
use crate::{Dtype, Error, OnBadRow, ReadOptions, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::SystemTime;

/// The table and the options for reading it. A cache file is used only if all of it is equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    /// The version of this program: another version may read the file differently.
    headsmith: String,
    /// The absolute path of the table, or of its first file.
    table: String,
    /// The absolute paths of its further files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<String>,
    /// The absolute paths of the label files, if they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// Each file, and the files that may hold its labels or were given for them.
    files: Vec<Option<FileStamp>>,
    embeddings_column: Option<String>,
    label_column: Option<String>,
    label_hint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    feature_names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    drop: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group_column: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    features: Vec<String>,
    placeholder_labels: bool,
    skip_bad_rows: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dtype: Option<Dtype>,
}

/// The attributes that change with a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FileStamp {
    len: u64,
    /// The modification time, in nanoseconds since 1970.
    modified: i64,
}

/// The maximum length of a table's name within the name of its cache file, which may have 255 bytes.
const LONGEST_STEM: usize = 40;

impl Key {
    /// The key of the table in the current files at `paths`.
    pub(super) fn new(paths: &[&Path], labels: Option<&LabelFiles>, options: &ReadOptions) -> Result<Key> {
        let (mut whole, mut named, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            let (path, metadata) = path_and_metadata(path)?;
            whole.push(path);
            files.push(Some(metadata));
        }
        for source in labels.into_iter().flat_map(|labels| &labels.sources) {
            let (path, metadata) = path_and_metadata(source.path())?;
            named.push(path);
            files.push(Some(metadata));
        }
        let beside = paths.iter().filter(|_| labels.is_none()).flat_map(|path| label_paths(path));
        files.extend(beside.filter_map(|path| fs::metadata(path).ok()).map(Some));
        let of_labels = labels.map_or(options, |labels| &labels.options);
        let more = whole.split_off(whole.len().min(1));
        Ok(Key {
            headsmith: env!("CARGO_PKG_VERSION").to_owned(),
            table: whole.pop().unwrap_or_default(),
            more,
            labels: named,
            files: files
                .into_iter()
                .map(|metadata| metadata.map(|metadata| FileStamp::new(&metadata)))
                .collect(),
            embeddings_column: options.embeddings_column.clone(),
            label_column: of_labels.label_column.clone(),
            label_hint: options.label_hint.clone(),
            feature_names: options.feature_names.clone(),
            // As a column that is left out, and nothing else.
            drop: options.drop.iter().chain(&options.weight_column).cloned().collect(),
            group_column: options.group_column.clone(),
            features: options.features.clone(),
            placeholder_labels: options.placeholder_labels,
            skip_bad_rows: options.on_bad_row == OnBadRow::Skip,
            dtype: options.dtype,
        })
    }

    /// The name of the cache file of the table at `path`. It depends on the path and the options, not on the content,
    /// so that a changed table overwrites its old cache.
    pub(super) fn file_name(&self, path: &Path) -> String {
        let lasting = Key { headsmith: String::new(), files: Vec::new(), ..self.clone() };
        // Unlike JSON, Debug cannot fail.
        let hash = fold_text(0, &format!("{lasting:?}"));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let stem: String = stem.chars().take(LONGEST_STEM).collect();
        format!("{stem}-{:016x}.cache", (hash >> 64) as u64)
    }

    /// The difference between this key, which is wanted, and that of a cache file.
    pub(super) fn difference(&self, found: &Key) -> Option<&'static str> {
        if self == found {
            None
        } else if self.headsmith != found.headsmith {
            Some("is of another version of Headsmith")
        } else if (Key { files: self.files.clone(), ..found.clone() }) == *self {
            Some("is of the table as it was before it changed")
        } else {
            Some("is of another table")
        }
    }
}

/// The absolute path of a file, and its metadata.
fn path_and_metadata(path: &Path) -> Result<(String, Metadata)> {
    let unread = |error| Error::io(path, error);
    let whole = path.canonicalize().map_err(unread)?.display().to_string();
    Ok((whole, fs::metadata(path).map_err(unread)?))
}

impl FileStamp {
    fn new(metadata: &Metadata) -> FileStamp {
        let since =
            metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(SystemTime::UNIX_EPOCH);
        let modified = match since {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
        };
        FileStamp { len: metadata.len(), modified }
    }
}
