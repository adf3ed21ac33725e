//! Small models made by hand, so that they stay the same when training changes.

use headsmith_heads::HEADS;
use headsmith_heads::calibration::ProbabilityCalibration;
use headsmith_heads::forest::Forest;
use headsmith_heads::mlp::{Architecture, Mlp};
use headsmith_heads::network::{Activation, Layer};
use headsmith_heads::pool::LogLinear;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_heads::transform::{Pipeline, Spec};
use headsmith_kernels::{MatRef, Matrix, Pool};
use headsmith_metrics::conformal::{ConformalSets, Options};
use headsmith_model::{DataRecord, Model, Node, Record};
use serde_json::json;

/// Seven rows of four features.
pub(crate) fn rows() -> Matrix {
    let values = (0..28).map(|i| ((i * i * 5 + i * 11 + 7) % 31) as f32 / 4.0 - 3.5).collect();
    Matrix::new(values, 7, 4)
}

pub(crate) fn classes() -> Vec<String> {
    ["negative", "neutral", "positiv \u{1f642}"].map(str::to_owned).to_vec()
}

/// Weights that binary holds exactly.
fn weights(n: usize, offset: usize) -> Values {
    Values::F32((0..n).map(|i| (((i + offset) * 37 % 23) as f32 - 11.0) / 8.0).collect())
}

pub(crate) fn mlp() -> Mlp {
    let architecture = Architecture {
        n_features: 4,
        layers: vec![
            Layer::Dense { units: 5, activation: Activation::Relu },
            Layer::GaussianNoise { stddev: 0.1 },
            Layer::LayerNormalization { epsilon: 1e-3 },
            Layer::Dense { units: 3, activation: Activation::Relu },
            Layer::Dropout { rate: 0.25 },
            Layer::Dense { units: 3, activation: Activation::Softmax },
        ],
    };
    let mut tensors = Tensors::new();
    tensors.insert("dense/kernel", &[4, 5], weights(20, 0));
    tensors.insert("dense/bias", &[5], weights(5, 3));
    tensors.insert("layer_normalization/gamma", &[5], weights(5, 9));
    tensors.insert("layer_normalization/beta", &[5], weights(5, 4));
    tensors.insert("dense_1/kernel", &[5, 3], weights(15, 8));
    tensors.insert("dense_1/bias", &[3], Values::F32(vec![1.5, 0.75, 2.25]));
    tensors.insert("dense_2/kernel", &[3, 3], weights(9, 5));
    tensors.insert("dense_2/bias", &[3], weights(3, 7));
    Mlp::from_tensors(&architecture, tensors).unwrap()
}

/// Three trees: of five nodes, of a single leaf, of three nodes.
pub(crate) fn forest() -> Forest {
    const LEAF: u32 = u32::MAX;
    let mut tensors = Tensors::new();
    let mut insert = |name: &str, values: Values| tensors.insert(name, &[values.len()], values);
    insert("n_classes", Values::U32(vec![3]));
    insert("importances", Values::F64(vec![0.5, 0.25, 0.0, 0.25]));
    insert("tree_size", Values::U32(vec![5, 1, 3]));
    insert("threshold", Values::F32(vec![0.5, 0.0, -1.25, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]));
    insert("feature", Values::U32(vec![0, LEAF, 3, LEAF, LEAF, LEAF, 1, LEAF, LEAF]));
    insert("next", Values::U32(vec![1, 2, 3, 3, 0, 3, 1, 1, 0]));
    insert("tree_mixed_leaves", Values::U32(vec![1, 1, 0]));
    insert("mixed_size", Values::U32(vec![2, 3]));
    insert("mixed_class", Values::U32(vec![0, 2, 0, 1, 2]));
    insert("mixed_probability", Values::F64(vec![0.25, 0.75, 0.5, 0.25, 0.25]));
    Forest::from_tensors(tensors).unwrap()
}

pub(crate) fn fitted(scaling: &str) -> Pipeline {
    let training: Vec<f32> = (0..20).map(|i| (i * i % 7) as f32 - 2.0).collect();
    scaling.parse::<Spec>().unwrap().fit(MatRef::new(&training, 5, 4), &Pool::inline()).unwrap()
}

pub(crate) fn scaled(scaling: &str, then: Node) -> Node {
    Node::Transform { transform: fitted(scaling), then: Box::new(then) }
}

