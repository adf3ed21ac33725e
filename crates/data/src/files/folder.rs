//! The files of a table that is a folder.

use super::natural;
use crate::beside::label_paths;
use crate::format;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The deepest folder in a folder that is looked into.
const MAX_DEPTH: usize = 16;

/// Words in a file's name that say which part of a data set it is.
const SPLITS: [&str; 9] =
    ["train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"];

/// The files of the one table in `folder`, and the folders in it (`part=x/`), in natural order.
///
/// # Errors
/// When it holds none, or files of several formats or of several parts of a data set.
pub(super) fn tables(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    descend(folder, 0, &mut paths)?;
    let labels: Vec<PathBuf> = paths.iter().flat_map(|path| label_paths(path)).collect();
    paths.retain(|path| !labels.contains(path));
    paths.sort_by(|a, b| natural::compare(a, b));
    let kinds = counted(&paths, |path| format::named(path).unwrap_or_default());
    if kinds.len() > 1 {
        return Err(several(folder, "formats", &kinds, |first| {
            format!("*.{}", first.extension().unwrap_or_default().to_string_lossy())
        }));
    }
    let splits = counted(&paths, split_of);
    if splits.len() > 1 {
        return Err(several(folder, "tables", &splits, |first| format!("*{}*", split_of(first))));
    }
    if paths.is_empty() {
        let what = "is a folder without a table: expected files of a format that is read";
        return Err(Error::format(what).at(folder).with_hint("name the file, or the folder that it is in"));
    }
    Ok(paths)
}

/// The error for a folder with files of several kinds, of which a pattern tells those of one.
fn several(
    folder: &Path,
    of: &str,
    parts: &[(&str, usize, &Path)],
    pattern: impl Fn(&Path) -> String,
) -> Error {
    let counts: Vec<String> = parts
        .iter()
        .map(|(name, n, _)| format!("{} ({n})", if name.is_empty() { "others" } else { name }))
        .collect();
    let what = format!("the folder holds files of several {of}: {}", counts.join(", "));
    let error = Error::format(what).at(folder);
    match parts.iter().find(|(name, ..)| !name.is_empty()) {
        None => error,
        Some((_, _, first)) => {
            let pattern = first.parent().unwrap_or(folder).join(pattern(first));
            error.with_hint(format!("name those of one table, e.g. '{}'", pattern.display()))
        }
    }
}

fn descend(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<()> {
    let unread = |error| Error::io(folder, error);
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let (path, name) = (entry.path(), entry.file_name());
        // Hidden files, and what Spark keeps beside its parts: `_SUCCESS`, `_metadata`.
        if name.to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        // A link to a folder may lead in a circle.
        if entry.file_type().map_err(unread)?.is_dir() {
            if depth < MAX_DEPTH {
                descend(&path, depth + 1, paths)?;
            }
        } else if path.is_file() && format::named(&path).is_some() {
            paths.push(path);
        }
    }
    Ok(())
}

/// What `part` says of the paths, each with how many there are and the first.
fn counted<'a>(paths: &'a [PathBuf], part: impl Fn(&'a Path) -> &'a str) -> Vec<(&'a str, usize, &'a Path)> {
    let mut counts: BTreeMap<&str, (usize, &Path)> = BTreeMap::new();
    for path in paths {
        counts.entry(part(path)).or_insert((0, path)).0 += 1;
    }
    counts.into_iter().map(|(name, (n, first))| (name, n, first)).collect()
}

/// The word in a file's name that says which part of a data set it is; nothing where there is none.
fn split_of(path: &Path) -> &str {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.find(|word| SPLITS.iter().any(|split| word.eq_ignore_ascii_case(split))).unwrap_or_default()
}
