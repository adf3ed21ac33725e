//! The objects of one table in a store.

use super::{WILDCARDS, folder, matching, wrong_pattern};
use crate::{Error, Result, format};
use headsmith_objects::{self as objects, Object};
use std::path::{Path, PathBuf};

/// The objects that one URL refers to: itself, those of a folder, or those that match wildcards.
pub(super) fn expand(url: &Path) -> Result<Vec<PathBuf>> {
    let unread = |error| Error::io(url, error);
    let text = url.to_string_lossy();
    // Stores of files behind HTTP have no lists.
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(vec![url.to_owned()]);
    }
    if let Some(at) = text.find(WILDCARDS) {
        let pattern = glob::Pattern::new(&text).map_err(|error| wrong_pattern(url, error))?;
        let folder = &text[..text[..at].rfind('/').map_or(0, |slash| slash + 1)];
        let found = objects::list(Path::new(folder)).map_err(unread)?;
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
        let matches = |path: &PathBuf| pattern.matches_with(&path.to_string_lossy(), options);
        return matching(url, found.into_iter().filter(matches).collect());
    }
    let is_bucket = text.split_once("://").is_some_and(|(_, name)| !name.contains('/'));
    if !is_bucket
        && !text.ends_with('/')
        && Object::at(url).and_then(|object| object.exists()).map_err(unread)?
    {
        return Ok(vec![url.to_owned()]);
    }
    let found = objects::list(url).map_err(unread)?;
    if found.is_empty() {
        let error = Error::format("there is no such object, and no folder of objects with this name");
        return Err(error.at(url).with_hint("check the bucket and the key"));
    }
    folder::one_table(url, found.into_iter().filter(|path| is_of_table(url, path)).collect())
}

/// Whether an object in the folder `url` may belong to a table, by its name.
fn is_of_table(url: &Path, path: &Path) -> bool {
    let inner = path.strip_prefix(url).unwrap_or(path);
    let hidden = inner.iter().any(|name| folder::is_hidden(&name.to_string_lossy()));
    !hidden && format::named(path).is_some()
}
