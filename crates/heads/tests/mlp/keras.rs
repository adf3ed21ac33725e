//! Training steps against Keras: `tests/data/mlp.json`, made by `make_mlp.py`.

use std::collections::BTreeMap;

use headsmith_heads::Samples;
use headsmith_heads::head::Job;
use headsmith_heads::mlp::{Architecture, Mlp, Trainer, TrainerState};
use headsmith_heads::params::Value;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_kernels::{Matrix, Pool};
use serde::Deserialize;

use super::twin;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    n_features: usize,
    n_classes: usize,
    params: BTreeMap<String, Value>,
    summary: Vec<(String, usize, usize)>,
    x: Vec<f32>,
    y: Vec<u32>,
    start: BTreeMap<String, Vec<f32>>,
    losses: Vec<f64>,
    after_one: BTreeMap<String, Vec<f32>>,
    after_ten: BTreeMap<String, Vec<f32>>,
    probabilities: Vec<f64>,
}

impl Case {
    /// The recorded weights with the shapes that our layout gives them.
    fn tensors(&self, recorded: &BTreeMap<String, Vec<f32>>, like: &Tensors) -> Tensors {
        let mut tensors = Tensors::new();
        for (name, tensor) in like.iter() {
            tensors.insert(name, &tensor.shape, Values::F32(recorded[name].clone()));
        }
        assert_eq!(tensors.names().count(), recorded.len());
        tensors
    }
}

fn assert_close(got: &Tensors, expected: &BTreeMap<String, Vec<f32>>, when: &str) {
    for (name, expected) in expected {
        for (i, (got, expected)) in twin::values(got, name).iter().zip(expected).enumerate() {
            assert!((got - expected).abs() < 1e-5, "{when}, {name} {i}: {got}, Keras {expected}");
        }
    }
}

#[test]
fn one_and_ten_steps_agree_with_keras() {
    let file: File = serde_json::from_str(include_str!("../data/mlp.json")).unwrap();
    assert!(file.cases.len() >= 8);
    let pool = Pool::inline();
    for case in &file.cases {
        let params = twin::params(case.params.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let architecture = Architecture::new(case.n_features, case.n_classes, &params).unwrap();
        let batch_size = params.int("batch_size").unwrap() as usize;
        let names: Vec<String> = (0..case.n_classes).map(|class| format!("class{class}")).collect();
        let batches = case.x.chunks(batch_size * case.n_features).zip(case.y.chunks(batch_size));
        let mut state: Option<TrainerState> = None;
        let mut trained = None;
        for (step, ((x, y), loss)) in batches.zip(&case.losses).enumerate() {
            let x = Matrix::new(x.to_vec(), batch_size, case.n_features);
            let samples = Samples::new(x.view(), y, case.n_classes).unwrap().named(&names);
            let mut trainer = Trainer::new(samples, None, &params, 0, 0, &pool).unwrap();
            let mut given = state.take().unwrap_or_else(|| {
                let mut fresh = trainer.state();
                let like = trainer.model().tensors();
                fresh.tensors.extend_with_prefix("weights/", case.tensors(&case.start, &like));
                fresh
            });
            given.learning_rate = params.float("lr").unwrap();
            trainer =
                Trainer::resume(Job { val: None, trial: 0, ..Job::new(samples, &params, 0, &pool) }, given)
                    .unwrap();
            let record = trainer.step_epoch().unwrap();
            assert!(
                (record.train.loss - loss).abs() < 1e-5,
                "step {step}: {}, Keras {loss}",
                record.train.loss
            );
            state = Some(trainer.state());
            match step {
                0 => assert_close(&trainer.model().tensors(), &case.after_one, "after one step"),
                9 => assert_close(&trainer.model().tensors(), &case.after_ten, "after ten steps"),
                _ => (),
            }
            trained = Some(trainer.finish());
        }
        let like = trained.unwrap().tensors();
        let model = Mlp::from_tensors(&architecture, case.tensors(&case.after_ten, &like)).unwrap();
        let x = Matrix::new(case.x[..batch_size * case.n_features].to_vec(), batch_size, case.n_features);
        let got = model.predict_proba(x.view(), &pool);
        for (got, expected) in got.as_slice().iter().zip(&case.probabilities) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got}, Keras {expected}");
        }
    }
}

#[test]
fn the_summary_is_keras_own() {
    let file: File = serde_json::from_str(include_str!("../data/mlp.json")).unwrap();
    for case in &file.cases {
        let params = twin::params(case.params.iter().map(|(name, value)| (name.as_str(), value.clone())));
        let summary = Architecture::new(case.n_features, case.n_classes, &params).unwrap().summary();
        let lines: Vec<_> =
            summary.into_iter().map(|line| (line.name, line.output_width, line.n_params)).collect();
        assert_eq!(lines, case.summary);
    }
}
