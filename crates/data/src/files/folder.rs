//! Finds the files of a table in a folder.

use super::natural;
use crate::beside::label_paths;
use crate::format::{self, Format};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The maximum depth of subfolders.
const MAX_DEPTH: usize = 16;

/// Words in a file's name for the parts of a data set.
const SPLITS: [&str; 9] =
    ["train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"];

/// The files of the one table in `folder` and its subfolders (`part=x/`), in natural order.
///
/// # Errors
/// If there are none, or files of several formats or of several parts of a data set.
pub(super) fn tables(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    descend(folder, 0, &mut paths)?;
    one_table(folder, paths)
}

/// The files of the one table among `paths`, all files in `folder`, in natural order.
///
/// # Errors
/// As [`tables`].
pub(super) fn one_table(folder: &Path, mut paths: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let labels: Vec<PathBuf> = paths.iter().flat_map(|path| label_paths(path)).collect();
    let is_saved = paths.iter().any(|path| format::named(path) == Some(Format::Arrow.name()));
    paths.retain(|path| !(labels.contains(path) || is_saved && is_beside_arrow(path)));
    paths.sort_by(|a, b| natural::compare(a, b));
    let kinds = counted(&paths, |path| format::named(path).unwrap_or_default());
    if kinds.len() > 1 {
        return Err(several(folder, "formats", &kinds, |first| {
            let pattern = format!("*.{}", first.extension().unwrap_or_default().to_string_lossy());
            first.with_file_name(pattern)
        }));
    }
    let splits = counted(&paths, |path| split_of(folder, path));
    if splits.len() > 1 {
        return Err(several(folder, "tables", &splits, |first| match split_folder(folder, first) {
            Some(folder) => folder.to_owned(),
            None => first.with_file_name(format!("*{}*", split_of(folder, first))),
        }));
    }
    if paths.is_empty() {
        let what = "is a folder without a table: expected files of a format that is read";
        return Err(Error::format(what).at(folder).with_hint("name the file, or the folder that it is in"));
    }
    Ok(paths)
}

/// The error for a folder with several kinds of files; the pattern in its hint selects one kind.
fn several(
    folder: &Path,
    of: &str,
    parts: &[(&str, usize, &Path)],
    pattern: impl Fn(&Path) -> PathBuf,
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
            error.with_hint(format!("name those of one table, e.g. '{}'", pattern(first).display()))
        }
    }
}

fn descend(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<()> {
    let unread = |error| Error::io(folder, error);
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let path = entry.path();
        if is_hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // A link to a folder may form a cycle.
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

/// Whether a file or folder with this name is none of a table: hidden, or Spark's beside its parts (`_SUCCESS`, `_metadata`).
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

/// Groups the paths by `part`: each group with its size and its first path.
fn counted<'a>(paths: &'a [PathBuf], part: impl Fn(&'a Path) -> &'a str) -> Vec<(&'a str, usize, &'a Path)> {
    let mut counts: BTreeMap<&str, (usize, &Path)> = BTreeMap::new();
    for path in paths {
        counts.entry(part(path)).or_insert((0, path)).0 += 1;
    }
    counts.into_iter().map(|(name, (n, first))| (name, n, first)).collect()
}

/// The word for the part of a data set in a file's name, or in the name of a folder between it and `folder`; empty if
/// there is none.
fn split_of<'a>(folder: &Path, path: &'a Path) -> &'a str {
    let own = split_in(path);
    let outer = || split_folder(folder, path).map_or("", split_in);
    if own.is_empty() { outer() } else { own }
}

/// The folder in `folder` whose name has the word for the part of a data set, if the file's own name has none.
fn split_folder<'a>(folder: &Path, path: &'a Path) -> Option<&'a Path> {
    let within = path.ancestors().skip(1).take_while(|outer| *outer != folder);
    within.filter(|_| split_in(path).is_empty()).find(|outer| !split_in(outer).is_empty())
}

/// The word in the last component of a path.
fn split_in(path: &Path) -> &str {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.find(|word| SPLITS.iter().any(|split| word.eq_ignore_ascii_case(split))).unwrap_or_default()
}

/// Whether a file belongs to Hugging Face's `datasets` and not to the table.
fn is_beside_arrow(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    ["state.json", "dataset_info.json", "dataset_dict.json"].contains(&name)
}
