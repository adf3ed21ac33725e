//! Finds the labels of an array: files beside it with a usual name.

use crate::format;
use std::path::{Path, PathBuf};

/// Words in the names of feature arrays.
const X_WORDS: [&str; 11] = [
    "x",
    "features",
    "feature",
    "feats",
    "embeddings",
    "embedding",
    "embs",
    "emb",
    "vectors",
    "vecs",
    "data",
];

/// Words that replace them in the names of label arrays, the most likely first; beside `x`, it is the last.
const Y_WORDS: [&str; 5] = ["labels", "label", "targets", "target", "y"];

const ENDINGS: [&str; 4] = ["npy", "txt", "csv", "tsv"];

/// The files that may hold the labels of the array at `path`, the most likely first; none for a table of another
/// format.
pub(crate) fn label_paths(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(stem) = format::array_stem(&name) else { return Vec::new() };
    let mut names: Vec<String> =
        [".labels", "_labels", "-labels", "_y"].iter().map(|end| format!("{stem}{end}")).collect();
    for (at, word) in words(stem) {
        if X_WORDS.iter().any(|x| word.eq_ignore_ascii_case(x)) {
            let mut others = Y_WORDS;
            if word.eq_ignore_ascii_case("x") {
                others.rotate_right(1);
            }
            names.extend(others.iter().map(|y| format!("{}{y}{}", &stem[..at], &stem[at + word.len()..])));
        }
    }
    let files = names.iter().flat_map(|name| ENDINGS.map(|ending| format!("{name}.{ending}")));
    files.map(|name| path.with_file_name(name)).collect()
}

/// The words of a name, each with its position.
fn words(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    name.split(|c: char| !c.is_alphanumeric()).map(move |word| {
        let start = at + name[at..].find(word).unwrap_or_default();
        at = start + word.len();
        (start, word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_found() {
        let pairs = [
            ("X_train.npy", "y_train.npy"),
            ("train.npy", "train_labels.npy"),
            ("train.npy", "train.labels.csv"),
            ("features.npy", "labels.npy"),
            ("embeddings.npy", "labels.txt"),
            ("train_embeddings.npy.gz", "train_labels.npy"),
            ("train-x.npz", "train-y.csv"),
            ("x.safetensors", "y.npy"),
            ("X.npy", "labels.tsv"),
            ("val_data.npy", "val_targets.npy"),
        ];
        for (x, y) in pairs {
            let paths = label_paths(&Path::new("folder").join(x));
            assert!(paths.contains(&Path::new("folder").join(y)), "{x} {y} {paths:?}");
            assert!(!paths.contains(&Path::new("folder").join(x)), "{x}");
        }
        for other in ["x.csv", "train.parquet", "README.md", "npy"] {
            assert_eq!(label_paths(Path::new(other)), [] as [PathBuf; 0], "{other}");
        }
    }

    #[test]
    fn words_have_their_places() {
        assert_eq!(words("a_a-xx").collect::<Vec<_>>(), [(0, "a"), (2, "a"), (4, "xx")]);
        assert_eq!(words("__x").last(), Some((2, "x")));
    }
}
