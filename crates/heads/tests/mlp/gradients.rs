//! Gradients by finite differences of the naive twin in double precision. They are read off Adam's momentum after
//! its first step, which is a tenth of the gradient.

use headsmith_heads::Samples;
use headsmith_heads::mlp::{Architecture, Trainer};
use headsmith_heads::params::Value;
use headsmith_kernels::{Matrix, Pool};

use super::twin;

fn check(given: &[(&'static str, i64)], n_rows: usize, n_features: usize, n_classes: usize) {
    let given = given.iter().map(|(name, value)| (*name, Value::Int(*value)));
    let still = [("noise", Value::Int(0)), ("dropout", Value::Float(0.0)), ("lr", Value::Float(0.0))];
    let params = twin::params(still.into_iter().chain(given).chain([("batch_size", Value::Int(1000))]));
    let (x, y) = twin::data(n_rows, n_features, n_classes, 3);
    let samples = Samples::new(x.view(), &y, n_classes).unwrap();
    let architecture = Architecture::new(n_features, n_classes, &params).unwrap();
    let pool = Pool::inline();
    let mut trainer = Trainer::new(samples, None, &params, 7, 0, &pool).unwrap();
    let record = trainer.step_epoch().unwrap();
    let state = trainer.state();
    let weights = twin::weights(&architecture, &state.tensors, "weights/");
    assert!((record.train.loss - twin::loss(&architecture, &weights, &x, &y)).abs() < 1e-5);
    let momentums = twin::weights(&architecture, &state.tensors, "momentums/");
    let mut n_checked = 0;
    for (layer, parts) in momentums.iter().enumerate() {
        for (part, momentums) in parts.iter().enumerate() {
            // All weights of small layers, and a spread of those of large ones.
            for i in (0..momentums.len()).step_by(momentums.len() / 40 + 1) {
                let expected = slope(&architecture, &weights, (layer, part, i), &x, &y);
                let got = 10.0 * momentums[i];
                assert!(
                    (got - expected).abs() < 2e-5 * (1.0 + expected.abs()),
                    "layer {layer}, part {part}, weight {i}: {got}, expected {expected}"
                );
                n_checked += 1;
            }
        }
    }
    assert!(n_checked >= 10);
}

fn slope(
    architecture: &Architecture,
    weights: &twin::Weights,
    (layer, part, i): (usize, usize, usize),
    x: &Matrix,
    y: &[u32],
) -> f64 {
    let at = |step: f64| {
        let mut weights = weights.clone();
        weights[layer][part][i] += step;
        twin::loss(architecture, &weights, x, y)
    };
    // Short enough to stay on one side of nearly every rectifier's kink.
    (at(1e-7) - at(-1e-7)) / 2e-7
}

#[test]
fn dense_layers() {
    check(&[("layers1", 1), ("layers2", 2)], 13, 6, 3);
}

#[test]
fn one_normalisation() {
    check(&[("layer_norms", 1), ("layers2", 1)], 9, 5, 4);
}

#[test]
fn both_normalisations() {
    check(&[("layer_norms", 2), ("layers1", 1), ("layers2", 1)], 17, 8, 2);
}

#[test]
fn normalisation_straight_before_the_softmax() {
    check(&[("layer_norms", 2), ("layers1", 0), ("layers2", 0), ("neurons0", 33)], 5, 3, 3);
}

#[test]
fn many_classes_and_one_row() {
    check(&[("layers2", 1)], 1, 4, 100);
}

#[test]
fn width_of_one() {
    check(&[("neurons0", 1), ("neurons2", 1), ("layers2", 1), ("layer_norms", 1)], 40, 2, 2);
}
