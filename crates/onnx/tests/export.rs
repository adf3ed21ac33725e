//! Every head of the list after every transform, and everything that models are made of, run by `tract` and compared with the model.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use headsmith_heads::calibration::{ProbabilityCalibration, ProbabilityForm, Targets};
use headsmith_heads::params::{Kind, Params, TRANSFORM, Value};
use headsmith_heads::pool::LogLinear;
use headsmith_heads::transform::{Spec, TRANSFORMS};
use headsmith_heads::{Control, Event, Fitted, HEADS, Head, Job, Samples, training};
use headsmith_kernels::{Matrix, Philox, Pool};
use headsmith_model::{Model, Node, Record};
use headsmith_onnx::{MlOpset, Options, export, run};

/// Parameters that make a fit small, for the heads that have them.
const SMALL: [(&str, i64); 9] = [
    ("n_estimators", 20),
    ("epochs", 4),
    ("neurons0", 12),
    ("neurons1", 12),
    ("neurons2", 12),
    ("batch_size", 32),
    ("max_iter", 200),
    ("n_folds", 2),
    ("screen_rows", 100),
];

/// A text of each transform, and some of several.
const SPECS: [&str; 16] = [
    "none",
    "divide:255",
    "standardise",
    "robust",
    "robust+l2",
    "sqrt",
    "power:1/3",
    "power:auto",
    "yeo-johnson",
    "quantile",
    "pca:4",
    "whiten",
    "spectrum:-0.5",
    "sqrt+l2+standardise",
    "standardise+pca:3+standardise",
    "divide:3+quantile+standardise",
];

struct Rows {
    x: Matrix,
    y: Vec<u32>,
    n_classes: usize,
}

impl Rows {
    /// Rows around a centre for each of three classes; the features are of different sizes, some far from zero, and some values come often.
    fn new(n_samples: usize, n_classes: usize, seed: u64) -> Rows {
        let (n_features, mut draws) = (6, Philox::new(seed, 0, 0).sequence(0, 0));
        let centres: Vec<f64> = (0..3 * n_features).map(|i| ((i * 7919) % 13) as f64 / 13.0).collect();
        let y: Vec<u32> = (0..n_samples).map(|i| (i % 3) as u32).collect();
        let mut values = Vec::new();
        for &class in &y {
            for (j, centre) in centres[class as usize * n_features..][..n_features].iter().enumerate() {
                let value = centre + draws.uniform() - 0.5;
                let (size, offset) =
                    ([1.0, 100.0, 0.01, 1.0, 3.0, 1.0][j], [0.0, 1000.0, 0.0, -7.0, 0.0, 0.0][j]);
                let value = if j == 5 { (4.0 * value).round() } else { value };
                values.push((size * value + offset) as f32);
            }
        }
        Rows { x: Matrix::new(values, n_samples, n_features), y, n_classes }
    }
}

