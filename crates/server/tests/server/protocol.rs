//! The protocols: `/predict`, version 2 with binary data, MLflow's, and the pages.

use headsmith_kernels::{MatRef, Pool};
use serde_json::{Value, json};

use crate::world::{CLASSES, World, file, model, write};

const ROWS: [f32; 8] = [0.5, -1.0, 0.25, 2.0, -0.75, 1.5, 0.0, -3.0];

/// The probabilities and classes of [`ROWS`], by the model itself.
fn expected() -> (Vec<f32>, Vec<&'static str>) {
    let (proba, decided) = model(0.5).predict_decided(MatRef::new(&ROWS, 2, 4), &Pool::inline()).unwrap();
    (proba.into_vec(), decided.iter().map(|class| CLASSES[*class as usize]).collect())
}

fn rows() -> Value {
    json!(ROWS.chunks(4).collect::<Vec<_>>())
}

/// Numbers of JSON as f32.
fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap() as f32],
    }
}

#[test]
fn people_get_labels_probabilities_and_sets() {
    let world = World::new();
    let answer = world.post("/predict", json!({ "embeddings": rows() }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (proba, labels) = expected();
    let found = answer.json();
    assert_eq!(found["model"], "m");
    assert_eq!(found["labels"], json!(labels));
    assert_eq!(found["classes"], json!(CLASSES));
    assert_eq!(numbers(&found["probabilities"]), proba);
    let set = |row: &[f32]| (0..3).filter(|c| row[*c] >= 0.2).map(|c| CLASSES[c]).collect::<Vec<_>>();
    assert_eq!(
        found["sets"],
        json!({ "level": 0.9, "members": proba.chunks(3).map(set).collect::<Vec<_>>() })
    );
    let one = world.post("/predict/m", json!({ "embeddings": ROWS[..4] }).to_string()).json();
    assert_eq!(one["labels"], json!(labels[..1]));
}

#[test]
fn health_and_metadata_are_as_the_protocol_says() {
    let world = World::new();
    assert_eq!(world.get("/v2/health/live").json(), json!({ "live": true }));
    assert_eq!(world.get("/v2/health/ready").json(), json!({ "ready": true }));
    assert_eq!(world.get("/v2/models/m/ready").status, 200);
    assert_eq!(world.get("/v2/models/m/versions/1/ready").status, 200);
    assert_eq!(world.get("/v2/models/x/ready").status, 404);
    assert_eq!(world.get("/v2").json()["extensions"], json!(["binary_tensor_data"]));
    let metadata = json!({
        "name": "m",
        "versions": ["1"],
        "platform": "headsmith",
        "inputs": [{ "name": "embeddings", "datatype": "FP32", "shape": [-1, 4] }],
        "outputs": [
            { "name": "label", "datatype": "BYTES", "shape": [-1] },
            { "name": "probabilities", "datatype": "FP32", "shape": [-1, 3] },
            { "name": "in_set", "datatype": "BOOL", "shape": [-1, 3] },
        ],
    });
    assert_eq!(world.get("/v2/models/m").json(), metadata);
    assert_eq!(world.get("/v2/models/m/versions/1").json(), metadata);
    let head = world.ask("HEAD", "/v2/health/live", &[("connection", "close")], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn json_tensors_are_nested_or_flat() {
    let world = World::new();
    let (proba, labels) = expected();
    for data in [rows(), json!(ROWS)] {
        let input = json!({ "name": "embeddings", "shape": [2, 4], "datatype": "FP32", "data": data });
        let request = json!({ "id": "seven", "inputs": [input] });
        let answer = world.post("/v2/models/m/versions/1/infer", request.to_string()).json();
        assert_eq!((&answer["id"], &answer["model_name"]), (&json!("seven"), &json!("m")));
        let outputs = answer["outputs"].as_array().unwrap();
        assert_eq!(outputs[0], json!({ "name": "label", "datatype": "BYTES", "shape": [2], "data": labels }));
        assert_eq!((&outputs[1]["shape"], numbers(&outputs[1]["data"])), (&json!([2, 3]), proba.clone()));
        let flags: Vec<bool> = proba.iter().map(|p| *p >= 0.2).collect();
        assert_eq!(outputs[2]["data"], json!(flags));
    }
    let input = json!({ "name": "embeddings", "shape": [2, 4], "datatype": "FP64", "data": ROWS });
    let request = json!({ "inputs": [input], "outputs": [{ "name": "probabilities" }] });
    let answer = world.post("/v2/models/m/infer", request.to_string()).json();
    assert_eq!((answer["outputs"].as_array().unwrap().len(), answer.get("id")), (1, None));
    let request = json!({ "inputs": [input], "outputs": [{ "name": "logits" }] });
    assert_eq!(world.post("/v2/models/m/infer", request.to_string()).status, 400);
}

#[test]
fn binary_tensors_come_and_go_after_the_json() {
    let world = World::new();
    let bytes: Vec<u8> = ROWS.iter().flat_map(|x| x.to_le_bytes()).collect();
    let input = json!({ "name": "embeddings", "shape": [2, 4], "datatype": "FP32", "parameters": { "binary_data_size": 32 } });
    let json = json!({ "inputs": [input], "parameters": { "binary_data_output": true } }).to_string();
    let length = json.len().to_string();
    let headers =
        [("Inference-Header-Content-Length", length.as_str()), ("content-type", "application/octet-stream")];
    let answer = world.ask("POST", "/v2/models/m/infer", &headers, &[json.as_bytes(), &bytes].concat());
    assert_eq!(answer.status, 200, "{:?}", String::from_utf8_lossy(&answer.body));
    let length: usize = answer.header("inference-header-content-length").unwrap().parse().unwrap();
    let outputs: Value = serde_json::from_slice(&answer.body[..length]).unwrap();
    let outputs = outputs["outputs"].as_array().unwrap();
    let (proba, labels) = expected();
    let text: Vec<u8> =
        labels.iter().flat_map(|l| [&(l.len() as u32).to_le_bytes(), l.as_bytes()].concat()).collect();
    let numbers: Vec<u8> = proba.iter().flat_map(|p| p.to_le_bytes()).collect();
    let flags: Vec<u8> = proba.iter().map(|p| u8::from(*p >= 0.2)).collect();
    assert_eq!(answer.body[length..], [text.clone(), numbers.clone(), flags.clone()].concat());
    for (output, bytes) in outputs.iter().zip([text, numbers, flags]) {
        assert_eq!(output["parameters"]["binary_data_size"], json!(bytes.len()));
        assert_eq!(output.get("data"), None);
    }
}

#[test]
fn clients_of_mlflow_are_understood() {
    let world = World::new();
    let (proba, labels) = expected();
    let columns: Vec<String> = (0..4).map(|i| format!("f{i}")).collect();
    let records: Vec<Value> = ROWS
        .chunks(4)
        .map(|row| columns.iter().cloned().zip(row.iter().map(|x| json!(x))).collect())
        .collect();
    let whole: Vec<Value> = ROWS.chunks(4).map(|row| json!({ "id": "a", "embeddings": row })).collect();
    let cells: Vec<Value> = ROWS.chunks(4).map(|row| json!(["a", row])).collect();
    for body in [
        json!({ "dataframe_split": { "index": [0, 1], "columns": columns, "data": rows() } }),
        json!({ "dataframe_split": { "data": rows(), "columns": [0, 1, 2, 3] } }),
        json!({ "dataframe_split": { "columns": ["id", "embeddings"], "data": cells } }),
        json!({ "dataframe_records": records }),
        json!({ "dataframe_records": whole }),
        json!({ "instances": rows() }),
        json!({ "instances": records, "signature_name": "serving_default" }),
        json!({ "inputs": rows() }),
        json!({ "inputs": { "embeddings": rows() } }),
        json!({ "inputs": rows(), "params": null }),
    ] {
        let answer = world.post("/invocations", body.to_string());
        assert_eq!(answer.json(), json!({ "predictions": labels }), "{body}");
    }
    let body = json!({ "inputs": rows(), "params": { "proba": true } });
    assert_eq!(numbers(&world.post("/invocations/m", body.to_string()).json()["predictions"]), proba);
    for body in [
        json!({}),
        json!({ "inputs": rows(), "instances": rows() }),
        json!({ "columns": [], "data": [] }),
        json!({ "dataframe_records": [{ "f0": 1, "f1": 2 }] }),
        json!({ "dataframe_records": [{ "a": 1, "b": 2, "c": 3, "d": 4 }, { "a": 1, "b": 2, "c": 3, "e": 4 }] }),
        json!({ "dataframe_split": { "columns": ["a"], "data": [[1]] } }),
        json!({ "dataframe_split": { "columns": columns, "data": [[1, 2, 3]] } }),
        json!({ "dataframe_split": { "columns": columns, "data": [[1, 2, 3, 4, 5]] } }),
        json!({ "dataframe_split": { "columns": columns, "data": [[1, 2, 3, null]] } }),
        json!({ "dataframe_split": { "columns": ["f0", "f1", "f1", "f3"], "data": rows() } }),
        json!({ "dataframe_split": { "columns": ["embeddings", "embeddings"], "data": [[[1, 2, 3, 4], [1, 2, 3, 4]]] } }),
        json!({ "dataframe_records": [] }),
        json!({ "inputs": { "x": rows() } }),
        json!({ "inputs": rows(), "params": { "temperature": 1 } }),
    ] {
        let answer = world.post("/invocations", body.to_string());
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
}

#[test]
fn named_features_are_put_in_their_order() {
    let mut named = model(0.5);
    named.record_mut().feature_names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let world = World::with(|options, folder| {
        let path = folder.join("named.safetensors");
        write(&path, &named);
        options.models = vec![file("named", &path)];
    });
    let (_, labels) = expected();
    let cells: Vec<Value> = ROWS.chunks(4).map(|r| json!([r[3], "x", r[1], r[0], r[2]])).collect();
    let body = json!({ "dataframe_split": { "columns": ["d", "id", "b", "a", "c"], "data": cells } });
    assert_eq!(world.post("/invocations", body.to_string()).json()["predictions"], json!(labels));
    let records: Vec<Value> =
        ROWS.chunks(4).map(|r| json!({ "c": r[2], "id": "x", "d": r[3], "a": r[0], "b": r[1] })).collect();
    let body = json!({ "dataframe_records": records });
    assert_eq!(world.post("/invocations", body.to_string()).json()["predictions"], json!(labels));
    let body = json!({ "dataframe_split": { "columns": ["a", "b", "c"], "data": [[1, 2, 3]] } });
    assert!(world.post("/invocations", body.to_string()).text().contains("no column `d`"));
    let body =
        json!({ "dataframe_split": { "columns": ["a", "b", "c", "d", "a"], "data": [[1, 2, 3, 4, 5]] } });
    assert!(world.post("/invocations", body.to_string()).text().contains("`a` occurs twice"));
    // A column that is not read may have any name.
    let body = json!({ "dataframe_split": { "columns": ["x", "a", "b", "c", "d", "x"], "data": [[0, 1, 2, 3, 4, 5]] } });
    assert_eq!(world.post("/invocations", body.to_string()).status, 200);
}

#[test]
fn several_models_are_named_in_the_path() {
    let world = World::with(|options, folder| {
        let path = folder.join("other.safetensors");
        write(&path, &model(-40.0));
        options.models.push(file("other", &path));
    });
    let body = r#"{"embeddings": [[0, 0, 0, 0]]}"#;
    assert_eq!(world.post("/predict/m", body).json()["labels"], json!([CLASSES[0]]));
    assert_eq!(world.post("/predict/other", body).json()["labels"], json!([CLASSES[1]]));
    let answer = world.post("/predict", body);
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("/predict/m: m, other"), "{}", answer.text());
    assert_eq!(world.post("/predict/none", body).status, 404);
}

#[test]
fn metrics_count_requests_rows_and_drift() {
    let world = World::new();
    // Of eight values two are out of the training range; the fourth feature is constant and has no distance.
    world.post("/predict", r#"{"embeddings": [[0, 1.5, 0, 0], [0.5, 0, -2, 1]]}"#);
    world.post("/predict", "nonsense");
    let page = world.get("/metrics").text();
    for line in [
        "headsmith_request_seconds_count{route=\"/predict\",status=\"200\"} 1",
        "headsmith_request_seconds_count{route=\"/predict\",status=\"400\"} 1",
        "headsmith_batch_rows_total 2",
        "headsmith_drift_values_total{model=\"m\"} 8",
        "headsmith_drift_out_of_range_values_total{model=\"m\"} 2",
        "headsmith_drift_out_of_range_share{model=\"m\"} 0.25",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    // (9 + 1 + 16) / 3 features over 2 rows.
    assert!(page.contains("headsmith_drift_distance{model=\"m\"} 4.33333333333333"), "{page}");
    assert!(page.contains("headsmith_predictions_total{model=\"m\",class=\"sea \\\"state\\\"\"}"), "{page}");
}

#[test]
fn values_too_large_for_the_model_are_refused() {
    let world = World::new();
    let data = json!([[0, 0, 0, 0], [3.4e38, 0, 0, 0]]);
    let input = json!({ "name": "embeddings", "shape": [2, 4], "datatype": "FP32", "data": data });
    for (path, body) in [
        ("/predict", json!({ "embeddings": data })),
        ("/v2/models/m/infer", json!({ "inputs": [input] })),
        ("/invocations", json!({ "inputs": data })),
    ] {
        let answer = world.post(path, body.to_string());
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains("row 1 ") && answer.text().contains("too large"), "{}", answer.text());
    }
    // A value that the model can take, however large, does not ruin the metrics.
    assert_eq!(world.post("/predict", r#"{"embeddings": [[1e20, 0, 0, 0]]}"#).status, 200);
    let page = world.get("/metrics").text();
    assert!(page.contains("headsmith_drift_distance{model=\"m\"} 333333.3"), "{page}");
}

#[test]
fn the_server_describes_itself() {
    let world = World::new();
    let description = world.get("/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    assert!(description["paths"]["/predict"]["post"]["requestBody"].is_object());
    let text = description.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(description["components"]["schemas"][name].is_object(), "{name}");
    }
    // Every resource that is described is there.
    for (path, methods) in description["paths"].as_object().unwrap() {
        let method = methods.as_object().unwrap().keys().next().unwrap().to_uppercase();
        let path = path.replace("{name}", "m");
        let status = world.ask(&method, &path, &[], b"").status;
        assert!([200, 400].contains(&status), "{method} {path}: {status}");
        // Another method is refused as described.
        assert_eq!(world.ask("PUT", &path, &[], b"").status, 405);
        assert!(methods[&method.to_lowercase()]["responses"]["405"].is_object(), "{path}");
        // And so are the types of bodies.
        let described = methods[&method.to_lowercase()]["requestBody"]["content"].as_object();
        for kind in ["application/json", "application/octet-stream"] {
            let Some(described) = described else { continue };
            let status = world.ask(&method, &path, &[("content-type", kind)], b"{}").status;
            assert_eq!(status != 415, described.contains_key(kind), "{path} {kind}: {status}");
        }
    }
    let rows = &description["components"]["schemas"]["PredictRequest"]["properties"]["embeddings"]["anyOf"];
    assert_eq!((&rows[0]["items"]["type"], &rows[1]["items"]["type"]), (&json!("array"), &json!("number")));
    let names = |path: &str| {
        let parameters = description["paths"][path]["post"]["parameters"].as_array().unwrap();
        parameters.iter().map(|parameter| parameter["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("/v2/models/{name}/infer"), ["inference-header-content-length", "name"]);
    assert_eq!(names("/predict/{name}"), ["name"]);
    let page = world.get("/docs");
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert!(page.text().contains("sea &quot;state&quot;") && !page.text().contains("<script"));
}

#[test]
fn requests_have_ids() {
    let world = World::new();
    let id = |given: &str| {
        let answer = world.ask("GET", "/v2", &[("x-request-id", given)], b"");
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(id("a-1.b_2"), "a-1.b_2");
    for given in ["", "a b", "a\"b", &"x".repeat(65)] {
        let made = id(given);
        assert!(made.len() == 16 && made != id(given), "{given}: {made}");
    }
}
