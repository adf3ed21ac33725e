//! The golden files, which every version of Headsmith that knows their version must read and write to the byte; those in `unchecked` are from before
//! files had a checksum, and only read.

use headsmith_kernels::{MatRef, Pool};
use headsmith_model::Model;

use crate::samples;

fn path(name: &str) -> String {
    format!("{}/tests/data/golden-v1-{name}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// The file of version 2, which added the decision.
const DECIDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden-v2-decision.safetensors");

/// The file of version 3, whose members have tensors in common.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden-v3-shared.safetensors");

/// The file of version 4, which added prediction sets.
const SETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden-v4-sets.safetensors");

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).unwrap()
}

/// Rows and probabilities that `check_safetensors.py` computed with numpy from the golden files.
fn recorded() -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden-v1.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn floats(rows: &serde_json::Value) -> Vec<f64> {
    rows.as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|v| v.as_f64().unwrap())
        .collect()
}

#[test]
fn the_files_predict_what_numpy_computes_from_them() {
    let recorded = recorded();
    let rows: Vec<f32> = floats(&recorded["rows"]).iter().map(|&v| v as f32).collect();
    assert_eq!(rows, samples::rows().as_slice());
    let x = MatRef::new(&rows, rows.len() / 4, 4);
    for (name, _) in samples::golden() {
        let proba = Model::from_bytes(&bytes(name)).unwrap().predict_proba(x, &Pool::inline()).unwrap();
        let expected = floats(&recorded[name]);
        assert_eq!(proba.as_slice().len(), expected.len());
        for (i, (p, e)) in proba.as_slice().iter().zip(&expected).enumerate() {
            assert!((f64::from(*p) - e).abs() < 1e-6, "{name}, element {i}: {p}, numpy has {e}");
        }
    }
}

#[test]
fn the_same_models_are_the_same_bytes() {
    for (name, model) in samples::golden() {
        assert!(model.to_bytes().unwrap() == bytes(name), "{name}");
        assert!(Model::from_bytes(&bytes(name)).unwrap().to_bytes().unwrap() == bytes(name), "{name}");
    }
}

/// The files of all versions without a checksum are the models of those with one.
#[test]
fn files_without_a_checksum_are_read() {
    let golden = samples::golden().map(|(name, model)| (format!("v1-{name}"), model));
    let others = [
        ("v2-decision".to_owned(), samples::decided()),
        ("v3-shared".to_owned(), samples::shared()),
        ("v4-sets".to_owned(), samples::with_sets()),
    ];
    for (name, model) in golden.into_iter().chain(others) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/unchecked");
        let bytes = std::fs::read(format!("{folder}/golden-{name}.safetensors")).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("crc32"), "{name}");
        let read = Model::from_bytes(&bytes).unwrap();
        assert!(read.to_bytes().unwrap() == model.to_bytes().unwrap(), "{name}");
    }
}

#[test]
fn nothing_is_lost_on_the_way() {
    for (name, model) in samples::golden() {
        let read = Model::from_bytes(&bytes(name)).unwrap();
        assert_eq!(read.classes(), model.classes());
        assert_eq!(read.record(), model.record());
        assert_eq!(read.head_name(), model.head_name());
        assert_eq!((read.n_features(), read.n_classes()), (4, 3));
        let (x, pool) = (samples::rows(), Pool::inline());
        assert_eq!(read.predict_proba(x.view(), &pool), model.predict_proba(x.view(), &pool));
    }
}

#[test]
fn the_reference_reads_the_files() {
    for (name, _) in samples::golden() {
        let bytes = bytes(name);
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        let text = &metadata.metadata().as_ref().unwrap()["headsmith"];
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!((&json["format"], &json["version"]), (&"headsmith-model".into(), &1.into()));
    }
}

#[test]
fn the_file_of_version_2_is_read_and_written() {
    let bytes = std::fs::read(DECIDED).unwrap();
    let read = Model::from_bytes(&bytes).unwrap();
    assert_eq!(read.decision(), [-0.25, 0.0, 0.4]);
    assert!(read.to_bytes().unwrap() == bytes);
    assert!(samples::decided().to_bytes().unwrap() == bytes);
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let text = &metadata.metadata().as_ref().unwrap()["headsmith"];
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&json["version"], &json["decision"]), (&2.into(), &serde_json::json!([-0.25, 0.0, 0.4])));
}