fn small(head: &dyn Head, given: &[(&'static str, Value)]) -> Option<Params> {
    let table = head.table();
    let small = SMALL.into_iter().map(|(name, value)| (name, Value::Int(value)));
    let given = small.chain(given.iter().cloned()).filter(|(name, _)| table.find(name).is_some());
    table.resolve(given).ok()
}

fn fit(head: &dyn Head, rows: &Rows, weights: Option<&[f32]>, params: &Params) -> Option<Arc<dyn Fitted>> {
    let pool = Pool::inline();
    let samples = Samples::new(rows.x.view(), &rows.y, rows.n_classes).unwrap();
    let samples = weights.map_or(samples, |weights| samples.weighted(weights).unwrap());
    let mut fitting = head.begin(Job::new(samples, params, 7, &pool), None).ok()?;
    training::run(fitting.as_mut(), &mut |_: &Event| Control::Continue, None).unwrap();
    Some(fitting.finish().unwrap())
}

fn classes(n: usize) -> Vec<String> {
    (0..n).map(|class| format!("klasse \u{e4} {class}")).collect()
}

/// A model of `head` after the transform `spec`.
fn fitted(head: &dyn Head, spec: &str, rows: &Rows, given: &[(&'static str, Value)]) -> Option<Node> {
    let pool = Pool::inline();
    let transform = spec.parse::<Spec>().unwrap().fit(rows.x.view(), &pool).unwrap();
    let transformed =
        Rows { x: transform.apply(rows.x.view(), &pool), y: rows.y.clone(), n_classes: rows.n_classes };
    let head = fit(head, &transformed, None, &small(head, given)?)?;
    Some(Node::Transform { transform, then: Box::new(Node::Head(head)) })
}

fn model(node: Node, n_classes: usize) -> Model {
    Model::new(classes(n_classes), node, Record::default()).unwrap()
}

/// Rows to predict: some of those of the fit, others like them, and some far out.
fn queries(rows: &Rows) -> Matrix {
    let more = Rows::new(60, rows.n_classes, 99);
    let mut values = rows.x.view().rows(0, 40).as_slice().to_vec();
    values.extend_from_slice(more.x.as_slice());
    values.extend(more.x.as_slice()[..60].iter().map(|v| 30.0 * v));
    values.extend([0.0; 6].iter().chain(&[-1e6, 1e6, 1e6, -1e6, 1e6, -1e6]));
    let n = values.len() / 6;
    Matrix::new(values, n, 6)
}

/// Exports the model and compares what the file predicts; at most `n_off` rows may be off by more than `tolerance`.
#[track_caller]
fn check(what: &str, model: &Model, x: &Matrix, tolerance: f64, n_off: usize) {
    let pool = Pool::inline();
    let made = export(model, Options::default()).unwrap();
    made.verify(model, &pool).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (labels, found) = run(&made.bytes, x.view()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (proba, decided) = model.predict_decided(x.view(), &pool).unwrap();
    let (mut off, mut worst) = (0, 0.0f64);
    for i in 0..x.n_rows() {
        let pairs = proba.row(i).iter().zip(found.row(i));
        let gap = pairs.map(|(a, b)| gap(*a, *b)).fold(0.0, f64::max);
        worst = worst.max(gap);
        let mut sorted = proba.row(i).to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let is_clear = f64::from(sorted[0] - sorted[1]) > 2.0 * tolerance;
        let is_same = labels[i] == model.classes()[decided[i] as usize];
        off += usize::from(gap > tolerance || is_clear && !is_same && !model.node().decides());
    }
    assert!(off <= n_off, "{what}: {off} rows differ, by {worst:e} at most");
}

/// The difference of two probabilities. Far outside the training rows both may overflow.
fn gap(a: f32, b: f32) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) => f64::from((a - b).abs()),
        _ => 1.0,
    }
}

/// How close single precision comes, by what a head sums.
fn tolerance(model: &Model) -> f64 {
    if model.graph().0.n_training_bytes() > 0 { 1e-4 } else { 1e-5 }
}

#[test]
fn every_head_after_every_transform_predicts_the_same() {
    for kind in TRANSFORMS {
        assert!(SPECS.iter().any(|spec| spec.contains(kind.name())), "{} is not tested", kind.name());
    }
    let rows = Rows::new(150, 3, 1);
    let queries = queries(&rows);
    for head in HEADS {
        for spec in SPECS {
            let what = format!("{} after {spec}", head.name());
            let model = model(fitted(*head, spec, &rows, &[]).unwrap(), 3);
            let n_off = if model.graph().0.compares_rounded() { 1 } else { 0 };
            check(&what, &model, &queries, tolerance(&model), n_off);
        }
    }
}

#[test]
fn every_choice_of_a_parameter_predicts_the_same() {
    let rows = Rows::new(150, 4, 1);
    let queries = queries(&rows);
    for head in HEADS {
        let mut n_fitted = 0;
        for param in head.table().params.iter().filter(|param| param.name != TRANSFORM) {
            let Kind::Choice(words) = param.kind else { continue };
            for word in words {
                let what = format!("{}, {} {word}", head.name(), param.name);
                let given = [(param.name, Value::Text((*word).to_owned()))];
                if let Some(node) = fitted(*head, "standardise", &rows, &given) {
                    n_fitted += 1;
                    check(&what, &model(node, 4), &queries, 1e-4, 0);
                }
            }
        }
        assert!(
            n_fitted > 0 || head.table().params.iter().all(|p| !matches!(p.kind, Kind::Choice(_))),
            "{}",
            head.name()
        );
    }
}

#[test]
fn weighted_rows_predict_the_same() {
    let rows = Rows::new(150, 3, 1);
    let weights: Vec<f32> = (0..150).map(|i| [0.5, 1.0, 2.25, 0.0][i % 4]).collect();
    for head in HEADS {
        let head = fit(*head, &rows, Some(&weights), &small(*head, &[]).unwrap()).unwrap();
        let what = format!("{} with weights", head.head());
        check(&what, &model(Node::Head(head), 3), &queries(&rows), 1e-4, 0);
    }
}

#[test]
fn combined_models_predict_the_same() {
    let rows = Rows::new(150, 3, 1);
    let (queries, pool) = (queries(&rows), Pool::inline());
    let members = || HEADS.iter().map(|head| fitted(*head, "robust", &rows, &[]).unwrap());
    let ensemble = Node::Ensemble(members().enumerate().map(|(i, node)| (1.0 + i as f64, node)).collect());
    check("an ensemble", &model(ensemble.clone(), 3), &queries, 1e-4, 0);
    let n = HEADS.len();
    let weights = (0..n).map(|i| 0.05 * (i + 1) as f64).collect();
    let log_linear = LogLinear { weights, bias: vec![0.1, -0.2, 0.3] };
    let node = Node::Pool { members: members().collect(), pool: log_linear };
    check("a pool", &model(node, 3), &queries, 1e-4, 0);
    let proba = model(ensemble.clone(), 3).predict_proba(rows.x.view(), &pool).unwrap();
    for form in ["identity", "temperature", "vector", "quadratic", "isotonic"] {
        let form = ProbabilityForm::find(form).unwrap();
        let calibration = ProbabilityCalibration::fit(proba.view(), Targets::new(&rows.y), form, &pool);
        let then = Box::new(ensemble.clone());
        let calibrated = model(Node::Calibrated { calibration, then }, 3);
        // An isotonic calibration is steep: what differs before it differs more after it.
        check(form.name(), &calibrated, &queries, if form.name() == "isotonic" { 1e-2 } else { 3e-4 }, 0);
        let decided = calibrated.with_decision(vec![0.4, -0.3, 0.0]).unwrap();
        check("a decision", &decided, &queries, if form.name() == "isotonic" { 1e-2 } else { 3e-4 }, 0);
    }
}

#[test]
fn the_file_says_what_it_is() {
    use prost::Message;
    let rows = Rows::new(60, 3, 1);
    let head = HEADS[0];
    let model =
        model(fitted(head, "none", &rows, &[]).unwrap(), 3).with_decision(vec![0.0, 0.5, 0.0]).unwrap();
    let made = export(&model, Options::default()).unwrap();
    assert!(made.n_tree_nodes() > 0);
    let proto = tract_onnx::pb::ModelProto::decode(&*made.bytes).unwrap();
    let entry = |key: &str| proto.metadata_props.iter().find(|entry| entry.key == key).unwrap().value.clone();
    assert_eq!(entry("headsmith.format"), "1");
    assert_eq!(serde_json::from_str::<Vec<String>>(&entry("headsmith.classes")).unwrap(), classes(3));
    assert_eq!(entry("headsmith.model_sha256").len(), 64);
    assert_eq!(entry("headsmith.decision"), "[0.0,0.5,0.0]");
    let graph = proto.graph.unwrap();
    let names = |of: &[tract_onnx::pb::ValueInfoProto]| of.iter().map(|v| v.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&graph.input), names(&graph.output)),
        (vec!["embeddings".to_owned()], vec!["label".to_owned(), "probabilities".to_owned()])
    );
    let ops: Vec<&str> = graph.node.iter().map(|node| node.op_type.as_str()).collect();
    assert!(ops.contains(&"TreeEnsembleClassifier") && !ops.contains(&"ZipMap"), "{ops:?}");
    // The same model gives the same bytes.
    assert_eq!(made.bytes, export(&model, Options::default()).unwrap().bytes);
    let five = export(&model, Options { ml_opset: MlOpset::Five, force: false }).unwrap();
    assert_eq!(five.verify(&model, &Pool::inline()).unwrap(), None);
}

