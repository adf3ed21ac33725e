//! A fit takes no more memory than its head says beforehand.

use headsmith_heads::{HEADS, Job};
use headsmith_kernels::Pool;

use super::{Rows, fit, quiet, small};

/// What does not grow with the fit: threads, tables of the kernels, and the like.
const SLACK: u64 = 1 << 20;

#[test]
fn a_fit_stays_within_its_cost() {
    for (n_samples, n_features, n_classes) in [(400, 64, 3), (3_000, 16, 10), (60, 2_000, 2), (500, 8, 100)] {
        let (train, val) =
            (Rows::new(n_samples, n_features, n_classes, 1), Rows::new(100, n_features, n_classes, 1));
        for head in HEADS {
            let (params, pool) = (small(*head), Pool::inline());
            let job = Job { val: Some(val.samples()), ..Job::new(train.samples(), &params, 7, &pool) };
            let cost = head.cost(job.shape(), &params).unwrap();
            assert!(cost.operations > 0 && !cost.hint.is_empty());
            let taken = allocation_counter::measure(|| drop(fit(*head, job, &mut quiet).unwrap())).bytes_max;
            assert!(
                taken <= cost.bytes + SLACK,
                "{} on {n_samples} x {n_features}, {n_classes} classes: {taken} bytes, {} expected",
                head.name(),
                cost.bytes
            );
        }
    }
}

#[test]
fn a_cost_beyond_all_memory_is_a_number() {
    for head in HEADS {
        let shape = headsmith_heads::head::Shape {
            n_samples: 1 << 28,
            n_val: 1 << 28,
            n_features: 60_000,
            n_classes: 60_000,
        };
        if let Ok(cost) = head.cost(shape, &head.table().defaults()) {
            assert!(cost.bytes > 1 << 20, "{}: {cost:?}", head.name());
        }
    }
}
