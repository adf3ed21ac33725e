//! Sample weights: the trees of scikit-learn are compared in `grow.rs`, its scores in `statistics.rs`.

use headsmith_heads::forest::{self, Forest};
use headsmith_heads::params::Value;
use headsmith_heads::{Samples, params::Params};
use headsmith_kernels::Pool;

use super::{Table, go_on, samples, text};

fn params(given: &[(&str, Value)]) -> Params {
    let small = [("n_estimators", Value::Int(12))];
    forest::TABLE.resolve(small.into_iter().chain(given.iter().cloned())).unwrap()
}

fn fit(rows: Samples<'_>, given: &[(&str, Value)], pool: &Pool) -> Forest {
    forest::fit(rows, &params(given), 5, pool, &mut go_on).unwrap()
}

/// A third of the rows weighs nothing.
fn weights(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i * 7 % 3) as f32 * (0.3 + (i % 11) as f32)).collect()
}

const BOOTSTRAP: [bool; 2] = [true, false];

#[test]
fn the_scale_of_the_weights_and_the_threads_change_nothing() {
    let table = samples(0, 600, 6, 3);
    let own = weights(600);
    let twice: Vec<f32> = own.iter().map(|weight| weight * 2.0).collect();
    for bootstrap in BOOTSTRAP {
        for class_weight in ["none", "balanced", "balanced_subsample"] {
            let given = [("bootstrap", Value::Bool(bootstrap)), ("class_weight", text(class_weight))];
            let forest = |weights, pool: &Pool| fit(table.samples().weighted(weights).unwrap(), &given, pool);
            let one = forest(&own, &Pool::inline());
            assert_eq!(forest(&own, &Pool::new(3).unwrap()).tensors(), one.tensors());
            assert_eq!(forest(&twice, &Pool::inline()).tensors(), one.tensors(), "{class_weight}");
            assert_ne!(fit(table.samples(), &given, &Pool::inline()).tensors(), one.tensors());
        }
    }
}

#[test]
fn equal_weights_are_none_whatever_they_are() {
    let table = samples(0, 200, 6, 3);
    for bootstrap in BOOTSTRAP {
        let given = [("bootstrap", Value::Bool(bootstrap)), ("class_weight", text("balanced"))];
        let plain = fit(table.samples(), &given, &Pool::inline());
        let weighted = fit(table.samples().weighted(&[0.3; 200]).unwrap(), &given, &Pool::inline());
        assert_eq!(weighted.tensors(), plain.tensors());
    }
}

#[test]
fn rows_without_weight_are_not_in_the_trees_with_features_or_class() {
    let mut table = samples(0, 600, 6, 3);
    let own = weights(600);
    for bootstrap in BOOTSTRAP {
        let given = [("bootstrap", Value::Bool(bootstrap))];
        let one = fit(table.samples().weighted(&own).unwrap(), &given, &Pool::inline());
        for i in (0..600).filter(|&i| own[i] == 0.0) {
            table.y[i] = (table.y[i] + 1) % 3;
            table.x.row_mut(i).iter_mut().for_each(|v| *v = 2.0 - 3.0 * *v);
        }
        let other = fit(table.samples().weighted(&own).unwrap(), &given, &Pool::inline());
        assert_eq!(other.tensors(), one.tensors());
    }
}

#[test]
fn rows_count_once_in_min_samples_leaf_and_by_weight_in_leaves() {
    // Without a bootstrap sample, in one leaf.
    let table = Table::new(&[1.0, 2.0, 3.0, 4.0], &[0, 1, 1, 0]);
    let rows = table.samples().weighted(&[5.0, 1.0, 2.0, 0.0]).unwrap();
    let leaf = |n: i64| {
        let given = [("bootstrap", Value::Bool(false)), ("min_samples_leaf", Value::Int(n))];
        let forest = fit(rows, &given, &Pool::inline());
        (forest.max_depth(), forest.predict_proba(table.x(), &Pool::inline()).row(3).to_vec())
    };
    // Three rows have a weight: they cannot be split into two and two.
    assert_eq!(leaf(2), (0, vec![0.625, 0.375]));
    assert_eq!(leaf(1), (1, vec![0.0, 1.0]));
}

#[test]
fn classes_by_name_weigh_as_their_rows_would() {
    let table = samples(0, 300, 6, 3);
    let names = ["a", "b:c", "d"].map(str::to_owned);
    let of_rows: Vec<f32> = table.y.iter().map(|&class| [2.0, 1.0, 0.0][class as usize]).collect();
    for bootstrap in BOOTSTRAP {
        let given = [("bootstrap", Value::Bool(bootstrap)), ("class_weight", text("a:2,d:0"))];
        let named = fit(table.samples().named(&names), &given, &Pool::inline());
        let weighted = fit(table.samples().weighted(&of_rows).unwrap(), &given[..1], &Pool::inline());
        assert_eq!(named.tensors(), weighted.tensors());
    }
    let given = params(&[("class_weight", text("e:2"))]);
    let unknown = forest::fit(table.samples().named(&names), &given, 0, &Pool::inline(), &mut go_on);
    let error = unknown.unwrap_err().to_string();
    assert_eq!(error, "class_weight names e, expected one of the classes a, b:c, d");
}
