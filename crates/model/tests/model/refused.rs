//! Files that are refused, each with its message.

use headsmith_model::{Error, Model, Node};
use serde_json::{Value, json};

use crate::samples::{self, model, scaled};

/// The file of `model` with its description changed.
fn changed(node: Node, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    with_text(node, |text| {
        let mut description: Value = serde_json::from_str(text).unwrap();
        change(&mut description);
        description.to_string()
    })
}

/// The file of `model` with the text of its description changed.
fn with_text(node: Node, change: impl FnOnce(&str) -> String) -> Vec<u8> {
    let bytes = model(node).to_bytes().unwrap();
    let (n, header) = header(&bytes);
    let text = change(header["__metadata__"]["headsmith"].as_str().unwrap());
    let mut header = header;
    header["__metadata__"] = json!({ "headsmith": text });
    file(&header, &bytes[8 + n..])
}

fn header(bytes: &[u8]) -> (usize, Value) {
    let n = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    (n, serde_json::from_slice(&bytes[8..8 + n]).unwrap())
}

fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn refusal(bytes: &[u8]) -> Error {
    Model::from_bytes(bytes).unwrap_err()
}

fn mlp() -> Node {
    scaled("standardise", Node::head(samples::mlp()))
}

fn ensemble() -> Node {
    Node::Ensemble(vec![(1.0, Node::head(samples::forest())), (2.0, mlp())])
}

