//! Bootstrap intervals of 2,000 samples, 10,000 resamples, on one thread and on two.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headsmith_kernels::{Matrix, Philox, Pool};
use headsmith_metrics::bootstrap::{Options, intervals, paired_difference};

const N_SAMPLES: usize = 2000;

/// Labels, and probabilities that lean towards them by `skill`.
fn predictions(n_classes: usize, skill: f64, stream: u32) -> (Vec<u32>, Matrix) {
    let mut random = Philox::new(7, 0, stream).sequence(0, 0);
    let y: Vec<u32> = (0..N_SAMPLES).map(|i| (i % n_classes) as u32).collect();
    let mut proba = Matrix::zeros(N_SAMPLES, n_classes);
    for (i, &class) in y.iter().enumerate() {
        let row = proba.row_mut(i);
        row.iter_mut().for_each(|p| *p = random.uniform() as f32 + 1e-3);
        row[class as usize] += skill as f32;
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum);
    }
    (y, proba)
}

fn bench(c: &mut Criterion) {
    let options = Options::default();
    for (n_classes, n_threads) in [(3, 1), (3, 2), (100, 2)] {
        let (y, a) = predictions(n_classes, 0.3, 0);
        let (_, b) = predictions(n_classes, 0.28, 1);
        let Ok(pool) = Pool::new(n_threads) else { return };
        let mut group = c.benchmark_group(format!("bootstrap, {n_classes} classes, {n_threads} threads"));
        group.sample_size(10);
        group.bench_function("intervals", |bench| {
            bench.iter(|| black_box(intervals(&y, a.view(), &options, &pool)));
        });
        group.bench_function("paired_difference", |bench| {
            bench.iter(|| black_box(paired_difference(&y, a.view(), b.view(), &options, &pool)));
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
