//! Sample weights, and the order of the rows.

use std::sync::Arc;

use headsmith_heads::params::Value;
use headsmith_heads::{Fitted, HEADS, Head, Job, Samples};
use headsmith_kernels::{Matrix, Pool};

use super::{Rows, SMALL, fit, quiet, small};

/// The rows `order` of `rows`.
fn picked(rows: &Rows, order: &[usize]) -> Rows {
    let values: Vec<f32> = order.iter().flat_map(|&i| rows.x.row(i).to_vec()).collect();
    Rows {
        x: Matrix::new(values, order.len(), rows.x.n_cols()),
        y: order.iter().map(|&i| rows.y[i]).collect(),
        n_classes: rows.n_classes,
    }
}

/// The largest difference between probabilities.
fn distance(a: &Matrix, b: &Matrix) -> f64 {
    let differences = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| f64::from(a - b).abs());
    differences.fold(0.0, f64::max)
}

/// A small fit of `head`. Folds that choose a strength are drawn from rows, and repeated ones are others: it is given.
fn fitted(head: &dyn Head, samples: Samples<'_>) -> Arc<dyn Fitted> {
    let mut params = small(head);
    if head.table().find("c").is_some() {
        let given = params.iter().map(|(name, value)| (name, value.clone()));
        params = head.table().resolve(given.chain([("c", Value::Float(1.0))])).unwrap();
    }
    fit(head, Job::new(samples, &params, 3, &Pool::inline()), &mut quiet).unwrap().0
}

#[test]
fn a_weight_counts_as_repeated_rows() {
    let rows = Rows::new(120, 5, 3, 21);
    let weights: Vec<f32> = (0..120).map(|i| ((i * 7) % 4) as f32).collect();
    let repeated: Vec<usize> = (0..120).flat_map(|i| vec![i; weights[i] as usize]).collect();
    let repeated = picked(&rows, &repeated);
    let weighted = rows.samples().weighted(&weights).unwrap();
    let mut n_exact = 0;
    for head in HEADS {
        let proba = |samples| fitted(*head, samples).predict_proba(rows.x.view(), &Pool::inline());
        let weighted = proba(weighted);
        assert!(distance(&proba(rows.samples()), &weighted) > 1e-3, "{}", head.name());
        if head.traits().weights {
            // They have one optimum, up to the tolerance of their solvers.
            let distance = distance(&weighted, &proba(repeated.samples()));
            assert!(distance < 1e-4, "{}: {distance}", head.name());
            n_exact += 1;
        }
    }
    assert!(n_exact > 0);
}

#[test]
fn equal_weights_are_none_and_rows_without_weight_have_no_influence() {
    let mut rows = Rows::new(120, 5, 3, 23);
    let weights: Vec<f32> = (0..120).map(|i| ((i * 7) % 4) as f32 * 0.4).collect();
    let flip = |y: &mut [u32]| {
        for (class, _) in y.iter_mut().zip(&weights).filter(|(_, weight)| **weight == 0.0) {
            *class = (*class + 1) % 3;
        }
    };
    for head in HEADS {
        let plain = fitted(*head, rows.samples());
        let ones = fitted(*head, rows.samples().weighted(&[1.0; 120]).unwrap());
        assert_eq!(ones.tensors(), plain.tensors(), "{}", head.name());
        let one = fitted(*head, rows.samples().weighted(&weights).unwrap());
        flip(&mut rows.y);
        let other = fitted(*head, rows.samples().weighted(&weights).unwrap());
        assert_eq!(one.tensors(), other.tensors(), "{}", head.name());
    }
}

#[test]
fn neighbours_of_rows_whose_weights_sum_to_1_are_those_of_rows_without_weights() {
    let rows = Rows::new(120, 5, 3, 25);
    let knn = HEADS.iter().find(|head| head.name() == "knn").unwrap();
    let proba = |samples| fitted(*knn, samples).predict_proba(rows.x.view(), &Pool::inline());
    let distance =
        distance(&proba(rows.samples()), &proba(rows.samples().weighted(&[1.0 / 120.0; 120]).unwrap()));
    assert!(distance < 1e-6, "{distance}");
}

#[test]
fn every_head_weights_classes_by_name() {
    // One feature, in which the classes overlap; trees have leaves of several classes.
    let rows = Rows::new(120, 1, 3, 24);
    let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    for head in HEADS {
        let proba = |class_weight: &str| {
            let given = SMALL.into_iter().chain([("min_samples_leaf", 12)]);
            let given = given.filter(|(name, _)| head.table().find(name).is_some());
            let given = given.map(|(name, value)| (name, Value::Int(value)));
            let class_weight = [("class_weight", Value::Text(class_weight.to_owned()))];
            let params = head.table().resolve(given.chain(class_weight)).unwrap();
            let pool = Pool::inline();
            let job = Job::new(rows.samples().named(&names), &params, 3, &pool);
            let (fitted, _) = fit(*head, job, &mut quiet).unwrap();
            fitted.predict_proba(rows.x.view(), &pool)
        };
        let mean_of_b = |proba: &Matrix| (0..120).map(|i| proba.row(i)[1]).sum::<f32>() / 120.0;
        let [plain, more, none] = ["none", "b:20", "b:0"].map(|text| mean_of_b(&proba(text)));
        assert!(none < plain && plain < more, "{}: {none}, {plain}, {more}", head.name());
    }
}

#[test]
fn the_order_of_rows_changes_nothing_in_a_closed_form() {
    let rows = Rows::new(400, 7, 4, 22);
    let order: Vec<usize> = (0..400).map(|i| (i * 177 + 31) % 400).collect();
    let permuted = picked(&rows, &order);
    let mut n_closed = 0;
    for head in HEADS.iter().filter(|head| head.traits().closed_form) {
        let (params, pool) = (small(*head), Pool::inline());
        let proba = |samples: Samples<'_>| {
            let (fitted, _) = fit(*head, Job::new(samples, &params, 3, &pool), &mut quiet).unwrap();
            fitted.predict_proba(rows.x.view(), &pool)
        };
        let distance = distance(&proba(rows.samples()), &proba(permuted.samples()));
        assert!(distance < 1e-6, "{}: {distance}", head.name());
        n_closed += 1;
    }
    assert!(n_closed > 0);
}
