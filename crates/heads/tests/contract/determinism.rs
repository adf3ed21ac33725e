//! The same job gives the same bytes.

use headsmith_heads::{HEADS, Job};
use headsmith_kernels::Pool;

use super::{Rows, each, fit, quiet, small};

#[test]
fn threads_change_no_byte() {
    let (train, val) = (Rows::new(700, 9, 3, 2), Rows::new(90, 9, 3, 2));
    for head in HEADS {
        let params = small(*head);
        let bytes = |n_threads| {
            let pool = Pool::new(n_threads).unwrap();
            let job = Job { val: Some(val.samples()), ..Job::new(train.samples(), &params, 5, &pool) };
            let (fitted, training) = fit(*head, job, &mut quiet).unwrap();
            (fitted.config(), fitted.tensors(), training, fitted.predict_proba(val.x.view(), &pool))
        };
        let one = bytes(1);
        for n_threads in [2, 3, 8] {
            assert_eq!(one, bytes(n_threads), "{} with {n_threads} threads", head.name());
        }
    }
}

#[test]
fn every_head_of_the_list_learns() {
    let (train, val) = (Rows::new(600, 8, 3, 12), Rows::new(150, 8, 3, 12));
    for head in HEADS {
        // The rows of both sets are around the same centres.
        let (params, pool) = (small(*head), Pool::inline());
        let job = Job { val: Some(val.samples()), ..Job::new(train.samples(), &params, 5, &pool) };
        let (fitted, _) = fit(*head, job, &mut quiet).unwrap();
        let proba = fitted.predict_proba(val.x.view(), &pool);
        let accuracy = headsmith_metrics::score(&val.y, proba.view()).unwrap().accuracy;
        println!("{}: accuracy {accuracy:.3}", head.name());
        assert!(accuracy > 0.6, "{}: {accuracy}, chance is 0.33", head.name());
    }
}

#[test]
fn a_row_has_the_same_probabilities_alone_and_among_others() {
    each(|head, job, val| {
        let (fitted, _) = fit(head, job, &mut quiet).unwrap();
        let together = fitted.predict_proba(val.x.view(), job.pool);
        for i in 0..val.x.n_rows() {
            let alone = fitted.predict_proba(val.x.view().rows(i, i + 1), job.pool);
            assert_eq!(together.row(i), alone.row(0), "{}, row {i}", head.name());
        }
    });
}

#[test]
fn rows_that_are_transformed_on_access_give_the_same_head() {
    use headsmith_heads::transform::Spec;
    each(|head, job, _| {
        let pool = job.pool;
        let transform = "sqrt+standardise+pca:4".parse::<Spec>().unwrap().fit(job.train.x(), pool).unwrap();
        let copy = transform.apply(job.train.x(), pool);
        let once = headsmith_heads::Samples::new(copy.view(), job.train.y(), job.train.n_classes()).unwrap();
        let on_access = job.train.transformed_by(&transform);
        let tensors = |samples| {
            fit(head, Job { train: samples, val: Some(samples), ..job }, &mut quiet).unwrap().0.tensors()
        };
        let expected = tensors(once);
        if head.traits().rescans {
            let refused = head.begin(Job { train: on_access, val: None, ..job }, None);
            assert!(refused.is_err(), "{} needs rows that are transformed once", head.name());
        } else {
            assert_eq!(tensors(on_access), expected, "{}", head.name());
        }
    });
}
