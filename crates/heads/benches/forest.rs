//! Fitting and predicting forests with the defaults, on one thread.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headsmith_heads::{Control, Event, Samples, forest};
use headsmith_kernels::{Matrix, Philox, Pool};

const N_CLASSES: u32 = 8;

/// Rows around a centre a class, with noise that is six times as wide as the centres lie apart.
fn samples(n_samples: usize, n_features: usize) -> (Matrix, Vec<u32>) {
    let mut random = Philox::new(0, 0, 0).sequence(0, 0);
    let mut around_zero = move || (0..4).map(|_| random.uniform() - 0.5).sum::<f64>() as f32;
    let centres: Vec<f32> = (0..N_CLASSES as usize * n_features).map(|_| around_zero() / 6.0).collect();
    let y: Vec<u32> =
        (0..n_samples as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 8 & (N_CLASSES - 1)).collect();
    let mut x = Matrix::zeros(n_samples, n_features);
    for (i, &class) in y.iter().enumerate() {
        for (value, centre) in x.row_mut(i).iter_mut().zip(&centres[class as usize * n_features..]) {
            *value = centre + around_zero();
        }
    }
    (x, y)
}

fn forests(c: &mut Criterion) {
    let pool = Pool::inline();
    for (n_samples, n_features) in [(1_000, 64), (5_000, 512)] {
        let (x, y) = samples(n_samples, n_features);
        let samples = Samples::new(x.view(), &y, N_CLASSES as usize).expect("one label a row");
        let params = forest::TABLE.defaults();
        let fit = || {
            forest::fit(samples, &params, 0, &pool, &mut |_: &Event| Control::Continue)
                .expect("finite samples")
        };
        let mut group = c.benchmark_group(format!("forest/{n_samples}x{n_features}"));
        group.sample_size(10).throughput(Throughput::Elements(n_samples as u64));
        group.bench_function("fit", |b| b.iter(fit));
        let fitted = fit();
        group.bench_function("predict", |b| b.iter(|| black_box(fitted.predict_proba(x.view(), &pool))));
        group.finish();
    }
}

criterion_group!(benches, forests);
criterion_main!(benches);
