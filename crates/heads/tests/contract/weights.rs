//! Sample weights, and the order of the rows.

use headsmith_heads::params::Value;
use headsmith_heads::{HEADS, Job, Samples};
use headsmith_kernels::{Matrix, Pool};

use super::{Rows, fit, quiet, small};

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

#[test]
fn a_weight_counts_as_repeated_rows_or_is_refused() {
    let rows = Rows::new(120, 5, 3, 21);
    let weights: Vec<f32> = (0..120).map(|i| ((i * 7) % 4) as f32).collect();
    let repeated: Vec<usize> = (0..120).flat_map(|i| vec![i; weights[i] as usize]).collect();
    let repeated = picked(&rows, &repeated);
    let weighted = rows.samples().weighted(&weights).unwrap();
    for head in HEADS {
        let (mut params, pool) = (small(*head), Pool::inline());
        if head.table().find("c").is_some() {
            // Folds that choose it are drawn from rows: repeated ones are others.
            let fixed = params.iter().map(|(name, value)| (name, value.clone()));
            params = head.table().resolve(fixed.chain([("c", Value::Float(1.0))])).unwrap();
        }
        let proba = |samples: Samples<'_>| {
            let (fitted, _) = fit(*head, Job::new(samples, &params, 3, &pool), &mut quiet)?;
            headsmith_heads::error::Result::Ok(fitted.predict_proba(rows.x.view(), &pool))
        };
        match (head.traits().weights, proba(weighted)) {
            (true, weighted) => {
                let weighted = weighted.unwrap();
                // The heads that take weights have one optimum, up to the tolerance of their solvers.
                let distance = self::distance(&weighted, &proba(repeated.samples()).unwrap());
                assert!(distance < 1e-4, "{}: {distance}", head.name());
                assert!(self::distance(&proba(rows.samples()).unwrap(), &weighted) > 1e-3, "{}", head.name());
            }
            (false, Ok(_)) => panic!("{} does not say that it takes weights", head.name()),
            (false, Err(error)) => assert!(error.to_string().contains("sample weights"), "{error}"),
        }
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