/// The decision is the formula of the format's page, for the probabilities that numpy computed.
#[test]
fn the_file_of_version_2_decides_by_the_formula() {
    let (read, x) = (Model::from_bytes(&std::fs::read(DECIDED).unwrap()).unwrap(), samples::rows());
    let largest = |row: &[f64]| {
        let mut classes = [0, 1, 2];
        classes.sort_by(|&a: &usize, &b| row[b].total_cmp(&row[a]));
        classes[0] as u32
    };
    let proba = floats(&recorded()["forest"]);
    let decided: Vec<u32> =
        proba.chunks(3).map(|row| largest(&[row[0].ln() - 0.25, row[1].ln(), row[2].ln() + 0.4])).collect();
    assert_eq!(read.predict(x.view(), &Pool::inline()).unwrap(), decided);
    let probable: Vec<u32> = proba.chunks(3).map(largest).collect();
    assert_ne!(decided, probable, "the decision changes a class");
}

#[test]
fn the_file_of_version_3_holds_equal_tensors_once() {
    let (bytes, model, pool) = (std::fs::read(SHARED).unwrap(), samples::shared(), Pool::inline());
    let read = Model::from_bytes(&bytes).unwrap();
    assert!(read.to_bytes().unwrap() == bytes && model.to_bytes().unwrap() == bytes);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert!(file.tensor("0/0/coef").is_ok() && file.tensor("0/1/coef").is_err());
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let text = &metadata.metadata().as_ref().unwrap()["headsmith"];
    let json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&json["version"], &json["decision"]), (&3.into(), &serde_json::json!([])));
    assert_eq!(json["shared"], serde_json::json!({ "0/1/coef": "0/0/coef" }));
    let x: Vec<f32> = (0..2 * model.n_features()).map(|i| (i * 7 % 5) as f32 - 2.0).collect();
    let x = MatRef::new(&x, 2, model.n_features());
    let expected = model.predict_proba(x, &pool).unwrap();
    assert_eq!(read.predict_proba(x, &pool).unwrap(), expected);
    // Both parts of the pool, and the one that its file has.
    let parts = model.parts();
    assert!(parts.len() == 2 && parts[0] == parts[1] && parts[0].n_bytes == 4 * 3 * 400);
}

/// The sets are the formula of the format's page, for the probabilities that numpy computed.
#[test]
fn the_file_of_version_4_is_read_and_written_and_gives_sets_by_the_formula() {
    let bytes = std::fs::read(SETS).unwrap();
    let read = Model::from_bytes(&bytes).unwrap();
    assert!(read.to_bytes().unwrap() == bytes && samples::with_sets().to_bytes().unwrap() == bytes);
    assert_eq!(read.decision(), [-0.25, 0.0, 0.4]);
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()["headsmith"]).unwrap();
    assert_eq!((&json["version"], &json["shared"]), (&4.into(), &serde_json::json!({})));
    let thresholds = floats(&serde_json::json!([json["sets"]["thresholds"]]));
    let (sets, x) = (read.sets().unwrap(), samples::rows());
    assert_eq!((sets.level(), sets.is_by_class(), sets.thresholds()), (0.9, true, &thresholds[..]));
    let proba = read.predict_proba(x.view(), &Pool::inline()).unwrap();
    for (row, expected) in floats(&recorded()["forest"]).chunks(3).enumerate() {
        let expected: Vec<usize> = (0..3).filter(|&c| expected[c] >= thresholds[c]).collect();
        assert_eq!(sets.set(proba.row(row)).collect::<Vec<_>>(), expected, "row {row}");
    }
}

/// Writes the golden files. They change only with the version of the format: a new version gets new files beside
/// these. `cargo test -p headsmith-model --test model -- --ignored writes_the_golden_files`, then
/// `check_safetensors.py`.
#[test]
#[ignore = "writes the golden files"]
fn writes_the_golden_files() {
    for (name, model) in samples::golden() {
        std::fs::write(path(name), model.to_bytes().unwrap()).unwrap();
    }
    std::fs::write(DECIDED, samples::decided().to_bytes().unwrap()).unwrap();
    std::fs::write(SHARED, samples::shared().to_bytes().unwrap()).unwrap();
    std::fs::write(SETS, samples::with_sets().to_bytes().unwrap()).unwrap();
}