/// The model of each golden file, by the file's last name.
pub(crate) fn golden() -> [(&'static str, Model); 3] {
    let ensemble = Node::Ensemble(vec![
        (0.75, scaled("divide:10", Node::head(mlp()))),
        (0.25, Node::head(forest())),
        (0.5, scaled("standardise", Node::head(forest()))),
    ]);
    [
        ("mlp", model(scaled("l2+standardise", Node::head(mlp())))),
        ("forest", model(Node::head(forest()))),
        ("ensemble", model(ensemble)),
    ]
}

/// The model of the golden file of version 2: the forest with a decision.
pub(crate) fn decided() -> Model {
    model(Node::head(forest())).with_decision(vec![-0.25, 0.0, 0.4]).unwrap()
}

/// The model of the golden file of version 4: the one of version 2 with prediction sets.
pub(crate) fn with_sets() -> Model {
    let options = Options::new(0.9).unwrap().by_class();
    decided().with_sets(ConformalSets::new(options, vec![0.25, 0.375, 0.0]).unwrap()).unwrap()
}

/// The model of the golden file of version 3: a pool of two linear heads of the same coefficients, with other intercepts.
pub(crate) fn shared() -> Model {
    let linear = |intercept: f32| {
        let mut tensors = Tensors::new();
        let coef = (0..1200).map(|i| ((i * 37 % 101) as f32 - 50.0) / 256.0).collect();
        tensors.insert("coef", &[3, 400], Values::F32(coef));
        tensors.insert("intercept", &[3], Values::F32(vec![intercept, 0.0, -intercept]));
        let head = HEADS.iter().find(|head| head.name() == "linear").unwrap();
        Node::Head(head.restore(serde_json::Map::new(), tensors).unwrap())
    };
    let members = vec![linear(0.5), linear(-0.25)];
    model(Node::Pool { members, pool: LogLinear { weights: vec![0.75, 0.5], bias: vec![0.0; 3] } })
}

/// The pool of an MLP and a forest.
pub(crate) fn pool() -> Node {
    Node::Pool {
        members: vec![scaled("standardise", Node::head(mlp())), Node::head(forest())],
        pool: LogLinear { weights: vec![0.75, 0.5], bias: vec![0.25, 0.0, -0.5] },
    }
}

/// The arrays of a calibration by name.
type Arrays = &'static [(&'static str, &'static [f64])];

/// The calibrations of three classes, one of each form.
pub(crate) fn calibrations() -> Vec<ProbabilityCalibration> {
    let forms: [(&str, Arrays); 5] = [
        ("identity", &[]),
        ("temperature", &[("slope", &[1.5])]),
        ("vector", &[("slope", &[1.5, 0.5, 1.0]), ("bias", &[0.25, 0.0, -0.5])]),
        (
            "quadratic",
            &[
                ("calibration.linear", &[1.0, 0.25, 0.0, 0.0, 1.5, 0.0, -0.25, 0.0, 0.75]),
                ("calibration.square", &[0.0, 0.0, 0.125, 0.0, 0.0, 0.0, 0.0, -0.125, 0.0]),
                ("calibration.bias", &[0.25, 0.0, -0.5]),
            ],
        ),
        (
            "isotonic",
            &[
                ("knots.x", &[0.125, 0.5, 0.75, 0.25, 0.5]),
                ("knots.y", &[0.0, 0.25, 1.0, 0.5, 0.5]),
                ("floor", &[0.0078125]),
            ],
        ),
    ];
    let calibration = |(form, arrays): (&str, Arrays)| {
        let mut tensors = Tensors::new();
        tensors.insert("n_classes", &[1], Values::U32(vec![3]));
        for (name, values) in arrays {
            tensors.insert(*name, &[values.len()], Values::F64(values.to_vec()));
        }
        if form == "isotonic" {
            tensors.insert("knots.size", &[3], Values::U32(vec![3, 2, 0]));
        }
        ProbabilityCalibration::restore(form, tensors).unwrap()
    };
    forms.into_iter().map(calibration).collect()
}

/// Models of pools and calibrations.
pub(crate) fn combined() -> Vec<(&'static str, Model)> {
    let calibrated = |calibration: ProbabilityCalibration| {
        let name = calibration.form().name();
        (name, model(Node::Calibrated { calibration, then: Box::new(pool()) }))
    };
    let inside = Node::Pool {
        members: vec![
            scaled("l2", pool()),
            Node::Calibrated { calibration: calibrations().remove(1), then: Box::new(Node::head(forest())) },
        ],
        pool: LogLinear { weights: vec![0.0, 2.0], bias: vec![0.0; 3] },
    };
    calibrations()
        .into_iter()
        .map(calibrated)
        .chain([("pool", model(pool())), ("nested", model(inside))])
        .collect()
}

pub(crate) fn model(node: Node) -> Model {
    Model::new(classes(), node, record()).unwrap()
}

fn record() -> Record {
    let object = |value: serde_json::Value| value.as_object().cloned().unwrap();
    Record {
        head: Some("mlp".to_owned()),
        params: object(json!({ "neurons0": 5, "lr": 0.0012, "max_features": "sqrt" })),
        seed: Some(u64::MAX),
        headsmith_version: Some("0.1.0".to_owned()),
        embeddings_column: Some("embeddings".to_owned()),
        feature_names: Vec::new(),
        label_column: Some("label".to_owned()),
        weight_column: None,
        metrics: json!({ "val": { "weighted_f1": 0.6180339887498949, "confusion": [[3, 1], [0, 4]] } }),
        data: vec![DataRecord::new("train", "somewhere/train.csv".as_ref(), 5, "0123abcd")],
        selected_on: vec!["epoch".to_owned(), "head".to_owned()],
        features: None,
        extra: object(json!({ "note": "made by hand" })),
    }
}
