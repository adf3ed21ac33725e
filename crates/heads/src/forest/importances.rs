//! Mean decrease in impurity (scikit-learn: `compute_feature_importances`, `feature_importances_`).
//!
//! Each split counts, for its feature, `w i - w_l i_l - w_r i_r` with weights `w` and impurities `i` of the node and
//! its children. A tree's sums are scaled to add up to 1, then averaged over the trees that have a split.

use super::grow::Grown;

/// The importances of one tree, scaled to sum 1; `None` when it has no split.
pub(super) fn of_tree(grown: &Grown, n_features: usize) -> Option<Vec<f64>> {
    let mut importances = vec![0.0; n_features];
    let part = |i: usize| grown.weight[i] * grown.impurity[i];
    for (i, node) in grown.tree.splits() {
        let left = node.next as usize;
        importances[node.feature as usize] += part(i) - part(left) - part(left + 1);
    }
    scale(&mut importances);
    (!grown.tree.is_leaf(0)).then_some(importances)
}

/// The mean of the trees' importances, scaled to sum 1; zeros when there are none.
pub(super) fn mean(of_trees: &[Vec<f64>], n_features: usize) -> Vec<f64> {
    let mut mean = vec![0.0; n_features];
    for importances in of_trees {
        mean.iter_mut().zip(importances).for_each(|(sum, v)| *sum += v);
    }
    scale(&mut mean);
    mean
}

fn scale(importances: &mut [f64]) {
    let sum: f64 = importances.iter().sum();
    if sum > 0.0 {
        importances.iter_mut().for_each(|v| *v /= sum);
    }
}
