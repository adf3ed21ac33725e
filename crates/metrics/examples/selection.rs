//! Measures how optimistic the score of the best of many trials is, and how well the correction works: the table in
//! `docs/guide/honest-numbers.md`.
//!
//! ```text
//! cargo run --release -p headsmith-metrics --example selection
//! ```
//!
//! Every study has three classes. Each trial predicts the true class with its own probability: the same for all, or
//! spread around it. Two trials share their prediction of a row often enough that their correctness has a correlation
//! of 0.6.

use std::time::Instant;

use headsmith_kernels::{Philox, Pool, philox::Sequence};
use headsmith_metrics::Metric;
use headsmith_metrics::bootstrap::{Options, selection};

const CORRELATION: f64 = 0.6;

/// Labels, predictions, and the probability with which each trial is right.
struct Simulated {
    y_true: Vec<u32>,
    trials: Vec<Vec<u8>>,
    truths: Vec<f64>,
}

/// The prediction of a trial that is right with probability `truth`, for a row of class `class` and a random number in
/// `[0, 1)`.
fn predict(class: u32, u: f64, truth: f64) -> u8 {
    let off = if u < truth { 0 } else { 1 + u32::from(u < truth + 0.5 * (1.0 - truth)) };
    ((class + off) % 3) as u8
}

/// A draw of the standard normal distribution, by twelve uniform ones.
fn normal(draws: &mut Sequence) -> f64 {
    (0..12).map(|_| draws.uniform()).sum::<f64>() - 6.0
}

fn simulate(seed: u64, n_samples: usize, n_trials: usize, spread: f64) -> Simulated {
    let mut draws = Philox::new(seed, 0, 0).sequence(0, 0);
    let y_true: Vec<u32> = (0..n_samples as u32).map(|i| i % 3).collect();
    let shared: Vec<f64> = y_true.iter().map(|_| draws.uniform()).collect();
    let truths: Vec<f64> = (0..n_trials).map(|_| 0.64 + spread * normal(&mut draws)).collect();
    let mut trial = |truth: f64| {
        let mut u = |shared: f64| if draws.uniform() < CORRELATION.sqrt() { shared } else { draws.uniform() };
        y_true.iter().zip(&shared).map(|(&class, &shared)| predict(class, u(shared), truth)).collect()
    };
    let trials = truths.iter().map(|&truth| trial(truth)).collect();
    Simulated { y_true, trials, truths }
}

/// Mean, standard error of the mean, and standard deviation.
fn summary(values: &[f64]) -> (f64, f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    (mean, deviation / n.sqrt(), deviation)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::new(std::thread::available_parallelism()?.get())?;
    let options = Options { n_resamples: 400, ..Options::default() };
    println!(
        "| rows | trials | spread | best, optimism | corrected, error | its deviation | truth in the interval of the best | of the corrected |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (n_samples, n_trials, spread) in [
        (2000, 1, 0.0),
        (2000, 20, 0.0),
        (2000, 160, 0.0),
        (2000, 1000, 0.0),
        (500, 160, 0.0),
        (2000, 160, 0.01),
        (2000, 160, 0.03),
    ] {
        let n_studies = if n_trials > 200 { 100 } else { 300 };
        let (mut observed, mut corrected, mut plain_holds, mut corrected_holds) = (vec![], vec![], 0.0, 0.0);
        for seed in 0..n_studies {
            let study = simulate(seed, n_samples, n_trials, spread);
            let found = selection(&study.y_true, &study.trials, 3, Metric::WeightedF1, &options, &pool)?;
            let truth = study.truths[found.selected];
            observed.push(found.observed - truth);
            corrected.push(found.corrected - truth);
            let share = 100.0 / n_studies as f64;
            let holds = |low: f64, high: f64| if low <= truth && truth <= high { share } else { 0.0 };
            plain_holds += holds(found.observed_interval.low, found.observed_interval.high);
            corrected_holds += holds(found.corrected_interval.low, found.corrected_interval.high);
        }
        let ((plain, plain_se, _), (fixed, fixed_se, deviation)) = (summary(&observed), summary(&corrected));
        println!(
            "| {n_samples} | {n_trials} | {spread} | {plain:+.4} ± {plain_se:.4} | {fixed:+.4} ± {fixed_se:.4} | \
             {deviation:.4} | {plain_holds:.0}% | {corrected_holds:.0}% |"
        );
    }
    let study = simulate(1, 2000, 160, 0.0);
    let started = Instant::now();
    let options = Options { n_resamples: 1000, ..Options::default() };
    selection(&study.y_true, &study.trials, 3, Metric::WeightedF1, &options, &Pool::inline())?;
    println!(
        "\n160 trials x 2,000 rows x 1,000 resamples, one thread: {:.3} s",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
