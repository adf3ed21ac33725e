//! The examples run as programs. Cargo builds them beside the tests.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// The folder of the compiled examples.
fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("a test is in PROFILE/deps");
    profile.join("examples")
}

fn output_of(example: &str) -> String {
    output_of_with(example, &[])
}

fn output_of_with(example: &str, args: &[&OsStr]) -> String {
    let program = folder().join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    let output = Command::new(&program)
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

#[test]
fn fit_arrays() {
    assert!(output_of("fit_arrays").starts_with("[\"cat\", \"dog\", \"fox\"]: [0."));
}

#[test]
fn fit_table() {
    let said = output_of("fit_table");
    let f1: f64 = said.split_whitespace().nth(2).and_then(|value| value.parse().ok()).expect("a score");
    assert!(f1 > 0.3, "{said}");
}

/// A folder with a forest of a few trees in `model.safetensors`, and the number of its training rows.
fn folder_with_model() -> (tempfile::TempDir, usize) {
    use headsmith::data::ReadOptions;
    use headsmith::{HeadConfig, Session, model_file};
    let folder = tempfile::tempdir().expect("a folder");
    let train = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/sentences/val.parquet");
    let mut session = Session::new();
    let data = session.read(train, &ReadOptions::default(), 0.0).expect("a table");
    let head = HeadConfig::new("forest", [("n_estimators", 5.into())]).expect("a head");
    let fitted = session.fit(&head, &data).expect("a fit");
    model_file::save(&fitted.model, &folder.path().join("model.safetensors")).expect("a model");
    (folder, data.train.x.n_rows())
}

#[test]
fn load_predict() {
    let (folder, n_rows) = folder_with_model();
    let said = output_of_with("load_predict", &[folder.path().as_os_str()]);
    assert!(said.starts_with(&format!("{n_rows} rows, ")), "{said}");
    let file = folder.path().join("predictions.parquet");
    let options = headsmith::data::ReadOptions::default();
    let predicted = headsmith::data::read(&file, &options, &headsmith::Pool::inline());
    assert_eq!(predicted.expect("a table").n_rows(), n_rows);
}

#[test]
fn export_onnx() {
    let (folder, _) = folder_with_model();
    let said = output_of_with("export_onnx", &[folder.path().as_os_str()]);
    let n_bytes = folder.path().join("model.onnx").metadata().expect("a file").len();
    assert_eq!(said, format!("{n_bytes} bytes, compared on 200 rows\n"));
}

#[test]
fn tune() {
    assert!(output_of("tune").starts_with("Some(("));
}

#[test]
fn watch() {
    assert!(output_of("watch").ends_with("stopped after 5 epochs\n"));
}

#[test]
fn compare() {
    assert!(output_of("compare").starts_with("the best of "));
}
