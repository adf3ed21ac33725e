//! Properties of every head of the list: a new head is tested here without a line of its own.

// A test may end at the first thing that is not as it must be, in the code it shares too.
#![allow(clippy::unwrap_used)]

mod determinism;
mod edges;
mod folds;
mod memory;
mod steps;
mod stored;
mod weights;

use std::sync::Arc;

use headsmith_heads::error::Result;
use headsmith_heads::params::{Params, Value};
use headsmith_heads::training::{self, Training};
use headsmith_heads::{Control, Event, Fitted, HEADS, Head, Job, Observer, Samples};
use headsmith_kernels::{Matrix, Philox, Pool};

/// Parameters that make a fit small, for the heads that have them.
const SMALL: [(&str, i64); 9] = [
    ("n_estimators", 20),
    ("epochs", 4),
    ("neurons0", 12),
    ("neurons1", 12),
    ("neurons2", 12),
    ("batch_size", 32),
    ("max_iter", 200),
    ("n_folds", 2),
    ("screen_rows", 100),
];

/// The parameters of a small fit.
fn small(head: &dyn Head) -> Params {
    let table = head.table();
    let given = SMALL.into_iter().filter(|(name, _)| table.find(name).is_some());
    table.resolve(given.map(|(name, value)| (name, Value::Int(value)))).unwrap()
}

/// Rows around a centre for each class, every class with about as many.
struct Rows {
    x: Matrix,
    y: Vec<u32>,
    n_classes: usize,
}

impl Rows {
    fn new(n_samples: usize, n_features: usize, n_classes: usize, seed: u64) -> Rows {
        let mut draws = Philox::new(seed, 0, 0).sequence(0, 0);
        let centres: Vec<f32> = (0..n_classes * n_features).map(|_| draws.uniform() as f32 * 2.0).collect();
        let y: Vec<u32> = (0..n_samples).map(|i| (i % n_classes) as u32).collect();
        let mut values = Vec::with_capacity(n_samples * n_features);
        for &class in &y {
            let centre = &centres[class as usize * n_features..][..n_features];
            values.extend(centre.iter().map(|c| c + draws.uniform() as f32 - 0.5));
        }
        Rows { x: Matrix::new(values, n_samples, n_features), y, n_classes }
    }

    fn samples(&self) -> Samples<'_> {
        Samples::new(self.x.view(), &self.y, self.n_classes).unwrap()
    }
}

fn quiet(_: &Event) -> Control {
    Control::Continue
}

/// A whole fit.
fn fit(head: &dyn Head, job: Job<'_>, observer: &mut dyn Observer) -> Result<(Arc<dyn Fitted>, Training)> {
    let mut fitting = head.begin(job, None)?;
    let training = training::run(fitting.as_mut(), observer, None)?;
    Ok((fitting.finish()?, training))
}

/// A small fit of each head on training and validation rows.
fn each(mut check: impl FnMut(&'static dyn Head, Job<'_>, &Rows)) {
    let (train, val) = (Rows::new(150, 6, 3, 1), Rows::new(60, 6, 3, 1));
    for head in HEADS {
        let (params, pool) = (small(*head), Pool::inline());
        let job = Job { val: Some(val.samples()), ..Job::new(train.samples(), &params, 7, &pool) };
        check(*head, job, &val);
    }
}

/// Whether rows of probabilities are distributions.
#[track_caller]
fn assert_distributions(head: &dyn Head, proba: &Matrix) {
    for i in 0..proba.n_rows() {
        let row = proba.row(i);
        let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
        assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{}: {row:?}", head.name());
        assert!((sum - 1.0).abs() < 1e-4, "{}: the sum of row {i} is {sum}", head.name());
    }
}
