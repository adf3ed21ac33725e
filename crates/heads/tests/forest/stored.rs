//! A forest goes into tensors and comes out the same; what is damaged or hostile is refused.

use headsmith_heads::forest::Forest;
use headsmith_heads::params::Value;
use headsmith_heads::tensors::{Tensor, Tensors, Values};
use headsmith_kernels::Pool;
use proptest::prelude::*;

use super::tables::random;
use super::{Table, samples};

/// A forest with mixed leaves.
fn small_forest() -> Forest {
    samples(0, 60, 4, 3).fit(&[("n_estimators", Value::Int(3)), ("max_depth", Value::Int(3))], 1)
}

#[test]
fn what_is_stored_comes_back() {
    let val = samples(900, 50, 4, 3);
    let unsplit = Table::new(&[1.0; 4], &[0, 1, 1, 2]).fit(&[], 0);
    for forest in [small_forest(), samples(0, 60, 4, 3).fit(&[], 1), unsplit] {
        let restored = Forest::from_tensors(forest.tensors()).unwrap();
        assert_eq!(restored, forest);
        if forest.n_features() == 4 {
            let proba = |forest: &Forest| forest.predict_proba(val.x(), &Pool::inline()).into_vec();
            assert_eq!(proba(&restored), proba(&forest));
        }
    }
}

#[test]
fn out_of_bag_scores_are_not_stored() {
    let mut forest = samples(0, 60, 4, 3).fit(&[("oob_score", Value::Bool(true))], 1);
    assert!(forest.oob().is_some());
    forest = Forest::from_tensors(forest.tensors()).unwrap();
    assert!(forest.oob().is_none());
}

/// The tensors of `small_forest` with one of them changed.
fn changed(name: &str, change: impl Fn(&mut Tensor)) -> Tensors {
    let mut tensors = Tensors::new();
    for (other, tensor) in small_forest().tensors().iter() {
        let mut tensor = tensor.clone();
        if other == name {
            change(&mut tensor);
        }
        tensors.insert(other, &tensor.shape, tensor.values);
    }
    tensors
}

fn message(name: &str, change: impl Fn(&mut Tensor)) -> String {
    Forest::from_tensors(changed(name, change)).unwrap_err().to_string()
}

fn set_u32(i: usize, value: u32) -> impl Fn(&mut Tensor) {
    move |tensor| match &mut tensor.values {
        Values::U32(values) => values[i] = value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn damage_is_told() {
    assert_eq!(message("next", set_u32(0, 0)), "tree 0: node 0 has child 0, expected 1");
    assert_eq!(message("next", set_u32(1, 1)), "tree 0: node 1 has child 1, expected 3");
    assert_eq!(message("feature", set_u32(0, 4)), "tree 0: node 0 compares feature 4, but there are 4");
    assert!(
        message("feature", set_u32(0, u32::MAX)).starts_with("tree 0: node 1 is not a child of any node")
    );
    let nan = |tensor: &mut Tensor| tensor.values = Values::F32(vec![f32::NAN; tensor.shape[0]]);
    assert_eq!(message("threshold", nan), "tree 0: node 0 has the threshold NaN, expected a finite number");
    let negative = |tensor: &mut Tensor| match &mut tensor.values {
        Values::F64(values) => values[0] = -values[0],
        other => panic!("{other:?}"),
    };
    assert_eq!(
        message("mixed_probability", negative),
        "tree 0: mixed leaf 0 has probabilities that are not a distribution"
    );
    assert_eq!(
        message("mixed_class", set_u32(0, 9)),
        "tree 0: mixed leaf 0 does not list ascending classes below 3"
    );
    assert!(message("tree_size", set_u32(0, 4_000_000_000)).contains("nodes, but there are"));
    assert!(
        message("mixed_size", set_u32(0, 4_000_000_000)).contains("classes in mixed leaves, but there are")
    );
    assert!(message("n_classes", set_u32(0, 0)).contains("0 classes, expected at least one each"));
    let infinite = |tensor: &mut Tensor| tensor.values = Values::F64(vec![f64::INFINITY; tensor.shape[0]]);
    assert_eq!(message("importances", infinite), "importance 0 is inf, expected a finite number");

    let mut missing = small_forest().tensors();
    missing.take_u32("tree_size", &[3]).unwrap();
    assert_eq!(Forest::from_tensors(missing).unwrap_err().to_string(), "tensor `tree_size` is missing");
    let mut more = small_forest().tensors();
    more.insert("weights", &[0], Values::F32(Vec::new()));
    assert_eq!(
        Forest::from_tensors(more).unwrap_err().to_string(),
        "tensor `weights` does not belong to a forest"
    );
}

proptest! {
    /// Whatever a few numbers are changed to, the forest is refused or predicts distributions.
    #[test]
    fn no_damage_panics_or_walks_forever(name in 0usize..10, places in proptest::collection::vec(any::<u64>(), 1..4)) {
        let name = small_forest().tensors().names().nth(name).unwrap().to_owned();
        let tensors = changed(&name, |tensor| {
            for &place in &places {
                let (n, value) = (tensor.values.len(), random(place));
                // Small numbers are more likely to be taken for good ones.
                let word = (value >> 8) as u32 >> [0, 24, 28][value as usize % 3];
                match &mut tensor.values {
                    Values::F32(v) => v[place as usize % n] = f32::from_bits(word),
                    Values::F64(v) => v[place as usize % n] = f64::from_bits(value),
                    Values::U32(v) => v[place as usize % n] = word,
                    _ => {}
                }
            }
        });
        // How many classes there are is for the owner of their names to check.
        if let Some(forest) = Forest::from_tensors(tensors).ok().filter(|forest| forest.n_classes() < 1000) {
            let val = samples(900, 50, 4, 3);
            let proba = forest.predict_proba(val.x(), &Pool::inline());
            for i in 0..50 {
                let sum: f32 = proba.row(i).iter().sum();
                prop_assert!((sum - 1.0).abs() < 1e-4, "{}", sum);
            }
        }
    }
}
