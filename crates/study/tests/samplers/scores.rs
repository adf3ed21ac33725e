//! Compares TPE's scores with Optuna's.

use headsmith_study::Distribution;
use headsmith_study::samplers::Tpe;
use headsmith_study::samplers::tpe::{Density, Kernels};

use crate::history::{Recorded, Shape, read};

#[test]
fn scores_are_optunas() {
    let histories = read(include_str!("../data/samplers/scores.json"));
    assert!(histories.len() > 40);
    for recorded in histories {
        check(&recorded);
    }
}

fn check(recorded: &Recorded) {
    let name = &recorded.name;
    let seen = recorded.seen();
    let tpe = Tpe::default();
    let joint = tpe.joint_space(seen.history());
    let joint: Vec<&str> = joint.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(joint, recorded.joint, "{name}");
    let space = recorded.space();
    let params: Vec<(&str, &Distribution)> = space.iter().map(|(name, d)| (name.as_str(), d)).collect();
    let found = tpe.score(seen.history(), &params, &recorded.points);
    assert_eq!(found.below, recorded.below, "{name}");
    assert_eq!(found.above, recorded.above, "{name}");
    for (density, shape) in [&found.good, &found.bad].into_iter().zip(&recorded.densities) {
        check_density(name, density, shape);
    }
    assert_eq!(found.scores.len(), recorded.scores.len());
    for (i, (score, expected)) in found.scores.iter().zip(&recorded.scores).enumerate() {
        let expected = expected.get();
        let equal = *score == expected || (score - expected).abs() <= 1e-9 * expected.abs().max(1.0);
        assert!(equal, "{name}, point {i}: {score:?}, expected {expected:?}");
    }
}

fn check_density(name: &str, density: &Density, shape: &Shape) {
    close(name, "weights", &density.weights, &shape.weights);
    for (kernels, expected) in density.kernels.iter().zip(&shape.kernels) {
        match kernels {
            Kernels::Numbers(numbers) => {
                close(name, "mus", &numbers.mus, &floats(&expected["mus"]));
                close(name, "sigmas", &numbers.sigmas, &floats(&expected["sigmas"]));
            }
            Kernels::Choices(choices) => {
                let rows = expected.as_array().unwrap();
                for (k, row) in rows.iter().enumerate() {
                    close(name, "choices", &choices.probabilities(k), &floats(row));
                }
            }
        }
    }
}

fn floats(value: &serde_json::Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn close(name: &str, what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}: {what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{name}: {what} {a:?}, expected {b:?}");
    }
}
