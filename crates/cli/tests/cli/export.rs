//! `headsmith export`: a model as an ONNX file.

use crate::world::World;

#[test]
fn every_small_model_is_written_and_compared() {
    let world = World::with_tables();
    for (head, more) in [("linear", ""), ("forest", "--n-estimators 10"), ("knn", "")] {
        world.run(
            &format!("fit {head} --train train.csv --val val.csv --model m.safetensors --quiet {more}"),
            0,
        );
        let report = world.json("export m.safetensors --format onnx -o m.onnx --json --quiet");
        let bytes = world.bytes("m.onnx");
        assert_eq!(report["n_bytes"], bytes.len());
        assert_eq!(report["n_compared"], 200);
        assert!(report["largest_difference"].as_f64().unwrap() < 1e-5, "{report}");
        assert_eq!(report["n_tree_nodes"].as_u64() > Some(0), head == "forest");
        assert_eq!(report["n_training_bytes"].as_u64() > Some(0), head == "knn");
        world.run("export m.safetensors -o again.onnx --quiet", 0);
        assert_eq!(world.bytes("again.onnx"), bytes);
    }
    let told = world.error("export m.safetensors -o m.onnx", 0);
    assert!(
        told.starts_with("m.onnx will have 0.0 MB, of which 0.0 MB are rows that the model was trained on"),
        "{told}"
    );
}

#[test]
fn wrong_exports_are_one_error() {
    let world = World::with_tables();
    world.run("fit linear --train train.csv --val val.csv --model m.safetensors --quiet", 0);
    let error = world.error("export m.safetensors -o m.safetensors", 2);
    assert!(error.contains("m.safetensors"), "{error}");
    assert!(
        world.error("export m.safetensors --format pickle -o m.pkl", 2).contains("possible values: onnx")
    );
    assert!(world.error("export train.csv -o m.onnx", 1).contains("train.csv"));
    assert!(!world.path("m.onnx").exists());
}
