//! Extremely randomised trees: where they cut.

use headsmith_heads::forest::{self, EXTRA_TABLE, Forest};
use headsmith_heads::params::Value;
use headsmith_heads::samples::Samples;
use headsmith_kernels::{MatRef, Pool};

use super::{go_on, samples, text};

fn fit(samples: Samples<'_>, given: &[(&str, Value)], seed: u64) -> Forest {
    let params = EXTRA_TABLE.resolve(given.iter().cloned()).unwrap();
    forest::fit(samples, &params, seed, &Pool::new(2).unwrap(), &mut go_on).unwrap()
}

fn thresholds(forest: &Forest) -> Vec<f32> {
    let mut tensors = forest.tensors();
    let n = tensors.shape("threshold").unwrap()[0];
    let features = tensors.take_u32("feature", &[n]).unwrap();
    let thresholds = tensors.take_f32("threshold", &[n]).unwrap();
    thresholds.into_iter().zip(features).filter(|(_, feature)| *feature != u32::MAX).map(|(t, _)| t).collect()
}

/// Two rows are cut once, at a threshold that is uniform between their values.
#[test]
fn thresholds_are_uniform_between_the_values_of_the_rows() {
    let (x, y) = ([-3.0, 5.0], [0, 1]);
    let samples = Samples::new(MatRef::new(&x, 2, 1), &y, 2).unwrap();
    let forest = fit(samples, &[("n_estimators", Value::Int(4000))], 3);
    let thresholds = thresholds(&forest);
    assert_eq!(thresholds.len(), 4000);
    let mut counts = [0.0f64; 16];
    for threshold in thresholds {
        assert!((-3.0..5.0).contains(&threshold));
        counts[((threshold + 3.0) * 2.0) as usize] += 1.0;
    }
    let chi2: f64 = counts.iter().map(|count| (count - 250.0).powi(2) / 250.0).sum();
    assert!(chi2 < 37.7, "chi-square {chi2} with 15 degrees of freedom (99.9%)");
}

/// Neighbours in single precision still have a threshold between them.
#[test]
fn values_that_are_nearly_the_same_are_told_apart_or_counted_as_equal() {
    let y = [0, 1];
    let n_nodes = |low: f32, high: f32| {
        let x = [low, high];
        fit(Samples::new(MatRef::new(&x, 2, 1), &y, 2).unwrap(), &[("n_estimators", Value::Int(50))], 1)
            .n_nodes()
    };
    assert_eq!(n_nodes(1000.0, 1000.0f32.next_up()), 150);
    assert_eq!(n_nodes(0.1, 0.1f32.next_up()), 50);
    assert_eq!(n_nodes(-0.0, 0.0), 50);
}

/// Trees on all rows with different seeds differ by their cuts, and predict all training rows.
#[test]
fn all_rows_are_in_every_tree() {
    let train = samples(0, 200, 6, 3);
    let given = [("n_estimators", Value::Int(12))];
    let (one, other) = (fit(train.samples(), &given, 1), fit(train.samples(), &given, 2));
    assert_ne!(one, other);
    let proba = one.predict_proba(train.x(), &Pool::inline());
    for (i, &class) in train.y.iter().enumerate() {
        assert_eq!(proba.row(i)[class as usize], 1.0);
    }
    let rows_of_leaves =
        fit(train.samples(), &[("min_samples_leaf", Value::Int(30)), ("n_estimators", Value::Int(5))], 1);
    assert!(rows_of_leaves.n_nodes() < 5 * 13, "{}", rows_of_leaves.n_nodes());
    let entropy =
        fit(train.samples(), &[("criterion", text("entropy")), ("n_estimators", Value::Int(12))], 1);
    assert!(entropy.n_nodes() > 12 && entropy != one);
}
