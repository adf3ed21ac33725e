//! The files of one table: as given (files, folders, globs), and one by one in their order.

mod folder;
mod natural;
mod objects;

use crate::output::resolved;
use crate::{Error, Result};
use headsmith_objects::is_url;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// The files of one table, as given by the user: each a file, a folder, a glob (`data/train-*.parquet`), or `-` for
/// standard input. A URL (`s3://bucket/data/`) names an object, a folder of objects or, with wildcards in its key, several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    given: Vec<PathBuf>,
    labels: Option<Box<Files>>,
}

impl Files {
    /// The table in all of `given`, one after another.
    pub fn new(given: Vec<PathBuf>) -> Files {
        Files { given, labels: None }
    }

    /// The same table with labels from the files `labels`: one for each row, in the same order.
    pub fn with_labels(self, labels: Option<Files>) -> Files {
        Files { labels: labels.map(Box::new), ..self }
    }

    /// The table of these files, then of `other`'s, with the labels of both.
    pub fn followed_by(mut self, other: &Files) -> Files {
        self.given.extend(other.given.iter().cloned());
        self.labels = match (self.labels.take(), &other.labels) {
            (Some(own), Some(other)) => Some(Box::new(own.followed_by(other))),
            (own, other) => own.or_else(|| other.clone()),
        };
        self
    }

    /// The label files, if they were given.
    pub fn labels(&self) -> Option<&Files> {
        self.labels.as_deref()
    }

    /// The paths as given.
    pub fn given(&self) -> &[PathBuf] {
        &self.given
    }

    /// The files one by one. Those of a folder (including its subfolders) or a glob are in natural order: part 2
    /// before part 10. A file that a folder or a glob has beside another of them, or beside its own name, is read once.
    ///
    /// # Errors
    /// If a folder has no table or several, nothing matches a glob, or a file itself is named twice. A missing file is an
    /// error only when it is read.
    pub fn paths(&self) -> Result<Vec<PathBuf>> {
        let (mut paths, mut seen, mut named) = (Vec::new(), HashSet::new(), HashSet::new());
        for given in &self.given {
            let found = expand(given)?;
            if found == [given.as_path()] && !named.insert(resolved(given)) {
                return Err(Error::format("the file is named twice").at(given).with_hint("name it once"));
            }
            paths.extend(found.into_iter().filter(|path| seen.insert(resolved(path))));
        }
        if paths.is_empty() {
            return Err(Error::format("no file was named"));
        }
        Ok(paths)
    }

    /// Whether a new file of this path would be one of those that are read: it lies in a folder that was given, or matches a pattern.
    pub fn would_read(&self, path: &Path) -> bool {
        let path = resolved(path);
        self.given.iter().any(|given| {
            let pattern = resolved(given);
            let matches =
                || glob::Pattern::new(&pattern.to_string_lossy()).is_ok_and(|p| p.matches_path(&path));
            pattern != path && (path.starts_with(&pattern) || !given.exists() && matches())
        })
    }

    /// Every path that will be read as far as is known, including label files: an output must be none of them.
    pub fn all(&self) -> Vec<PathBuf> {
        let mut paths = self.paths().unwrap_or_else(|_| self.given.clone());
        paths.extend(self.labels().into_iter().flat_map(Files::all));
        paths
    }
}

/// The files that one path refers to.
fn expand(given: &Path) -> Result<Vec<PathBuf>> {
    if is_url(given) {
        return objects::expand(given);
    }
    if given.is_dir() {
        return folder::tables(given);
    }
    let pattern = given.to_string_lossy();
    if given.exists() || !pattern.contains(WILDCARDS) {
        return Ok(vec![given.to_owned()]);
    }
    let mut paths = Vec::new();
    for found in glob::glob(&pattern).map_err(|error| wrong_pattern(given, error))? {
        let found = found.map_err(|error| {
            let path = error.path().to_owned();
            Error::io(&path, error.into())
        })?;
        paths.extend(if found.is_dir() { folder::tables(&found)? } else { vec![found] });
    }
    matching(given, paths)
}

/// The files that match a pattern, in natural order.
fn matching(pattern: &Path, mut paths: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    paths.sort_by(|a, b| natural::compare(a, b));
    paths.dedup();
    if paths.is_empty() {
        return Err(Error::format("no file matches this pattern")
            .at(pattern)
            .with_hint("check the folder and the name"));
    }
    Ok(paths)
}

fn wrong_pattern(pattern: &Path, error: glob::PatternError) -> Error {
    Error::format(format!("is not a valid pattern of file names: {error}")).caused_by(error).at(pattern)
}

const WILDCARDS: [char; 3] = ['*', '?', '['];

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given: Vec<String> = self.given.iter().map(|path| path.display().to_string()).collect();
        f.write_str(&given.join(", "))
    }
}

impl From<PathBuf> for Files {
    fn from(path: PathBuf) -> Files {
        Files::new(vec![path])
    }
}

impl From<&Path> for Files {
    fn from(path: &Path) -> Files {
        path.to_owned().into()
    }
}

impl From<&PathBuf> for Files {
    fn from(path: &PathBuf) -> Files {
        path.clone().into()
    }
}

impl From<&Files> for Files {
    fn from(files: &Files) -> Files {
        files.clone()
    }
}
