//! Prediction, and the way through tensors and back.

use headsmith_heads::Samples;
use headsmith_heads::error::Kind;
use headsmith_heads::mlp::{Architecture, Mlp, Trainer};
use headsmith_heads::params::Value;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_kernels::{Matrix, Pool};

use super::twin;

/// A network as it is after three epochs, with data it has not seen.
fn trained(n_classes: usize) -> (Mlp, Matrix) {
    let given = [("layers1", Value::Int(1)), ("layer_norms", Value::Int(2)), ("neurons0", Value::Int(70))];
    let params = twin::params(given);
    let (x, y) = twin::data(200, 30, n_classes, 4);
    let samples = Samples::new(x.view(), &y, n_classes).unwrap();
    let pool = Pool::inline();
    let mut trainer = Trainer::new(samples, None, &params, 1, 0, &pool).unwrap();
    for _ in 0..3 {
        trainer.step_epoch().unwrap();
    }
    (trainer.finish(), twin::data(1100, 30, n_classes, 5).0)
}

#[test]
fn probabilities_are_those_of_the_naive_twin() {
    for n_classes in [2, 3, 100] {
        let (model, x) = trained(n_classes);
        let weights = twin::weights(model.architecture(), &model.tensors(), "");
        let probabilities = model.predict_proba(x.view(), &Pool::inline());
        for i in (0..x.n_rows()).step_by(57) {
            let expected = twin::probabilities(model.architecture(), &weights, x.row(i));
            for (got, expected) in probabilities.row(i).iter().zip(&expected) {
                assert!((f64::from(*got) - expected).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_row_alone_gets_the_bytes_it_gets_in_a_batch() {
    let (model, x) = trained(3);
    let whole = model.predict_proba(x.view(), &Pool::new(2).unwrap());
    for i in [0, 1, 511, 512, 600, 1099] {
        let alone = model.predict_proba(x.view().rows(i, i + 1), &Pool::inline());
        assert_eq!(alone.as_slice(), whole.row(i));
    }
    let part = model.predict_proba(x.view().rows(100, 777), &Pool::inline());
    assert_eq!(part.as_slice(), whole.view().rows(100, 777).as_slice());
    assert_eq!(model.predict_proba(x.view().rows(5, 5), &Pool::inline()).n_rows(), 0);
}

#[test]
fn tensors_and_back_is_the_same_model() {
    let (model, _) = trained(3);
    let json = serde_json::to_string(model.architecture()).unwrap();
    let architecture: Architecture = serde_json::from_str(&json).unwrap();
    assert_eq!(Mlp::from_tensors(&architecture, model.tensors()).unwrap(), model);
    assert_eq!(model.tensors().shape("dense/kernel").unwrap(), [30, 70]);
    assert_eq!(model.tensors().shape("layer_normalization_1/gamma").unwrap(), [9]);
    assert_eq!(model.layers().iter().map(|line| line.n_params).sum::<usize>(), model.n_params());
}

#[test]
fn damaged_tensors_are_refused() {
    let (model, _) = trained(3);
    let refused = |damage: &dyn Fn(&mut Tensors)| {
        let mut tensors = model.tensors();
        damage(&mut tensors);
        let error = Mlp::from_tensors(model.architecture(), tensors).unwrap_err();
        assert_eq!(error.kind(), Kind::Stored);
        error.to_string()
    };
    assert_eq!(
        refused(&|t| t.insert("dense/bias", &[70], Values::F32([vec![0.0; 69], vec![f32::NAN]].concat()))),
        "tensor `dense/bias` holds NaN at 69, expected a finite number"
    );
    assert_eq!(
        refused(&|t| t.insert("dense/bias", &[71], Values::F32(vec![0.0; 71]))),
        "tensor `dense/bias` has shape [71], expected [70]"
    );
    assert_eq!(
        refused(&|t| t.insert("dense_9/bias", &[1], Values::F32(vec![0.0]))),
        "tensor `dense_9/bias` belongs to no layer of the network"
    );
    assert!(refused(&|t| drop(t.take_prefix("dense_1/"))).contains("is missing"));
    let mut hostile = model.architecture().clone();
    hostile.n_features = usize::MAX;
    let error = Mlp::from_tensors(&hostile, model.tensors()).unwrap_err();
    assert_eq!(error.to_string(), format!("{} features, expected 1..65536", usize::MAX));
}
