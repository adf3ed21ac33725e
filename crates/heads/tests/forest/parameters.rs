//! Each parameter does what it says. That their effect is scikit-learn's is shown by `statistics` and, node by node,
//! beside the code that grows trees.

use headsmith_heads::forest;
use headsmith_heads::params::Value;
use headsmith_kernels::Pool;

use super::{go_on, samples, text};

/// The number of rows of `samples(0, 200, 8, 3)` in each leaf of a single tree on all rows.
fn leaf_sizes(given: &[(&str, Value)]) -> Vec<usize> {
    let train = samples(0, 200, 8, 3);
    let mut all = vec![("n_estimators", Value::Int(1)), ("bootstrap", Value::Bool(false))];
    all.extend_from_slice(given);
    let fitted = train.fit(&all, 5);
    // Leaves are told apart by walking the stored arrays.
    let mut tensors = fitted.tensors();
    let n = fitted.n_nodes();
    let threshold = tensors.take_f32("threshold", &[n]).unwrap();
    let feature = tensors.take_u32("feature", &[n]).unwrap();
    let next = tensors.take_u32("next", &[n]).unwrap();
    let mut sizes = vec![0; n];
    for i in 0..200 {
        let mut at = 0;
        while feature[at] != u32::MAX {
            let right = train.x().row(i)[feature[at] as usize] > threshold[at];
            at = next[at] as usize + usize::from(right);
        }
        sizes[at] += 1;
    }
    sizes.retain(|&size| size > 0);
    assert_eq!(sizes.len(), n.div_ceil(2));
    sizes
}

#[test]
fn leaves_keep_enough_samples() {
    let smallest = |value| *leaf_sizes(&[("min_samples_leaf", value)]).iter().min().unwrap();
    assert_eq!(smallest(Value::Int(1)), 1);
    assert_eq!(smallest(Value::Int(7)), 7);
    // 0.0301 of 200 rows, rounded up.
    assert_eq!(smallest(Value::Float(0.0301)), 7);
    assert_eq!(leaf_sizes(&[("min_samples_leaf", Value::Float(0.51))]), [200]);
    assert_eq!(leaf_sizes(&[("min_samples_leaf", Value::Int(i64::MAX))]), [200]);
}

#[test]
fn small_nodes_are_not_split() {
    let n_leaves = |value| leaf_sizes(&[("min_samples_split", value)]).len();
    assert!(n_leaves(Value::Int(2)) > n_leaves(Value::Int(20)));
    assert_eq!(n_leaves(Value::Int(20)), n_leaves(Value::Float(0.1)));
    assert_eq!(n_leaves(Value::Int(200)), 2);
    assert_eq!(n_leaves(Value::Int(201)), 1);
}

#[test]
fn depth_is_bounded() {
    let train = samples(0, 200, 8, 3);
    let depth = |value| train.fit(&[("max_depth", value)], 0).max_depth();
    assert_eq!(depth(Value::Int(1)), 1);
    assert_eq!(depth(Value::Int(4)), 4);
    assert!(depth(text("none")) > 6);
}

#[test]
fn splits_bring_enough() {
    let n_leaves = |value| leaf_sizes(&[("min_impurity_decrease", Value::Float(value))]).len();
    assert!(n_leaves(0.0) > n_leaves(0.01));
    assert_eq!(n_leaves(1.0), 1);
}

#[test]
fn trees_are_counted() {
    let train = samples(0, 50, 4, 3);
    assert_eq!(train.fit(&[], 0).n_trees(), 100);
    assert_eq!(train.fit(&[("n_estimators", Value::Int(3))], 0).n_trees(), 3);
}

#[test]
fn log_loss_is_entropy() {
    let train = samples(0, 100, 6, 3);
    let fit = |criterion| train.fit(&[("criterion", text(criterion))], 0);
    assert_eq!(fit("log_loss"), fit("entropy"));
    assert_ne!(fit("gini"), fit("entropy"));
}

#[test]
fn importances_sum_to_one_and_find_the_feature_that_decides() {
    let mut train = samples(0, 300, 10, 2);
    for i in 0..300 {
        train.y[i] = u32::from(train.x.row(i)[6] > 0.8);
    }
    let importances = train.fit(&[], 0).feature_importances();
    assert!((importances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(importances[6] > 0.5, "{importances:?}");
}

#[test]
fn out_of_bag_rows_are_judged_by_other_trees() {
    let train = samples(0, 200, 8, 3);
    let fit = |given: &[(&str, Value)]| train.fit(given, 0);
    assert!(fit(&[]).oob().is_none());
    let oob = fit(&[("oob_score", Value::Bool(true))]).oob().unwrap();
    assert_eq!(oob.n_unjudged, 0);
    for i in 0..200 {
        assert!((oob.decision_function.row(i).iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }
    let right = (0..200).filter(|&i| {
        let row = oob.decision_function.row(i);
        row.iter()
            .enumerate()
            .all(|(class, p)| *p <= row[train.y[i] as usize] || class == train.y[i] as usize)
    });
    assert!((right.count() as f64 / 200.0 - oob.accuracy).abs() < 0.02);

    // A tree leaves out about 37 of 100 rows.
    let few = fit(&[("oob_score", Value::Bool(true)), ("n_estimators", Value::Int(1))]).oob().unwrap();
    assert!((110..145).contains(&few.n_unjudged), "{}", few.n_unjudged);
    // With one draw, all rows but one are out of the bag.
    let draw =
        [("oob_score", Value::Bool(true)), ("n_estimators", Value::Int(1)), ("max_samples", Value::Int(1))];
    assert_eq!(fit(&draw).oob().unwrap().n_unjudged, 1);
}

#[test]
fn parameters_that_contradict_one_another_are_refused() {
    let train = samples(0, 20, 4, 2);
    let message = |given: &[(&str, Value)]| {
        let params = forest::TABLE.resolve(given.iter().cloned()).unwrap();
        forest::fit(train.samples(), &params, 0, &Pool::inline(), &mut go_on).unwrap_err().to_string()
    };
    let no_bootstrap = ("bootstrap", Value::Bool(false));
    assert_eq!(
        message(&[no_bootstrap.clone(), ("oob_score", Value::Bool(true))]),
        "oob_score needs bootstrap: without it no tree leaves a sample out"
    );
    assert_eq!(
        message(&[no_bootstrap, ("max_samples", Value::Int(5))]),
        "max_samples needs bootstrap: without it every tree sees all samples"
    );
    assert_eq!(
        message(&[("min_samples_split", Value::Int(1))]),
        "min_samples_split is 1, expected a count of at least 2"
    );
    assert_eq!(
        message(&[("max_samples", Value::Int(1 << 40))]),
        "max_samples is 1099511627776, expected at most 4294967295"
    );
}

#[test]
fn defaults_are_their_own_kind() {
    for param in forest::TABLE.params {
        param.check(param.default.value()).unwrap();
    }
}
