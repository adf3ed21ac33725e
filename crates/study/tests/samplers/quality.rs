//! Compares the best values of 30 runs of TPE on each problem with 30 runs of Optuna's.
//!
//! `cargo test --release -p headsmith-study --test samplers -- --nocapture quality` makes all runs and shows the table;
//! without `--release` there are 10 runs of 100 trials.

use std::sync::Arc;

use headsmith_kernels::philox::{Philox, Sequence};
use headsmith_study::samplers::{History, Sampler, Tpe};
use headsmith_study::{Attributes, Direction, State, Trial};

use crate::problems::{Problem, function, problems, setting};

const FULL: bool = !cfg!(debug_assertions);
const SEEDS: u64 = if FULL { 30 } else { 10 };
const AFTER: &[usize] = if FULL { &[50, 100, 200] } else { &[50, 100] };

#[test]
fn functions_are_the_recorded_ones() {
    for (name, problem) in problems() {
        let function = function(&name);
        for (setting, value) in &problem.points {
            let found = function(setting);
            assert!(
                (found - value).abs() <= 1e-9 * value.abs().max(1.0),
                "{name}: {found}, expected {value}"
            );
        }
    }
}

/// No problem is significantly worse: one-sided Mann-Whitney tests, Holm's correction over all of them at 5%.
#[test]
fn tpe_is_nowhere_worse_than_optunas() {
    let mut tests = Vec::new();
    for (name, problem) in problems() {
        let runs: Vec<Vec<f64>> = (0..SEEDS).map(|seed| run(&name, &problem, seed)).collect();
        for (i, after) in AFTER.iter().enumerate() {
            let ours: Vec<f64> = runs.iter().map(|run| run[i]).collect();
            let theirs = &problem.best[&after.to_string()];
            let worse = chance_of_being_so_much_worse(&ours, theirs);
            let (ours, theirs) = (median(&ours), median(theirs));
            println!(
                "{name:17} {after:3} trials: median {ours:10.5}, Optuna {theirs:10.5}, p(worse) {worse:.3}"
            );
            tests.push((worse, format!("{name} after {after} trials: {ours}, Optuna {theirs}")));
        }
    }
    tests.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (i, (p, what)) in tests.iter().enumerate() {
        let corrected = p * (tests.len() - i) as f64;
        assert!(i > 0 || corrected > 0.05, "{what}: worse, with a corrected p of {corrected}");
    }
}

/// The value of the best trial after some trials; of a noisy function the value without noise of the trial that
/// seemed the best.
fn run(name: &str, problem: &Problem, seed: u64) -> Vec<f64> {
    let (space, function, tpe) = (problem.space(), function(name), Tpe::default());
    let mut noise = Philox::new(seed, 0, 1).sequence(0, 0);
    let mut finished: Vec<Arc<Trial>> = Vec::new();
    let (mut best, mut best_seen, mut values) = (f64::INFINITY, f64::INFINITY, Vec::new());
    for number in 0..AFTER[AFTER.len() - 1] as u64 {
        let history = History { direction: Direction::Minimize, finished: &finished, running: &[] };
        let mut draws = Philox::new(seed, number as u32, 0).sequence(0, 0);
        let params = tpe.suggest(&space, history, number, &Default::default(), &mut draws);
        let value = function(&setting(&params));
        let seen = value + problem.noise * gaussian(&mut noise);
        if seen < best_seen {
            (best, best_seen) = (value, seen);
        }
        values.push(best);
        finished.push(Arc::new(Trial {
            id: number as i64,
            number,
            state: State::Complete,
            value: Some(seen),
            params,
            intermediate: Default::default(),
            user_attrs: Attributes::new(),
            system_attrs: Attributes::new(),
            started: None,
            completed: None,
            ..Trial::default()
        }));
    }
    AFTER.iter().map(|n| values[n - 1]).collect()
}

fn gaussian(draws: &mut Sequence) -> f64 {
    let (u, v) = (1.0 - draws.uniform(), draws.uniform());
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    0.5 * (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2])
}

/// The probability that values from the distribution of `theirs` are as large as `ours` or larger, by the normal
/// approximation of Mann and Whitney's U with corrections for ties and continuity.
fn chance_of_being_so_much_worse(ours: &[f64], theirs: &[f64]) -> f64 {
    let (n, m) = (ours.len() as f64, theirs.len() as f64);
    let pairs = ours.iter().flat_map(|a| theirs.iter().map(move |b| (a, b)));
    // The recorded values have nine digits.
    let equal = |a: f64, b: f64| (a - b).abs() <= 2e-9 * b.abs().max(1e-9);
    let wins = pairs.map(|(&a, &b)| if equal(a, b) { 0.5 } else { f64::from(u8::from(a > b)) });
    let u: f64 = wins.sum();
    let mut all: Vec<f64> = ours.iter().chain(theirs).copied().collect();
    all.sort_by(f64::total_cmp);
    let ties: f64 = all.chunk_by(|a, b| equal(*a, *b)).map(|t| t.len() as f64).map(|t| t * t * t - t).sum();
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = (u - n * m / 2.0 - 0.5) / variance.sqrt();
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}
