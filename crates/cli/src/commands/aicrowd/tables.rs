//! Which of a challenge's files are the tables of a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The names of tables: those of each role from the plainest on.
const ROLES: [(&str, &[&str]); 3] =
    [("train", &["train", "training"]), ("val", &["val", "valid", "validation", "dev"]), ("test", &["test"])];

/// The tables among a challenge's files.
pub(crate) struct Tables {
    /// The table to learn from.
    pub(crate) train: Option<PathBuf>,
    /// The table to choose on.
    pub(crate) val: Option<PathBuf>,
    /// The table to predict.
    pub(crate) test: Option<PathBuf>,
}

impl Tables {
    /// Looks through `folder` and the folders in it, two deep.
    pub(crate) fn find(folder: &Path) -> Result<Tables> {
        let mut files = Vec::new();
        collect(folder, 2, &mut files);
        files.sort();
        let [train, val, test] = ROLES.map(|(role, names)| one_of(&files, role, names));
        Ok(Tables { train: train?, val: val?, test: test? })
    }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if name.starts_with(['.', '_']) || name.contains("sample") {
            continue;
        }
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, files);
        } else if path.is_file() && is_table(&name) {
            files.push(path);
        }
    }
}

fn is_table(name: &str) -> bool {
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    [".csv", ".parquet", ".npy", ".npz"].iter().any(|end| name.ends_with(end))
}

/// The file that is called exactly so, or else the one that has the name as a word.
fn one_of(files: &[PathBuf], role: &str, names: &[&str]) -> Result<Option<PathBuf>> {
    let stem = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        name.split('.').next().unwrap_or_default().to_owned()
    };
    let is_called = |path: &&PathBuf| names.contains(&stem(path).as_str());
    let has_word =
        |path: &&PathBuf| stem(path).split(|c: char| !c.is_alphanumeric()).any(|word| names.contains(&word));
    let exact: Vec<&PathBuf> = files.iter().filter(is_called).collect();
    let found = if exact.is_empty() { files.iter().filter(has_word).collect() } else { exact };
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        _ => {
            let names: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
            bail!(
                "several of the challenge's files may be the {role} table: {}; name it with --{role}",
                names.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let train = write("data/train.csv.gz");
        write("train_notes.csv");
        let val = write("my-Validation_set.parquet");
        write("sample_test.csv");
        write("testing.csv");
        write("test.txt");
        let tables = Tables::find(folder.path()).unwrap();
        assert_eq!((tables.train, tables.val, tables.test), (Some(train), Some(val), None));
        write("other/train.csv");
        let error = Tables::find(folder.path()).err().unwrap();
        assert!(error.to_string().contains("name it with --train"), "{error}");
    }
}
