//! Out-of-fold predictions.

use headsmith_heads::head::Folds;
use headsmith_heads::params::Value;
use headsmith_heads::{HEADS, Job, training};
use headsmith_kernels::{Matrix, Pool};

use super::{Rows, assert_distributions, quiet, small};

#[test]
fn heads_say_whether_they_predict_out_of_fold() {
    let rows = Rows::new(120, 4, 3, 31);
    // Two folds of 20 rows; the other rows are folds of their own.
    let folds: Vec<u32> = (0..120).map(|i| if i < 40 { i % 2 } else { i }).collect();
    let distinct: Vec<u32> = (0..120).collect();
    for head in HEADS {
        let (mut params, pool) = (small(*head), Pool::inline());
        if head.table().find("calibration").is_some() {
            // A calibration is fitted on the rows of other folds.
            let given = params.iter().map(|(name, value)| (name, value.clone()));
            let none = ("calibration", Value::Text("none".to_owned()));
            params = head.table().resolve(given.chain([none])).unwrap();
        }
        let mut fitting = head.begin(Job::new(rows.samples(), &params, 3, &pool), None).unwrap();
        training::run(fitting.as_mut(), &mut quiet, None).unwrap();
        let of = |folds| fitting.out_of_fold(folds);
        let [alone, apart, mixed] = [Folds::LeaveOneOut, Folds::Of(&distinct), Folds::Of(&folds)].map(of);
        let says = head.traits().out_of_fold;
        assert_eq!([alone.is_some(), mixed.is_some()], [says; 2], "{}", head.name());
        assert_eq!(alone, apart, "{}", head.name());
        assert!(of(Folds::Of(&[7; 120])).is_none(), "{} without rows", head.name());
        let (Some(alone), Some(mixed)) = (alone, mixed) else { continue };
        assert_distributions(*head, &alone);
        assert_distributions(*head, &mixed);
        let largest = |rows: std::ops::Range<usize>| {
            let part = |m: &Matrix| m.as_slice()[rows.start * 3..rows.end * 3].to_vec();
            let pairs = part(&alone).into_iter().zip(part(&mixed));
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        // Rows that are folds of their own are predicted as before; those of larger folds are not.
        assert!(largest(40..120) < 1e-6, "{}: {}", head.name(), largest(40..120));
        assert!(largest(0..40) > 1e-4, "{}", head.name());
    }
}
