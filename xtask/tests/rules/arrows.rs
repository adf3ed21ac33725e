//! Which crate of ours may depend on which. The arrows go one way.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::MetadataCommand;

/// A crate and those of ours it may depend on.
const ARROWS: [(&str, &[&str]); 18] = [
    ("headsmith-kernels", &[]),
    ("headsmith-metrics", &["headsmith-kernels"]),
    ("headsmith-objects", &[]),
    ("headsmith-data", &["headsmith-kernels", "headsmith-objects"]),
    ("headsmith-heads", &["headsmith-kernels", "headsmith-metrics"]),
    ("headsmith-model", &["headsmith-kernels", "headsmith-metrics", "headsmith-heads"]),
    ("headsmith-onnx", &["headsmith-kernels", "headsmith-metrics", "headsmith-heads", "headsmith-model"]),
    ("headsmith-study", &["headsmith-kernels"]),
    ("headsmith-tensorboard", &[]),
    ("headsmith-http-client", &[]),
    ("headsmith-mlflow", &["headsmith-http-client"]),
    ("headsmith-report", &["headsmith-metrics", "headsmith-heads"]),
    (
        "headsmith",
        &[
            "headsmith-kernels",
            "headsmith-metrics",
            "headsmith-data",
            "headsmith-heads",
            "headsmith-model",
            "headsmith-study",
            "headsmith-mlflow",
            "headsmith-onnx",
            "headsmith-report",
            "headsmith-tensorboard",
        ],
    ),
    (
        "headsmith-server",
        &[
            "headsmith-kernels",
            "headsmith-metrics",
            "headsmith-heads",
            "headsmith-model",
            "headsmith-http-client",
        ],
    ),
    ("headsmith-aicrowd", &["headsmith-http-client"]),
    ("headsmith-cli", &["headsmith", "headsmith-aicrowd", "headsmith-server"]),
    ("headsmith-python", &["headsmith", "headsmith-cli"]),
    ("xtask", &[]),
];

#[test]
fn arrows_go_one_way() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, to)| (*name, to.iter().copied().collect())).collect();
    let metadata =
        MetadataCommand::new().current_dir(super::root()).no_deps().exec().expect("cargo metadata");
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(ours, allowed.keys().copied().collect(), "a new crate needs its arrows here");
    for package in &metadata.packages {
        let to: BTreeSet<&str> =
            package.dependencies.iter().map(|d| d.name.as_str()).filter(|name| ours.contains(name)).collect();
        let more: Vec<_> = to.difference(&allowed[package.name.as_str()]).collect();
        assert!(more.is_empty(), "{} must not depend on {more:?}", package.name);
    }
}

#[test]
fn folders_are_named_as_their_crates() {
    let metadata =
        MetadataCommand::new().current_dir(super::root()).no_deps().exec().expect("cargo metadata");
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().and_then(|folder| folder.file_name()).expect("a folder");
        let name = package.name.as_str();
        assert_eq!(folder, name.strip_prefix("headsmith-").unwrap_or(name));
    }
}