#[test]
fn scalings_become_part_of_weights() {
    let rows = Rows::new(150, 3, 1);
    let n_ops = |spec: &str, head: &dyn Head| {
        let (graph, ..) = model(fitted(head, spec, &rows, &[]).unwrap(), 3).graph();
        graph.values().len()
    };
    for head in HEADS {
        let (graph, ..) = model(fitted(*head, "none", &rows, &[]).unwrap(), 3).graph();
        if graph.n_tree_nodes() > 0 {
            // Whatever rises, feature by feature, is in the thresholds.
            for spec in ["standardise", "quantile", "sqrt+yeo-johnson+robust", "divide:3+power:1/3"] {
                assert_eq!(n_ops(spec, *head), n_ops("none", *head), "{} after {spec}", head.name());
            }
        }
    }
}

#[test]
fn a_file_that_predicts_something_else_is_refused() {
    let model_of = |seed| model(fitted(HEADS[0], "standardise", &Rows::new(150, 3, seed), &[]).unwrap(), 3);
    let (one, other) = (model_of(1), model_of(2));
    let error = export(&one, Options::default()).unwrap().verify(&other, &Pool::inline()).unwrap_err();
    assert!(error.to_string().contains("predicts something else than the model"), "{error}");
}

#[test]
fn the_program_of_the_examples_prints_the_same() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let rows = Rows::new(30, 3, 1);
    let model = model(fitted(HEADS[0], "standardise", &rows, &[]).unwrap(), 3);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.onnx");
    std::fs::write(&file, export(&model, Options::default()).unwrap().bytes).unwrap();
    // Beside the folder of this test's own program.
    let program = std::env::current_exe().unwrap().parent().unwrap().join("../examples/predict");
    let mut child =
        Command::new(program).arg(file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let x: Vec<&[f32]> = (0..30).map(|i| rows.x.row(i)).collect();
    child.stdin.take().unwrap().write_all(serde_json::to_string(&x).unwrap().as_bytes()).unwrap();
    let printed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let (proba, decided) = model.predict_decided(rows.x.view(), &Pool::inline()).unwrap();
    assert_eq!(printed.lines().count(), 30);
    for (i, line) in printed.lines().enumerate() {
        let rest = line.strip_prefix(&model.classes()[decided[i] as usize]).unwrap();
        let found: Vec<f32> = rest.split_whitespace().map(|cell| cell.parse().unwrap()).collect();
        assert!(found.iter().zip(proba.row(i)).all(|(a, b)| (a - b).abs() < 1e-5), "{line}");
    }
}

#[test]
fn a_forest_of_many_trees_is_compared_in_parts() {
    let forest = HEADS.iter().find(|head| head.name() == "forest").unwrap();
    let rows = Rows::new(400, 3, 5);
    let node = fitted(*forest, "none", &rows, &[("n_estimators", Value::Int(300))]).unwrap();
    let model = model(node, 3);
    let export = export(&model, Options::default()).unwrap();
    // A part has 512 weights of leaves.
    assert!(export.n_tree_nodes() > 8 * 512, "{}", export.n_tree_nodes());
    let verified = export.verify(&model, &Pool::inline()).unwrap().unwrap();
    assert!(
        verified.n_rows >= 20 && verified.n_beyond == 0 && verified.largest_difference < 1e-5,
        "{verified:?}"
    );
    check("many trees", &model, &queries(&rows), 1e-5, 0);
}