#[track_caller]
fn assert_damaged(bytes: &[u8], expected: &str) {
    let error = refusal(bytes);
    assert!(error.is_damaged(), "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn another_version_is_named() {
    let error = refusal(&changed(mlp(), |d| d["version"] = 5.into()));
    assert!(error.is_unsupported());
    assert!(
        error
            .to_string()
            .starts_with("the model file is of version 5, and this program reads versions 1 to 4"),
        "{error}"
    );
    // A later version may hold what this one cannot read.
    let error =
        refusal(&with_text(mlp(), |_| r#"{"format":"headsmith-model","version":5,"all":"new"}"#.to_owned()));
    assert!(error.is_unsupported());
    assert_damaged(
        &changed(mlp(), |d| d["version"] = "1".into()),
        "`version` of the metadata is not a whole number",
    );
    assert_damaged(
        &changed(mlp(), |d| d["format"] = 1.into()),
        "`format` of the metadata is not \"headsmith-model\"",
    );
}

#[test]
fn decisions_must_be_sound() {
    let with = |version: u32, decision: Value| {
        changed(mlp(), move |d| {
            d["version"] = version.into();
            d["decision"] = decision;
        })
    };
    let read = Model::from_bytes(&with(2, json!([0.5, 0, -0.25]))).unwrap();
    assert_eq!(read.decision(), [0.5, 0.0, -0.25]);
    assert_damaged(&with(1, json!([0.5, 0, 0])), "the metadata has the key `decision`, expected format,");
    assert_damaged(
        &changed(mlp(), |d| d["version"] = 2.into()),
        "the metadata has no `decision`, which it must have from version 2 on",
    );
    assert_damaged(
        &with(2, json!([0.5, 0])),
        "the decision has 2 offsets, expected one for each of the 3 classes",
    );
    assert_damaged(&with(2, json!([])), "the decision has 0 offsets");
    assert_damaged(&with(2, json!([0.5, 0, null])), "`decision` of the metadata: invalid type");
    assert_damaged(&with(2, json!({})), "`decision` of the metadata: invalid type");
    let overflow =
        with_text(mlp(), |text| text.replacen("\"version\":1", "\"version\":2,\"decision\":[0,0,1e999]", 1));
    assert_damaged(&overflow, "the metadata `headsmith` is damaged: number out of range");
}

#[test]
fn prediction_sets_must_be_sound() {
    let with = |version: u32, sets: Value| {
        changed(mlp(), move |d| {
            d["version"] = version.into();
            (d["decision"], d["shared"], d["sets"]) = (json!([]), json!({}), sets);
        })
    };
    let sets = |level: Value, thresholds: Value| json!({ "level": level, "by_class": true, "thresholds": thresholds });
    let read = Model::from_bytes(&with(4, sets(json!(0.8), json!([0.5, 0, 1])))).unwrap();
    assert_eq!((read.sets().unwrap().thresholds(), read.decision()), (&[0.5, 0.0, 1.0][..], &[][..]));
    let refused = |sets: Value, expected: &str| assert_damaged(&with(4, sets), expected);
    refused(
        sets(json!(0.8), json!([0.5, 0])),
        "the prediction sets have 2 thresholds, expected one for each of the 3 classes",
    );
    refused(sets(json!(0.8), json!([])), "the prediction sets have 0 thresholds");
    refused(
        sets(json!(0.8), json!([0.5, 0, 1.5])),
        "threshold 2 of the prediction sets is 1.5, expected a number from 0 to 1",
    );
    refused(sets(json!(0.8), json!([0.5, -1e-9, 1])), "threshold 1 of the prediction sets is -1e-9");
    refused(sets(json!(0.8), json!([0.5, null, 1])), "`sets` of the metadata: invalid type: null");
    for level in [json!(0), json!(1), json!(-1), json!(1e300)] {
        refused(sets(level, json!([0.5, 0, 1])), "expected a number above 0 and below 1");
    }
    refused(sets(json!("0.9"), json!([0.5, 0, 1])), "`sets` of the metadata: invalid type: string");
    refused(
        json!({ "level": 0.8, "by_class": false, "thresholds": [0.5, 0.5, 0.25] }),
        "expected equal ones unless they are by class",
    );
    refused(
        json!({ "level": 0.8, "by_class": false, "thresholds": [0, 0, 0], "score": "aps" }),
        "unknown field `score`",
    );
    refused(json!({ "level": 0.8, "thresholds": [0, 0, 0] }), "missing field `by_class`");
    refused(json!([]), "`sets` of the metadata: ");
    assert_damaged(
        &with(3, sets(json!(0.8), json!([0, 0, 0]))),
        "the metadata has the key `sets`, expected format,",
    );
    let without = changed(mlp(), |d| {
        d["version"] = 4.into();
        (d["decision"], d["shared"]) = (json!([]), json!({}));
    });
    assert_damaged(&without, "the metadata has no `sets`, which it must have from version 4 on");
    let overflow = with_text(mlp(), |text| {
        let of_4 = r#""version":4,"decision":[],"shared":{},"sets":{"level":0.9,"by_class":false,"thresholds":[0,0,1e999]}"#;
        text.replacen("\"version\":1", of_4, 1)
    });
    assert_damaged(&overflow, "the metadata `headsmith` is damaged: number out of range");
}

#[test]
fn shared_tensors_must_equal_one_of_the_file() {
    let with = |shared: Value| {
        changed(mlp(), move |d| {
            d["version"] = 3.into();
            (d["decision"], d["shared"]) = (json!([]), shared);
        })
    };
    assert!(Model::from_bytes(&with(json!({}))).unwrap().decision().is_empty());
    let no_shared = changed(mlp(), |d| {
        d["version"] = 3.into();
        d["decision"] = json!([]);
    });
    assert_damaged(&no_shared, "the metadata has no `shared`, which it must have from version 3 on");
    assert_damaged(&with(json!([])), "`shared` of the metadata: invalid type");
    assert_damaged(
        &with(json!({ "0/0/dense/bias": "0/mean" })),
        "tensor `0/0/dense/bias`, which is in the file",
    );
    assert_damaged(&with(json!({ "0/1/x": "0/y" })), "equals `0/y`, which is not in the file");
    // A tensor that no node owns.
    assert_damaged(&with(json!({ "0/1/x": "0/mean" })), "but the nodes of the model own");
    let many: serde_json::Map<String, Value> =
        (0..100_000).map(|i| (format!("0/{i}/x"), json!("0/0/dense/kernel"))).collect();
    assert_damaged(&with(many.into()), "expected at most 16 times the file's");
}

#[test]
fn an_unknown_kind_is_named() {
    let error = refusal(&changed(ensemble(), |d| {
        d["node"]["members"][1]["node"]["then"] = json!({ "kind": "oracle", "penalty": 1 });
    }));
    assert!(error.is_unsupported());
    let message = error.to_string();
    assert!(
        message.starts_with(
            "node 0/1/0/ is of kind `oracle`; this program knows transform, forest, extra-trees, mlp"
        ),
        "{message}"
    );
    assert!(
        message.ends_with(", ensemble, pool and calibrated: a newer Headsmith may read the file"),
        "{message}"
    );
    assert_damaged(&changed(mlp(), |d| d["node"] = Value::Null), "node 0/ has no `kind`");
}

#[test]
fn a_safetensors_file_that_is_no_model_is_told_so() {
    let other = file(&json!({ "__metadata__": { "format": "pt" } }), &[]);
    assert_damaged(&other, "a safetensors file, but not a model: its metadata has no `headsmith`");
    assert_damaged(&file(&json!({}), &[]), "but not a model");
}

#[test]
fn keys_must_be_those_of_the_format() {
    assert_damaged(
        &changed(mlp(), |d| d["more"] = 1.into()),
        "the metadata has the key `more`, expected format,",
    );
    assert_damaged(
        &changed(mlp(), |d| d["node"]["more"] = 1.into()),
        "node 0/ has the key `more`, expected kind,",
    );
    let without = |key: &'static str| changed(mlp(), move |d| drop(d.as_object_mut().unwrap().remove(key)));
    assert_damaged(&without("classes"), "the metadata has no `classes`");
    assert_damaged(&without("record"), "the metadata has no `record`");
    assert_damaged(
        &changed(mlp(), |d| d["record"]["seed"] = "x".into()),
        "`record` of the metadata: invalid type",
    );
    assert_damaged(&changed(mlp(), |d| d["classes"] = json!([1])), "`classes` of the metadata: invalid type");
    let twice = with_text(mlp(), |text| text.replacen("\"version\"", "\"version\":1,\"version\"", 1));
    assert_damaged(&twice, "key `version` occurs twice");
    assert_damaged(
        &with_text(mlp(), |text| text[..text.len() - 1].to_owned()),
        "the metadata `headsmith` is damaged",
    );
    let deep = format!("{}{}", r#"{"kind":"#.repeat(100_000), "}".repeat(100_000));
    assert_damaged(&with_text(mlp(), |_| deep), "nested deeper than 64");
}

#[test]
fn nodes_must_fit_together() {
    assert_damaged(
        &changed(mlp(), |d| d["node"]["scaling"] = "log".into()),
        "`scaling` of node 0/: `log` is not a transform",
    );
    assert_damaged(
        &changed(mlp(), |d| d["node"]["scaling"] = "divide:0".into()),
        "`divide:0` is not a transform",
    );
    assert_damaged(
        &changed(mlp(), |d| d["node"]["scaling"] = "l2".into()),
        "node 0/ (transform): the transform has an unexpected tensor",
    );
    assert_damaged(&changed(mlp(), |d| d["classes"] = json!(["a", "b"])), "has 3 classes, but 2 are named");
    assert_damaged(
        &changed(mlp(), |d| d["classes"] = json!(["a", "b", "b"])),
        "the class `b` is named twice",
    );
    for weight in [json!(0), json!(-1.5), json!("1"), json!(null)] {
        assert_damaged(&changed(ensemble(), |d| d["node"]["members"][1]["weight"] = weight), "weight");
    }
    assert_damaged(
        &changed(ensemble(), |d| d["node"]["members"] = json!({})),
        "`members` of node 0/ is not an array",
    );
    assert_damaged(&changed(ensemble(), |d| d["node"]["members"] = json!([])), "the file has");
    let mut nested = json!({ "kind": "forest" });
    for _ in 0..16 {
        nested = json!({ "kind": "transform", "scaling": "none", "then": nested });
    }
    assert_damaged(&changed(Node::head(samples::mlp()), |d| d["node"] = nested), "lies deeper than 16 nodes");
    let many = json!({ "weight": 1, "node": { "kind": "ensemble", "members": [] } });
    assert_damaged(
        &changed(mlp(), |d| d["node"] = json!({ "kind": "ensemble", "members": vec![many; 5000] })),
        "more than 4096 nodes",
    );
}

#[test]
fn pools_and_calibrations_must_be_whole() {
    let pool = samples::pool;
    assert_damaged(
        &changed(pool(), |d| d["node"]["members"] = json!({})),
        "`members` of node 0/ is not an array",
    );
    assert_damaged(&changed(pool(), |d| d["node"]["members"] = json!([])), "the file has");
    assert_damaged(&changed(pool(), |d| d["node"]["bias"] = json!([0])), "has the key `bias`");
    assert_damaged(
        &changed(pool(), |d| d["node"]["members"][1] = json!(3)),
        "node 0/1/ has no `kind`, expected one of",
    );
    assert_damaged(
        &changed(Node::head(samples::forest()), |d| {
            d["node"] = json!({ "kind": "pool", "members": [{ "kind": "forest" }] });
        }),
        "node 0/ (pool): tensor `weights` is missing",
    );
    let bytes = model(pool()).to_bytes().unwrap();
    let (n, header) = header(&bytes);
    let start = 8 + n + header["0/weights"]["data_offsets"][0].as_u64().unwrap() as usize;
    let mut negative = bytes.clone();
    negative[start..start + 8].copy_from_slice(&(-0.5f64).to_le_bytes());
    assert_damaged(&negative, "node 0/ (pool): the weight of member 0 is -0.5, expected 0 to 1e30");
    for calibration in samples::calibrations() {
        let name = calibration.form().name();
        let calibrated = || Node::Calibrated { calibration: calibration.clone(), then: Box::new(pool()) };
        for form in [json!("oracle"), json!(1), json!("none")] {
            assert_damaged(
                &changed(calibrated(), |d| d["node"]["form"] = form),
                "node 0/ (calibrated): there is no calibration of the form",
            );
        }
        let other = if name == "vector" { "isotonic" } else { "vector" };
        assert_damaged(
            &changed(calibrated(), |d| d["node"]["form"] = json!(other)),
            "node 0/ (calibrated): tensor",
        );
        assert_damaged(
            &changed(calibrated(), |d| d["classes"] = json!(["a", "b"])),
            "the calibrated has 3 classes, but 2 are named",
        );
    }
}

#[test]
fn tensors_must_be_those_of_the_nodes() {
    assert_damaged(
        &changed(mlp(), |d| d["node"] = json!({ "kind": "forest" })),
        "node 0/ (forest): tensor `n_classes` is missing",
    );
    assert_damaged(
        &changed(ensemble(), |d| drop(d["node"]["members"].as_array_mut().unwrap().pop())),
        "the file has 20 tensors, but the nodes of the model own 10",
    );
    let layers = |d: &mut Value, layer: usize| d["node"]["then"]["architecture"]["layers"][layer].take();
    assert_damaged(&changed(mlp(), |d| drop(layers(d, 0))), "node 0/0/ (mlp): `architecture`: ");
    for units in [4, 6, 65_536] {
        assert_damaged(
            &changed(mlp(), |d| d["node"]["then"]["architecture"]["layers"][0]["units"] = units.into()),
            "node 0/0/ (mlp): tensor `dense",
        );
    }
}

#[test]
fn values_must_be_sound() {
    let bytes = model(mlp()).to_bytes().unwrap();
    let (n, header) = header(&bytes);
    let with = |tensor: &str, value: &[u8]| {
        let mut bytes = bytes.clone();
        let start = 8 + n + header[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
        bytes[start..start + value.len()].copy_from_slice(value);
        bytes
    };
    assert_damaged(
        &with("0/0/dense/kernel", &f32::NAN.to_le_bytes()),
        "element 0 of tensor `0/0/dense/kernel` is not a finite number",
    );
    assert_damaged(
        &with("0/mean", &f64::INFINITY.to_le_bytes()),
        "element 0 of tensor `0/mean` is not a finite number",
    );
    assert_damaged(
        &with("0/scale", &0f64.to_le_bytes()),
        "node 0/ (transform): element 0 of tensor `scale` is 0.0, expected a number above zero",
    );
}

#[test]
fn a_forest_that_runs_in_circles_is_refused() {
    let bytes = model(Node::head(samples::forest())).to_bytes().unwrap();
    let (n, header) = header(&bytes);
    let next = 8 + n + header["0/next"]["data_offsets"][0].as_u64().unwrap() as usize;
    // The root's children, and those of node 2: themselves, earlier nodes, each other's, beyond the tree.
    for (node, child) in
        [(0, 0u32), (2, 1), (2, 2), (2, 0), (0, 3), (2, 4), (2, 5), (2, u32::MAX), (6, 0), (6, 4)]
    {
        let mut bytes = bytes.clone();
        bytes[next + 4 * node..next + 4 * node + 4].copy_from_slice(&child.to_le_bytes());
        assert_damaged(&bytes, "node 0/ (forest): tree ");
    }
}

#[test]
fn a_record_that_could_not_be_read_again_is_not_written() {
    let mut large = model(mlp());
    large.record_mut().extra.insert("all".to_owned(), vec![0; 300_000].into());
    let error = large.to_bytes().unwrap_err();
    assert!(error.is_invalid());
    assert!(error.to_string().contains("more than 262144 values"), "{error}");
    let mut deep = model(mlp());
    let nested = (0..100).fold(Value::Null, |value, _| json!([value]));
    deep.record_mut().extra.insert("deep".to_owned(), nested);
    assert!(deep.to_bytes().unwrap_err().to_string().contains("nested deeper than 64"));
}
