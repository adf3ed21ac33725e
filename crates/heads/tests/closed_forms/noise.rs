//! Labels that features know nothing of: out-of-fold predictions must not know them either.

use headsmith_heads::HEADS;
use headsmith_heads::Samples;
use headsmith_heads::head::Folds;
use headsmith_kernels::{MatRef, Philox, Pool};

use super::with_fitting;

const N_FEATURES: usize = 16;

/// Standard normal features, and balanced classes in random order.
fn noise(n_samples: usize, n_classes: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
    let normal = |random: &mut headsmith_kernels::Sequence| {
        let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * random.uniform()).cos()) as f32
    };
    let x = (0..n_samples * N_FEATURES).map(|_| normal(&mut random)).collect();
    let mut y: Vec<u32> = (0..n_samples).map(|i| (i % n_classes) as u32).collect();
    random.shuffle(&mut y);
    (x, y)
}

#[test]
fn rows_that_are_left_out_do_not_tell_their_class_by_its_absence() {
    let heads = HEADS.iter().filter(|head| head.traits().out_of_fold);
    for head in heads {
        for (n, k) in [(20, 10), (60, 10), (100, 10), (30, 3), (100, 2)] {
            let (mut log_loss, mut n_predicted) = (0.0, 0);
            for seed in 0..2 {
                let (x, y) = noise(n, k, seed);
                let samples = Samples::new(MatRef::new(&x, n, N_FEATURES), &y, k).unwrap();
                let units: Vec<u32> = (0..n as u32).collect();
                let left_out = with_fitting(*head, samples, &[], &Pool::inline(), |mut fitting| {
                    fitting.conclude().unwrap();
                    fitting.out_of_fold(Folds::Of(&units))
                });
                let Some(proba) = left_out.unwrap() else { continue };
                for (i, &class) in y.iter().enumerate() {
                    let row = proba.row(i);
                    log_loss -= f64::from(row[class as usize].max(1e-30)).ln() / (2 * n) as f64;
                    n_predicted += 1;
                }
            }
            // A head that chooses by itself need not have predictions of every table.
            let chance = (k as f64).ln();
            assert!(
                n_predicted == 0 || log_loss > 0.75 * chance,
                "{}, {n} rows, {k} classes: {log_loss}, {chance}",
                head.name()
            );
        }
    }
}
