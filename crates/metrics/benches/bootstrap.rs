//! Bootstrap intervals of 2,000 samples in 3 classes, 10,000 resamples, on one thread and on two.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use headsmith_kernels::{Matrix, Philox, Pool};
use headsmith_metrics::bootstrap::{Options, intervals, paired_difference};

const N_SAMPLES: usize = 2000;
const N_CLASSES: usize = 3;

/// Labels, and probabilities that lean towards them by `skill`.
fn predictions(skill: f64, stream: u32) -> (Vec<u32>, Matrix) {
    let mut random = Philox::new(7, 0, stream).sequence(0, 0);
    let y: Vec<u32> = (0..N_SAMPLES).map(|i| (i % N_CLASSES) as u32).collect();
    let mut proba = Matrix::zeros(N_SAMPLES, N_CLASSES);
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
    let (y, a) = predictions(0.3, 0);
    let (_, b) = predictions(0.28, 1);
    let options = Options::default();
    for n_threads in [1, 2] {
        let Ok(pool) = Pool::new(n_threads) else { return };
        let mut group = c.benchmark_group(format!("bootstrap 10,000 of 2,000 x 3, {n_threads} threads"));
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
